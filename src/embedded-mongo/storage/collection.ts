/**
 * A collection: its records by `_id` in natural order, and its indexes. Every change is a version of a writer (versions.ts); here it is checked against
 * the unique indexes before anything is touched, entered into the indexes, undone, or, once committed, settled: versions that no view can see any more
 * are dropped together with their index entries.
 */
import { BSONRegExp, UUID } from 'bson';
import { tooLarge } from '../values/bson-decode';
import { encodeDocument } from '../values/bson-encode';
import { int, isArray, isDoc, type Doc, type Value } from '../values/bson-types';
import { parseCollation, type Collation } from '../values/collation';
import { Cap } from './capped';
import { CollectionIndex } from './collection-index';
import { MongoError } from '../errors';
import { readDescribed, type IndexSpec } from './index-spec';
import { measurement, timeSeriesOf, type TimeSeries } from './kinds';
import { checkWritable, visible, type Home, type Rec, type View, type Writer } from './versions';
import { validation, type Validate } from './validator';
import { type Entry } from './feed';
import { MAX_DOCUMENT } from '../limits';

export class Collection implements Home {
  readonly records = new Map<string, Rec>();
  /** The first one is that of the `_id`. */
  readonly indexes: CollectionIndex[];
  readonly collation: Collation | undefined;
  nextSeq = 1;
  /** Whether the feed shows documents as they were before and after a change. */
  keepsImages: boolean;
  private validate: Validate;
  private cap: Cap | undefined;
  readonly timeSeries: TimeSeries | undefined;
  /** The transaction that makes this collection and has not ended yet. */
  maker: Writer | undefined;

  constructor(
    /** On disk. */
    readonly id: number,
    public db: string,
    public name: string,
    public options: Doc = {},
    readonly uuid = new UUID(),
  ) {
    this.validate = validation(options);
    this.keepsImages = keepsImages(options);
    this.cap = options.capped === true ? new Cap(options) : undefined;
    this.collation = parseCollation(options.collation as Doc | undefined);
    this.timeSeries = timeSeriesOf(options);
    const described: Doc = isDoc(options.clusteredIndex)
      ? { ...options.clusteredIndex, clustered: true }
      : { v: int(2), key: { _id: int(1) }, name: '_id_', ...(this.timeSeries ? { hidden: true } : {}) };
    if (this.collation) described.collation = this.collation.spec;
    this.indexes = [new CollectionIndex(readDescribed(described))];
  }

  get namespace(): string {
    return `${this.db}.${this.name}`;
  }

  setOptions(options: Doc): void {
    this.options = options;
    this.validate = validation(options);
    this.keepsImages = keepsImages(options);
  }

  /** Documents lie in the order of their `_id`s. */
  get isClustered(): boolean {
    return isDoc(this.options.clusteredIndex);
  }

  /** The indexes that clients know of: the `_id`s of a time series have none. */
  get listed(): CollectionIndex[] {
    return this.timeSeries ? this.indexes.slice(1) : this.indexes;
  }

  get isCapped(): boolean {
    return this.cap !== undefined;
  }

  /** @throws if a transaction may not write here */
  private checkTransaction(writer: Writer): void {
    if (!writer.isTransaction) return;
    if (this.timeSeries)
      throw new MongoError(263, 'Cannot write to a time-series collection in a multi-document transaction');
    if (this.cap)
      throw new MongoError(263, `Collection '${this.namespace}' is a capped collection. Writes in transactions are not allowed on capped collections.`); // prettier-ignore
  }

  /** Takes out the oldest documents, as many as a capped collection has too many. */
  private trim(writer: Writer): void {
    if (!this.cap?.isExceeded) return;
    for (const rec of this.records.values()) {
      if (!this.cap.isExceeded) return;
      if (rec.head?.doc) this.remove(rec, writer);
    }
  }

