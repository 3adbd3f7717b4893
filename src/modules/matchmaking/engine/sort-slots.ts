import type { Slots } from './slots';

/**
 * Sorts slots into the order of the pool. Many at once go through a radix sort, least significant digit first: by lot, by
 * waiting, by rating; that is linear, where a comparison sort of a million tickets takes a second. The few that are alike in
 * all three are put right by id afterwards.
 */
const DIGIT_BITS = 11;
const BUCKETS = 1 << DIGIT_BITS;
const FEW = 256;

export function sortSlots(list: Int32Array, slots: Slots): Int32Array {
  const n = list.length;
  if (n <= FEW) return list.sort((a, b) => (slots.before(a, b) ? -1 : 1));
  const low = new Uint32Array(n);
  const high = new Uint32Array(n);
  const counts = new Int32Array(BUCKETS);

  /** Counts digits and makes them places. @returns false where all are equal, and nothing is to be moved */
  const countDigits = (words: Uint32Array, shift: number): boolean => {
    counts.fill(0);
    for (let i = 0; i < n; i++) {
      const digit = ((words[i] as number) >>> shift) & (BUCKETS - 1);
      counts[digit] = (counts[digit] as number) + 1;
    }
    if (counts[((words[0] as number) >>> shift) & (BUCKETS - 1)] === n) return false;
    let sum = 0;
    for (let digit = 0; digit < BUCKETS; digit++) {
      const count = counts[digit] as number;
      counts[digit] = sum;
      sum += count;
    }
    return true;
  };

  // ranks index the word arrays, so that the words are read in the order in which they were written
  let ranks = Uint32Array.from({ length: n }, (_, i) => i);
  let nextRanks = new Uint32Array(n);
  const sortBy = (words: Uint32Array, bits: number) => {
    for (let shift = 0; shift < bits; shift += DIGIT_BITS) {
      if (!countDigits(words, shift)) continue;
      for (let i = 0; i < n; i++) {
        const rank = ranks[i] as number;
        const digit = ((words[rank] as number) >>> shift) & (BUCKETS - 1);
        const place = counts[digit] as number;
        counts[digit] = place + 1;
        nextRanks[place] = rank;
      }
      [ranks, nextRanks] = [nextRanks, ranks];
    }
  };

  for (let i = 0; i < n; i++) low[i] = slots.tie[list[i] as number] as number;
  sortBy(low, 32);
  splitDoubles(slots.since, list, low, high);
  sortBy(low, 32);
  sortBy(high, 32);
  splitDoubles(slots.rating, list, low, high);
  sortBy(low, 32);
  sortBy(high, 32);
  const sorted = Int32Array.from(ranks, (rank) => list[rank] as number);
  settleTies(sorted, slots);
  return sorted;
}

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** Doubles as two words whose unsigned order is the order of the numbers. */
function splitDoubles(values: Float64Array, list: Int32Array, low: Uint32Array, high: Uint32Array): void {
  for (let i = 0; i < list.length; i++) {
    double[0] = (values[list[i] as number] as number) + 0;
    const lo = words[0] as number;
    const hi = words[1] as number;
    const negative = hi >>> 31 === 1;
    low[i] = negative ? ~lo : lo;
    high[i] = negative ? ~hi : hi ^ 0x80000000;
  }
}

/** Same rating, same waiting, same lot: an insertion sort, for these are rare. */
function settleTies(list: Int32Array, slots: Slots): void {
  for (let i = 1; i < list.length; i++) {
    const slot = list[i] as number;
    let j = i;
    while (j > 0 && slots.before(slot, list[j - 1] as number)) {
      list[j] = list[j - 1] as number;
      j--;
    }
    list[j] = slot;
  }
}
