/** The rules of the catalogue that need no database. */

const MAX_KEY = 64;
const MAX_WORDS = 12;

/** Text as it is searched and sorted by: lower case, without accents, words of letters and digits with one space between. */
export function plain(words: string): string {
  return words
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

/**
 * The keys under which a game is found by prefix: its names from every word on, so that `strike` finds Counter-Strike, and
 * written as one word, so that `rocketl` finds Rocket League.
 */
export function searchKeys(names: readonly string[]): string[] {
  const keys = new Set<string>();
  for (const name of names) {
    // an apostrophe does not part a word: people type `baldurs gate`
    const words = plain(name.replaceAll(/['’]/g, '')).split(' ').slice(0, MAX_WORDS);
    for (const i of words.keys()) keys.add(words.slice(i).join(' '));
    keys.add(words.join(''));
  }
  return [...keys].filter((key) => key !== '').map((key) => key.slice(0, MAX_KEY));
}

/** What somebody typed, as the beginning of a search key; empty when there is nothing in it to search for. */
export const searchPrefix = (typed: string): string => plain(typed.replaceAll(/['’]/g, ''));

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