  /** @throws DuplicateKey, WriteConflict, Blocked, DocumentValidationFailure */
  insert(given: Doc, writer: Writer): void {
    const doc = this.timeSeries ? measurement(given, this.timeSeries) : given;
    const bytes = checkedBytes(doc);
    if (!writer.bypassesValidation) this.validate(doc, undefined);
    this.checkTransaction(writer);
    this.cap?.checkFits(doc);
    const [idIndex] = this.indexes as [CollectionIndex];
    const key = this.timeSeries ? seriesKey(this.nextSeq) : idIndex.encode([doc._id]);
    let rec = this.records.get(key);
    if (rec) idIndex.checkHolder(rec, key, doc, writer, this.namespace);
    const keys = this.keysOf(doc, rec, writer);
    if (!rec) {
      rec = { key, seq: this.nextSeq++, head: undefined };
      this.records.set(key, rec);
      idIndex.entries.add(key, rec);
    }
    this.push(rec, doc, writer, { keys, bytes, describe: undefined });
    this.trim(writer);
  }

  /** `describe` tells what was updated; without it, the document was replaced. */
  update(rec: Rec, old: Doc, next: Doc, writer: Writer, describe?: Describe): void {
    checkWritable(rec, writer);
    const bytes = checkedBytes(next);
    if (!writer.bypassesValidation) this.validate(next, old);
    this.checkTransaction(writer);
    this.cap?.checkSameSize(old, next);
    const keys = this.indexes.map((index, i) => {
      if (i === 0 || index.unchanged(old, next)) return NONE;
      const found = index.keysOf(next);
      index.checkUnique(rec, next, found, writer, this.namespace);
      return found;
    });
    this.push(rec, next, writer, { keys, bytes, describe });
  }

  remove(rec: Rec, writer: Writer): void {
    checkWritable(rec, writer);
    this.checkTransaction(writer);
    this.push(rec, undefined, writer, GONE);
  }

  /** Of a new document, by index. @throws before anything changes if it cannot be indexed */
  private keysOf(doc: Doc, rec: Rec | undefined, writer: Writer): string[][] {
    const keys: string[][] = this.indexes.map(() => NONE);
    // first what may be there only once: of several faults that one is told
    for (const unique of [true, false]) {
      for (let i = 1; i < this.indexes.length; i += 1) {
        const index = this.indexes[i]!;
        if (index.spec.unique !== unique) continue;
        keys[i] = index.keysOf(doc);
        index.checkUnique(rec, doc, keys[i]!, writer, this.namespace);
      }
    }
    return keys;
  }

  private push(rec: Rec, doc: Doc | undefined, writer: Writer, { keys, bytes, describe }: Prepared): void {
    const previous = rec.head;
    const version = { doc, time: Infinity, writer, previous };
    rec.head = version;
    writer.changes.push({ home: this, rec, version, bytes, describe });
    this.cap?.swap(previous?.doc, doc);
    for (let i = 1; i < keys.length; i += 1) this.indexes[i]!.add(rec, keys[i]!);
  }

  undo(rec: Rec): void {
    const gone = rec.head!;
    rec.head = gone.previous;
    this.cap?.swap(gone.doc, gone.previous?.doc);
    if (gone.doc) this.dropEntries(rec, gone.doc);
    if (!rec.head) this.forget(rec);
  }

  /** Drops what a view at `oldest` or later cannot see. @returns whether versions had to be kept for older views */
  settle(rec: Rec, oldest: number): boolean {
    let keep = rec.head;
    while (keep && (keep.writer || keep.time > oldest)) keep = keep.previous;
    if (!keep) return rec.head !== undefined;
    let dropped = keep.previous;
    keep.previous = undefined;
    for (; dropped; dropped = dropped.previous) if (dropped.doc) this.dropEntries(rec, dropped.doc);
    if (rec.head !== keep) return true;
    if (!keep.doc) this.forget(rec);
    return false;
  }

