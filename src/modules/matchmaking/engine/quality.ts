import type { RuleSet } from '../../games';
import { shareLanguage } from './compatibility';
import type { Seeker } from './seeker';

/** Standard deviation of one game's performance, and of a newcomer's rating: the defaults of openskill. */
const BETA = 25 / 6;
const SIGMA = 25 / 3;

/**
 * How good a match is, 0 (barely allowed) to 1 (nothing to wish for):
 * - versus: 0.5 balance + 0.2 closeness + 0.2 wishes + 0.1 fullness
 * - co-op:               0.5 closeness + 0.3 wishes + 0.2 fullness
 *
 * Balance is the mean over pairs of teams of `1 - |2p - 1|`, with p the predicted chance that the first wins:
 * `p = Phi((sum mu_a - sum mu_b) / sqrt(n beta^2 + sum sigma^2))` (Weng and Lin 2011, as openskill predicts). Closeness is
 * `1 / (1 + spread / sigma0)`, where spread is highest minus lowest ticket rating and sigma0 = 25/3. Wishes is the share of
 * ordered pairs of tickets in which the first one's stated regions and languages are shared, insisted on or not. Fullness
 * is players over the most that the mode takes.
 */
export function qualityOf(teams: readonly (readonly Seeker[])[], rules: RuleSet): number {
  const seekers = teams.flat();
  const players = seekers.reduce((sum, seeker) => sum + seeker.size, 0);
  const ratings = seekers.map((seeker) => seeker.rating);
  const closeness = 1 / (1 + (Math.max(...ratings) - Math.min(...ratings)) / SIGMA);
  const fullness = players / (rules.teams.count * rules.teams.size.max);
  const wishes = wishesMet(seekers);
  const quality =
    teams.length > 1
      ? 0.5 * balance(teams) + 0.2 * closeness + 0.2 * wishes + 0.1 * fullness
      : 0.5 * closeness + 0.3 * wishes + 0.2 * fullness;
  return Math.round(quality * 1e4) / 1e4;
}

function balance(teams: readonly (readonly Seeker[])[]): number {
  const strengths = teams.map((team) => {
    const players = team.flatMap((seeker) => seeker.ticket.players);
    return {
      n: players.length,
      mu: players.reduce((sum, player) => sum + player.mu, 0),
      variance: players.reduce((sum, player) => sum + player.sigma ** 2, 0),
    };
  });
  let sum = 0;
  let pairs = 0;
  strengths.forEach((a, i) =>
    strengths.slice(i + 1).forEach((b) => {
      const p = normalCdf((a.mu - b.mu) / Math.sqrt((a.n + b.n) * BETA ** 2 + a.variance + b.variance));
      sum += 1 - Math.abs(2 * p - 1);
      pairs += 1;
    }),
  );
  return sum / pairs;
}

function wishesMet(seekers: readonly Seeker[]): number {
  let met = 0;
  let asked = 0;
  for (const a of seekers)
    for (const b of seekers) {
      if (a === b) continue;
      asked += 2;
      if ((a.regions & b.regions) !== 0) met += 1;
      if (shareLanguage(a.languages, b.languages)) met += 1;
    }
  return asked === 0 ? 1 : met / asked;
}

/** Abramowitz and Stegun 26.2.17: absolute error below 7.5e-8. */
export function normalCdf(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const poly = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const upper = (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * poly;
  return x >= 0 ? 1 - upper : upper;
}
