import { leastTrend, recentMatches, trendWeight } from './games.policy';

const WEEK_MS = 7 * 86_400_000;
const NOW = Date.UTC(2026, 5, 1);

describe('trend', () => {
  test('a match counts one when it is formed, and half of that with every week', () => {
    const trend = trendWeight(NOW);
    expect([0, 1, 2, 3].map((weeks) => recentMatches(trend, NOW + weeks * WEEK_MS))).toEqual([1, 0.5, 0.25, 0.13]);
  });

  test('a single match keeps a game in the list for a week', () => {
    const trend = trendWeight(NOW);
    expect(trend).toBeGreaterThanOrEqual(leastTrend(NOW + WEEK_MS));
    expect(trend).toBeLessThan(leastTrend(NOW + WEEK_MS + 60_000));
  });

  test('three matches of this week are ahead of four of last week', () => {
    const three = 3 * trendWeight(NOW);
    const four = 4 * trendWeight(NOW - WEEK_MS);
    expect(three).toBeGreaterThan(four);
  });

  test('a million matches a day can be counted until 2045', () => {
    const lastDay = Date.UTC(2044, 11, 31);
    const trend = 365 * 1e6 * trendWeight(lastDay);
    expect(Number.isFinite(trend)).toBe(true);
    expect(trend + trendWeight(lastDay)).toBeGreaterThan(trend);
  });
});
