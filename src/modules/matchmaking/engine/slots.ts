/**
 * The tickets of a pool as a structure of arrays: slot `s` of each array describes one ticket. A waiting solo player costs some
 * 60 bytes here, besides its id; what only few tickets have (parties, blocks, latencies, backfill) stands in side tables.
 */
export const Flag = {
  /** Holds a ticket. */
  live: 1,
  /** In the order, to be found by others. */
  open: 2,
  /** To be searched for in the next pass. */
  fresh: 4,
  /** Sets no limit on skill. */
  anySkill: 8,
  /** Has somebody whom it must not meet, or would rather not. */
  social: 16,
  /** Would rather not meet somebody. */
  avoids: 32,
  /** Stands in another side table. */
  extras: 64,
  /** Stands in other pools as well. */
  elsewhere: 128,
  /** In a match that is about to be told. */
  taken: 256,
  /** About to be put into the order. */
  joining: 512,
} as const;

/** Who stays away from whom. */
export interface Social {
  blocked: ReadonlySet<string>;
  avoided: ReadonlySet<string>;
}

export interface Lobby {
  /** The team of each player. */
  teams: readonly number[];
  /** Players and sum of ratings of each team. */
  sizes: number[];
  sums: number[];
  /** For each team how many of its players are confined to each set of roles; empty where the mode knows no roles. */
  confined: Uint8Array[];
}

type Latencies = Readonly<Partial<Record<string, number>>>;

export class Slots {
  rating = new Float64Array(0);
  /** Sum of sigma squared over the players. */
  variance = new Float64Array(0);
  since = new Float64Array(0);
  /** When it is next to be looked at for its waiting alone. */
  wake = new Float64Array(0);
  /** Decides between tickets that are alike in rating and waiting. */
  tie = new Uint32Array(0);
  /** What it asks for, and the class that this makes it belong to at the moment. */
  profile = new Int32Array(0);
  cls = new Int32Array(0);
  /** Its neighbours in the list of its class, while it is open. */
  nextInClass = new Int32Array(0);
  previousInClass = new Int32Array(0);
  flags = new Uint16Array(0);
  /** Bits drawn from the ids of its players, and from those of everybody whom it must not or would rather not meet. */
  marks = new Uint32Array(0);
  shuns = new Uint32Array(0);
  size = new Uint8Array(0);
  weight = new Uint8Array(0);
  /** Points of weight below the favourite choice. */
  deficit = new Uint8Array(0);
  ids: string[] = [];
  users: (string | readonly string[])[] = [];
  readonly social = new Map<number, Social>();
  readonly latencies = new Map<number, Latencies>();
  /** What each player of a party offers to play. */
  readonly offers = new Map<number, readonly number[]>();
  readonly lobbies = new Map<number, Lobby>();
  private readonly free: number[] = [];
  private used = 0;

  take(): number {
    const slot = this.free.pop() ?? this.used++;
    if (slot >= this.rating.length) this.grow(Math.max(64, this.rating.length * 2));
    this.wake[slot] = Infinity;
    return slot;
  }

  release(slot: number): void {
    if (this.has(slot, Flag.social)) this.social.delete(slot);
    if (this.has(slot, Flag.extras)) {
      this.latencies.delete(slot);
      this.offers.delete(slot);
      this.lobbies.delete(slot);
    }
    this.flags[slot] = 0;
    this.ids[slot] = '';
    this.users[slot] = '';
    this.free.push(slot);
  }

  has(slot: number, flag: number): boolean {
    return ((this.flags[slot] as number) & flag) !== 0;
  }

  /** Those of the list that have the flag. */
  having(flag: number, list: Int32Array): Int32Array {
    const found = new Int32Array(list.length);
    let count = 0;
    for (let i = 0; i < list.length; i++) if (this.has(list[i] as number, flag)) found[count++] = list[i] as number;
    return found.subarray(0, count);
  }

  latenciesOf(slot: number): Latencies | undefined {
    return this.has(slot, Flag.extras) ? this.latencies.get(slot) : undefined;
  }

  usersOf(slot: number): readonly string[] {
    const users = this.users[slot] as string | readonly string[];
    return typeof users === 'string' ? [users] : users;
  }

