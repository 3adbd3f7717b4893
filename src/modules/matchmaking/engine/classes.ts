import { Order } from './order';
import type { Slots } from './slots';

/** What tickets have in common that differ only in rating, waiting and acquaintances. */
export interface ClassSpec {
  /** Where it can play now, as bits: the regions that it named, those near by in time, or those measured near enough. */
  regions: number;
  /** Those that it named; 0 for none. */
  named: number;
  needsRegion: boolean;
  /** Empty: any. */
  languages: readonly string[];
  needsLanguage: boolean;
  size: number;
  /** Players in the match, its own included. */
  fewest: number;
  most: number;
  /** What each player offers to play, in ascending order; null where the mode knows no roles. */
  offers: readonly number[] | null;
  /** Players that each team has already, for an open lobby. */
  seated: readonly number[] | null;
}

interface Neighbours {
  list: number[];
  /** Classes that were there when it was asked for last. */
  seen: number;
}

const ANY = -1;
/** Languages with a bit of their own. */
const COMMON = 31;
export const RARE = 1 << COMMON;

/**
 * Tickets by class. A class lists its own open tickets in the order of the pool, and knows the classes that it is compatible
 * with; so a search looks only where somebody suitable can be, however many others wait. Numbers of classes depend on the
 * order of arrival, and nothing may be decided by them.
 */
export class Classes {
  count = 0;
  specs: ClassSpec[] = [];
  regions = new Int32Array(16);
  /** As `regions`, before waiting and latency changed them; any where none was named. */
  named = new Int32Array(16);
  needs = new Uint8Array(16);
  size = new Uint8Array(16);
  fewest = new Int32Array(16);
  most = new Int32Array(16);
  /** A bit for each of the first languages that were seen, and one for having any of the others; all bits: any language. */
  languages = new Int32Array(16);
  /** Those of the others, in ascending order. */
  rareLanguages: (readonly number[])[] = [];
  /** For each class, how many of its players are confined to each set of roles. */
  confined: Uint8Array[] = [];
  orders: Order[] = [];
  /** For each class what it adds to a team: players confined to each set of roles, and players; `width` numbers a class. */
  loads: Uint8Array;
  private readonly byKey = new Map<string, number>();
  private readonly languageIds = new Map<string, number>();
  /** Classes by each language that they speak, and those that speak any. */
  private readonly speakers: number[][] = [];
  private readonly polyglots: number[] = [];
  /** The languages of each class. */
  private readonly spoken: number[][] = [];
  private readonly all: number[] = [];
  /** Scratch: by which call each class was last asked. */
  private asked = new Int32Array(16);
  private asking = 0;
  private readonly neighbours: Neighbours[] = [];

  constructor(
    private readonly slots: Slots,
    private readonly confinedOf: (offers: readonly number[]) => Uint8Array,
    /** Sets of roles, and one. */
    readonly width: number,
  ) {
    this.loads = new Uint8Array(16 * width);
  }

  idOf(spec: ClassSpec): number {
    const key = keyOf(spec);
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    const id = this.count++;
    if (id >= this.regions.length) this.grow(id * 2);
    this.byKey.set(key, id);
    this.all.push(id);
    this.specs[id] = spec;
    this.regions[id] = spec.regions;
    this.named[id] = spec.named === 0 ? ANY : spec.named;
    this.needs[id] =
      (spec.needsRegion ? Needs.region : 0) |
      (spec.needsLanguage ? Needs.language : 0) |
      (spec.seated ? Needs.lobby : 0);
    this.size[id] = spec.size;
    this.fewest[id] = spec.fewest;
    this.most[id] = spec.most;
    this.orders[id] = new Order(this.slots);
    if (spec.offers) this.loads.set((this.confined[id] = this.confinedOf(spec.offers)), id * this.width);
    this.loads[(id + 1) * this.width - 1] = spec.size;
    this.setLanguages(id, spec.languages);
    return id;
  }

  /** Puts tickets into the orders of their classes. @param sorted in the order of the pool; none of them is there yet */
  insertAll(sorted: Int32Array): void {
    const { cls } = this.slots;
    // bucket by bucket: how many of each class, where each begins, and then each to its place
    const starts = new Int32Array(this.count + 1);
    for (const slot of sorted) starts[(cls[slot] as number) + 1] = (starts[(cls[slot] as number) + 1] as number) + 1;
    for (let id = 0; id < this.count; id++) starts[id + 1] = (starts[id + 1] as number) + (starts[id] as number);
    const next = starts.slice();
    const grouped = new Int32Array(sorted.length);
    for (const slot of sorted) {
      const at = next[cls[slot] as number] as number;
      grouped[at] = slot;
      next[cls[slot] as number] = at + 1;
    }
    for (let at = 0; at < grouped.length;) {
      const id = cls[grouped[at] as number] as number;
      const end = starts[id + 1] as number;
      if (end - at === 1) this.orders[id]?.insert(grouped[at] as number);
      else this.orders[id]?.insertAll(grouped.subarray(at, end));
      at = end;
    }
  }

  /** Whether some match could hold a ticket of each, skill and acquaintance aside. Symmetric. */
  compatible(a: number, b: number): boolean {
    return this.shareRegion(a, b) && this.shareSize(a, b) && this.shareLanguage(a, b) && !this.bothLobbies(a, b);
  }

