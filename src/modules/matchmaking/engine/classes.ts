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

const ANY = -1;

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
  /** Language bits: `languageWords` words for each class. */
  languages = new Int32Array(16);
  languageWords = 1;
  /** For each class, how many of its players are confined to each set of roles. */
  confined: Uint8Array[] = [];
  orders: Order[] = [];
  private readonly byKey = new Map<string, number>();
  private readonly languageBits = new Map<string, number>();
  private readonly neighbours: { list: number[]; seen: number }[] = [];

  constructor(
    private readonly slots: Slots,
    private readonly confinedOf: (offers: readonly number[]) => Uint8Array,
  ) {}

  idOf(spec: ClassSpec): number {
    const key = keyOf(spec);
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    const id = this.count++;
    if (id >= this.regions.length) this.grow(id * 2);
    this.byKey.set(key, id);
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
    if (spec.offers) this.confined[id] = this.confinedOf(spec.offers);
    this.setLanguages(id, spec.languages);
    return id;
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

  /** No languages means any. */
  speakTogether(a: number, b: number): boolean {
    const words = this.languageWords;
    for (let w = 0; w < words; w++)
      if (((this.languages[a * words + w] as number) & (this.languages[b * words + w] as number)) !== 0) return true;
    return false;
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

  /** Classes compatible with this one. */
  compatibleWith(id: number): readonly number[] {
    const known = (this.neighbours[id] ??= { list: [], seen: 0 });
    for (; known.seen < this.count; known.seen++) if (this.compatible(id, known.seen)) known.list.push(known.seen);
    return known.list;
  }

  private setLanguages(id: number, languages: readonly string[]): void {
    for (const language of languages)
      if (!this.languageBits.has(language)) this.languageBits.set(language, this.languageBits.size);
    const words = Math.max(1, Math.ceil(this.languageBits.size / 32));
    if (words !== this.languageWords) {
      this.languageWords = words;
      this.languages = new Int32Array(this.regions.length * words);
      for (let other = 0; other < id; other++) this.writeLanguages(other);
    }
    this.writeLanguages(id);
  }

  private writeLanguages(id: number): void {
    const { languages } = this.specs[id] as ClassSpec;
    const start = id * this.languageWords;
    this.languages.fill(languages.length === 0 ? ANY : 0, start, start + this.languageWords);
    for (const language of languages) {
      const bit = this.languageBits.get(language) as number;
      const word = start + (bit >>> 5);
      this.languages[word] = (this.languages[word] as number) | (1 << (bit & 31));
    }
  }

  private grow(capacity: number): void {
    const ints = (old: Int32Array, length = capacity) => {
      const wider = new Int32Array(length);
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
    this.fewest = ints(this.fewest);
    this.most = ints(this.most);
    this.languages = ints(this.languages, capacity * this.languageWords);
  }
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
