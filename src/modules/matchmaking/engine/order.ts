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
  size: number;
}

/** A place in an order: the `index`th slot of the `chunk`th chunk. */
export interface Place {
  chunk: number;
  index: number;
}

export class Order {
  private chunks: Chunk[] = [];
  size = 0;

  constructor(private readonly slots: Slots) {}

  /** @param sorted in the order of the pool; none of them is here yet */
  insertAll(sorted: Int32Array): void {
    if (sorted.length * 4 > this.size) this.rebuild(this.merged(sorted));
    else for (const slot of sorted) this.insert(slot);
  }

  insert(slot: number): void {
    this.size += 1;
    const at = this.chunkOf(slot);
    const chunk = this.chunks[at];
    if (!chunk) {
      this.chunks.push(chunkWith(Int32Array.of(slot), 0, 1));
      return;
    }
    if (chunk.size === chunk.slots.length) {
      if (chunk.size === CHUNK) return this.splitAndInsert(at, slot);
      const wider = new Int32Array(Math.min(CHUNK, chunk.slots.length * 2));
      wider.set(chunk.slots);
      chunk.slots = wider;
    }
    place(chunk, this.indexIn(chunk, slot), slot);
  }

  remove(slot: number): boolean {
    const at = this.chunkOf(slot);
    const chunk = this.chunks[at];
    if (!chunk) return false;
    const index = this.indexIn(chunk, slot);
    if (chunk.slots[index] !== slot || index >= chunk.size) return false;
    chunk.slots.copyWithin(index, index + 1, chunk.size);
    chunk.size -= 1;
    this.size -= 1;
    if (chunk.size === 0) this.chunks.splice(at, 1);
    return true;
  }

  /** The first place whose rating is at least this. */
  placeOf(rating: number, into: Place): void {
    const ratings = this.slots.rating;
    let low = 0;
    let high = this.chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ratings[this.firstOf(middle)] as number) < rating) low = middle + 1;
      else high = middle;
    }
    // the chunk before may end with ratings that are high enough
    const chunk = this.chunks[low - 1];
    into.chunk = Math.max(0, low - 1);
    into.index = 0;
    if (!chunk) return;
    let left = 0;
    let right = chunk.size;
    while (left < right) {
      const middle = (left + right) >>> 1;
      if ((ratings[chunk.slots[middle] as number] as number) < rating) left = middle + 1;
      else right = middle;
    }
    into.index = left;
    if (left === chunk.size) {
      into.chunk += 1;
      into.index = 0;
    }
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

  *[Symbol.iterator](): Generator<number> {
    for (const { slots, size } of this.chunks) for (let i = 0; i < size; i++) yield slots[i] as number;
  }

  private firstOf(chunk: number): number {
    return (this.chunks[chunk] as Chunk).slots[0] as number;
  }

  /** The last chunk that begins at or before the slot. */
  private chunkOf(slot: number): number {
    let low = 1;
    let high = this.chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const first = this.firstOf(middle);
      if (first === slot || this.slots.before(first, slot)) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  private indexIn({ slots, size }: Chunk, slot: number): number {
    let low = 0;
    let high = size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = slots[middle] as number;
      if (other !== slot && this.slots.before(other, slot)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private splitAndInsert(at: number, slot: number): void {
    const { slots } = this.chunks[at] as Chunk;
    const half = CHUNK / 2;
    const halves = [chunkWith(slots, 0, half, CHUNK), chunkWith(slots, half, CHUNK, CHUNK)] as const;
    this.chunks.splice(at, 1, ...halves);
    const target = this.slots.before(slot, halves[1].slots[0] as number) ? halves[0] : halves[1];
    place(target, this.indexIn(target, slot), slot);
  }

  private merged(added: Int32Array): Int32Array {
    if (this.size === 0) return added;
    const all = new Int32Array(this.size + added.length);
    let next = 0;
    let i = 0;
    for (const slot of this) {
      while (i < added.length && this.slots.before(added[i] as number, slot)) all[next++] = added[i++] as number;
      all[next++] = slot;
    }
    while (i < added.length) all[next++] = added[i++] as number;
    return all;
  }

  private rebuild(all: Int32Array): void {
    this.size = all.length;
    this.chunks = [];
    for (let from = 0; from < all.length; from += FILL)
      this.chunks.push(chunkWith(all, from, Math.min(from + FILL, all.length)));
  }
}

function chunkWith(source: Int32Array, from: number, to: number, capacity = 0): Chunk {
  const slots = new Int32Array(Math.max(SMALLEST, to - from, capacity));
  slots.set(source.subarray(from, to));
  return { slots, size: to - from };
}

/** Puts a slot into a chunk that has room. */
function place(chunk: Chunk, index: number, slot: number): void {
  chunk.slots.copyWithin(index + 1, index, chunk.size);
  chunk.slots[index] = slot;
  chunk.size += 1;
}
