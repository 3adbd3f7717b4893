import type { RuleSet } from '../../games';
import { factsOf, figuresOf, type Figures, type MatchFacts } from './figures';
import { RecordingFault, type Operation, type RecordedTicket } from './operations';
import { Playback } from './playback';

/** What other rules would have made of a recording. */
export interface Comparison {
  /** Tickets that came, in any pool. */
  tickets: number;
  /** Matches of the same tickets on both sides. */
  same: number;
  /** Those of the recording that would not have been, and those that would have been instead. */
  missing: MatchFacts[];
  other: MatchFacts[];
  pools: Map<string, { recorded: Figures; replayed: Figures }>;
}

type Operations = () => AsyncIterable<Operation>;

/**
 * Replays a recording with other rules for some of its pools. What players did is taken as it was: they came, changed their
 * minds and gave up when they did. But a ticket that left because it was matched goes on waiting where the replay has no
 * match for it, until it expires; one that the replay has matched comes no more; and a match that fell through in the recording
 * does so in the replay, where the same tickets make it. With the rules of the recording everything is the same.
 * @param operations read twice, from the beginning
 * @param rulesFor the rules of a pool, given those of the recording
 */
export async function whatIf(
  operations: Operations,
  rulesFor: (key: string, recorded: RuleSet) => RuleSet,
): Promise<Comparison> {
  const history = await readHistory(operations());
  const replayed = await replay(operations(), history.fates, rulesFor);
  const recordedKeys = count(history.stood);
  const replayedKeys = count(replayed);
  const missing = history.stood.filter(({ key }) => !take(replayedKeys, key));
  const other = replayed.filter(({ key }) => !take(recordedKeys, key));
  const pools = [...new Set([...history.stood, ...replayed].map((match) => match.pool))].sort();
  const within = (matches: readonly MatchFacts[], pool: string) =>
    figuresOf(matches.filter((match) => match.pool === pool));
  return {
    tickets: history.tickets,
    same: history.stood.length - missing.length,
    missing,
    other,
    pools: new Map(
      pools.map((pool) => [pool, { recorded: within(history.stood, pool), replayed: within(replayed, pool) }]),
    ),
  };
}

