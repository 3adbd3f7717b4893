import type { QueryFilter } from 'mongoose';
import type { Clock } from '../../core/clock';
import { decodeCursor, toPage, type Page } from '../../core/cursor';
import { AppError, notFound } from '../../core/errors';
import { beginsWith, searchPrefix } from '../../core/search-text';
import { SHOWN, toGameView, type GameModel, type GameRow } from './games.models';
import { leastTrend } from './games.policy';
import type { GamesQuery, GameView } from './games.schemas';

/** Reading the catalogue. */
export interface GamesService {
  /** @throws BAD_CURSOR on a cursor of another order, too */
  list(query: GamesQuery): Promise<Page<GameView>>;
  /** Games of which most matches were formed lately, by `trendWeight`; those without any are left out. */
  trending(limit: number): Promise<Page<GameView>>;
  /** @throws NOT_FOUND */
  get(idOrSlug: string): Promise<GameView>;
  /** Which of these ids are games of the catalogue. */
  known(gameIds: readonly string[]): Promise<ReadonlySet<string>>;
}

interface Order {
  field: 'sortName' | 'matches' | 'releaseDate';
  direction: 1 | -1;
  type: 'string' | 'number';
}

/** Ties are in the order of ids. */
const ORDERS: Record<GamesQuery['sort'], Order> = {
  name: { field: 'sortName', direction: 1, type: 'string' },
  popularity: { field: 'matches', direction: -1, type: 'number' },
  releaseDate: { field: 'releaseDate', direction: -1, type: 'string' },
};

const HEX_ID = /^[0-9a-f]{24}$/;

export interface GamesServiceDeps {
  Games: GameModel;
  clock: Clock;
  /** Asked for a name that nothing here goes by. @returns whether it is worth searching again */
  lookUp?: (typed: string) => Promise<boolean>;
}

export function createGamesService({ Games, clock, lookUp }: GamesServiceDeps): GamesService {
  const show = (row: GameRow) => toGameView(row, clock.now());

  const search = async ({ query, genre, platform, sort, limit, cursor }: GamesQuery): Promise<Page<GameView>> => {
    const order = ORDERS[sort];
    const conditions: QueryFilter<GameRow>[] = [];
    if (genre !== undefined) conditions.push({ genres: genre });
    if (platform !== undefined) conditions.push({ platforms: platform });
    if (cursor !== undefined) conditions.push(after(cursor, sort, order));
    if (query !== undefined) {
      const prefix = searchPrefix(query);
      if (prefix === '') return { items: [], nextCursor: null };
      conditions.push(beginsWith(prefix));
    }
    const rows = await Games.find(conditions.length > 0 ? { $and: conditions } : {}, SHOWN)
      .sort({ [order.field]: order.direction, _id: 1 })
      .limit(limit + 1)
      .lean<GameRow[]>();
    return toPage(rows, limit, show, (row) => [sort, row[order.field], row._id.toHexString()]);
  };

  return {
    async list(asked) {
      const page = await search(asked);
      const { query, genre, platform, cursor } = asked;
      // a filter or a later page may be empty although the name is known
      const missing = page.items.length === 0 && genre === undefined && platform === undefined && cursor === undefined;
      if (!missing || query === undefined || !lookUp || !(await lookUp(query))) return page;
      return search(asked);
    },

    async trending(limit) {
      const rows = await Games.find({ trend: { $gte: leastTrend(clock.now()) } }, SHOWN)
        .sort({ trend: -1, _id: 1 })
        .limit(limit)
        .lean<GameRow[]>();
      return { items: rows.map(show), nextCursor: null };
    },

    async get(idOrSlug) {
      const filter = HEX_ID.test(idOrSlug) ? { _id: idOrSlug } : { slug: idOrSlug };
      const row = await Games.findOne(filter, SHOWN).lean<GameRow>();
      if (!row) throw notFound('game');
      return show(row);
    },

    async known(gameIds) {
      const rows = await Games.find({ _id: { $in: gameIds } }, { _id: 1 }).lean();
      return new Set(rows.map((row) => row._id.toHexString()));
    },
  };
}

/** What comes after the last item of the page before. The cursor names its order, in which alone it has a meaning. */
function after(cursor: string, sort: GamesQuery['sort'], { field, direction, type }: Order): QueryFilter<GameRow> {
  const [madeFor, value, id] = decodeCursor(cursor, ['string', type, 'string']);
  if (madeFor !== sort || !HEX_ID.test(String(id)))
    throw new AppError('BAD_CURSOR', 'A cursor goes with the `sort` of the page that gave it: start again without it.');
  const beyond = direction === 1 ? { $gt: value } : { $lt: value };
  return { $or: [{ [field]: beyond }, { [field]: value, _id: { $gt: id } }] } as QueryFilter<GameRow>;
}
