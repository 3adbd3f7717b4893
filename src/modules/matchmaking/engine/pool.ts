import type { RuleSet } from '../../games';
import { Classes } from './classes';
import { enter } from './entry';
import { Order } from './order';
import { Profiles } from './profiles';
import { confined } from './roles';
import { compileRules, nextRelaxation, type Rules } from './rules';
import { Flag, Slots } from './slots';
import { sortSlots } from './sort-slots';
import type { Ticket } from './ticket';
import { WakeQueue } from './wake-queue';
import { Walk } from './walk';
import { limitAfter } from './widening';

/** A ticket at some moment: its class and its limit change with waiting. */
export interface View {
  slot: number;
  cls: number;
  limit: number;
}

/** Settled players of Weng-Lin ratings come to about half of a newcomer's sigma. */
const SETTLED_SIGMA = 25 / 6;
const GENERATION_MS = 5000;
/** Tickets handled between two chances to pause. */
const STRIDE = 256;
/** Tickets put into the order in one go. */
const INSERTED = 1 << 11;

/**
 * The tickets of one (game, mode): open ones in the order of the pool and by class, and those that have something new to hope
 * for since they were last searched for, because they came or because a rule of theirs has relaxed. Nothing here depends on
 * the order in which tickets came.
 */
export class Pool {
  readonly rules: Rules;
  readonly slots = new Slots();
  readonly classes: Classes;
  readonly order = new Order(this.slots);
  /** No ticket here accepts less spread than this. */
  readonly narrowest: number;
  depth = 0;
  players = 0;
  private readonly profiles: Profiles;
  private readonly wakes = new WakeQueue();
  /** Not yet in the order: new, or due now. */
  private arrivals: number[] = [];
  private fresh: number[] = [];

  constructor(
    ruleSet: RuleSet,
    private readonly seed: number,
  ) {
    this.rules = compileRules(ruleSet);
    const { roles, spread } = this.rules;
    this.narrowest = spread ? (spread.values[0] as number) : Infinity;
    this.classes = new Classes(
      this.slots,
      (offers) => (roles ? confined(roles, offers) : new Uint8Array(0)),
      (roles?.capacity.length ?? 0) + 1,
    );
    this.profiles = new Profiles(this.rules, (spec) => this.classes.idOf(spec));
  }

  /** The ids of all tickets here. */
  *ids(): Generator<string> {
    for (let slot = 0; slot < this.slots.ids.length; slot++)
      if (this.slots.has(slot, Flag.live)) yield this.slots.ids[slot] as string;
  }

  /** Whether a ticket stands here that others can find. */
  isOpen(slot: number): boolean {
    return this.slots.has(slot, Flag.open);
  }

  /** Whether the ticket is in a match that is about to be told. */
  isTaken(slot: number): boolean {
    return this.slots.has(slot, Flag.taken);
  }

  /** Whether it has something new to hope for. */
  isFresh(slot: number): boolean {
    return this.slots.has(slot, Flag.fresh);
  }

  /** It has been searched for; whatever it can hope for next, it waits for. */
  markSearched(slot: number): void {
    this.slots.flags[slot] = (this.slots.flags[slot] as number) & ~Flag.fresh;
  }

  /** Whether the two could be in one match, ratings aside. */
  suits(a: number, b: number): boolean {
    return this.classes.compatible(this.slots.cls[a] as number, this.slots.cls[b] as number);
  }

  /** Takes it out of the order, for a match. */
  withdraw(slot: number): void {
    this.order.remove(slot);
    this.classes.leave(slot);
    this.slots.flags[slot] = ((this.slots.flags[slot] as number) & ~Flag.open) | Flag.taken;
  }

  /** Puts back what was withdrawn. */
  reopen(slot: number): void {
    this.slots.flags[slot] = ((this.slots.flags[slot] as number) & ~Flag.taken) | Flag.open;
    this.order.insert(slot);
    this.classes.join(slot);
    this.refresh(slot);
    this.sleep(slot, this.nextChange(slot, -Infinity));
  }

