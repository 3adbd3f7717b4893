import { Order } from './order';
import type { Slots } from './slots';
import { sortAtOnce } from './sort-slots';

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
const NOBODY = -1;
/** Languages with a bit of their own; then come a bit for asking for none, and one for having any of the other languages. */
const COMMON = 30;
const NO_LANGUAGE = 1 << 30;
export const RARE = 1 << 31;
/** A bit beside those of the regions, for asking for none. */
const NO_REGION = 1 << 30;

/**
 * Tickets by class. A class knows its own open tickets, and the classes that it is compatible with; so a search looks only where
 * somebody suitable can be, however many others wait. They are in the order of the pool from the moment at which somebody looks
 * for them there: most classes are small and never asked. Numbers of classes depend on the order of arrival, and nothing may be
 * decided by them.
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
  /**
   * What two classes must have in common, each a bit: a region to play in, or that neither asks for one, and likewise for languages.
   * The bits for asking for none are set in those that do not.
   */
  private regionTies = new Int32Array(16);
  private languageTies = new Int32Array(16);
  /** How many open tickets each class has, and the first of them: a list in no order, which runs through the slots. */
  open = new Int32Array(16);
  private first = new Int32Array(16).fill(NOBODY);
  private readonly orders: (Order | undefined)[] = [];
  /** For each class what it adds to a team: players confined to each set of roles, and players; `width` numbers a class. */
  loads: Uint8Array;
  private readonly byKey = new Map<string, number>();
  private readonly languageIds = new Map<string, number>();
  /** Classes by each language that they speak, and those that speak any. */
  private readonly speakers: number[][] = [];
  private readonly polyglots: number[] = [];
  /** Players of the open tickets that speak each language, and of those that speak any. */
  private readonly speaking: number[] = [];
  private speakingAny = 0;
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
    if (spec.offers) this.loads.set((this.confined[id] = this.confinedOf(spec.offers)), id * this.width);
    this.loads[(id + 1) * this.width - 1] = spec.size;
    this.setLanguages(id, spec.languages);
    this.regionTies[id] = spec.regions | (spec.needsRegion ? 0 : NO_REGION);
    const languages = (this.languages[id] as number) & ~NO_LANGUAGE;
    this.languageTies[id] = languages | (spec.needsLanguage ? 0 : NO_LANGUAGE);
    return id;
  }

  /** Puts an open ticket into its class. */
  join(slot: number): void {
    const { first, open } = this;
    const { cls, nextInClass, previousInClass } = this.slots;
    const id = cls[slot] as number;
    const next = first[id] as number;
    nextInClass[slot] = next;
    previousInClass[slot] = NOBODY;
    if (next !== NOBODY) previousInClass[next] = slot;
    first[id] = slot;
    open[id] = (open[id] as number) + 1;
    this.countSpeakers(id, 1);
    this.orders[id]?.insert(slot);
  }

  /** Takes a ticket out of its class. */
  leave(slot: number): void {
    const { first, open } = this;
    const { cls, nextInClass, previousInClass } = this.slots;
    const id = cls[slot] as number;
    const next = nextInClass[slot] as number;
    const previous = previousInClass[slot] as number;
    if (next !== NOBODY) previousInClass[next] = previous;
    if (previous === NOBODY) first[id] = next;
    else nextInClass[previous] = next;
    open[id] = (open[id] as number) - 1;
    this.countSpeakers(id, -1);
    if (open[id] === 0) this.orders[id] = undefined;
    else this.orders[id]?.remove(slot);
  }

  private countSpeakers(id: number, sign: 1 | -1): void {
    const players = sign * (this.size[id] as number);
    const languages = this.spoken[id] as readonly number[];
    if (languages.length === 0) this.speakingAny += players;
    for (let i = 0; i < languages.length; i++)
      this.speaking[languages[i] as number] = (this.speaking[languages[i] as number] as number) + players;
  }

  /** No fewer than the open players with whom the class shares a language; whoever speaks two of them counts twice. */
  playersSpeakingWith(id: number): number {
    let players = this.speakingAny;
    for (const language of this.spoken[id] as readonly number[]) players += this.speaking[language] as number;
    return players;
  }

  /** The open tickets of the class, in the order of the pool. */
  orderOf(id: number): Order {
    return (this.orders[id] ??= this.sorted(id));
  }

  private sorted(id: number): Order {
    const list = new Int32Array(this.open[id] as number);
    let slot = this.first[id] as number;
    for (let i = 0; i < list.length; i++) {
      list[i] = slot;
      slot = this.slots.nextInClass[slot] as number;
    }
    const order = new Order(this.slots);
    order.insertAll(sortAtOnce(list, this.slots));
    return order;
  }

  /** Whether some match could hold a ticket of each, skill and acquaintance aside. Symmetric. */
  compatible(a: number, b: number): boolean {
    return this.shareRegion(a, b) && this.shareLanguage(a, b) && this.shareSize(a, b) && !this.bothLobbies(a, b);
  }

  /** Whoever insists on a region shares one with everybody. */
  shareRegion(a: number, b: number): boolean {
    return ((this.regionTies[a] as number) & (this.regionTies[b] as number)) !== 0;
  }

  shareLanguage(a: number, b: number): boolean {
    const shared = (this.languageTies[a] as number) & (this.languageTies[b] as number);
    return shared === RARE ? this.shareRareLanguage(a, b) : shared !== 0;
  }

  insistsOnLanguage(id: number): boolean {
    return ((this.needs[id] as number) & Needs.language) !== 0;
  }

  /** No languages means any. */
  speakTogether(a: number, b: number): boolean {
    const shared = (this.languages[a] as number) & (this.languages[b] as number);
    return shared === RARE ? this.shareRareLanguage(a, b) : shared !== 0;
  }

  private shareRareLanguage(a: number, b: number): boolean {
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
    else if ((bits & RARE) !== 0)
      this.rareLanguages[id] = bits === RARE ? languages : languages.filter((language) => language >= COMMON);
  }

  private languageOf(name: string): number {
    const known = this.languageIds.get(name);
    if (known !== undefined) return known;
    const language = this.speakers.length;
    this.languageIds.set(name, language);
    this.speaking.push(0);
    this.speakers.push([]);
    return language;
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
    this.regionTies = ints(this.regionTies);
    this.languageTies = ints(this.languageTies);
    this.asked = new Int32Array(capacity);
    this.open = ints(this.open);
    const first = new Int32Array(capacity).fill(NOBODY);
    first.set(this.first);
    this.first = first;
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
