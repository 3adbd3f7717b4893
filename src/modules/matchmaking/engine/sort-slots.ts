import type { Slots } from './slots';

/**
 * Sorts slots into the order of the pool. Many at once go through a radix sort by rating. The few that come out alike are then
 * compared; where they are many, as newcomers are, they are sorted by waiting in the same way, and at last by lot. That is
 * linear, where a comparison sort of a million tickets takes a second.
 */
const DIGIT_BITS = 11;
const BUCKETS = 1 << DIGIT_BITS;
const DIGITS = 3;
const LARGEST_WORD = 2 ** 32 - 1;
const FEW = 256;
/** Numbers handled between two chances to pause. */
const STRIDE = 1 << 14;

type Column = Float64Array | Uint32Array;

/** Yields where the caller may pause. @returns `list`, sorted */
export function* sortSlots(list: Int32Array, slots: Slots): Generator<null, Int32Array> {
  yield* sortBy([slots.rating, slots.since, slots.tie], list, slots);
  return list;
}

/** As `sortSlots`, without a pause. */
export function sortAtOnce(list: Int32Array, slots: Slots): Int32Array {
  const sorting = sortSlots(list, slots);
  let step = sorting.next();
  while (!step.done) step = sorting.next();
  return step.value;
}

/** Sorts by the first of the columns, and those that are alike there by the next. */
function* sortBy(columns: readonly Column[], list: Int32Array, slots: Slots): Generator<null, void> {
  const [column] = columns;
  if (list.length <= FEW || !column) return compareAll(list, slots);
  const words = yield* wordsOf(column, list);
  if (!words) return yield* sortBy(columns.slice(1), list, slots);
  yield* radixSort(words, list);
  let paused = 0;
  for (let from = 0, end = 1; from < list.length; from = end++) {
    while (end < list.length && words[end] === words[from]) end += 1;
    const alike = end - from;
    // numbers too far apart for words to tell them apart are left to the comparison
    if (alike > FEW && alike < list.length) yield* sortBy(columns, list.subarray(from, end), slots);
    else if (alike > 1) compareAll(list.subarray(from, end), slots);
    if (end - paused < STRIDE) continue;
    paused = end;
    yield null;
  }
}

function compareAll(list: Int32Array, slots: Slots): void {
  list.sort((a, b) => (slots.before(a, b) ? -1 : 1));
}

/** The numbers of a column as words in the same order: their places between the least and the largest. Null where all are equal. */
function* wordsOf(column: Column, list: Int32Array): Generator<null, Uint32Array | null> {
  let least = Infinity;
  let largest = -Infinity;
  for (let i = 0; i < list.length; i++) {
    const number = column[list[i] as number] as number;
    if (number < least) least = number;
    if (number > largest) largest = number;
    if (i % STRIDE === STRIDE - 1) yield null;
  }
  if (least === largest) return null;
  const words = new Uint32Array(list.length);
  const scale = LARGEST_WORD / (largest - least);
  for (let i = 0; i < list.length; i++) {
    words[i] = ((column[list[i] as number] as number) - least) * scale;
    if (i % STRIDE === STRIDE - 1) yield null;
  }
  return words;
}

/** Sorts both arrays by the words, least significant digit first. */
function* radixSort(words: Uint32Array, list: Int32Array): Generator<null> {
  const places = new Int32Array(BUCKETS);
  let from: Row = { words, list };
  let to: Row = { words: new Uint32Array(words.length), list: new Int32Array(list.length) };
  for (let digit = 0; digit < DIGITS; digit++) {
    const shift = digit * DIGIT_BITS;
    yield null;
    count(from.words, shift, places);
    for (let begin = 0; begin < list.length; begin += STRIDE) {
      yield null;
      scatter(from, to, shift, places, begin, Math.min(list.length, begin + STRIDE));
    }
    [from, to] = [to, from];
  }
  words.set(from.words);
  list.set(from.list);
}

/** Counts the digits, and makes them places. */
function count(words: Uint32Array, shift: number, places: Int32Array): void {
  places.fill(0);
  for (let i = 0; i < words.length; i++) {
    const digit = ((words[i] as number) >>> shift) & (BUCKETS - 1);
    places[digit] = (places[digit] as number) + 1;
  }
  let sum = 0;
  for (let digit = 0; digit < BUCKETS; digit++) {
    const size = places[digit] as number;
    places[digit] = sum;
    sum += size;
  }
}

interface Row {
  words: Uint32Array;
  list: Int32Array;
}

function scatter(from: Row, to: Row, shift: number, places: Int32Array, begin: number, end: number): void {
  for (let i = begin; i < end; i++) {
    const word = from.words[i] as number;
    const digit = (word >>> shift) & (BUCKETS - 1);
    const place = places[digit] as number;
    places[digit] = place + 1;
    to.words[place] = word;
    to.list[place] = from.list[i] as number;
  }
}