  /** Notes that a ticket stands in other pools as well. */
  markElsewhere(slot: number): void {
    this.slots.flags[slot] = (this.slots.flags[slot] as number) | Flag.elsewhere;
  }

  /** Takes a ticket in that is not here yet; it joins the order when the next pass begins. @returns its slot */
  add(ticket: Ticket): number {
    const { slots } = this;
    const slot = slots.take();
    enter(slots, slot, ticket, this.rules, this.seed);
    slots.profile[slot] = this.profiles.idOf(ticket);
    this.depth += 1;
    this.players += ticket.players.length;
    this.arrivals.push(slot);
    return slot;
  }

  remove(slot: number): void {
    const { slots } = this;
    if (slots.has(slot, Flag.open)) {
      this.order.remove(slot);
      this.classes.leave(slot);
    }
    this.depth -= 1;
    this.players -= slots.size[slot] as number;
    slots.release(slot);
  }

  /** How long a ticket has waited, coarsely: below 5 s is 0, below 15 s 1, below 35 s 2, and so on by doubling. */
  generation(slot: number, now: number): number {
    const waited = now - (this.slots.since[slot] as number);
    return waited < GENERATION_MS ? 0 : 31 - Math.clz32(waited / GENERATION_MS + 1);
  }

  /** Highest minus lowest rating that it accepts in a match: its own uncertainty counts as room, never as certainty. */
  spreadLimit(slot: number, now: number): number {
    const { slots, rules } = this;
    if (!rules.spread || slots.has(slot, Flag.anySkill)) return Infinity;
    const sigma = Math.sqrt((slots.variance[slot] as number) / (slots.size[slot] as number));
    const room = rules.set.skill.uncertainty * Math.max(0, sigma - SETTLED_SIGMA);
    return limitAfter(rules.spread, now - (slots.since[slot] as number)) + room;
  }

  gapLimit(slot: number, now: number): number {
    const { gap } = this.rules;
    return gap && !this.slots.has(slot, Flag.anySkill)
      ? limitAfter(gap, now - (this.slots.since[slot] as number))
      : Infinity;
  }

  /** When the ticket enters this pool: later by its patience for games that it loves more. */
  opensAt(slot: number): number {
    const patience = (this.slots.deficit[slot] as number) * this.rules.set.choices.secondsPerPoint * 1000;
    return (this.slots.since[slot] as number) + patience;
  }

  /** The next moment at which waiting alone changes what this ticket accepts; Infinity where nothing will. */
  nextChange(slot: number, now: number): number {
    const since = this.slots.since[slot] as number;
    return since + nextRelaxation(this.rules, now - since);
  }

  /** How the ticket stands at some moment, now or to come. */
  viewAt(slot: number, at: number): View {
    return { slot, cls: this.classAt(slot, at), limit: this.spreadLimit(slot, at) };
  }

  /** Other open tickets, the nearest in rating first. */
  nearest(slot: number, most: number): number[] {
    const walk = new Walk(this.slots);
    const found: number[] = [];
    walk.begin(this.order, this.slots.rating[slot] as number);
    while (found.length < most) {
      const other = walk.next(Infinity);
      if (other < 0) break;
      if (other !== slot) found.push(other);
    }
    return found;
  }

  /** Brings the pool up to `now`: what has relaxed, what is due, what came. Yields where the caller may pause. */
  *advance(now: number): Generator<null> {
    yield* this.wakeUp(now);
    const batch = yield* this.open(now);
    const sorted = yield* sortSlots(new Int32Array(batch), this.slots);
    for (let from = 0; from < sorted.length; from += INSERTED) {
      this.insert(sorted.subarray(from, from + INSERTED));
      yield null;
    }
  }

  /** As `advance`, for a pool that is searched elsewhere: what somebody can hope for is kept for whoever searches it next. */
  *follow(now: number): Generator<null> {
    yield* this.advance(now);
    // those that have left since are listed still
    if (this.fresh.length > 2 * this.depth + STRIDE)
      this.fresh = [...new Set(this.fresh)].filter((slot) => this.isFresh(slot));
  }

