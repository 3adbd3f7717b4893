import type { z } from 'zod';
import { ExternalCatalogueError, type ExternalCatalogue, type ExternalGame } from '../external-catalogue';
import { createIgdbClient, type IgdbClientDeps } from './igdb-client';
import { FIELDS, gameCount, gameList, toExternalGame, WORTH_HAVING } from './igdb-games';

const FOUND = 20;

/** https://www.igdb.com behind our interface. Queries are in its language, Apicalypse. */
export function createIgdb(deps: IgdbClientDeps): ExternalCatalogue {
  const client = createIgdbClient(deps);

  const ask = async <Shape extends z.ZodType>(shape: Shape, path: string, parts: string[], signal: AbortSignal) => {
    const read = shape.safeParse(await client.ask(path, `${parts.join('; ')};`, signal));
    if (read.success) return read.data;
    throw new ExternalCatalogueError('away', 'answered with something else than was asked for', { cause: read.error });
  };

  return {
    name: 'igdb',

    async search(name, signal) {
      const words = searchable(name);
      if (words === '') return [];
      const parts = [`search "${words}"`, `fields ${FIELDS}`, `where ${WORTH_HAVING}`, `limit ${FOUND}`];
      return (await ask(gameList, 'games', parts, signal)).flatMap(readable);
    },

    async page({ after, changedSince, limit }, signal) {
      const where = `where ${WORTH_HAVING} & id > ${after}${since(changedSince)}`;
      const rows = await ask(gameList, 'games', [`fields ${FIELDS}`, where, 'sort id asc', `limit ${limit}`], signal);
      const last = rows.at(-1)?.id;
      return {
        games: rows.flatMap(readable),
        seen: rows.length,
        after: last === undefined || rows.length < limit ? null : last,
      };
    },

    async count(changedSince, signal) {
      const { count } = await ask(gameCount, 'games/count', [`where ${WORTH_HAVING}${since(changedSince)}`], signal);
      return count;
    },
  };
}

const readable = (entry: unknown): ExternalGame[] => {
  const game = toExternalGame(entry);
  return game === null ? [] : [game];
};

const since = (changedSince: Date | null): string =>
  changedSince === null ? '' : ` & updated_at > ${Math.floor(changedSince.getTime() / 1000)}`;

/** Letters, digits and apostrophes: nothing that could end the quotes around it. */
const searchable = (name: string): string => name.replaceAll(/[^\p{L}\p{M}\p{N}']+/gu, ' ').trim();
