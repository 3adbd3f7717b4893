import { Engine, EXCLUSIONS, type Exclusion, type Explanation } from '../src/modules/matchmaking/engine';
import type { RuleSet } from '../src/modules/games/rule-set';
import type { Arrival, Source } from './arrivals';
import { judgeMatch, type PlayedMatch } from './judge-match';
import { Meetings } from './meetings';
import { reasonFor, type Reason } from './reason';

/** `refused`: its party is too big for a team. `stayedAway`: a player has left for good. */
export type Outcome = 'matched' | 'gaveUp' | 'expired' | 'refused' | 'stayedAway';

export interface Ended {
  arrival: Arrival;
  outcome: Outcome;
  waitedMs: number;
  match: PlayedMatch | null;
  /** For one that gave up or expired: why, and the share (0..1) of the candidates that each rule kept away. */
  why: { reason: Reason; excluded: Record<Exclusion, number> } | null;
}

/** What happened to the counted tickets of a run, in the order in which they ended. */
export interface RunLog {
  ended: Ended[];
  /** Those in which at least one counted ticket plays. */
  matches: PlayedMatch[];
  /** Minute by minute from the start. */
  depth: { at: number; tickets: number; players: number }[];
}

export interface RunProgress {
  /** 0..1 of the counted time. */
  share: number;
  now: number;
  waiting: number;
  matches: number;
}

const POOL = 'pool';
const MINUTE_MS = 60_000;

/**
 * The real engine on a virtual clock: what the server's loop does each tick, without its database. Tickets that have come join,
 * those whose time is over leave, and the engine searches. Everybody accepts. It ends when every counted ticket has.
 */
export function simulate(
  ruleSet: RuleSet,
  source: Source,
  { seed, tickMs, onProgress }: { seed: number; tickMs: number; onProgress?: (progress: RunProgress) => void },
): RunLog {
  const run = new Run(ruleSet, source.endMs, seed);
  const coming = source.arrivals()[Symbol.iterator]();
  let next = coming.next();
  for (let now = source.startMs; ; now += tickMs) {
    while (!next.done && next.value.ticket.waitingSince <= now) {
      run.admit(next.value);
      next = coming.next();
    }
    run.expire(now);
    run.search(now);
    if ((now - source.startMs) % MINUTE_MS < tickMs && now < source.endMs) {
      run.sample(now);
      const share = (now - source.startMs) / (source.endMs - source.startMs);
      onProgress?.({ share, now, waiting: run.waiting, matches: run.log.matches.length });
    }
    if (run.countedOpen === 0 && (next.done || next.value.ticket.waitingSince >= source.endMs)) break;
  }
  return run.log;
}

class Run {
  readonly log: RunLog = { ended: [], matches: [], depth: [] };
  countedOpen = 0;
  private readonly engine: Engine;
  private readonly open = new Map<string, Arrival>();
  /** Ids by the second in which their time is over. */
  private readonly due = new Map<number, string[]>();
  private dueFrom = -1;
  private readonly gone = new Set<string>();
  private readonly meetings: Meetings;

  constructor(
    private readonly ruleSet: RuleSet,
    private readonly endMs: number,
    seed: number,
  ) {
    this.engine = new Engine(seed);
    this.engine.setPool(POOL, ruleSet);
    this.meetings = new Meetings(ruleSet.avoid.recentSeconds * 1000);
  }

  get waiting(): number {
    return this.open.size;
  }

  admit(arrival: Arrival): void {
    const { ticket } = arrival;
    const ids = ticket.players.map((p) => p.userId);
    if (ticket.players.length > this.ruleSet.teams.size.max) return this.end(arrival, 'refused', 0);
    if (ids.some((id) => this.gone.has(id))) return this.end(arrival, 'stayedAway', 0);
    this.open.set(ticket.id, arrival);
    if (this.counts(arrival)) this.countedOpen += 1;
    this.engine.add(POOL, { ...ticket, avoided: this.meetings.of(ids, ticket.waitingSince) });
    const second = Math.floor((ticket.waitingSince + this.stay(arrival)) / 1000);
    const together = this.due.get(second);
    if (together) together.push(ticket.id);
    else this.due.set(second, [ticket.id]);
    if (this.dueFrom < 0) this.dueFrom = Math.floor(ticket.waitingSince / 1000);
  }

  expire(now: number): void {
    if (this.dueFrom < 0) return;
    for (; (this.dueFrom + 1) * 1000 <= now; this.dueFrom++) {
      for (const id of this.due.get(this.dueFrom) ?? []) this.giveUp(id, now);
      this.due.delete(this.dueFrom);
    }
  }

  search(now: number): void {
    if (this.open.size === 0) return;
    for (const proposal of this.engine.pass(now)) {
      if (!proposal) continue;
      const members = proposal.ticketIds.map((id) => this.open.get(id) as Arrival);
      const match = judgeMatch(proposal, members, now, this.ruleSet);
      if (members.some((arrival) => this.counts(arrival))) this.log.matches.push(match);
      this.meetings.note(
        proposal.teams.flatMap((team) => team.map(({ userId }) => userId)),
        now,
      );
      for (const arrival of members) {
        this.leave(arrival);
        this.end(arrival, 'matched', now - arrival.ticket.waitingSince, match);
      }
    }
  }

  sample(at: number): void {
    const players = this.engine.pool(POOL)?.players ?? 0;
    this.log.depth.push({ at, tickets: this.open.size, players });
  }

  private giveUp(id: string, now: number): void {
    const arrival = this.open.get(id);
    if (!arrival) return;
    const explained = this.engine.explain(POOL, id, now);
    const why = explained && {
      reason: reasonFor(explained, this.engine.pool(POOL)?.players ?? 0),
      excluded: sharesOf(explained),
    };
    this.leave(arrival);
    if (arrival.leavesForGood) for (const { userId } of arrival.ticket.players) this.gone.add(userId);
    const patient = arrival.patienceMs > this.ruleSet.ticketSeconds * 1000;
    this.end(arrival, patient ? 'expired' : 'gaveUp', this.stay(arrival), null, why);
  }

  private leave(arrival: Arrival): void {
    this.engine.remove(arrival.ticket.id);
    this.open.delete(arrival.ticket.id);
    if (this.counts(arrival)) this.countedOpen -= 1;
  }

  private end(
    arrival: Arrival,
    outcome: Outcome,
    waitedMs: number,
    match: Ended['match'] = null,
    why: Ended['why'] = null,
  ) {
    if (this.counts(arrival)) this.log.ended.push({ arrival, outcome, waitedMs, match, why });
  }

  /** How long it waits at most, ms. */
  private stay(arrival: Arrival): number {
    return Math.min(arrival.patienceMs, this.ruleSet.ticketSeconds * 1000);
  }

  private counts({ ticket }: Arrival): boolean {
    return ticket.waitingSince < this.endMs;
  }
}

function sharesOf({ excludedBy, examined }: Explanation): Record<Exclusion, number> {
  const shares = EXCLUSIONS.map((rule) => [rule, examined === 0 ? 0 : excludedBy[rule] / examined]);
  return Object.fromEntries(shares) as Record<Exclusion, number>;
}