  /** Puts tickets into the order and into their classes, in one go: those that have left since they were picked stay out. */
  private insert(sorted: Int32Array): void {
    const { slots } = this;
    const joining = slots.having(Flag.joining, sorted);
    for (const slot of joining) slots.flags[slot] = ((slots.flags[slot] as number) & ~Flag.joining) | Flag.open;
    this.order.insertAll(joining);
    for (const slot of joining) this.classes.join(slot);
  }

  /** The tickets that have something new to hope for, in the order of the pool. */
  *takeFresh(): Generator<null, Int32Array> {
    const all = this.fresh;
    this.fresh = [];
    const many = all.length * 4 > this.order.size;
    const list = many ? this.order.toArray() : new Int32Array(all);
    yield null;
    const fresh = this.slots.having(Flag.fresh, list);
    yield null;
    return many ? fresh : yield* sortSlots(fresh, this.slots);
  }

  private *wakeUp(now: number): Generator<null> {
    const { slots, wakes } = this;
    for (let n = 1; wakes.next <= now; n++) {
      const time = wakes.next;
      const slot = wakes.pop();
      if (slots.wake[slot] !== time || !slots.has(slot, Flag.live)) continue;
      slots.wake[slot] = Infinity;
      if (!slots.has(slot, Flag.open)) this.arrivals.push(slot);
      else {
        this.reclassify(slot, now);
        this.refresh(slot);
        this.sleep(slot, this.nextChange(slot, now));
      }
      if (n % STRIDE === 0) yield null;
    }
  }

  /** @returns the arrivals whose time has come */
  private *open(now: number): Generator<null, number[]> {
    const { slots } = this;
    const coming = this.arrivals;
    const opened: number[] = [];
    this.arrivals = [];
    for (let i = 0; i < coming.length; i++) {
      if (i % STRIDE === STRIDE - 1) yield null;
      const slot = coming[i] as number;
      // a slot that was freed and taken again is listed twice
      if (!slots.has(slot, Flag.live) || slots.has(slot, Flag.open | Flag.joining)) continue;
      const opensAt = this.opensAt(slot);
      if (opensAt > now) {
        this.sleep(slot, opensAt);
        continue;
      }
      slots.cls[slot] = this.classAt(slot, now);
      if (!this.fitsOneTeam(slot) && !slots.lobbies.has(slot)) continue;
      slots.flags[slot] = (slots.flags[slot] as number) | Flag.joining;
      this.refresh(slot);
      this.sleep(slot, this.nextChange(slot, now));
      opened.push(slot);
    }
    return opened;
  }

  /** Whether a team has seats for all of the party, and roles that they would take. */
  private fitsOneTeam(slot: number): boolean {
    const { slots, rules, classes } = this;
    if ((slots.size[slot] as number) > rules.teamMax) return false;
    const confined = rules.roles && classes.confined[slots.cls[slot] as number];
    return !confined || !rules.roles || confined.every((players, set) => players <= (rules.roles?.capacity[set] ?? 0));
  }

  private classAt(slot: number, at: number): number {
    const { slots } = this;
    const waited = at - (slots.since[slot] as number);
    return this.profiles.classAt(slots.profile[slot] as number, waited, slots.latenciesOf(slot));
  }

  private reclassify(slot: number, now: number): void {
    const cls = this.classAt(slot, now);
    if (cls === this.slots.cls[slot]) return;
    this.classes.leave(slot);
    this.slots.cls[slot] = cls;
    this.classes.join(slot);
    this.order.reclassify(slot);
  }

  private refresh(slot: number): void {
    if (this.slots.has(slot, Flag.fresh)) return;
    this.slots.flags[slot] = (this.slots.flags[slot] as number) | Flag.fresh;
    this.fresh.push(slot);
  }

  private sleep(slot: number, until: number): void {
    this.slots.wake[slot] = until;
    if (until !== Infinity) this.wakes.push(until, slot);
  }
}
