import type { Slots } from './slots';

/**
 * Open tickets in the order of the pool (rating, then waiting), in chunks of up to 512 slots: finding, adding and removing one
 * touches a directory and one chunk, and neighbours lie side by side in memory.
 */
const CHUNK = 512;
const FILL = 384;
const SMALLEST = 8;

interface Chunk {
  slots: Int32Array;
  /** Their ratings, so that a search in the chunk stays in the chunk. */
  ratings: Float64Array;
  size: number;
}

/** A place in an order: the `index`th slot of the `chunk`th chunk. */
export interface Place {
  chunk: number;
  index: number;
}

export class Order {
  private chunks: Chunk[] = [];
  /** The first rating of each chunk. */
  private lows: number[] = [];
  size = 0;

  constructor(private readonly slots: Slots) {}

  /** @param sorted in the order of the pool; none of them is here yet */
  insertAll(sorted: Int32Array): void {
    if (sorted.length >= FILL && this.endsBefore(sorted[0] as number)) this.append(sorted);
    else if (sorted.length * 4 > this.size && sorted.length > SMALLEST) this.rebuild(this.merged(sorted));
    else for (const slot of sorted) this.insert(slot);
  }

  insert(slot: number): void {
    this.size += 1;
    const at = this.chunkOf(slot);
    const chunk = this.chunks[at];
    if (!chunk) {
      this.chunks.push({ slots: new Int32Array(SMALLEST), ratings: new Float64Array(SMALLEST), size: 0 });
      this.lows.push(0);
      this.put(0, slot);
      return;
    }
    if (chunk.size === CHUNK) return this.splitAndInsert(at, slot);
    this.put(at, slot);
  }

  remove(slot: number): boolean {
    const at = this.chunkOf(slot);
    const chunk = this.chunks[at];
    if (!chunk) return false;
    const index = this.indexIn(chunk, slot);
    if (chunk.slots[index] !== slot || index >= chunk.size) return false;
    chunk.slots.copyWithin(index, index + 1, chunk.size);
    chunk.ratings.copyWithin(index, index + 1, chunk.size);
    chunk.size -= 1;
    this.size -= 1;
    if (chunk.size === 0) {
      this.chunks.splice(at, 1);
      this.lows.splice(at, 1);
    } else if (index === 0) this.lows[at] = chunk.ratings[0] as number;
    return true;
  }

