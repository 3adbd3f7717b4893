/**
 * The feed: what was committed, in that order, as mongod's oplog tells it. Change streams read it, and whoever waits for something new is woken by it. It
 * is kept in memory, back to its oldest entry only: `LENGTH` entries, or fewer large ones. As long as nobody has opened a change stream it is
 * `UNWATCHED`, so that a server without streams does not keep documents alive for them: that was a quarter of the time of a write.
 */
import { type Timestamp, type UUID } from 'bson';
import { type Doc, type Value } from '../values/bson-types';
import { type Description } from '../updates/describe';

/** The transaction, or the write that may be sent again, that an entry is part of. */
export interface Origin {
  lsid: Value;
  txnNumber: Value;
}

/** What only streams with showExpandedEvents tell. */
export type ExpandedKind = 'create' | 'createIndexes' | 'dropIndexes' | 'modify';

export interface Entry {
  /** Grows by one from entry to entry. */
  seq: number;
  time: Timestamp;
  /** By the clock on the wall, in ms since 1970. */
  at: number;
  kind: 'insert' | 'update' | 'replace' | 'delete' | 'drop' | 'rename' | 'dropDatabase' | ExpandedKind;
  db: string;
  coll: string;
  uuid: UUID | undefined;
  /** Of documents: before and after the change. */
  before: Doc | undefined;
  after: Doc | undefined;
  /** Of updates: what was changed. Asked when somebody hears of it, since mostly nobody does. */
  describe: ((before: Doc, after: Doc) => Description) | undefined;
  origin: Origin | undefined;
  /** Of what was renamed. */
  to: { db: string; coll: string } | undefined;
  /** What was done to the collection, for streams that want to know (showExpandedEvents). */
  details: Doc | undefined;
  /** Whether the collection keeps documents as they were before and after changes (changeStreamPreAndPostImages). */
  images: boolean;
  /** About how much memory it holds on to. */
  bytes: number;
}
/** What happens to collections and databases. */
export type News = Pick<Entry, 'kind' | 'db' | 'coll'> & Partial<Pick<Entry, 'uuid' | 'to' | 'details'>>;

const LENGTH = 10_000;
const UNWATCHED = 200;
const BYTES = 32 * 1024 * 1024;

export class Feed {
  private entries: Entry[] = [];
  private bytes = 0;
  private waiting = new Set<() => void>();
  private next = 1;
  private length = UNWATCHED;

  /** @param forgotten nothing of this time or before it is here */
  constructor(public forgotten: Timestamp) {}

  /** Every write goes through here, so it does little. */
  add(entry: Entry): void {
    entry.seq = this.next++;
    this.entries.push(entry);
    this.bytes += entry.bytes;
    // not at every entry, since an array is moved by it
    if (this.entries.length > 2 * this.length || this.bytes > 2 * BYTES) this.forget();
  }

  private forget(): void {
    let kept = this.entries.length;
    let bytes = 0;
    while (kept > Math.max(this.entries.length - this.length, 0) && bytes <= BYTES)
      bytes += this.entries[--kept]!.bytes;
    if (kept === 0) return;
    this.forgotten = this.entries[kept - 1]!.time;
    this.entries = this.entries.slice(kept);
    this.bytes = bytes;
  }

  /** From now on somebody may come back for what has happened meanwhile. */
  watch(): void {
    this.length = LENGTH;
  }

  /** The number of the newest entry, 0 before the first. */
  get last(): number {
    return this.next - 1;
  }

  /** The oldest entry that came after number `seq`. @returns undefined if there is none yet; 'forgotten' if it is not here any more */
  after(seq: number): Entry | undefined | 'forgotten' {
    if (seq >= this.last) return undefined;
    const at = seq + 1 - (this.next - this.entries.length);
    return at < 0 ? 'forgotten' : this.entries[at]!;
  }

  /** The number before which everything is older than `time`. */
  before(time: Timestamp): number {
    const index = this.entries.findIndex((entry) => entry.time.greaterThanOrEqual(time));
    return index < 0 ? this.last : this.entries[index]!.seq - 1;
  }

  /** Tells those who wait that there is something new. */
  wake(): void {
    const { waiting } = this;
    if (waiting.size === 0) return;
    this.waiting = new Set();
    for (const resolve of waiting) resolve();
  }

  /** Calls back once, at the next news. @returns what takes that back */
  once(callback: () => void): () => void {
    this.waiting.add(callback);
    return () => this.waiting.delete(callback);
  }
}
