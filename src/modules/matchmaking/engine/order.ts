import type { Slots } from './slots';

/**
 * Open tickets in the order of the pool (rating, then waiting), in chunks of up to 512 slots: finding, adding and removing one
 * touches a directory and one chunk, and neighbours lie side by side in memory.
 */
const CHUNK = 512;
const FILL = 384;
const SMALLEST = 8;

/** Holds what stands from `begin` to before `end`: there is room on both sides, so that a gap is closed from where it is nearer. */
export interface Chunk {
  slots: Int32Array;
  /** Their ratings and classes, so that a search in the chunk and a walk through it stay there. */
  ratings: Float64Array;
  classes: Int32Array;
  begin: number;
  end: number;
}

/** A place in an order: that of the arrays of the `chunk`th chunk. */
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
    if (sorted.length > 0 && this.endsBefore(sorted[0] as number)) this.append(sorted);
    else if (sorted.length * 4 > this.size && sorted.length > SMALLEST) this.rebuild(this.merged(sorted));
    else for (const slot of sorted) this.insert(slot);
  }

  insert(slot: number): void {
    this.size += 1;
    const at = this.chunkOf(slot);
    const chunk = this.chunks[at];
    if (!chunk) {
      this.chunks = [this.chunkWith(new Int32Array(0), 0)];
      this.lows = [0];
      this.put(0, slot);
      return;
    }
    if (sizeOf(chunk) === CHUNK) return this.splitAndInsert(at, slot);
    this.put(at, slot);
  }

  remove(slot: number): boolean {
    const at = this.chunkOf(slot);
    const chunk = this.chunks[at];
    if (!chunk) return false;
    const index = this.indexIn(chunk, slot);
    if (chunk.slots[index] !== slot || index >= chunk.end) return false;
    closeGap(chunk, index);
    this.size -= 1;
    if (chunk.begin === chunk.end) {
      this.chunks.splice(at, 1);
      this.lows.splice(at, 1);
    } else this.lows[at] = chunk.ratings[chunk.begin] as number;
    return true;
  }

  /** Notes that the class of a slot that stands here has changed. */
  reclassify(slot: number): void {
    const chunk = this.chunks[this.chunkOf(slot)];
    if (chunk) chunk.classes[this.indexIn(chunk, slot)] = this.slots.cls[slot] as number;
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
    if (!chunk) return this.goTo(into, 0);
    into.chunk = low - 1;
    into.index = lowerBound(chunk, rating);
    if (into.index === chunk.end) this.goTo(into, low);
  }

  /** Finds the first slot with this rating. @returns how many slots before `from` it stands */
  distanceTo(from: Place, rating: number, into: Place): number {
    this.placeOf(rating, into);
    let distance = from.index - into.index;
    for (let chunk = into.chunk; chunk < from.chunk; chunk++)
      distance += (this.chunks[chunk] as Chunk).end - (this.chunks[chunk + 1] as Chunk).begin;
    return distance;
  }

  /** The chunk of a place; undefined beyond either end. */
  chunkAt(place: Place): Chunk | undefined {
    return this.chunks[place.chunk];
  }

  forward(place: Place): void {
    place.index += 1;
    if (place.index >= (this.chunks[place.chunk]?.end ?? 0)) this.goTo(place, place.chunk + 1);
  }

  back(place: Place): void {
    place.index -= 1;
    if (place.index >= (this.chunks[place.chunk]?.begin ?? 0)) return;
    place.chunk -= 1;
    place.index = (this.chunks[place.chunk]?.end ?? 0) - 1;
  }

  toArray(): Int32Array {
    const all = new Int32Array(this.size);
    let next = 0;
    for (const { slots, begin, end } of this.chunks) {
      all.set(slots.subarray(begin, end), next);
      next += end - begin;
    }
    return all;
  }

  /** To the first place of a chunk, or beyond the end. */
  private goTo(place: Place, chunk: number): void {
    place.chunk = chunk;
    place.index = this.chunks[chunk]?.begin ?? 0;
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
    const { slots, begin } = this.chunks[chunk] as Chunk;
    return slots[begin] as number;
  }

  /** Where the slot stands in the chunk, or would. */
  private indexIn(chunk: Chunk, slot: number): number {
    const rating = this.slots.rating[slot] as number;
    let low = chunk.begin;
    let high = chunk.end;
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
    let chunk = this.chunks[at] as Chunk;
    const size = sizeOf(chunk);
    if (size === chunk.slots.length) this.chunks[at] = chunk = this.chunkWith(chunk.slots, Math.min(CHUNK, size * 2));
    this.write(chunk, openGap(chunk, this.indexIn(chunk, slot)), slot);
    this.lows[at] = chunk.ratings[chunk.begin] as number;
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
    return !last || this.slots.before(last.slots[last.end - 1] as number, slot);
  }

  private rebuild(all: Int32Array): void {
    this.size = 0;
    this.chunks = [];
    this.lows = [];
    this.append(all);
  }

  /** Puts slots behind all others: into the last chunk while it has room, and then into new ones. */
  private append(sorted: Int32Array): void {
    this.size += sorted.length;
    const last = this.chunks.length - 1;
    const room = last < 0 ? 0 : Math.max(0, FILL - sizeOf(this.chunks[last] as Chunk));
    if (room > 0) this.extend(last, sorted.subarray(0, room));
    for (let from = room; from < sorted.length; from += FILL) {
      const chunk = this.chunkWith(sorted.subarray(from, from + FILL), 0);
      this.chunks.push(chunk);
      this.lows.push(chunk.ratings[0] as number);
    }
  }

  /** Puts slots at the end of a chunk. */
  private extend(at: number, sorted: Int32Array): void {
    let chunk = this.chunks[at] as Chunk;
    const size = sizeOf(chunk) + sorted.length;
    if (chunk.end + sorted.length > chunk.slots.length)
      this.chunks[at] = chunk = this.chunkWith(
        chunk.slots.subarray(chunk.begin, chunk.end),
        Math.min(CHUNK, Math.max(size, 2 * sizeOf(chunk))),
      );
    for (const slot of sorted) this.write(chunk, chunk.end++, slot);
  }

  private write(chunk: Chunk, index: number, slot: number): void {
    chunk.slots[index] = slot;
    chunk.ratings[index] = this.slots.rating[slot] as number;
    chunk.classes[index] = this.slots.cls[slot] as number;
  }

  private chunkWith(source: Int32Array, capacity: number): Chunk {
    const room = Math.max(SMALLEST, source.length, capacity);
    const slots = new Int32Array(room);
    const chunk = {
      slots,
      ratings: new Float64Array(room),
      classes: new Int32Array(room),
      begin: 0,
      end: source.length,
    };
    for (let i = 0; i < source.length; i++) this.write(chunk, i, source[i] as number);
    return chunk;
  }
}

