import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A server that speaks as Twitch and IGDB do, as far as they are asked: `POST /oauth2/token`, `POST /v4/games` and `/v4/games/count`
 * with `search`, `where` (numbers, lists, null, `>`), `sort id asc`, `limit` and `offset`. It can be told to misbehave.
 */
export interface IgdbStandIn {
  settings: { clientId: string; clientSecret: string; apiUrl: string; tokenUrl: string };
  games: StandInGame[];
  /** Queries that were answered, by whatever means. */
  queries: string[];
  tokensGiven(): number;
  mostOpen(): number;
  /** How the next requests for games end; one each, then well again. */
  misbehave(...ways: Misbehaviour[]): void;
  /** How all requests end until it is called again. */
  always(way: Misbehaviour | undefined): void;
  /** Tokens given so far are good no more. */
  expireTokens(): void;
  /** Resolves when so many queries have arrived in all. */
  asked(count: number): Promise<void>;
  stop(): Promise<void>;
}

export type StandInGame = { id: number; name: string } & Record<string, unknown>;

/** `slow` answers never; `cut` ends the connection in the middle of the answer. A number is a status. */
export type Misbehaviour = 'slow' | 'cut' | 'malformed' | 'not a list' | number | { status: 429; retryAfter: string };

const CLIENT = { clientId: 'stand-in-client', clientSecret: 'stand-in-secret' };

export async function startIgdbStandIn(games: StandInGame[] = []): Promise<IgdbStandIn> {
  const queries: string[] = [];
  const waiting = new Set<() => void>();
  let tokens: string[] = [];
  let given = 0;
  let open = 0;
  let mostOpen = 0;
  let coming: Misbehaviour[] = [];
  let constant: Misbehaviour | undefined;

  const server = createServer((request, response) => void serve(request, response));

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await textOf(request);
    if (request.method !== 'POST') return send(response, 404, {});
    if (request.url === '/oauth2/token') return giveToken(new URLSearchParams(body), response);
    open += 1;
    mostOpen = Math.max(mostOpen, open);
    response.once('close', () => (open -= 1));
    queries.push(body);
    for (const check of waiting) check();
    const { 'client-id': clientId, authorization = '' } = request.headers;
    if (clientId !== CLIENT.clientId || !tokens.includes(authorization.replace('Bearer ', '')))
      return send(response, 401, { message: 'Authorization Failure. Have you tried:' });
    const way = coming.shift() ?? constant;
    if (way !== undefined) return answerBadly(way, response);
    const asked = parse(body);
    const fitting = standIn.games.filter((game) => asked.fits(game));
    if (request.url === '/v4/games/count') return send(response, 200, { count: fitting.length });
    if (asked.sorted) fitting.sort((a, b) => a.id - b.id);
    send(response, 200, fitting.slice(asked.offset, asked.offset + asked.limit));
  };

  const giveToken = (form: URLSearchParams, response: ServerResponse): void => {
    if (form.get('client_id') !== CLIENT.clientId)
      return send(response, 400, { status: 400, message: 'invalid client' });
    if (form.get('client_secret') !== CLIENT.clientSecret)
      return send(response, 403, { status: 403, message: 'invalid client secret' });
    const token = `token-${(given += 1)}`;
    tokens.push(token);
    send(response, 200, { access_token: token, expires_in: 5_000_000, token_type: 'bearer' });
  };

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const standIn: IgdbStandIn = {
    settings: { ...CLIENT, apiUrl: `${url}/v4`, tokenUrl: `${url}/oauth2/token` },
    games,
    queries,
    tokensGiven: () => given,
    mostOpen: () => mostOpen,
    misbehave: (...ways) => void coming.push(...ways),
    always(way) {
      constant = way;
      coming = [];
    },
    expireTokens: () => void (tokens = []),
    asked: (count) =>
      new Promise((resolve) => {
        const check = () => {
          if (queries.length < count) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return standIn;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function answerBadly(way: Misbehaviour, response: ServerResponse): void {
  if (way === 'slow') return;
  if (typeof way === 'number') return send(response, way, { message: 'as told' });
  if (typeof way === 'object') return send(response, way.status, {}, { 'retry-after': way.retryAfter });
  if (way === 'not a list') return send(response, 200, { games: [] });
  if (way === 'malformed')
    return void response.writeHead(200, { 'content-type': 'application/json' }).end('[{"id": 1, "na');
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('[{"id": 1,', () => response.destroy());
}

/** The few sentences of Apicalypse that are needed. */
function parse(query: string) {
  const part = (name: string) => new RegExp(`(?:^|;)\\s*${name} ([^;]+);`).exec(query)?.[1];
  const conditions = (part('where') ?? '').split(' & ').filter((condition) => condition !== '');
  const words = part('search')?.replaceAll('"', '').toLowerCase();
  return {
    limit: Number(part('limit') ?? 10),
    offset: Number(part('offset') ?? 0),
    sorted: part('sort') === 'id asc',
    fits: (game: StandInGame) =>
      conditions.every((condition) => holds(condition, game)) &&
      (words === undefined || game.name.toLowerCase().includes(words)),
  };
}

function holds(condition: string, game: StandInGame): boolean {
  const [, field = '', comparison, value = ''] = /^(\w+) (=|>) (.+)$/.exec(condition) ?? [];
  const own = game[field];
  if (comparison === '>') return Number(own) > Number(value);
  if (value === 'null') return own === undefined || own === null;
  const wanted = value.replaceAll(/[()]/g, '').split(',').map(Number);
  return [own].flat().some((each) => wanted.includes(Number(each)));
}

let made = 0;

/** A game as IGDB describes it: on a PC, alone or with others. */
export function standInGame(more: Partial<StandInGame> = {}): StandInGame {
  const id = more.id ?? 100_000 + (made += 1);
  return {
    id,
    name: `Far Game ${id}`,
    slug: `far-game-${id}`,
    summary: 'From elsewhere.',
    updated_at: 1_700_000_000,
    first_release_date: 1_500_000_000,
    genres: [{ id: 5, slug: 'shooter' }],
    platforms: [6],
    game_modes: [1, 2],
    multiplayer_modes: [{ id: 1, onlinemax: 8, offlinemax: 4 }],
    ...more,
  };
}