  /** The order of a pool: by rating, then longest waiting first, then by lot. Total, and independent of slot numbers. */
  before(a: number, b: number): boolean {
    const byRating = (this.rating[a] as number) - (this.rating[b] as number);
    if (byRating !== 0) return byRating < 0;
    return this.older(a, b);
  }

  /** Whether `a` has waited longer than `b`, or as long and was drawn first. */
  older(a: number, b: number): boolean {
    const bySince = (this.since[a] as number) - (this.since[b] as number);
    if (bySince !== 0) return bySince < 0;
    const byLot = (this.tie[a] as number) - (this.tie[b] as number);
    if (byLot !== 0) return byLot < 0;
    return (this.ids[a] as string) < (this.ids[b] as string);
  }

  /** Whether one must not meet the other; `avoidFor`: how long recent company is still avoided, ms of waiting. */
  apart(a: number, b: number, now: number, avoidFor: number): 'blocked' | 'recent' | null {
    const flags = (this.flags[a] as number) | (this.flags[b] as number);
    if ((flags & Flag.social) === 0 || !this.mayShun(a, b)) return null;
    if (this.blocks(a, b) || this.blocks(b, a)) return 'blocked';
    if ((flags & Flag.avoids) === 0) return null;
    if (now - Math.max(this.since[a] as number, this.since[b] as number) >= avoidFor) return null;
    return this.metLately(a, b) ? 'recent' : null;
  }

  /** False where their marks tell that neither keeps away from the other: of most pairs, without a look at the lists. */
  private mayShun(a: number, b: number): boolean {
    const mine = (this.shuns[a] as number) & (this.marks[b] as number);
    return (mine | ((this.shuns[b] as number) & (this.marks[a] as number))) !== 0;
  }

  metLately(a: number, b: number): boolean {
    return (
      (this.has(a, Flag.avoids) && this.names(this.social.get(a)?.avoided, b)) ||
      (this.has(b, Flag.avoids) && this.names(this.social.get(b)?.avoided, a))
    );
  }

  private blocks(a: number, b: number): boolean {
    return this.has(a, Flag.social) && this.names(this.social.get(a)?.blocked, b);
  }

  private names(list: ReadonlySet<string> | undefined, slot: number): boolean {
    if (list === undefined || list.size === 0) return false;
    const users = this.users[slot] as string | readonly string[];
    return typeof users === 'string' ? list.has(users) : users.some((user) => list.has(user));
  }

  private grow(capacity: number): void {
    const wider = <A extends Float64Array | Uint32Array | Int32Array | Uint16Array | Uint8Array>(
      old: A,
      fresh: A,
    ): A => {
      fresh.set(old);
      return fresh;
    };
    this.rating = wider(this.rating, new Float64Array(capacity));
    this.variance = wider(this.variance, new Float64Array(capacity));
    this.since = wider(this.since, new Float64Array(capacity));
    this.wake = wider(this.wake, new Float64Array(capacity));
    this.tie = wider(this.tie, new Uint32Array(capacity));
    this.profile = wider(this.profile, new Int32Array(capacity));
    this.cls = wider(this.cls, new Int32Array(capacity));
    this.nextInClass = wider(this.nextInClass, new Int32Array(capacity));
    this.previousInClass = wider(this.previousInClass, new Int32Array(capacity));
    this.flags = wider(this.flags, new Uint16Array(capacity));
    this.marks = wider(this.marks, new Uint32Array(capacity));
    this.shuns = wider(this.shuns, new Uint32Array(capacity));
    this.size = wider(this.size, new Uint8Array(capacity));
    this.weight = wider(this.weight, new Uint8Array(capacity));
    this.deficit = wider(this.deficit, new Uint8Array(capacity));
  }
}

/** One of 32 bits for a user: ids of users differ most at their ends. */
export function markOf(userId: string): number {
  let hash = 0;
  for (let i = Math.max(0, userId.length - 8); i < userId.length; i++)
    hash = Math.imul(hash ^ userId.charCodeAt(i), 0x01000193);
  return 1 << (hash ^ (hash >>> 15));
}

/** FNV-1a over the id, started from the seed. */
export function lotOf(id: string, seed: number): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
