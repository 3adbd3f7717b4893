import { mean, percentile } from '../demo/statistics';
import { EXCLUSIONS, type Exclusion } from '../src/modules/matchmaking/engine';
import { homeOf, isNewcomer, meanSkill, type Arrival, type Source } from './arrivals';
import { groupBy } from './group-by';
import { REASONS, type Reason } from './reason';
import type { Ended, Outcome, RunLog } from './run';

/** Figures of tickets that have something in common. Waits in seconds; null where there is nothing to count. */
export interface Group {
  name: string;
  /** That joined the queue. */
  tickets: number;
  /** Waits of those that were matched. */
  median: number | null;
  p90: number | null;
  /** Share (0..1) that gave up or expired. */
  unmatched: number | null;
  /** Means over their matches. */
  quality: number | null;
  favourite: number | null;
}

/** A stretch of the run. */
export interface Slot {
  at: number;
  arrived: number;
  /** Waits of the tickets that came in it and were matched, in seconds. */
  median: number | null;
  p90: number | null;
  p99: number | null;
  /** Mean of the tickets that waited. */
  depth: number | null;
  matches: number;
}

export interface Figures {
  tickets: number;
  outcomes: Record<Outcome, number>;
  /** Share (0..1) of those that joined the queue. */
  matched: number | null;
  waits: { median: number | null; p90: number | null; p95: number | null; p99: number | null };
  means: Record<'spread' | 'teamGap' | 'quality' | 'predicted' | 'real', number | null>;
  slots: Slot[];
  deciles: Group[];
  parties: Group[];
  experience: Group[];
  regions: Group[];
  matchesByRegion: { region: string; matches: number }[];
  reasons: Record<Reason, number>;
  /** Over the tickets that found no match: the mean share of the candidates that each rule kept away. */
  excluded: Record<Exclusion, number | null>;
}

/** Facts that do not depend on rules, shared by all runs over one source. */
export interface Frame {
  startMs: number;
  slotMs: number;
  slots: number;
  /** The upper bound of each decile of skill but the last. */
  deciles: readonly number[];
  parties: readonly number[];
  regions: readonly string[];
}

const MINUTE_MS = 60_000;
/** Lengths of a slot in minutes: the shortest that gives at most MOST_SLOTS. */
const SLOT_MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1440, 10_080];
const MOST_SLOTS = 60;

/** How to divide what the counted tickets of a source have in common. */
export function frameOf(source: Source): Frame {
  const counted: Arrival[] = [];
  for (const arrival of source.arrivals()) {
    if (arrival.ticket.waitingSince >= source.endMs) break;
    counted.push(arrival);
  }
  const skills = counted.map(meanSkill).sort((a, b) => a - b);
  const spanMs = source.endMs - source.startMs;
  const minutes = SLOT_MINUTES.find((each) => spanMs / (each * MINUTE_MS) <= MOST_SLOTS) ?? 10_080;
  const byCount = groupBy(counted, homeOf);
  return {
    startMs: source.startMs,
    slotMs: minutes * MINUTE_MS,
    slots: Math.max(1, Math.ceil(spanMs / (minutes * MINUTE_MS))),
    deciles: Array.from({ length: 9 }, (_, i) => skills[Math.ceil(((i + 1) * skills.length) / 10) - 1] ?? 0),
    parties: [...new Set(counted.map(({ ticket }) => ticket.players.length))].sort((a, b) => a - b),
    regions: [...byCount].sort((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1)).map(([name]) => name),
  };
}

