import { Candidates } from './candidates';
import { Group } from './group';
import type { Found } from './found';
import { evenOut, isLopsided } from './even-out';
import type { Pool } from './pool';
import { judge } from './quality';
import { bestMatches, circleOf, SMALL } from './small-pools';
import { splitIntoTeams } from './teams';

/** Attempts to add a ticket, and to split a group into teams, in one search by trial. */
const TRIALS = 600;
const SPLITS = 12;
/** Attempts in all searches of one pass, after which each has only a few: where so many find nothing, hardly anybody can. */
const ALL_TRIALS = 60_000;
const FEW_TRIALS = 60;
/** How often a pass over the pool may arrange a few tickets anew. */
const REARRANGEMENTS = 300;
/** A pool with no more open tickets than this is small throughout: worth looking for circles in it first. */
const SMALL_POOL = 48;

/** What matches are worth together. */
const worth = (matches: readonly Found[]): number =>
  matches.reduce((sum, { players, judgement }) => sum + players * judgement.quality, 0);
/** Less is no improvement, but rounding. */
const EPSILON = 1e-6;

/** How many candidates are weighed; with roles more, for those of the rare ones may be far away. */
const weighed = (most: number, roles: boolean) => Math.max(64, (roles ? 40 : 4) * most);

/**
 * Finds matches for one ticket. Where only a few tickets can meet each other at all, all ways to match them are weighed against
 * each other (small-pools.ts). Otherwise by taking the nearest that suits everybody so far, again and again; where that does not
 * fill the group, over candidates from every class that suits; and at last by trying and taking back, within a budget.
 */
export class Search {
  private readonly candidates: Candidates;
  private readonly scouts: Candidates;
  private readonly group: Group;
  private best: Found | null = null;
  private trials = 0;
  private splits = 0;
  private now = 0;
  private circlesLeft = 0;
  private trialsLeft = 0;
  private rearrangementsLeft = 0;
  /** Tickets that a solved circle has left without a match. */
  private readonly settled = new Set<number>();

  /** @param circles how many circles one pass over the pool may solve exactly */
  constructor(
    private readonly pool: Pool,
    private readonly circles: number,
  ) {
    this.candidates = new Candidates(pool);
    this.scouts = new Candidates(pool);
    this.group = new Group(pool);
  }

  /** A pass begins. */
  begin(now: number): void {
    this.now = now;
    this.circlesLeft = this.circles;
    this.trialsLeft = ALL_TRIALS;
    this.rearrangementsLeft = REARRANGEMENTS;
    this.settled.clear();
  }

  /** Matches around this ticket: most often one or none. */
  find(anchor: number): Found[] {
    if (this.settled.has(anchor)) return [];
    const { pool, candidates, group, now } = this;
    const { slots, rules } = pool;
    const small = pool.order.size <= SMALL_POOL ? this.solveCircle(anchor) : null;
    if (small) return small;
    const cls = slots.cls[anchor] as number;
    const most = pool.classes.most[cls] as number;
    const fewest = pool.classes.fewest[cls] as number;
    // few speak what it insists on: they are counted before anybody is looked at
    if (pool.classes.insistsOnLanguage(cls) && !candidates.hasWithin(anchor, fewest)) return [];
    this.best = null;
    this.splits = 0;
    group.reset(now);
    if (!group.push(anchor)) return [];
    const wanted = 3 * (most - (slots.size[anchor] as number));
    if (candidates.scan(anchor, now, wanted, this.joins) && this.settleDown()) return this.answer(anchor, most);
    const asFound = candidates.exhausted && candidates.inOrder;
    if (!candidates.exhausted) candidates.gather(anchor, now, most);
    if (!this.enough(anchor)) return [];
    if (candidates.exhausted && candidates.count < SMALL) {
      const circle = this.solveCircle(anchor);
      if (circle) return circle;
    }
    candidates.sort(weighed(most, rules.roles !== null));
    // those in the order of the scan have been taken one by one already
    if (asFound || !this.fill(anchor)) this.tryOut(anchor);
    return this.answer(anchor, most);
  }

  /** Whether the ticket has been weighed in a circle that was solved exactly. */
  hasSettled(slot: number): boolean {
    return this.settled.has(slot);
  }

  /** The match with this ticket in place of its newest member of a newer generation; null where that breaks a rule. */
  takeIn(slot: number, { members }: Found): { match: Found; gaveWay: number } | null {
    const { pool, group, now } = this;
    const { size } = pool.slots;
    const generation = pool.generation(slot, now);
    let newest = -1;
    for (const member of members) {
      if (size[member] !== size[slot] || pool.generation(member, now) >= generation || this.settled.has(member))
        continue;
      if (newest < 0 || pool.slots.older(newest, member)) newest = member;
    }
    if (newest < 0) return null;
    group.reset(now);
    if (!group.push(slot)) return null;
    for (const member of members) if (member !== newest && !group.push(member)) return null;
    const match = group.complete ? this.match() : null;
    return match && { match, gaveWay: newest };
  }

