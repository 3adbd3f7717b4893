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

export class SortedEntries<R extends Numbered> {
  private chunks: Chunk<R>[] = [{ keys: [], recs: [] }];

  add(key: string, rec: R): void {
    const at = this.chunkFor(key, rec.seq);
    const chunk = this.chunks[at]!;
    const i = position(chunk, key, rec.seq);
    if (chunk.keys[i] === key && chunk.recs[i] === rec) return;
    chunk.keys.splice(i, 0, key);
    chunk.recs.splice(i, 0, rec);
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
    const [b, j] = this.seek(to);
    let n = j - i;
    for (let at = a; at < b; at += 1) n += this.chunks[at]!.keys.length;
    return Math.max(n, 0);
  }

  /** The pairs with `from <= key < to`, from the least or from the greatest. Nothing may be added or deleted meanwhile. */
  *range(from: string, to: string, backwards = false): Generator<[key: string, rec: R]> {
    let [at, i] = this.seek(backwards ? to : from);
    const [endAt, end] = this.seek(backwards ? from : to);
    while (backwards ? at > endAt || (at === endAt && i > end) : at < endAt || (at === endAt && i < end)) {
      const chunk = this.chunks[at]!;
      if (backwards) {
        if (i > 0) {
          i -= 1;
          yield [chunk.keys[i]!, chunk.recs[i]!];
        } else {
          at -= 1;
          i = this.chunks[at]!.keys.length;
        }
      } else if (i < chunk.keys.length) {
        yield [chunk.keys[i]!, chunk.recs[i]!];
        i += 1;
      } else {
        at += 1;
        i = 0;
      }
    }
  }

  /** Where the first pair with a key not below `key` is, or would be. */
  private seek(key: string): [chunk: number, index: number] {
    const at = this.chunkFor(key, -1);
    return [at, position(this.chunks[at]!, key, -1)];
  }

  /** The last chunk that begins below (key, seq), or the first. */
  private chunkFor(key: string, seq: number): number {
    let low = 0;
    let high = this.chunks.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      const { keys, recs } = this.chunks[middle]!;
      if (below(keys[0]!, recs[0]!.seq, key, seq) || (keys[0] === key && recs[0]!.seq === seq)) low = middle;
      else high = middle;
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

/** The first index in the chunk that is not below (key, seq). */
function position<R extends Numbered>({ keys, recs }: Chunk<R>, key: string, seq: number): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (below(keys[middle]!, recs[middle]!.seq, key, seq)) low = middle + 1;
    else high = middle;
  }
  return low;
}
