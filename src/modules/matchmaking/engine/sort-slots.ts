import type { Slots } from './slots';

/**
 * Sorts slots into the order of the pool. Many at once go through a radix sort, least significant digit first: by lot, by
 * waiting, by rating; that is linear, where a comparison sort of a million tickets takes a second. The few that are alike in
 * all three are put right by id afterwards.
 */
const DIGIT_BITS = 11;
const BUCKETS = 1 << DIGIT_BITS;
const FEW = 256;
/** Numbers handled between two chances to pause. */
const STRIDE = 1 << 14;

/** Yields where the caller may pause. @returns the sorted slots; `list` itself may be changed */
export function* sortSlots(list: Int32Array, slots: Slots): Generator<null, Int32Array> {
  if (list.length <= FEW) return list.sort((a, b) => (slots.before(a, b) ? -1 : 1));
  const radix = new Radix(list.length);
  yield null;
  for (let i = 0; i < list.length; i++) radix.low[i] = slots.tie[list[i] as number] as number;
  yield null;
  yield* radix.sortBy(radix.low);
  for (const values of [slots.since, slots.rating]) {
    yield* radix.split(values, list);
    yield* radix.sortBy(radix.low);
    yield* radix.sortBy(radix.high);
  }
  const sorted = radix.permuted(list);
  yield null;
  yield* settleTies(sorted, slots);
  return sorted;
}

/** Ranks of numbers that are given word by word, the least significant first. */
class Radix {
  ranks: Uint32Array;
  readonly low: Uint32Array;
  readonly high: Uint32Array;
  private spare: Uint32Array;
  private readonly places = new Int32Array(BUCKETS);

  constructor(private readonly n: number) {
    this.ranks = new Uint32Array(n);
    for (let i = 0; i < n; i++) this.ranks[i] = i;
    this.spare = new Uint32Array(n);
    this.low = new Uint32Array(n);
    this.high = new Uint32Array(n);
  }

  /** Doubles as two words whose unsigned order is the order of the numbers. */
  *split(values: Float64Array, list: Int32Array): Generator<null> {
    const double = new Float64Array(1);
    const words = new Uint32Array(double.buffer);
    for (let i = 0; i < this.n; i++) {
      // adding zero makes -0 and 0 one
      double[0] = (values[list[i] as number] as number) + 0;
      const negative = (words[1] as number) >>> 31 === 1;
      this.low[i] = negative ? ~(words[0] as number) : (words[0] as number);
      this.high[i] = negative ? ~(words[1] as number) : (words[1] as number) ^ 0x80000000;
      if (i % STRIDE === STRIDE - 1) yield null;
    }
  }

  /** The list in the order of the ranks. */
  permuted(list: Int32Array): Int32Array {
    const sorted = new Int32Array(this.n);
    for (let i = 0; i < this.n; i++) sorted[i] = list[this.ranks[i] as number] as number;
    return sorted;
  }

  *sortBy(words: Uint32Array): Generator<null> {
    for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
      if (!this.count(words, shift)) continue;
      yield null;
      for (let from = 0; from < this.n; from += STRIDE) {
        this.scatter(words, shift, from, Math.min(this.n, from + STRIDE));
        yield null;
      }
      [this.ranks, this.spare] = [this.spare, this.ranks];
    }
  }

  /** Counts digits, and makes them places. @returns false where all are equal, and nothing is to be moved */
  private count(words: Uint32Array, shift: number): boolean {
    const { places, n } = this;
    places.fill(0);
    for (let i = 0; i < n; i++) {
      const digit = ((words[i] as number) >>> shift) & (BUCKETS - 1);
      places[digit] = (places[digit] as number) + 1;
    }
    if (places[((words[0] as number) >>> shift) & (BUCKETS - 1)] === n) return false;
    let sum = 0;
    for (let digit = 0; digit < BUCKETS; digit++) {
      const count = places[digit] as number;
      places[digit] = sum;
      sum += count;
    }
    return true;
  }

  private scatter(words: Uint32Array, shift: number, from: number, to: number): void {
    const { ranks, spare, places } = this;
    for (let i = from; i < to; i++) {
      const rank = ranks[i] as number;
      const digit = ((words[rank] as number) >>> shift) & (BUCKETS - 1);
      const place = places[digit] as number;
      places[digit] = place + 1;
      spare[place] = rank;
    }
  }
}

/** Same rating, same waiting, same lot: an insertion sort, for these are rare. */
function* settleTies(list: Int32Array, slots: Slots): Generator<null> {
  for (let i = 1; i < list.length; i++) {
    if (i % STRIDE === 0) yield null;
    const slot = list[i] as number;
    let j = i;
    while (j > 0 && slots.before(slot, list[j - 1] as number)) {
      list[j] = list[j - 1] as number;
      j--;
    }
    list[j] = slot;
  }
}