export function figuresOf({ ended, matches, depth }: RunLog, frame: Frame): Figures {
  const joined = ended.filter(({ outcome }) => outcome !== 'refused' && outcome !== 'stayedAway');
  const waits = waitsOf(joined);
  const lost = joined.filter(({ why }) => why !== null);
  const groups = <Key>(
    keys: readonly Key[],
    keyOf: (arrival: Arrival) => Key,
    nameOf: (key: Key) => string,
  ): Group[] => {
    const members = groupBy(joined, ({ arrival }) => keyOf(arrival));
    return keys.map((key) => groupOf(nameOf(key), members.get(key) ?? []));
  };
  const favourites = matches.flatMap(({ favourite }) => favourite ?? []);
  return {
    tickets: ended.length,
    outcomes: {
      matched: countOf(ended, 'matched'),
      gaveUp: countOf(ended, 'gaveUp'),
      expired: countOf(ended, 'expired'),
      refused: countOf(ended, 'refused'),
      stayedAway: countOf(ended, 'stayedAway'),
    },
    matched: joined.length === 0 ? null : waits.length / joined.length,
    waits: {
      median: percentile(waits, 0.5),
      p90: percentile(waits, 0.9),
      p95: percentile(waits, 0.95),
      p99: percentile(waits, 0.99),
    },
    means: {
      spread: mean(matches.map((match) => match.spread)),
      teamGap: mean(matches.flatMap((match) => match.teamGap ?? [])),
      quality: mean(matches.map((match) => match.quality)),
      predicted: mean(favourites.map((each) => each.predicted)),
      real: mean(favourites.map((each) => each.real)),
    },
    slots: slotsOf(ended, matches, depth, frame),
    deciles: groups(
      [...Array(10).keys()],
      (a) => decileOf(meanSkill(a), frame),
      (decile) => String(decile + 1),
    ),
    parties: groups(frame.parties, ({ ticket }) => ticket.players.length, String),
    experience: groups([true, false], isNewcomer, (is) => (is ? 'newcomers' : 'settled')),
    regions: groups(frame.regions, homeOf, String),
    matchesByRegion: matchesByRegion(matches, frame),
    reasons: Object.fromEntries(
      REASONS.map((reason) => [reason, lost.filter(({ why }) => why?.reason === reason).length]),
    ) as Record<Reason, number>,
    excluded: Object.fromEntries(
      EXCLUSIONS.map((rule) => [rule, mean(lost.map(({ why }) => why?.excluded[rule] ?? 0))]),
    ) as Record<Exclusion, number | null>,
  };
}

const countOf = (ended: readonly Ended[], outcome: Outcome) => ended.filter((each) => each.outcome === outcome).length;

const waitsOf = (ended: readonly Ended[]): number[] =>
  ended.flatMap(({ match, waitedMs }) => (match ? [waitedMs / 1000] : []));

function decileOf(skill: number, { deciles }: Frame): number {
  const at = deciles.findIndex((bound) => skill <= bound);
  return at < 0 ? 9 : at;
}

function groupOf(name: string, members: readonly Ended[]): Group {
  const waits = waitsOf(members);
  const matches = members.flatMap(({ match }) => match ?? []);
  return {
    name,
    tickets: members.length,
    median: percentile(waits, 0.5),
    p90: percentile(waits, 0.9),
    unmatched: members.length === 0 ? null : 1 - waits.length / members.length,
    quality: mean(matches.map((match) => match.quality)),
    favourite: mean(matches.flatMap(({ favourite }) => favourite?.real ?? [])),
  };
}

function slotsOf(
  ended: readonly Ended[],
  matches: RunLog['matches'],
  depth: RunLog['depth'],
  { startMs, slotMs, slots }: Frame,
): Slot[] {
  const slotAt = (at: number) => Math.floor((at - startMs) / slotMs);
  const came = groupBy(ended, ({ arrival }) => slotAt(arrival.ticket.waitingSince));
  const found = groupBy(matches, ({ at }) => slotAt(at));
  const sampled = groupBy(depth, ({ at }) => slotAt(at));
  return Array.from({ length: slots }, (_, slot) => {
    const own = came.get(slot) ?? [];
    const waits = waitsOf(own);
    return {
      at: startMs + slot * slotMs,
      arrived: own.length,
      median: percentile(waits, 0.5),
      p90: percentile(waits, 0.9),
      p99: percentile(waits, 0.99),
      depth: mean((sampled.get(slot) ?? []).map(({ tickets }) => tickets)),
      matches: found.get(slot)?.length ?? 0,
    };
  });
}

function matchesByRegion(matches: RunLog['matches'], { regions }: Frame): Figures['matchesByRegion'] {
  const byRegion = groupBy(matches, ({ region }) => region);
  const names = [...new Set([...regions, ...[...byRegion.keys()].sort()])];
  return names.map((region) => ({ region, matches: byRegion.get(region)?.length ?? 0 }));
}