  /** The first place whose rating is at least this. */
  placeOf(rating: number, into: Place): void {
    let low = 0;
    let high = this.lows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.lows[middle] as number) < rating) low = middle + 1;
      else high = middle;
    }
    // the chunk before may end with ratings that are high enough
    const chunk = this.chunks[low - 1];
    into.chunk = Math.max(0, low - 1);
    into.index = 0;
    if (!chunk) return;
    into.index = lowerBound(chunk, rating);
    if (into.index < chunk.size) return;
    into.chunk += 1;
    into.index = 0;
  }

  /** Finds the first slot with this rating. @returns how many slots before `from` it stands */
  distanceTo(from: Place, rating: number, into: Place): number {
    this.placeOf(rating, into);
    let distance = from.index - into.index;
    for (let chunk = into.chunk; chunk < from.chunk; chunk++) distance += this.chunks[chunk]?.size ?? 0;
    return distance;
  }

  /** The slot at a place, or -1 beyond either end. */
  at(place: Place): number {
    return this.chunks[place.chunk]?.slots[place.index] ?? -1;
  }

  ratingAt(place: Place): number {
    return this.chunks[place.chunk]?.ratings[place.index] ?? NaN;
  }

  forward(place: Place): void {
    place.index += 1;
    if (place.index < (this.chunks[place.chunk]?.size ?? 0)) return;
    place.chunk += 1;
    place.index = 0;
  }

  back(place: Place): void {
    place.index -= 1;
    if (place.index >= 0) return;
    place.chunk -= 1;
    place.index = (this.chunks[place.chunk]?.size ?? 0) - 1;
  }

  toArray(): Int32Array {
    const all = new Int32Array(this.size);
    let next = 0;
    for (const { slots, size } of this.chunks) {
      all.set(slots.subarray(0, size), next);
      next += size;
    }
    return all;
  }

  /** The last chunk that begins at or before the slot. */
  private chunkOf(slot: number): number {
    const rating = this.slots.rating[slot] as number;
    let low = 1;
    let high = this.lows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const first = this.lows[middle] as number;
      if (first < rating || (first === rating && !this.slots.before(slot, this.firstOf(middle)))) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  private firstOf(chunk: number): number {
    return (this.chunks[chunk] as Chunk).slots[0] as number;
  }

  /** Where the slot stands in the chunk, or would. */
  private indexIn(chunk: Chunk, slot: number): number {
    const rating = this.slots.rating[slot] as number;
    let low = 0;
    let high = chunk.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = chunk.ratings[middle] as number;
      const before =
        other !== rating
          ? other < rating
          : chunk.slots[middle] !== slot && this.slots.before(chunk.slots[middle] as number, slot);
      if (before) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Puts a slot into a chunk that has room for it, or can grow. */
  private put(at: number, slot: number): void {
    const chunk = this.chunks[at] as Chunk;
    if (chunk.size === chunk.slots.length) {
      const wider = this.chunkWith(chunk.slots, Math.min(CHUNK, chunk.size * 2));
      chunk.slots = wider.slots;
      chunk.ratings = wider.ratings;
    }
    const index = this.indexIn(chunk, slot);
    chunk.slots.copyWithin(index + 1, index, chunk.size);
    chunk.ratings.copyWithin(index + 1, index, chunk.size);
    chunk.slots[index] = slot;
    chunk.ratings[index] = this.slots.rating[slot] as number;
    chunk.size += 1;
    if (index === 0) this.lows[at] = chunk.ratings[0] as number;
  }

  private splitAndInsert(at: number, slot: number): void {
    const { slots } = this.chunks[at] as Chunk;
    const half = CHUNK / 2;
    const halves = [
      this.chunkWith(slots.subarray(0, half), CHUNK),
      this.chunkWith(slots.subarray(half), CHUNK),
    ] as const;
    this.chunks.splice(at, 1, ...halves);
    this.lows.splice(at + 1, 0, halves[1].ratings[0] as number);
    this.put(this.slots.before(slot, halves[1].slots[0] as number) ? at : at + 1, slot);
  }

  private merged(added: Int32Array): Int32Array {
    if (this.size === 0) return added;
    const all = new Int32Array(this.size + added.length);
    let next = 0;
    let i = 0;
    for (const slot of this.toArray()) {
      while (i < added.length && this.slots.before(added[i] as number, slot)) all[next++] = added[i++] as number;
      all[next++] = slot;
    }
    while (i < added.length) all[next++] = added[i++] as number;
    return all;
  }

  private endsBefore(slot: number): boolean {
    const last = this.chunks[this.chunks.length - 1];
    return !last || this.slots.before(last.slots[last.size - 1] as number, slot);
  }

  private rebuild(all: Int32Array): void {
    this.size = 0;
    this.chunks = [];
    this.lows = [];
    this.append(all);
  }

  /** Puts slots behind all others. */
  private append(sorted: Int32Array): void {
    this.size += sorted.length;
    for (let from = 0; from < sorted.length; from += FILL) {
      const chunk = this.chunkWith(sorted.subarray(from, from + FILL), 0);
      this.chunks.push(chunk);
      this.lows.push(chunk.ratings[0] as number);
    }
  }

  private chunkWith(source: Int32Array, capacity: number): Chunk {
    const size = source.length;
    const slots = new Int32Array(Math.max(SMALLEST, size, capacity));
    const ratings = new Float64Array(slots.length);
    slots.set(source);
    for (let i = 0; i < size; i++) ratings[i] = this.slots.rating[source[i] as number] as number;
    return { slots, ratings, size };
  }
}

function lowerBound({ ratings, size }: Chunk, rating: number): number {
  let low = 0;
  let high = size;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ratings[middle] as number) < rating) low = middle + 1;
    else high = middle;
  }
  return low;
}
