/**
 * A sorted list of (key, record) pairs, by key and then by the record's number: what an index is made of. It is kept in chunks of at most 512 pairs, so
 * that a lookup is two binary searches and an insertion moves one chunk only. Keys are the strings of values.ts, compared by `<`.
 */
export interface Numbered {
  readonly seq: number;
}

interface Chunk<R> {
  keys: string[];
  recs: R[];
}

const LIMIT = 512;
/** So many pairs are looked at one after the other before a search begins. */
const NEAR = 4;

export class SortedEntries<R extends Numbered> {
  private chunks: Chunk<R>[] = [{ keys: [], recs: [] }];

  add(key: string, rec: R): void {
    const at = this.chunkFor(key, rec.seq);
    const chunk = this.chunks[at]!;
    const i = position(chunk, key, rec.seq);
    if (chunk.keys[i] === key && chunk.recs[i] === rec) return;
    if (i === chunk.keys.length) {
      chunk.keys.push(key);
      chunk.recs.push(rec);
    } else {
      chunk.keys.splice(i, 0, key);
      chunk.recs.splice(i, 0, rec);
    }
    if (chunk.keys.length > LIMIT) this.split(at);
  }

  delete(key: string, rec: R): void {
    const at = this.chunkFor(key, rec.seq);
    const chunk = this.chunks[at]!;
    const i = position(chunk, key, rec.seq);
    if (chunk.keys[i] !== key || chunk.recs[i] !== rec) return;
    chunk.keys.splice(i, 1);
    chunk.recs.splice(i, 1);
    if (chunk.keys.length === 0 && this.chunks.length > 1) this.chunks.splice(at, 1);
  }

  /** How many pairs have a key of `from <= key < to`. */
  count(from: string, to: string): number {
    const [a, i] = this.seek(from);
    const [b, j] = this.end(a, i, to);
    let n = j - i;
    for (let at = a; at < b; at += 1) n += this.chunks[at]!.keys.length;
    return Math.max(n, 0);
  }

  /**
   * Offers the pairs with `from <= key < to`, from the least or from the greatest, until `visit` says that it is enough. Nothing may be added or deleted
   * meanwhile. @returns whether it was enough
   */
  each(from: string, to: string, visit: (key: string, rec: R) => boolean, backwards = false): boolean {
    const [a, i] = this.seek(from);
    const [b, j] = this.end(a, i, to);
    for (let at = backwards ? b : a; at >= a && at <= b; at += backwards ? -1 : 1) {
      const { keys, recs } = this.chunks[at]!;
      const first = at === a ? i : 0;
      const last = (at === b ? j : keys.length) - 1;
      for (let n = backwards ? last : first; n >= first && n <= last; n += backwards ? -1 : 1)
        if (visit(keys[n]!, recs[n]!)) return true;
    }
    return false;
  }

  /** The same as a list. */
  between(from: string, to: string, backwards = false): [key: string, rec: R][] {
    const pairs: [string, R][] = [];
    const visit = (key: string, rec: R): boolean => {
      pairs.push([key, rec]);
      return false;
    };
    this.each(from, to, visit, backwards);
    return pairs;
  }

  /** Where the first pair with a key not below `key` is, or would be. */
  private seek(key: string): [chunk: number, index: number] {
    let low = 0;
    let high = this.chunks.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.chunks[middle]!.keys[0]! < key) low = middle;
      else high = middle;
    }
    return [low, firstFrom(this.chunks[low]!.keys, key, 0)];
  }

  /** The same for the end of what begins at a place: mostly that is near. */
  private end(at: number, i: number, key: string): [chunk: number, index: number] {
    const { keys } = this.chunks[at]!;
    if (i >= keys.length || keys[keys.length - 1]! < key) return this.seek(key);
    let n = i;
    while (n < i + NEAR && keys[n]! < key) n += 1;
    return [at, n < i + NEAR ? n : firstFrom(keys, key, n)];
  }

  /** The last chunk that does not begin above (key, seq), or the first. */
  private chunkFor(key: string, seq: number): number {
    let low = 0;
    let high = this.chunks.length;
    // what comes in ascending order belongs into the last one
    let middle = high - 1;
    while (high - low > 1) {
      const { keys, recs } = this.chunks[middle]!;
      if (below(key, seq, keys[0]!, recs[0]!.seq)) high = middle;
      else low = middle;
      middle = (low + high) >>> 1;
    }
    return low;
  }

  private split(at: number): void {
    const { keys, recs } = this.chunks[at]!;
    // at the end of the list most insertions are ascending: full chunks stay behind
    const half = at === this.chunks.length - 1 ? LIMIT - 1 : LIMIT >> 1;
    this.chunks.splice(at + 1, 0, { keys: keys.splice(half), recs: recs.splice(half) });
  }
}

const below = (keyA: string, seqA: number, keyB: string, seqB: number): boolean =>
  keyA < keyB || (keyA === keyB && seqA < seqB);

/** The index of the first key, from `low` on, that is not below `key`. */
function firstFrom(keys: string[], key: string, low: number): number {
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first index in the chunk that is not below (key, seq). */
function position<R extends Numbered>({ keys, recs }: Chunk<R>, key: string, seq: number): number {
  let low = 0;
  let high = keys.length;
  // what comes in ascending order belongs to the end
  let middle = high - 1;
  while (low < high) {
    if (below(keys[middle]!, recs[middle]!.seq, key, seq)) low = middle + 1;
    else high = middle;
    middle = (low + high) >>> 1;
  }
  return low;
}