  /** Whoever insists on a region shares one with everybody. */
  shareRegion(a: number, b: number): boolean {
    const insists = ((this.needs[a] as number) | (this.needs[b] as number)) & Needs.region;
    return insists === 0 || ((this.regions[a] as number) & (this.regions[b] as number)) !== 0;
  }

  shareLanguage(a: number, b: number): boolean {
    const insists = ((this.needs[a] as number) | (this.needs[b] as number)) & Needs.language;
    return insists === 0 || this.speakTogether(a, b);
  }

  insistsOnLanguage(id: number): boolean {
    return ((this.needs[id] as number) & Needs.language) !== 0;
  }

  /** No languages means any. */
  speakTogether(a: number, b: number): boolean {
    const shared = (this.languages[a] as number) & (this.languages[b] as number);
    if (shared !== RARE) return shared !== 0;
    return intersect(this.rareLanguages[a] ?? null, this.rareLanguages[b] ?? null);
  }

  /** There is a number of players that suits both and holds both. */
  shareSize(a: number, b: number): boolean {
    const most = Math.min(this.most[a] as number, this.most[b] as number);
    if ((this.size[a] as number) + (this.size[b] as number) > most) return false;
    return (this.fewest[a] as number) <= most && (this.fewest[b] as number) <= most;
  }

  /** Two open lobbies never merge. */
  bothLobbies(a: number, b: number): boolean {
    return ((this.needs[a] as number) & (this.needs[b] as number) & Needs.lobby) !== 0;
  }

  /**
   * Classes compatible with this one, in no particular order: a list that grows as classes come. One that insists on a language asks
   * only those that speak it, or any.
   */
  compatibleWith(id: number): readonly number[] {
    const known = (this.neighbours[id] ??= { list: [], seen: 0 });
    if (known.seen === this.count) return known.list;
    this.asking += 1;
    if (!this.insistsOnLanguage(id)) this.meet(id, known, this.all);
    else {
      this.meet(id, known, this.polyglots);
      for (const language of this.spoken[id] ?? []) this.meet(id, known, this.speakers[language] ?? []);
    }
    known.seen = this.count;
    return known.list;
  }

  /** Adds those of an ascending list that it has not met yet and is compatible with. */
  private meet(id: number, known: Neighbours, list: readonly number[]): void {
    for (let i = list.length - 1; i >= 0 && (list[i] as number) >= known.seen; i--) {
      const other = list[i] as number;
      if (this.asked[other] === this.asking) continue;
      this.asked[other] = this.asking;
      if (this.compatible(id, other)) known.list.push(other);
    }
  }

  private setLanguages(id: number, names: readonly string[]): void {
    const languages = names.map((name) => this.languageOf(name)).sort((a, b) => a - b);
    let bits = languages.length === 0 ? ANY : 0;
    for (const language of languages) {
      (this.speakers[language] as number[]).push(id);
      bits |= language < COMMON ? 1 << language : RARE;
    }
    this.languages[id] = bits;
    this.spoken[id] = languages;
    if (languages.length === 0) this.polyglots.push(id);
    else if ((bits & RARE) !== 0) this.rareLanguages[id] = languages.filter((language) => language >= COMMON);
  }

  private languageOf(name: string): number {
    const known = this.languageIds.get(name);
    if (known !== undefined) return known;
    this.languageIds.set(name, this.speakers.length);
    return this.speakers.push([]) - 1;
  }

  private grow(capacity: number): void {
    const ints = (old: Int32Array) => {
      const wider = new Int32Array(capacity);
      wider.set(old);
      return wider;
    };
    const bytes = (old: Uint8Array) => {
      const wider = new Uint8Array(capacity);
      wider.set(old);
      return wider;
    };
    this.regions = ints(this.regions);
    this.named = ints(this.named);
    this.needs = bytes(this.needs);
    this.size = bytes(this.size);
    const loads = new Uint8Array(capacity * this.width);
    loads.set(this.loads);
    this.loads = loads;
    this.fewest = ints(this.fewest);
    this.most = ints(this.most);
    this.languages = ints(this.languages);
    this.asked = new Int32Array(capacity);
  }
}

/** Whether two ascending lists have anything in common; null stands for everything. */
function intersect(a: readonly number[] | null, b: readonly number[] | null): boolean {
  if (a === null || b === null) return true;
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const difference = (a[i] as number) - (b[j] as number);
    if (difference === 0) return true;
    if (difference < 0) i += 1;
    else j += 1;
  }
  return false;
}

export const Needs = { region: 1, language: 2, lobby: 4 } as const;

function keyOf({
  regions,
  named,
  needsRegion,
  languages,
  needsLanguage,
  size,
  fewest,
  most,
  offers,
  seated,
}: ClassSpec) {
  const numbers = `${regions},${named},${needsRegion},${needsLanguage},${size},${fewest},${most}`;
  if (!offers && !seated && languages.length < 2) return `${numbers},${languages[0] ?? ''}`;
  return `${numbers},${[...languages].sort().join('+')},${offers?.join('+') ?? ''},${seated?.join('+') ?? ''}`;
}
