import { inRounds } from '../../core/rounds';
import { createSlices } from '../../core/slices';
import type { GameMode, GamesApi } from '../games';
import type { Company, CompanyOf } from './company';
import type { Explanation, PoolProposal } from './engine';
import type { TicketModel, TicketRow } from './matchmaking.models';
import { poolOf } from './matchmaking.policy';
import type { SearchEngine } from './recording/recorder';
import { toEngineTickets, toWaiting, waitingSince, type WaitingRow } from './waiting';

/**
 * The queued tickets in memory, standing in the engine: a copy of what the database says, fed by whoever changes a ticket and by
 * a periodic catch-up. It may be behind for a moment; every commit names the revision that it saw, and a refresh puts
 * things right.
 */
export interface Pools {
  /** Takes in queued tickets, each unless this revision of it, or a newer one, waits here. */
  put(rows: readonly TicketRow[]): Promise<void>;
  /** As `put`, for many: whom the next ones know is asked for while the last ones are taken in. */
  putAll(batches: AsyncIterable<readonly WaitingRow[]>): Promise<void>;
  remove(ticketId: string): void;
  /** Reads these tickets again: the queued ones are put, the others removed. */
  refresh(ticketIds: readonly string[]): Promise<void>;
  /** These are in no match after all: they are read again before the next search, whatever happens until then. */
  giveBack(ticketIds: readonly string[]): void;
  get(ticketId: string): PooledTicket | undefined;
  /** Brings the rules up to date. @returns the modes that can be searched, by pool */
  ready(): Promise<Map<string, GameMode>>;
  /** One pass over these pools, step by step: a match, or null where the caller may pause. Its tickets wait no longer. */
  search(now: number, keys: Iterable<string>): Generator<PoolProposal | null>;
  /** Null where the ticket does not wait in this pool. */
  explain(pool: string, ticketId: string, now: number): Explanation | null;
  /** Keys of the pools in which somebody waits. */
  keys(): string[];
  figures(pool: string): { depth: number; players: number };
  all(): Iterable<PooledTicket>;
}

export interface PooledTicket {
  id: string;
  revision: number;
  userIds: string[];
  pools: readonly string[];
  waitingSince: number;
  /** The lobby that it seeks players for, and its live match; null where one begins with them. */
  seats: { matchId: string | null; lobbyId: string } | null;
}

/** @param known what waits here of the ticket */
type IsNews = (row: WaitingRow, known: PooledTicket | undefined) => boolean;

const BATCH = 500;
/** Of the engine: ties between tickets that came in the same millisecond are decided alike on every instance. */
export const SEED = 1;

