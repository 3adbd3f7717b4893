import { Candidates } from './candidates';
import { Group } from './group';
import type { Pool } from './pool';
import { judge, type Judgement } from './quality';
import { splitIntoTeams, type Teams } from './teams';

export interface Found {
  /** In the order in which they joined. */
  members: Int32Array;
  players: number;
  teams: Teams;
  judgement: Judgement;
}

/** Attempts to add a ticket, and to split a group into teams, in one search by trial. */
const TRIALS = 600;
const SPLITS = 12;

/** How many candidates are weighed; with roles more, for those of the rare ones may be far away. */
const weighed = (most: number, roles: boolean) => Math.max(64, (roles ? 40 : 4) * most);

/**
 * Finds a match for one ticket: first by taking the nearest that suits everybody so far, again and again; where that does not
 * fill the group, over candidates from every class that suits; and at last by trying and taking back, within a budget.
 */
export class Search {
  readonly candidates: Candidates;
  readonly group: Group;
  private best: Found | null = null;
  private trials = 0;
  private splits = 0;
  private now = 0;

  constructor(private readonly pool: Pool) {
    this.candidates = new Candidates(pool);
    this.group = new Group(pool);
  }

  find(anchor: number, now: number): Found | null {
    const { pool, candidates, group } = this;
    const { slots, rules } = pool;
    this.now = now;
    this.best = null;
    this.splits = 0;
    group.reset(now);
    if (!group.push(anchor)) return null;
    const most = pool.classes.most[slots.cls[anchor] as number] as number;
    const wanted = 3 * (most - (slots.size[anchor] as number));
    if (candidates.scan(anchor, now, wanted, this.joins) && this.settleDown()) return this.best;
    if (!candidates.exhausted) candidates.gather(anchor, now, most);
    if (!this.enough(anchor)) return null;
    candidates.sort(weighed(most, rules.roles !== null));
    if (!this.fill(anchor)) this.tryOut(anchor);
    return this.best;
  }

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
    const { group, pool, now } = this;
    if (group.players <= (this.best?.players ?? 0) || !group.complete || this.splits >= SPLITS) return false;
    this.splits += 1;
    const teams = splitIntoTeams(pool, group.members, group.depth);
    if (!teams || teams.gap > group.gapLimit()) return false;
    this.best = {
      members: group.members.slice(0, group.depth),
      players: group.players,
      teams,
      judgement: judge(pool, group.members, group.depth, teams, now),
    };
    return true;
  }

  private tryOut(anchor: number): void {
    this.group.reset(this.now);
    if (!this.group.push(anchor)) return;
    this.trials = TRIALS;
    this.splits = 0;
    this.descend(0);
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