  /** Whether this pass may arrange something anew, once more. */
  mayRearrange(): boolean {
    return this.rearrangementsLeft-- > 0;
  }

  /** The best matches among all these tickets, where they are worth more than the matches that stand; else null. */
  rearrange(matches: readonly Found[], alone: readonly number[]): Found[] | null {
    const { slots } = this.pool;
    const circle = [...matches.flatMap(({ members }) => members), ...alone].sort((a, b) =>
      slots.older(a, b) ? -1 : 1,
    );
    const best = bestMatches(circle, this.group, this.now, this.weigh);
    return best && worth(best) > worth(matches) + EPSILON ? best : null;
  }

  /** The best that was found; where its teams are uneven, with others in place of some. */
  private answer(anchor: number, most: number): Found[] {
    const { best, candidates, pool, now } = this;
    if (!best) return [];
    if (!isLopsided(best)) return [best];
    if (!candidates.exhausted) candidates.gather(anchor, now, most);
    candidates.sort(weighed(most, pool.rules.roles !== null));
    return [evenOut(pool, best, candidates, now, this.matchOf)];
  }

  private readonly matchOf = (members: readonly number[]): Found | null => {
    const { group } = this;
    group.reset(this.now);
    for (const slot of members) if (!group.push(slot)) return null;
    return group.complete ? this.match() : null;
  };

  /** The best matches in the circle of this ticket; null where it is not small, or the pass has solved enough of them. */
  private solveCircle(anchor: number): Found[] | null {
    const large = this.pool.order.size > SMALL_POOL;
    if (this.circles === 0 || (large && this.circlesLeft === 0)) return null;
    const circle = circleOf(this.pool, anchor, this.now, this.scouts);
    if (!circle) return null;
    if (large) this.circlesLeft -= 1;
    const matches = bestMatches(circle, this.group, this.now, this.weigh);
    if (matches) for (const slot of circle) this.settled.add(slot);
    return matches;
  }

  private readonly weigh = () => {
    const match = this.match();
    return match && { match, value: worth([match]) };
  };

  /** Takes one into the group if it fits. @returns true when the group is full */
  private readonly joins = (slot: number): boolean => {
    this.group.push(slot);
    return this.group.players >= this.group.most;
  };

  /** Whether the candidates could make up the numbers at all. */
  private enough(anchor: number): boolean {
    const { slots, classes } = this.pool;
    let players = slots.size[anchor] as number;
    for (let i = 0; i < this.candidates.count; i++) players += slots.size[this.candidates.slots[i] as number] as number;
    return players >= (classes.fewest[slots.cls[anchor] as number] as number);
  }

  /** Takes the nearest that suits everybody so far, again and again. @returns true when the group is as full as it can be */
  private fill(anchor: number): boolean {
    const { group, candidates } = this;
    group.reset(this.now);
    group.push(anchor);
    for (let i = 0; i < candidates.count && group.players < group.most; i++) group.push(candidates.slots[i] as number);
    return this.settleDown();
  }

  /** Takes the group for a match, or what is left of it when the last ones are taken back. @returns true when it is full */
  private settleDown(): boolean {
    const { group } = this;
    while (group.depth > 0 && !this.settle()) group.pop();
    return this.best !== null && group.players === group.most;
  }

  /** Takes the group as it is for a match, if it is one and larger than the best so far. */
  private settle(): boolean {
    const { group } = this;
    if (group.players <= (this.best?.players ?? 0) || !group.complete || this.splits >= SPLITS) return false;
    this.splits += 1;
    const match = this.match();
    if (match) this.best = match;
    return match !== null;
  }

  /** The group as a match, or null where it cannot be split into fair teams. */
  private match(): Found | null {
    const { group, pool, now } = this;
    const members = group.list();
    const teams = splitIntoTeams(pool, members);
    if (!teams || teams.gap > group.gapLimit()) return null;
    return { members, players: group.players, teams, judgement: judge(pool, members, teams, now) };
  }

  private tryOut(anchor: number): void {
    this.group.reset(this.now);
    if (!this.group.push(anchor)) return;
    const granted = Math.min(TRIALS, Math.max(FEW_TRIALS, this.trialsLeft));
    this.trials = granted;
    this.splits = 0;
    this.descend(0);
    this.trialsLeft -= granted - Math.max(0, this.trials);
  }

  /** Depth first over the candidates from `from` on. @returns true when the search may end: full, or out of budget */
  private descend(from: number): boolean {
    const { group, candidates } = this;
    if (this.settle() && group.players === group.most) return true;
    if (group.players >= group.most) return false;
    for (let i = from; i < candidates.count; i++) {
      if (this.trials-- <= 0 || this.splits >= SPLITS) return true;
      if (!group.push(candidates.slots[i] as number)) continue;
      if (this.descend(i + 1)) return true;
      group.pop();
    }
    return false;
  }
}