export function createPools({
  engine,
  Tickets,
  companyOf,
  games,
}: {
  /** A new one. */
  engine: SearchEngine;
  Tickets: TicketModel;
  companyOf: CompanyOf;
  games: Pick<GamesApi, 'mode'>;
}): Pools {
  /** The version of the rules that each pool of the engine follows. */
  const versions = new Map<string, number>();
  const byId = new Map<string, PooledTicket>();
  const givenBack = new Set<string>();

  const modeOf = (key: string): Promise<GameMode | null> => {
    const { gameId, mode } = poolOf(key);
    return games.mode(gameId, mode);
  };

  /** Makes the pools that are missing. */
  const open = async (keys: Iterable<string>) => {
    for (const key of new Set(keys)) {
      if (versions.has(key)) continue;
      const mode = await modeOf(key);
      if (!mode || versions.has(key)) continue;
      engine.setPool(key, mode.ruleSet);
      versions.set(key, mode.version);
    }
  };

  const remove = (ticketId: string) => {
    byId.delete(ticketId);
    engine.remove(ticketId);
  };

  const stand = (row: WaitingRow, company: Company) => {
    const { _id: id, backfill, lobbyId } = row;
    byId.set(id, {
      id,
      revision: row.revision,
      userIds: row.players,
      pools: row.pools,
      waitingSince: waitingSince(row),
      seats: backfill && lobbyId ? { matchId: backfill.matchId, lobbyId } : null,
    });
    toEngineTickets(row, company).forEach((ticket, i) => {
      const key = row.pools[i] as string;
      if (versions.has(key)) engine.add(key, ticket);
      // its mode is not to be had at the moment
      else givenBack.add(id);
    });
  };

  /** Rows that are news here, and with them whom their players know. */
  const acquaint = async (rows: readonly WaitingRow[], isNews: IsNews): Promise<[WaitingRow, Company][]> => {
    const news = rows.filter((row) => isNews(row, byId.get(row._id)));
    if (news.length === 0) return [];
    const [companies] = await Promise.all([
      companyOf(news.map(({ players, pools }) => ({ userIds: players, pools }))),
      open(news.flatMap(({ pools }) => pools)),
    ]);
    return news.map((row, i) => [row, companies[i] as Company]);
  };

  const settle = async (newcomers: readonly [WaitingRow, Company][], isNews: IsNews) => {
    const slices = createSlices();
    for (const [row, company] of newcomers) {
      if (slices.isOver) await slices.pause();
      const known = byId.get(row._id);
      // somebody may have brought newer news meanwhile
      if (!isNews(row, known)) continue;
      if (known) remove(row._id);
      stand(row, company);
    }
  };

  const place = async (rows: readonly TicketRow[], isNews: IsNews) =>
    settle(await acquaint(rows.map(toWaiting), isNews), isNews);

  const isNewer: IsNews = ({ _id, revision }, known) =>
    known === undefined || known.revision < revision || (known.revision === revision && !engine.has(_id));
  const put = inRounds<readonly TicketRow[], void>(async (asked) => {
    await place(asked.flat(), isNewer);
    return [];
  });
  const isNotOlder: IsNews = ({ revision }, known) => known === undefined || known.revision <= revision;

  const putAll = async (batches: AsyncIterable<readonly WaitingRow[]>) => {
    let settled = Promise.resolve();
    for await (const rows of batches) {
      const newcomers = acquaint(rows, isNewer);
      const before = settled;
      settled = Promise.all([newcomers, before]).then(([known]) => settle(known, isNewer));
      // it is waited for later, perhaps after more rows have failed to come
      settled.catch(() => undefined);
      await before;
    }
    await settled;
  };

  const refreshAll = async (ticketIds: readonly string[], isNews: IsNews) => {
    for (let from = 0; from < ticketIds.length; from += BATCH) {
      const ids = ticketIds.slice(from, from + BATCH);
      const rows = await Tickets.find({ _id: { $in: ids }, state: 'queued' }).lean<TicketRow[]>();
      const queued = new Set(rows.map((row) => row._id.toHexString()));
      for (const id of ids) if (!queued.has(id)) remove(id);
      await place(rows, isNews);
    }
  };

  /** Follows new rules: the pool is made anew, and its tickets are read again. */
  const follow = async (key: string, mode: GameMode) => {
    engine.setPool(key, mode.ruleSet);
    versions.set(key, mode.version);
    const ids = [...byId.values()].filter((ticket) => ticket.pools.includes(key)).map((ticket) => ticket.id);
    for (const id of ids) givenBack.add(id);
  };

  return {
    put,
    putAll,
    remove,
    refresh: (ticketIds) => refreshAll(ticketIds, isNewer),
    giveBack: (ticketIds) => ticketIds.forEach((id) => givenBack.add(id)),
    get: (ticketId) => byId.get(ticketId),
    async ready() {
      const modes = new Map<string, GameMode>();
      for (const key of engine.keys()) {
        const mode = await modeOf(key);
        if (!mode) continue;
        if (versions.get(key) !== mode.version) await follow(key, mode);
        modes.set(key, mode);
      }
      const ids = [...givenBack];
      givenBack.clear();
      try {
        await refreshAll(ids, isNotOlder);
      } catch (error) {
        for (const id of ids) givenBack.add(id);
        throw error;
      }
      return modes;
    },
    search: (now, keys) => engine.pass(now, new Set(keys)),
    explain: (pool, ticketId, now) => engine.explain(pool, ticketId, now),
    keys: () => engine.keys().filter((key) => (engine.pool(key)?.depth ?? 0) > 0),
    figures(key) {
      const pool = engine.pool(key);
      return { depth: pool?.depth ?? 0, players: pool?.players ?? 0 };
    },
    all: () => byId.values(),
  };
}
