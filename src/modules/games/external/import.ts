import { Types, type AnyBulkWriteOperation, type ClientSession } from 'mongoose';
import type { Clock } from '../../../core/clock';
import type { Ids } from '../../../core/ids';
import { nameFields, newGameFields, type GameModel, type GameRow } from '../games.models';
import type { NewGame } from '../games.schemas';
import type { ExternalGame } from './external-catalogue';

/**
 * Takes games of an external catalogue into ours, inside a transaction of the caller; doing it twice changes nothing.
 *
 * - A game that came from there before gets the newer facts, unless somebody here has changed it since: what an admin wrote stays.
 * - A game of ours that is the same one (its name or slug, and the year where both say one) is linked to it and keeps its facts.
 * - Any other is added, without modes: it can be found and put on a profile, and queued for once an admin has given it a mode.
 *
 * Names that changed are seen by matchmaking within `MODE_TTL_MS` (see mode-cache.ts); no event is told for each of thousands.
 */
export interface Importer {
  write(games: readonly ExternalGame[], session: ClientSession): Promise<Imported>;
}

export interface Imported {
  added: number;
  updated: number;
}

export interface ImporterDeps {
  provider: string;
  Games: GameModel;
  clock: Clock;
  ids: Ids;
}

type Known = Pick<GameRow, '_id' | 'version'> & { source: NonNullable<GameRow['source']> };
type Namesake = Pick<GameRow, '_id' | 'slug' | 'sortName' | 'releaseDate' | 'source'>;
type Write = AnyBulkWriteOperation<GameRow>;

export function createImporter({ provider, Games, clock, ids }: ImporterDeps): Importer {
  const readKnown = async (games: readonly ExternalGame[], session: ClientSession): Promise<Map<string, Known>> => {
    const rows = await Games.find(
      { 'source.provider': provider, 'source.id': { $in: games.map(({ id }) => id) } },
      { version: 1, source: 1 },
    )
      .session(session)
      .lean<Known[]>();
    return new Map(rows.map((row) => [row.source.id, row]));
  };

  const readNamesakes = (games: readonly ExternalGame[], session: ClientSession): Promise<Namesake[]> =>
    Games.find(
      {
        $or: [
          { slug: { $in: games.flatMap(slugsFor) } },
          { sortName: { $in: games.map(({ facts }) => nameFields(facts.name, []).sortName) } },
        ],
      },
      { slug: 1, sortName: 1, releaseDate: 1, source: 1 },
    )
      .session(session)
      .lean<Namesake[]>();

  const refresh = ({ _id, version }: Known, { id, changedAt, facts }: ExternalGame): Write => {
    const { slug: _slug, modes: _modes, releaseDate, ...others } = facts;
    const next = version + 1;
    const fields = {
      ...others,
      ...nameFields(facts.name, facts.aliases),
      releaseDate: releaseDate ?? '',
      version: next,
      source: { provider, id, changedAt, version: next },
      updatedAt: new Date(clock.now()),
    };
    return { updateOne: { filter: { _id, version }, update: { $set: fields } } };
  };

  const link = ({ _id }: Namesake, { id, changedAt }: ExternalGame): Write => ({
    updateOne: { filter: { _id }, update: { $set: { source: { provider, id, changedAt, version: 0 } } } },
  });

  const add = ({ id, changedAt, facts }: ExternalGame, slug: string): Write => {
    const source = { provider, id, changedAt, version: 1 };
    const fields = { ...newGameFields({ ...facts, slug }, clock.now()), source };
    return { insertOne: { document: { _id: new Types.ObjectId(ids.id()), ...fields } } };
  };

  return {
    async write(games, session) {
      const counts: Imported = { added: 0, updated: 0 };
      if (games.length === 0) return counts;
      const known = await readKnown(games, session);
      const fresh = games.filter(({ id }) => !known.has(id));
      const namesakes = fresh.length === 0 ? [] : await readNamesakes(fresh, session);
      const taken = new Set(namesakes.map(({ slug }) => slug));
      const linked = new Set<Namesake>();
      const writes: Write[] = [];
      for (const game of games) {
        const before = known.get(game.id);
        if (before) {
          const ours = before.version !== before.source.version;
          if (ours || before.source.changedAt >= game.changedAt) continue;
          writes.push(refresh(before, game));
          counts.updated += 1;
          continue;
        }
        const same = namesakes.find((row) => !row.source && !linked.has(row) && isSame(row, game.facts));
        const slug = slugsFor(game).find((candidate) => !taken.has(candidate));
        if (same) {
          linked.add(same);
          writes.push(link(same, game));
        } else if (slug !== undefined) {
          taken.add(slug);
          writes.push(add(game, slug));
          counts.added += 1;
        }
      }
      if (writes.length > 0)
        await Games.collection.bulkWrite(writes as Parameters<typeof Games.collection.bulkWrite>[0], { session });
      return counts;
    },
  };
}

/** The slug it would like, and one that nobody else will have. */
const slugsFor = ({ id, facts }: ExternalGame): string[] => [facts.slug, `${facts.slug}-${id}`.slice(-64)];

/** Two games of one name are told apart by the year: there are two called Doom. */
function isSame(row: Namesake, facts: NewGame): boolean {
  if (row.slug !== facts.slug && row.sortName !== nameFields(facts.name, []).sortName) return false;
  const years = [row.releaseDate, facts.releaseDate ?? ''].map((date) => date.slice(0, 4));
  return years.includes('') || years[0] === years[1];
}
