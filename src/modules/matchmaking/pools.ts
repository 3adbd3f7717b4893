import type { GamesApi, GameMode } from '../games';
import type { UsersApi } from '../users';
import { nextRelaxation, type NamedPool, type Ticket as EngineTicket } from './engine';
import type { TicketModel, TicketRow } from './matchmaking.models';
import { poolOf } from './matchmaking.policy';
import { playersOf, toEngineTickets } from './views';

/**
 * The queued tickets in memory, by pool: a copy of what the database says, fed by whoever changes a ticket and by a periodic
 * catch-up. It may be behind for a moment; every commit names the revision that it saw, and a refresh puts things right.
 * A pool in which nothing came or changed, and nobody's rules have relaxed, is not searched again.
 */
export interface Pools {
  /** Takes in a queued ticket, unless a newer revision of it is here. */
  put(row: TicketRow, blocked: ReadonlySet<string>): void;
  remove(ticketId: string): void;
  /** Reads these tickets again: the queued ones are put, the others removed. */
  refresh(ticketIds: readonly string[]): Promise<void>;
  get(ticketId: string): PooledTicket | undefined;
  /** Pools that may hold a match now; each is taken as searched until something changes in it. */
  toSearch(now: number): Promise<SearchPool[]>;
  /** These pools were not searched after all: they are searched again in the next round. */
  searchAgain(keys: readonly string[]): void;
  tickets(pool: string): ReadonlyMap<string, EngineTicket>;
  /** Keys of the pools in which somebody waits. */
  keys(): string[];
  figures(pool: string): { depth: number; players: number };
  all(): Iterable<PooledTicket>;
}

export interface PooledTicket {
  id: string;
  revision: number;
  userIds: string[];
  pools: Map<string, EngineTicket>;
}

export interface SearchPool extends NamedPool {
  mode: GameMode;
  /** The tickets by id as they are searched: a commit names these revisions, whatever comes in meanwhile. */
  seen: ReadonlyMap<string, PooledTicket>;
}

interface PoolState {
  tickets: Map<string, EngineTicket>;
  players: number;
  /** Nothing can be found before this moment: Infinity where only a change helps. */
  quietUntil: number;
  /** The rule set it was last searched with. */
  version: number;
}

export function createPools({
  Tickets,
  users,
  games,
}: {
  Tickets: TicketModel;
  users: Pick<UsersApi, 'blocks'>;
  games: Pick<GamesApi, 'mode'>;
}): Pools {
  const pools = new Map<string, PoolState>();
  const byId = new Map<string, PooledTicket>();

  const stateOf = (key: string): PoolState => {
    const known = pools.get(key);
    if (known) return known;
    const fresh: PoolState = { tickets: new Map(), players: 0, quietUntil: 0, version: -1 };
    pools.set(key, fresh);
    return fresh;
  };

  const remove = (ticketId: string) => {
    const ticket = byId.get(ticketId);
    if (!ticket) return;
    byId.delete(ticketId);
    for (const key of ticket.pools.keys()) {
      const pool = stateOf(key);
      pool.tickets.delete(ticketId);
      pool.players -= ticket.userIds.length;
      if (pool.tickets.size === 0) pools.delete(key);
    }
  };

  const put: Pools['put'] = (row, blocked) => {
    const id = row._id.toHexString();
    if ((byId.get(id)?.revision ?? -1) > row.revision) return;
    remove(id);
    const ticket = { id, revision: row.revision, userIds: playersOf(row), pools: toEngineTickets(row, blocked) };
    byId.set(id, ticket);
    for (const [key, entry] of ticket.pools) {
      const pool = stateOf(key);
      pool.tickets.set(id, entry);
      pool.players += ticket.userIds.length;
      pool.quietUntil = 0;
    }
  };

  return {
    put,
    remove,
    get: (ticketId) => byId.get(ticketId),
    async refresh(ticketIds) {
      if (ticketIds.length === 0) return;
      const rows = await Tickets.find({ _id: { $in: ticketIds }, state: 'queued' }).lean<TicketRow[]>();
      const blocks = await users.blocks(rows.flatMap(playersOf));
      const queued = new Set(rows.map((row) => row._id.toHexString()));
      for (const row of rows) put(row, blockedBy(playersOf(row), blocks));
      for (const id of ticketIds) if (!queued.has(id)) remove(id);
    },
    async toSearch(now) {
      const found: SearchPool[] = [];
      for (const [key, pool] of pools) {
        const { gameId, mode: modeKey } = poolOf(key);
        const mode = await games.mode(gameId, modeKey);
        if (!mode || (pool.version === mode.version && pool.quietUntil > now)) continue;
        pool.version = mode.version;
        pool.quietUntil = nextRelaxation(mode.ruleSet, pool.tickets.values(), now);
        const seen = new Map([...pool.tickets.keys()].map((id) => [id, byId.get(id) as PooledTicket]));
        found.push({ key, mode, ruleSet: mode.ruleSet, tickets: [...pool.tickets.values()], seen });
      }
      return found;
    },
    searchAgain(keys) {
      for (const key of keys) {
        const pool = pools.get(key);
        if (pool) pool.quietUntil = 0;
      }
    },
    tickets: (pool) => pools.get(pool)?.tickets ?? new Map<string, EngineTicket>(),
    keys: () => [...pools.keys()],
    figures(key) {
      const pool = pools.get(key);
      return { depth: pool?.tickets.size ?? 0, players: pool?.players ?? 0 };
    },
    all: () => byId.values(),
  };
}

/** Everyone whom one of these players must not meet. Friends who block each other and queue together have made up. */
export function blockedBy(
  userIds: readonly string[],
  blocks: ReadonlyMap<string, ReadonlySet<string>>,
): ReadonlySet<string> {
  return new Set(userIds.flatMap((userId) => [...(blocks.get(userId) ?? [])]));
}