function count(matches: readonly MatchFacts[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { key } of matches) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

function take(counts: Map<string, number>, key: string): boolean {
  const left = counts.get(key) ?? 0;
  counts.set(key, left - 1);
  return left > 0;
}

/** The tickets that have come, by pool, as they came last. */
class Register {
  private readonly pools = new Map<string, Map<string, RecordedTicket>>();
  readonly ids = new Set<string>();

  add(key: string, ticket: RecordedTicket): void {
    const pool = this.pools.get(key) ?? new Map<string, RecordedTicket>();
    this.pools.set(key, pool.set(ticket.id, ticket));
    this.ids.add(ticket.id);
  }

  get(key: string, id: string): RecordedTicket | undefined {
    return this.pools.get(key)?.get(id);
  }
}

interface History {
  tickets: number;
  /** The matches of the recording, less those that fell through. */
  stood: MatchFacts[];
  /** Whether the matches of these tickets stood, in the order in which they were made. */
  fates: Map<string, boolean[]>;
}

/** A match fell through where one of its tickets comes again. */
async function readHistory(operations: AsyncIterable<Operation>): Promise<History> {
  const register = new Register();
  const matches: { facts: MatchFacts; stood: boolean }[] = [];
  const latest = new Map<string, { stood: boolean }>();
  let now = 0;
  for await (const operation of operations) {
    if (operation.op === 'begin') latest.clear();
    else if (operation.op === 'pass') now = operation.now;
    else if (operation.op === 'add') {
      register.add(operation.key, operation.ticket);
      const match = latest.get(operation.ticket.id);
      if (match) match.stood = false;
      latest.delete(operation.ticket.id);
    } else if (operation.op === 'match') {
      const { match } = operation;
      const one = { facts: factsOf(match, (id) => register.get(match.pool, id), now), stood: true };
      matches.push(one);
      for (const id of match.ticketIds) latest.set(id, one);
    }
  }
  const fates = new Map<string, boolean[]>();
  for (const { facts, stood } of matches) fates.set(facts.key, [...(fates.get(facts.key) ?? []), stood]);
  return {
    tickets: register.ids.size,
    stood: matches.filter(({ stood }) => stood).map(({ facts }) => facts),
    fates,
  };
}

/** @returns the matches that stand */
async function replay(
  operations: AsyncIterable<Operation>,
  fates: ReadonlyMap<string, readonly boolean[]>,
  rulesFor: (key: string, recorded: RuleSet) => RuleSet,
): Promise<MatchFacts[]> {
  const stood: MatchFacts[] = [];
  const seen = new Map<string, number>();
  let run: Run | null = null;
  const judge = (facts: MatchFacts): boolean => {
    const nth = seen.get(facts.key) ?? 0;
    seen.set(facts.key, nth + 1);
    const stands = fates.get(facts.key)?.[nth] ?? true;
    if (stands) stood.push(facts);
    return stands;
  };
  for await (const operation of operations) {
    if (operation.op === 'begin') run = new Run(operation.seed, rulesFor, judge);
    else if (!run) throw new RecordingFault('a recording starts with "begin"');
    else run.follow(operation);
  }
  return stood;
}

/** One run of a server, with other rules. */
class Run {
  private readonly playback: Playback;
  private readonly register = new Register();
  private readonly rules = new Map<string, RuleSet>();
  /** In a match of the replay that stands. */
  private readonly matched = new Set<string>();
  /** In a match of the recording, which has been made and not fallen through so far. */
  private readonly matchedThen = new Set<string>();
  /** Wait here although the recording had a match for them: until when (ms), and in which pools. */
  private readonly outliving = new Map<string, { until: number; pools: string[] }>();
  private now = 0;

  constructor(
    seed: number,
    private readonly rulesFor: (key: string, recorded: RuleSet) => RuleSet,
    private readonly judge: (match: MatchFacts) => boolean,
  ) {
    this.playback = new Playback(seed);
  }

  follow(operation: Exclude<Operation, { op: 'begin' }>): void {
    switch (operation.op) {
      case 'pass':
        this.now = operation.now;
        this.expire();
        return this.playback.begin(operation.now, operation.only);
      case 'match':
        return operation.match.ticketIds.forEach((id) => this.matchedThen.add(id));
      case 'end':
        return this.endPass(operation.steps, operation.whole);
      case 'full':
        return;
      case 'pool':
        this.advance(operation.steps);
        return this.setPool(operation.key, operation.ruleSet);
      case 'add':
        this.advance(operation.steps);
        return this.add(operation.key, operation.ticket);
      case 'remove':
        this.advance(operation.steps);
        return this.remove(operation.id);
    }
  }

  private advance(steps = 0): void {
    this.note(this.playback.advanceTo(steps));
  }

  private endPass(steps: number, whole: boolean): void {
    if (whole) return this.note(this.playback.finish().found);
    this.advance(steps);
    this.playback.abandon();
  }

  private note(found: ReturnType<Playback['advanceTo']>): void {
    for (const { match } of found) {
      const stands = this.judge(factsOf(match, (id) => this.register.get(match.pool, id), this.now));
      for (const id of match.ticketIds) {
        this.outliving.delete(id);
        if (stands) this.matched.add(id);
      }
    }
  }

  private setPool(key: string, recorded: RuleSet): void {
    const ruleSet = this.rulesFor(key, recorded);
    this.rules.set(key, ruleSet);
    this.playback.setPool(key, ruleSet);
    // the recording brings the others again
    for (const [id, { pools }] of this.outliving) {
      const ticket = this.register.get(key, id);
      if (ticket && pools.includes(key)) this.playback.add(key, ticket);
    }
  }

  private add(key: string, ticket: RecordedTicket): void {
    const { id } = ticket;
    this.matchedThen.delete(id);
    this.register.add(key, ticket);
    if (this.matched.has(id)) return;
    if (this.outliving.delete(id)) this.playback.remove(id);
    this.playback.add(key, ticket);
  }

  private remove(id: string): void {
    if (!this.matchedThen.has(id) || !this.playback.has(id)) return this.playback.remove(id);
    const pools = [...this.rules.keys()].filter((key) => this.register.get(key, id));
    const seconds = Math.max(...pools.map((key) => this.rules.get(key)?.ticketSeconds ?? 0));
    const since = this.register.get(pools[0] ?? '', id)?.waitingSince ?? 0;
    this.outliving.set(id, { until: since + seconds * 1000, pools });
  }

  private expire(): void {
    for (const [id, { until }] of this.outliving) {
      if (until > this.now) continue;
      this.playback.remove(id);
      this.outliving.delete(id);
    }
  }
}
