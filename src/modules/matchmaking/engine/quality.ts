import type { Pool } from './pool';
import type { Teams } from './teams';

/** Standard deviation of one game's performance, and of a newcomer's rating: the defaults of openskill. */
const BETA = 25 / 6;
const SIGMA = 25 / 3;
/** A ticket that has waited this long counts half of what waiting can count. */
const HALF_WAIT_MS = 30_000;

export interface Judgement {
  /** 0..1. */
  quality: number;
  /** The chance of each team to win; null for a co-op group. */
  chances: number[] | null;
}

/**
 * How good a match is, 0 (barely allowed) to 1 (nothing to wish for):
 * - versus: 0.45 balance + 0.2 closeness + 0.15 wishes + 0.1 fullness + 0.1 waiting
 * - co-op:                 0.4 closeness + 0.2 wishes + 0.3 fullness + 0.1 waiting
 *
 * Balance is the mean over pairs of teams of `1 - |2p - 1|`, with p the predicted chance that the first wins:
 * `p = Phi((sum mu_a - sum mu_b) / sqrt(n beta^2 + sum sigma^2))` (Weng and Lin 2011, as openskill predicts): the more uncertain
 * the ratings, the closer to even. Closeness is `1 / (1 + spread / sigma0)`, where spread is highest minus lowest ticket rating and
 * sigma0 = 25/3. Wishes is the share of ordered pairs of tickets in which the first one's stated regions, languages and
 * wish for new company are met, insisted on or not. Fullness is players over the most that the mode takes. Waiting is the mean of
 * `w / (w + 30 s)` over the tickets: serving those who have waited is worth more.
 */
export function judge(pool: Pool, members: readonly number[], teams: Teams, now: number): Judgement {
  const depth = members.length;
  const { slots, rules } = pool;
  let players = 0;
  let low = Infinity;
  let high = -Infinity;
  let waiting = 0;
  for (let i = 0; i < depth; i++) {
    const slot = members[i] as number;
    const rating = slots.rating[slot] as number;
    const waited = Math.max(0, now - (slots.since[slot] as number));
    players += slots.size[slot] as number;
    if (rating < low) low = rating;
    if (rating > high) high = rating;
    waiting += waited / (waited + HALF_WAIT_MS);
  }
  waiting /= depth;
  const closeness = 1 / (1 + (high - low) / SIGMA);
  const fullness = players / rules.most;
  const wishes = wishesMet(pool, members);
  if (rules.teamCount === 1)
    return { quality: rounded(0.4 * closeness + 0.2 * wishes + 0.3 * fullness + 0.1 * waiting), chances: null };
  const { balance, chances } = prospects(pool, members, teams);
  const quality = 0.45 * balance + 0.2 * closeness + 0.15 * wishes + 0.1 * fullness + 0.1 * waiting;
  return { quality: rounded(quality), chances };
}

const rounded = (x: number): number => Math.round(x * 1e6) / 1e6;

interface Strength {
  players: number;
  mu: number;
  variance: number;
}

function strengthsOf(pool: Pool, members: readonly number[], { teamOf }: Teams): Strength[] {
  const { slots, rules } = pool;
  const strengths = Array.from({ length: rules.teamCount }, () => ({ players: 0, mu: 0, variance: 0 }));
  const add = (team: number, players: number, mu: number, variance: number) => {
    const strength = strengths[team];
    if (!strength) return;
    strength.players += players;
    strength.mu += mu;
    strength.variance += variance;
  };
  for (let i = 0; i < members.length; i++) {
    const slot = members[i] as number;
    const size = slots.size[slot] as number;
    const variance = slots.variance[slot] as number;
    const lobby = teamOf[i] === -1 ? slots.lobbies.get(slot) : undefined;
    if (lobby) lobby.sizes.forEach((n, team) => add(team, n, lobby.sums[team] ?? 0, (variance * n) / size));
    else add(teamOf[i] ?? 0, size, size * (slots.rating[slot] as number), variance);
  }
  return strengths;
}

/** Balance, and each team's chance: among several, in proportion to how often it beats each of the others. */
function prospects(pool: Pool, members: readonly number[], teams: Teams): { balance: number; chances: number[] } {
  const strengths = strengthsOf(pool, members, teams);
  const wins = strengths.map(() => 0);
  let balance = 0;
  let pairs = 0;
  for (let a = 0; a < strengths.length; a++)
    for (let b = a + 1; b < strengths.length; b++) {
      const p = winChance(strengths[a] as Strength, strengths[b] as Strength);
      wins[a] = (wins[a] as number) + p;
      wins[b] = (wins[b] as number) + 1 - p;
      balance += 1 - Math.abs(2 * p - 1);
      pairs += 1;
    }
  return { balance: balance / pairs, chances: wins.map((won) => rounded(won / pairs)) };
}

const winChance = (a: Strength, b: Strength): number =>
  normalCdf((a.mu - b.mu) / Math.sqrt((a.players + b.players) * BETA ** 2 + a.variance + b.variance));

function wishesMet(pool: Pool, members: readonly number[]): number {
  const depth = members.length;
  const { slots, classes } = pool;
  if (depth < 2) return 1;
  let met = 0;
  for (let i = 0; i < depth; i++)
    for (let j = i + 1; j < depth; j++) {
      const a = slots.cls[members[i] as number] as number;
      const b = slots.cls[members[j] as number] as number;
      if (a === b || ((classes.named[a] as number) & (classes.named[b] as number)) !== 0) met += 1;
      if (a === b || classes.speakTogether(a, b)) met += 1;
      if (!slots.metLately(members[i] as number, members[j] as number)) met += 1;
    }
  return met / ((3 * depth * (depth - 1)) / 2);
}

/** Abramowitz and Stegun 26.2.17: absolute error below 7.5e-8. */
export function normalCdf(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const poly = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const upper = (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * poly;
  return x >= 0 ? 1 - upper : upper;
}
