import { Needs, RARE, type Classes } from './classes';
import type { Pool } from './pool';
import { ANY_REGION } from './regions';
import { Seating } from './seating';
import { Flag, type Slots } from './slots';

/**
 * Tickets that might become a match, and what they accept together. `push` adds one, unless some member, or the newcomer,
 * would have to accept what it did not ask for; `pop` takes the last one back. Frames stand in arrays by depth, so that a
 * search costs no allocations.
 */
export class Group {
  depth = 0;
  readonly members: number[];
  private now = 0;
  private readonly slots: Slots;
  private readonly classes: Classes;
  private readonly playersAt: Int32Array;
  private readonly low: Float64Array;
  private readonly high: Float64Array;
  private readonly spread: Float64Array;
  private readonly since: Float64Array;
  private readonly fewestAt: Int32Array;
  private readonly mostAt: Int32Array;
  private readonly regionsAt: Int32Array;
  /** Needs of the members, and whether one of them is particular about company. */
  private readonly needsAt: Uint8Array;
  private readonly languages: Int32Array;
  private readonly seating: Seating;

  constructor(private readonly pool: Pool) {
    const frames = pool.rules.most + 2;
    this.slots = pool.slots;
    this.classes = pool.classes;
    this.members = Array.from({ length: frames }, () => -1);
    this.playersAt = new Int32Array(frames);
    this.low = new Float64Array(frames);
    this.high = new Float64Array(frames);
    this.spread = new Float64Array(frames);
    this.since = new Float64Array(frames);
    this.fewestAt = new Int32Array(frames);
    this.mostAt = new Int32Array(frames);
    this.regionsAt = new Int32Array(frames);
    this.needsAt = new Uint8Array(frames);
    this.languages = new Int32Array(frames);
    this.seating = new Seating(pool);
  }

  /** An empty group, at this time. */
  reset(now: number): void {
    this.now = now;
    this.depth = 0;
    this.playersAt[0] = 0;
    this.low[0] = Infinity;
    this.high[0] = -Infinity;
    this.spread[0] = this.pool.rules.widestHolds ? 0 : Infinity;
    this.since[0] = Infinity;
    this.fewestAt[0] = this.pool.rules.fewest;
    this.mostAt[0] = this.pool.rules.most;
    this.regionsAt[0] = ANY_REGION;
    this.needsAt[0] = 0;
    this.languages[0] = -1;
  }

  get players(): number {
    return this.playersAt[this.depth] as number;
  }

  /** The most players that suit everybody. */
  get most(): number {
    return this.mostAt[this.depth] as number;
  }

  /** The tickets in it, in the order in which they joined. */
  list(): number[] {
    return this.members.slice(0, this.depth);
  }

  /** Whether so many players may begin now: the fill target while the group holds out, the wishes of its members afterwards. */
  get complete(): boolean {
    const { hold, teamCount } = this.pool.rules;
    const { players, most } = this;
    if (teamCount === 2 && players % 2 === 1) return false;
    // a party alone is a match only where nobody could be added: it queued to meet others
    if (this.depth < 2 && (players < most || this.insists(Needs.lobby))) return false;
    const needed = this.fewestAt[this.depth] as number;
    const holding =
      hold !== null && this.now - (this.since[this.depth] as number) < hold.ms && !this.insists(Needs.lobby);
    return players >= (holding ? Math.max(needed, Math.min(hold.target, most)) : needed);
  }

  /** The largest gap between team means that everybody accepts. */
  gapLimit(): number {
    const { widestHolds } = this.pool.rules;
    let limit = widestHolds ? 0 : Infinity;
    for (let i = 0; i < this.depth; i++) {
      const own = this.pool.gapLimit(this.members[i] as number, this.now);
      limit = widestHolds ? Math.max(limit, own) : Math.min(limit, own);
    }
    return limit;
  }

  push(slot: number): boolean {
    const { depth, slots, classes } = this;
    const next = depth + 1;
    const cls = slots.cls[slot] as number;
    const players = (this.playersAt[depth] as number) + (classes.size[cls] as number);
    const most = Math.min(this.mostAt[depth] as number, classes.most[cls] as number);
    const fewest = Math.max(this.fewestAt[depth] as number, classes.fewest[cls] as number);
    if (players > most || fewest > most) return false;

    const needs = (this.needsAt[depth] as number) | (classes.needs[cls] as number);
    const regions = (this.regionsAt[depth] as number) & (classes.regions[cls] as number);
    if (regions === 0 && (needs & Needs.region) !== 0) return false;
    if ((this.needsAt[depth] as number) & (classes.needs[cls] as number) & Needs.lobby) return false;

    const rating = slots.rating[slot] as number;
    const low = Math.min(this.low[depth] as number, rating);
    const high = Math.max(this.high[depth] as number, rating);
    const own = this.pool.spreadLimit(slot, this.now);
    const before = this.spread[depth] as number;
    const spread = this.pool.rules.widestHolds ? Math.max(before, own) : Math.min(before, own);
    if (high - low > spread) return false;

    if (!this.joinLanguages(cls, needs)) return false;
    if (!this.welcome(slot)) return false;
    this.members[depth] = slot;
    if (!this.seating.join(this.members, next)) return false;

    this.depth = next;
    this.playersAt[next] = players;
    this.mostAt[next] = most;
    this.fewestAt[next] = fewest;
    this.needsAt[next] = needs;
    this.regionsAt[next] = regions;
    this.low[next] = low;
    this.high[next] = high;
    this.spread[next] = spread;
    this.since[next] = Math.min(this.since[depth] as number, slots.since[slot] as number);
    return true;
  }

  pop(): void {
    this.depth -= 1;
  }

  private insists(need: number): boolean {
    return ((this.needsAt[this.depth] as number) & need) !== 0;
  }

  private joinLanguages(cls: number, needs: number): boolean {
    const shared = (this.languages[this.depth] as number) & (this.classes.languages[cls] as number);
    this.languages[this.depth + 1] = shared;
    if ((needs & Needs.language) === 0 || this.depth === 0) return true;
    return shared === RARE ? this.shareRareLanguage(cls) : shared !== 0;
  }

  /** Whether all of them and the newcomer speak one of the languages that have no bit of their own. */
  private shareRareLanguage(cls: number): boolean {
    const { rareLanguages } = this.classes;
    const lists = [rareLanguages[cls]];
    for (let i = 0; i < this.depth; i++) lists.push(rareLanguages[this.slots.cls[this.members[i] as number] as number]);
    const particular = lists.filter((list) => list !== undefined);
    const [first, ...others] = particular;
    return !first || first.some((language) => others.every((list) => list.includes(language)));
  }

  /** Whether nobody here keeps away from the newcomer, or it from them. */
  private welcome(slot: number): boolean {
    const { slots, depth } = this;
    const particular = slots.has(slot, Flag.social);
    for (let i = 0; i < depth; i++) {
      const member = this.members[i] as number;
      if (!particular && !slots.has(member, Flag.social)) continue;
      if (slots.apart(member, slot, this.now, this.pool.rules.avoidFor)) return false;
    }
    return true;
  }
}
