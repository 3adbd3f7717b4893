import type { RuleSet } from '../../games';
import { Pool } from './pool';
import { toProposal } from './proposal';
import { generationOf, Search, type Found } from './search';
import type { PoolProposal, Ticket } from './ticket';

/** Tickets searched for between two chances to pause. */
const STRIDE = 8;

interface Standing {
  pool: Pool;
  search: Search;
}

/** Tickets of one pool that are searched for together: as long waiting, and wanting this pool as much. */
interface Shift {
  /** Longest waiting first, favourite choices first. */
  generation: number;
  deficit: number;
  key: string;
  slots: number[];
}

/**
 * The waiting tickets of all pools, and the search for matches among them. Pure: the same tickets, rules, times and seed give the
 * same matches, in whatever order the tickets came. Feed it by `add` and `remove` at any time, also between the steps of a pass.
 *
 * A pass looks only at tickets that have something new to hope for: those that came, and those of whose rules one has relaxed
 * by waiting. Whoever has waited longest is searched for first; among those who have waited about equally long, favourite
 * choices go first, and then the search sweeps through the pool by rating, so that neighbours meet and few are left over between
 * matches. A ticket that finds nothing is passed over, and stays there for others to find.
 */
export class Engine {
  private readonly pools = new Map<string, Standing>();
  /** The pools that each ticket stands in; one that stands in a single pool, as most do, costs no array. */
  private readonly poolsOf = new Map<string, string | string[]>();

  constructor(private readonly seed: number) {}

  /** Makes or remakes a pool; a remade one is empty. */
  setPool(key: string, ruleSet: RuleSet): void {
    const old = this.pools.get(key);
    for (const id of old?.pool.ids() ?? []) this.forget(id, key);
    const pool = new Pool(ruleSet, this.seed);
    this.pools.set(key, { pool, search: new Search(pool) });
  }

  pool(key: string): Pool | undefined {
    return this.pools.get(key)?.pool;
  }

  keys(): string[] {
    return [...this.pools.keys()];
  }

  has(id: string): boolean {
    return this.poolsOf.has(id);
  }

  /** Adds a ticket to one of its pools, in place of what was there of it. @throws for a pool that has not been set */
  add(key: string, ticket: Ticket): void {
    const standing = this.pools.get(key);
    if (!standing) throw new Error(`no pool ${key}: set its rules first`);
    standing.pool.add(ticket);
    const known = this.poolsOf.get(ticket.id);
    if (known === undefined) this.poolsOf.set(ticket.id, key);
    else if (typeof known !== 'string') {
      if (!known.includes(key)) known.push(key);
    } else if (known !== key) this.poolsOf.set(ticket.id, [known, key]);
  }

  /** Removes a ticket from every pool it stands in. */
  remove(id: string): void {
    const keys = this.poolsOf.get(id);
    if (keys === undefined) return;
    this.poolsOf.delete(id);
    if (typeof keys === 'string') this.pools.get(keys)?.pool.remove(id);
    else for (const key of keys) this.pools.get(key)?.pool.remove(id);
  }

  /**
   * One pass. Gives matches as it finds them, whose tickets leave the engine, and null wherever the caller may pause: about
   * every tenth of a millisecond. @param now ms since the epoch
   */
  *pass(now: number): Generator<PoolProposal | null> {
    const shifts: Shift[] = [];
    for (const key of [...this.pools.keys()].sort()) {
      const { pool } = this.pools.get(key) as Standing;
      for (const _ of pool.advance(now)) yield null;
      shifts.push(...shiftsOf(key, pool, now));
      yield null;
    }
    shifts.sort((a, b) => b.generation - a.generation || a.deficit - b.deficit || (a.key < b.key ? -1 : 1));
    for (const shift of shifts) yield* this.work(shift, now);
  }

  private *work({ key, slots }: Shift, now: number): Generator<PoolProposal | null> {
    for (const [i, slot] of slots.entries()) {
      if (i % STRIDE === STRIDE - 1) yield null;
      const standing = this.pools.get(key);
      if (!standing?.pool.isOpen(slot)) continue;
      const found = standing.search.find(slot, now);
      if (found) yield this.take(key, standing.pool, found);
    }
  }

  private take(key: string, pool: Pool, found: Found): PoolProposal {
    const proposal = { ...toProposal(pool, found), pool: key };
    for (const id of proposal.ticketIds) this.remove(id);
    return proposal;
  }

  private forget(id: string, key: string): void {
    const keys = this.poolsOf.get(id);
    if (keys === key) this.poolsOf.delete(id);
    else if (Array.isArray(keys)) this.poolsOf.set(id, keys.filter((other) => other !== key));
  }
}

function shiftsOf(key: string, pool: Pool, now: number): Shift[] {
  const byRank = new Map<number, Shift>();
  const { since, deficit } = pool.slots;
  for (const slot of pool.takeFresh()) {
    const generation = generationOf(now - (since[slot] as number));
    const behind = deficit[slot] as number;
    const rank = generation * 16 + behind;
    const shift = byRank.get(rank);
    if (shift) shift.slots.push(slot);
    else byRank.set(rank, { generation, deficit: behind, key, slots: [slot] });
  }
  return [...byRank.values()];
}