const sizeOf = ({ begin, end }: Chunk): number => end - begin;

/** Moves what stands on the shorter side of the gap at `index`. */
function closeGap(chunk: Chunk, index: number): void {
  const { slots, ratings, classes } = chunk;
  if (index - chunk.begin < chunk.end - index) {
    for (let i = index; i > chunk.begin; i--) {
      slots[i] = slots[i - 1] as number;
      ratings[i] = ratings[i - 1] as number;
      classes[i] = classes[i - 1] as number;
    }
    chunk.begin += 1;
  } else {
    chunk.end -= 1;
    for (let i = index; i < chunk.end; i++) {
      slots[i] = slots[i + 1] as number;
      ratings[i] = ratings[i + 1] as number;
      classes[i] = classes[i + 1] as number;
    }
  }
}

/** Makes room before what stands at `index`, in a chunk that is not full. @returns where the room is */
function openGap(chunk: Chunk, index: number): number {
  const { slots, ratings, classes } = chunk;
  const left = chunk.end === slots.length || (chunk.begin > 0 && index - chunk.begin < chunk.end - index);
  if (left) {
    chunk.begin -= 1;
    for (let i = chunk.begin; i < index - 1; i++) {
      slots[i] = slots[i + 1] as number;
      ratings[i] = ratings[i + 1] as number;
      classes[i] = classes[i + 1] as number;
    }
    return index - 1;
  }
  for (let i = chunk.end; i > index; i--) {
    slots[i] = slots[i - 1] as number;
    ratings[i] = ratings[i - 1] as number;
    classes[i] = classes[i - 1] as number;
  }
  chunk.end += 1;
  return index;
}

function lowerBound({ ratings, begin, end }: Chunk, rating: number): number {
  let low = begin;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ratings[middle] as number) < rating) low = middle + 1;
    else high = middle;
  }
  return low;
}
