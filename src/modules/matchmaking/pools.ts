import { inRounds } from '../../core/rounds';
import { createSlices } from '../../core/slices';
import type { GameMode, GamesApi } from '../games';
import type { Company, CompanyOf } from './company';
import type { Explanation, PoolProposal } from './engine';
import type { TicketModel, TicketRow } from './matchmaking.models';
import { poolOf } from './matchmaking.policy';
import type { SearchEngine } from './recording/recorder';
import { playersOf, toEngineTickets, waitingSince } from './views';

/**
 * The queued tickets in memory, standing in the engine: a copy of what the database says, fed by whoever changes a ticket and by
 * a periodic catch-up. It may be behind for a moment; every commit names the revision that it saw, and a refresh puts
 * things right.
 */
export interface Pools {
  /** Takes in queued tickets, each unless this revision of it, or a newer one, waits here. */
  put(rows: readonly TicketRow[]): Promise<void>;
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

  const stand = (id: string, row: TicketRow, company: Company) => {
    if (byId.has(id)) remove(id);
    byId.set(id, {
      id,
      revision: row.revision,
      userIds: playersOf(row),
      pools: row.pools,
      waitingSince: waitingSince(row),
      seats:
        row.backfill && row.lobbyId
          ? { matchId: row.backfill.matchId?.toHexString() ?? null, lobbyId: row.lobbyId.toHexString() }
          : null,
    });
    for (const [key, ticket] of toEngineTickets(id, row, company))
      if (versions.has(key)) engine.add(key, ticket);
      // its mode is not to be had at the moment
      else givenBack.add(id);
  };

  const place = async (rows: readonly TicketRow[], isNews: (id: string, revision: number) => boolean) => {
    const wanted = rows
      .map((row) => ({ id: row._id.toHexString(), row }))
      .filter(({ id, row }) => isNews(id, row.revision));
    if (wanted.length === 0) return;
    const [companies] = await Promise.all([
      companyOf(wanted.map(({ row }) => ({ userIds: playersOf(row), pools: row.pools }))),
      open(wanted.flatMap(({ row }) => row.pools)),
    ]);
    const slices = createSlices();
    for (const [i, { id, row }] of wanted.entries()) {
      if (slices.isOver) await slices.pause();
      const company = companies[i];
      // somebody may have brought newer news meanwhile
      if (company && isNews(id, row.revision)) stand(id, row, company);
    }
  };

  const isNewer = (id: string, revision: number): boolean => {
    const known = byId.get(id)?.revision ?? -1;
    return known < revision || (known === revision && !engine.has(id));
  };
  const put = inRounds<readonly TicketRow[], void>(async (asked) => {
    await place(asked.flat(), isNewer);
    return [];
  });
  const isNotOlder = (id: string, revision: number): boolean => (byId.get(id)?.revision ?? -1) <= revision;

  const refreshAll = async (ticketIds: readonly string[], isNews: (id: string, revision: number) => boolean) => {
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
