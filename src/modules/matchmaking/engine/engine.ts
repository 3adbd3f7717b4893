import type { RuleSet } from '../../games';
import { explain, type Explanation } from './explain';
import { Pool } from './pool';
import { mend } from './mend';
import { toProposal } from './proposal';
import { Flag } from './slots';
import type { Found } from './found';
import { Search } from './search';
import { sweep } from './sweep';
import type { PoolProposal, Ticket } from './ticket';

interface Standing {
  key: string;
  pool: Pool;
  search: Search;
}

/** A place in the engine, as one number: which pool, and which slot there. */
const SLOTS = 2 ** 24;
/** Tickets put into shifts between two chances to pause. */
const STRIDE = 1 << 15;
type Places = number | number[];

/** Tickets of one pool that are searched for together: as long waiting, and wanting this pool as much. */
interface Shift {
  /** Longest waiting first, favourite choices first. */
  generation: number;
  deficit: number;
  key: string;
  /** Most of the pool, by rating, however long they have waited. */
  whole: boolean;
  slots: number[];
}

/**
 * The waiting tickets of all pools, and the search for matches among them. Pure: the same tickets, rules, times and seed give the
 * same matches, in whatever order the tickets came. Feed it by `add` and `remove` at any time, also between the steps of a pass.
 *
 * A pass looks only at tickets that have something new to hope for: those that came, and those of whose rules one has relaxed
 * by waiting. Favourite choices go first, and the search sweeps through each pool by rating (sweep.ts). A ticket that finds
 * nothing is passed over, and stays there for others to find.
 */
export class Engine {
  private readonly standings: Standing[] = [];
  private readonly indexOf = new Map<string, number>();
  /** Where each ticket stands; one that stands in a single pool, as most do, costs no array. */
  private readonly places = new Map<string, Places>();

  /**
   * @param seed decides between tickets that are alike in rating and waiting
   * @param circles how many small circles of tickets each pass over a pool may match in the best possible way
   */
  constructor(
    private readonly seed: number,
    private readonly circles = 20,
  ) {}

  /** Makes or remakes a pool; a remade one is empty. */
  setPool(key: string, ruleSet: RuleSet): void {
    const known = this.indexOf.get(key);
    const index = known ?? this.standings.length;
    const pool = new Pool(ruleSet, this.seed);
    const old = this.standings[index];
    this.standings[index] = { key, pool, search: new Search(pool, this.circles) };
    this.indexOf.set(key, index);
    for (const id of old?.pool.ids() ?? []) this.forget(id, index);
  }

  /** Why the ticket waits, as seen from this pool; null where it does not wait there. */
  explain(key: string, id: string, now: number): Explanation | null {
    const index = this.indexOf.get(key);
    const places = this.places.get(id) ?? [];
    const place = (typeof places === 'number' ? [places] : places).find((at) => Math.floor(at / SLOTS) === index);
    const pool = this.pool(key);
    if (place === undefined || pool?.slots.ids[place % SLOTS] !== id) return null;
    return explain(pool, place % SLOTS, now);
  }

  pool(key: string): Pool | undefined {
    const index = this.indexOf.get(key);
    return index === undefined ? undefined : this.standings[index]?.pool;
  }

  keys(): string[] {
    return [...this.indexOf.keys()];
  }

  /** Whether the ticket waits here. */
  has(id: string): boolean {
    const places = this.places.get(id);
    const place = typeof places === 'object' ? places[0] : places;
    return place !== undefined && this.standings[Math.floor(place / SLOTS)]?.pool.slots.ids[place % SLOTS] === id;
  }

  /** Adds a ticket to one of its pools, in place of what was there of it. @throws for a pool that has not been set */
  add(key: string, ticket: Ticket): void {
    const index = this.indexOf.get(key);
    const pool = index === undefined ? undefined : this.standings[index]?.pool;
    if (index === undefined || !pool) throw new Error(`no pool ${key}: set its rules first`);
    const known = this.places.get(ticket.id);
    if (known !== undefined) this.forget(ticket.id, index, pool);
    const others = known === undefined ? undefined : this.places.get(ticket.id);
    const place = index * SLOTS + pool.add(ticket);
    if (others === undefined) this.places.set(ticket.id, place);
    else {
      const all = typeof others === 'number' ? [others, place] : [...others, place];
      for (const at of all) this.standings[Math.floor(at / SLOTS)]?.pool.markElsewhere(at % SLOTS);
      this.places.set(ticket.id, all);
    }
  }

