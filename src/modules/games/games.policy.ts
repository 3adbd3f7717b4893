/** The rules of the catalogue that need no database. */

/**
 * How much a match formed at `at` adds to the trend of its game: twice as much as one formed a week earlier (forward decay:
 * Cormode et al. 2009). All sums age alike, so that their order never has to be worked out again.
 * @param at ms since the epoch; the numbers last until 2045
 */
export const trendWeight = (at: number): number => 2 ** ((at - LANDMARK) / HALF_LIFE_MS);

const LANDMARK = Date.UTC(2026, 0, 1);
const HALF_LIFE_MS = 7 * 86_400_000;

/** A trend in matches: what they count now, when each has lost half with every week since. Rounded to hundredths. */
export const recentMatches = (trend: number, now: number): number => Math.round((trend / trendWeight(now)) * 100) / 100;

/** Below this a game is not trending: a single match is of interest for a week. */
export const leastTrend = (now: number): number => trendWeight(now) / 2;
