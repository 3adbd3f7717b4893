/** Names as they are searched: by prefix, whatever the case, the accents and the punctuation. Never by a pattern. */

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
 * The keys under which something is found by prefix: its names from every word on, so that `strike` finds Counter-Strike,
 * and written as one word, so that `rocketl` finds Rocket League.
 */
export function searchKeys(names: readonly string[]): string[] {
  const keys = new Set<string>();
  for (const name of names) {
    const words = searchPrefix(name).split(' ').slice(0, MAX_WORDS);
    for (const i of words.keys()) keys.add(words.slice(i).join(' '));
    keys.add(words.join(''));
  }
  return [...keys].filter((key) => key !== '').map((key) => key.slice(0, MAX_KEY));
}

/**
 * What somebody typed, as the beginning of a search key; empty when there is nothing in it to search for. An apostrophe does
 * not part a word: people type `baldurs gate`.
 */
export const searchPrefix = (typed: string): string => plain(typed.replaceAll(/['’]/g, ''));

/** The condition that a key begins so: a range of the index. Both ends must hold for the same key. */
export const beginsWith = (prefix: string) => ({
  searchKeys: { $elemMatch: { $gte: prefix, $lt: `${prefix}\u{10ffff}` } },
});