  /** Removes a ticket from every pool it stands in, and forgets it. */
  remove(id: string): void {
    const places = this.places.get(id);
    if (places === undefined) return;
    this.places.delete(id);
    if (typeof places === 'number') this.leave(id, places);
    else for (const place of places) this.leave(id, place);
  }

  private leave(id: string, place: number): void {
    const pool = this.standings[Math.floor(place / SLOTS)]?.pool;
    const slot = place % SLOTS;
    // its slot may belong to somebody else since it was matched
    if (pool?.slots.ids[slot] === id) pool.remove(slot);
  }

  /**
   * One pass. Gives matches pool by pool, and null wherever the caller may pause: about every tenth of a millisecond. The
   * tickets of a match wait no longer, and are not found again; when it stands, `remove` them, and where it comes to nothing, `add`
   * them again. Carry a pass through before the next one begins.
   * @param now ms since the epoch
   * @param only the pools to search, all of them where it is left out; the others are kept up to date
   */
  *pass(now: number, only?: ReadonlySet<string>): Generator<PoolProposal | null> {
    const shifts: Shift[] = [];
    for (const { key, pool, search } of [...this.standings]) {
      if (only && !only.has(key)) {
        yield* pool.follow(now);
        continue;
      }
      yield* pool.advance(now);
      search.begin(now);
      for (const shift of yield* shiftsOf(key, pool, yield* pool.takeFresh(), now)) shifts.push(shift);
    }
    shifts.sort((a, b) => b.generation - a.generation || a.deficit - b.deficit || (a.key < b.key ? -1 : 1));
    for (const { key, slots, whole } of shifts) {
      const standing = this.standings[this.indexOf.get(key) as number] as Standing;
      const swept = yield* sweep(standing.pool, standing.search, slots, whole ? now : null);
      const formed = yield* mend(standing.pool, standing.search, slots, swept);
      for (const found of formed) {
        const proposal = this.take(key, standing.pool, found);
        if (proposal) yield proposal;
      }
    }
  }

  /** The match as a proposal, its tickets gone; null, and the others back in the order, where one of them has left meanwhile. */
  private take(key: string, pool: Pool, found: Found): PoolProposal | null {
    const present = found.members.filter((slot) => pool.isTaken(slot));
    if (present.length < found.members.length) {
      for (const slot of present) pool.reopen(slot);
      return null;
    }
    const proposal = toProposal(pool, found, key);
    found.members.forEach((slot, i) => {
      if (pool.slots.has(slot, Flag.elsewhere)) this.remove(proposal.ticketIds[i] as string);
      else pool.remove(slot);
    });
    return proposal;
  }

  /** Strikes the place of a ticket in one pool, and frees it where that pool is given. */
  private forget(id: string, index: number, pool?: Pool): void {
    const places = this.places.get(id);
    const list = typeof places === 'number' ? [places] : (places ?? []);
    const left = list.filter((place) => Math.floor(place / SLOTS) !== index);
    for (const place of list) if (pool && Math.floor(place / SLOTS) === index) this.leave(id, place);
    if (left.length === 0) this.places.delete(id);
    else this.places.set(id, left.length === 1 ? (left[0] as number) : left);
  }
}

/**
 * Where most of a pool is fresh, all of it is one sweep; where a few come to many that wait, those who have waited longest
 * go first.
 */
function* shiftsOf(key: string, pool: Pool, fresh: Int32Array, now: number): Generator<null, Iterable<Shift>> {
  const byRank = new Map<number, Shift>();
  const few = fresh.length * 2 < pool.order.size;
  let last: Shift | undefined;
  let lastRank = -1;
  for (let i = 0; i < fresh.length; i++) {
    if (i % STRIDE === 0) yield null;
    const slot = fresh[i] as number;
    const generation = few ? pool.generation(slot, now) : 0;
    const deficit = pool.slots.deficit[slot] as number;
    const rank = generation * 16 + deficit;
    // most have the rank of the one before
    if (rank !== lastRank || !last) {
      last = byRank.get(rank) ?? { generation, deficit, key, whole: !few, slots: [] };
      byRank.set(rank, last);
      lastRank = rank;
    }
    last.slots.push(slot);
  }
  return byRank.values();
}