  private dropEntries(rec: Rec, doc: Doc): void {
    if (this.indexes.length === 1) return;
    const others: Doc[] = [];
    for (let version = rec.head; version; version = version.previous) if (version.doc) others.push(version.doc);
    for (let i = 1; i < this.indexes.length; i += 1) this.indexes[i]!.remove(rec, doc, others);
  }

  private forget(rec: Rec): void {
    rec.head = undefined;
    this.records.delete(rec.key);
    this.indexes[0]!.entries.delete(rec.key, rec);
  }

  /** A record as it was read from the disk. */
  load(seq: number, doc: Doc): void {
    const key = this.timeSeries ? seriesKey(seq) : this.indexes[0]!.encode([doc._id]);
    const rec: Rec = { key, seq, head: { doc, time: 0, writer: undefined, previous: undefined } };
    this.records.set(key, rec);
    this.nextSeq = Math.max(this.nextSeq, seq + 1);
    this.cap?.swap(undefined, doc);
    this.indexes[0]!.entries.add(key, rec);
    for (let i = 1; i < this.indexes.length; i += 1) this.indexes[i]!.add(rec, this.indexes[i]!.keysOf(doc));
  }

  /** What was inserted after the record with this number, in that order. @throws 136 if that record is gone */
  since(seq: number, view: View): Rec[] {
    if (this.nextSeq - 1 <= seq) return [];
    const found: Rec[] = [];
    let known = seq === 0;
    for (const rec of this.records.values()) {
      const doc = visible(rec, view);
      if (rec.seq === seq) known = doc !== undefined;
      else if (rec.seq > seq && doc) found.push(rec);
    }
    if (!known) throw new MongoError(136, `CollectionScan died due to position in capped collection being deleted. Last seen record id: RecordId(${seq})`); // prettier-ignore
    return found;
  }

  /** Builds an index over all versions. @throws DuplicateKey and then has no such index */
  addIndex(spec: IndexSpec, writer: Writer): CollectionIndex {
    const index = new CollectionIndex(spec);
    for (const rec of this.records.values()) {
      const doc = visible(rec, { time: Infinity, writer });
      if (doc) index.checkUnique(rec, doc, index.keysOf(doc), writer, this.namespace);
      for (let version = rec.head; version; version = version.previous)
        if (version.doc) index.add(rec, index.keysOf(version.doc));
    }
    this.indexes.push(index);
    return index;
  }

  *documents(view: View): Generator<Doc> {
    for (const rec of this.records.values()) {
      const doc = visible(rec, view);
      if (doc) yield doc;
    }
  }
}

const keepsImages = ({ changeStreamPreAndPostImages: images }: Doc): boolean =>
  isDoc(images) && images.enabled === true;
type Describe = Entry['describe'];
const NONE: string[] = [];

/** What was found out of a change before anything changes. */
interface Prepared {
  /** Those to be added, by index. */
  keys: string[][];
  bytes: Buffer | undefined;
  describe: Describe | undefined;
}
const GONE: Prepared = { keys: [], bytes: undefined, describe: undefined };

/** Measurements are told apart by the order in which they came. */
const seriesKey = (seq: number): string => `#${seq}`;

function checkedBytes(doc: Doc): Buffer {
  const bytes = encodeDocument(doc);
  if (bytes.length > MAX_DOCUMENT) throw tooLarge(bytes.length);
  return bytes;
}

/** @throws unless a document may have this `_id` */
export function checkIdValue(id: Value): void {
  if (isArray(id)) throw new MongoError(2, "can't use an array for _id");
  if (id instanceof BSONRegExp) throw new MongoError(2, "can't use a regex for _id");
  if (id === undefined) throw new MongoError(2, "can't use an undefined for _id");
  const dollar = isDoc(id) && Object.keys(id).find((key) => key.startsWith('$'));
  if (dollar) throw new MongoError(52, `_id fields may not contain '$'-prefixed fields: ${dollar} is not valid for storage.`); // prettier-ignore
}
