import { z } from 'zod';
import type { Clock } from '../../../../core/clock';
import { ExternalCatalogueError } from '../external-catalogue';
import { readJson } from './read-json';

/**
 * The access token that Twitch gives an application for IGDB (OAuth client credentials). It is good for weeks and kept in this
 * process; those who need one while it is being fetched share it.
 */
export interface IgdbToken {
  /** @throws ExternalCatalogueError */
  get(signal: AbortSignal): Promise<string>;
  /** This one was refused: unless somebody has a newer one already, the next `get` fetches it. */
  forget(token: string): void;
}

export interface IgdbTokenDeps {
  tokenUrl: string;
  clientId: string;
  clientSecret: string;
  clock: Clock;
}

const answer = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() });

/** Renewed so long before it ends: nobody sends one that ends on the way. */
const MARGIN_MS = 60_000;

export function createIgdbToken({ tokenUrl, clientId, clientSecret, clock }: IgdbTokenDeps): IgdbToken {
  let known: { token: string; until: number } | undefined;
  let fetching: Promise<string> | undefined;

  const fetchToken = async (signal: AbortSignal): Promise<string> => {
    const asked = clock.now();
    // in the body, not in the address: addresses are written into logs on the way
    const body = new URLSearchParams({
      client_id: clientId,
      client_secret: clientSecret,
      grant_type: 'client_credentials',
    });
    const { status, json } = await readJson(tokenUrl, { method: 'POST', body, signal });
    if (status === 400 || status === 401 || status === 403)
      throw new ExternalCatalogueError(
        'refused',
        `Twitch does not accept IGDB_CLIENT_ID and IGDB_CLIENT_SECRET (${status})`,
      );
    const read = answer.safeParse(json);
    if (!read.success) throw new ExternalCatalogueError('away', 'Twitch answered with something that is no token');
    const { access_token: token, expires_in } = read.data;
    known = { token, until: asked + expires_in * 1000 - MARGIN_MS };
    return token;
  };

  return {
    async get(signal) {
      if (known && known.until > clock.now()) return known.token;
      fetching ??= fetchToken(signal).finally(() => (fetching = undefined));
      return fetching;
    },
    forget(token) {
      if (known?.token === token) known = undefined;
    },
  };
}
