/**
 * A collection: its records by `_id` in natural order, and its indexes. Every change is a version of a writer (versions.ts); here it is checked against
 * the unique indexes before anything is touched, entered into the indexes, undone, or, once committed, settled: versions that no view can see any more
 * are dropped together with their index entries.
 */
import { BSONRegExp, calculateObjectSize, UUID } from 'bson';
import { tooLarge } from '../values/bson-decode';
import { int, isArray, isDoc, type Doc, type Value } from '../values/bson-types';
import { parseCollation, type Collation } from '../values/collation';
import { CollectionIndex } from './collection-index';
import { MongoError } from '../errors';
import { readDescribed, type IndexSpec } from './index-spec';
import { checkWritable, visible, type Home, type Rec, type View, type Writer } from './versions';
import { validation, type Validate } from './validator';
import { MAX_DOCUMENT } from '../limits';

export class Collection implements Home {
  readonly records = new Map<string, Rec>();
  /** The first one is that of the `_id`. */
  readonly indexes: CollectionIndex[];
  readonly collation: Collation | undefined;
  nextSeq = 1;
  private validate: Validate;
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
    this.collation = parseCollation(options.collation as Doc | undefined);
    const described: Doc = { v: int(2), key: { _id: int(1) }, name: '_id_' };
    if (this.collation) described.collation = this.collation.spec;
    this.indexes = [new CollectionIndex(readDescribed(described))];
  }

  get namespace(): string {
    return `${this.db}.${this.name}`;
  }

  setOptions(options: Doc): void {
    this.options = options;
    this.validate = validation(options);
  }

  /** @throws DuplicateKey, WriteConflict, Blocked, DocumentValidationFailure */
  insert(doc: Doc, writer: Writer): void {
    checkDocument(doc);
    if (!writer.bypassesValidation) this.validate(doc, undefined);
    const [idIndex] = this.indexes as [CollectionIndex];
    const key = idIndex.encode([doc._id]);
    let rec = this.records.get(key);
    if (rec) idIndex.checkHolder(rec, key, doc, writer, this.namespace);
    for (let i = 1; i < this.indexes.length; i += 1) this.indexes[i]!.checkUnique(rec, doc, writer, this.namespace);
    this.prepareKeys(doc);
    if (!rec) {
      rec = { key, seq: this.nextSeq++, head: undefined };
      this.records.set(key, rec);
      idIndex.entries.add(key, rec);
    }
    this.push(rec, doc, writer);
  }

  update(rec: Rec, old: Doc, next: Doc, writer: Writer): void {
    checkWritable(rec, writer);
    checkDocument(next);
    if (!writer.bypassesValidation) this.validate(next, old);
    for (let i = 1; i < this.indexes.length; i += 1) {
      const index = this.indexes[i]!;
      if (index.unchanged(old, next)) continue;
      index.checkUnique(rec, next, writer, this.namespace);
      if (!index.spec.unique) index.keysOf(next);
    }
    this.push(rec, next, writer);
  }

  remove(rec: Rec, writer: Writer): void {
    checkWritable(rec, writer);
    this.push(rec, undefined, writer);
  }

  /** Finds out before anything changes whether the document can be indexed at all. */
  private prepareKeys(doc: Doc): void {
    for (let i = 1; i < this.indexes.length; i += 1) {
      if (this.indexes[i]!.spec.paths.length > 1 && !this.indexes[i]!.spec.unique) this.indexes[i]!.keysOf(doc);
    }
  }

  private push(rec: Rec, doc: Doc | undefined, writer: Writer): void {
    const previous = rec.head;
    const version = { doc, time: Infinity, writer, previous };
    rec.head = version;
    writer.changes.push({ home: this, rec, version });
    if (!doc) return;
    for (let i = 1; i < this.indexes.length; i += 1) {
      const index = this.indexes[i]!;
      if (!previous?.doc || !index.unchanged(previous.doc, doc)) index.add(rec, doc);
    }
  }

  undo(rec: Rec): void {
    const gone = rec.head!;
    rec.head = gone.previous;
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
    const key = this.indexes[0]!.encode([doc._id]);
    const rec: Rec = { key, seq, head: { doc, time: 0, writer: undefined, previous: undefined } };
    this.records.set(key, rec);
    this.nextSeq = Math.max(this.nextSeq, seq + 1);
    for (const index of this.indexes) index.add(rec, doc);
  }

  /** Builds an index over all versions. @throws DuplicateKey and then has no such index */
  addIndex(spec: IndexSpec, writer: Writer): CollectionIndex {
    const index = new CollectionIndex(spec);
    for (const rec of this.records.values()) {
      const doc = visible(rec, { time: Infinity, writer });
      if (doc) index.checkUnique(rec, doc, writer, this.namespace);
      for (let version = rec.head; version; version = version.previous) if (version.doc) index.add(rec, version.doc);
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

function checkDocument(doc: Doc): void {
  const size = calculateObjectSize(doc);
  if (size > MAX_DOCUMENT) throw tooLarge(size);
}

/** @throws unless a document may have this `_id` */
export function checkIdValue(id: Value): void {
  if (isArray(id)) throw new MongoError(2, "can't use an array for _id");
  if (id instanceof BSONRegExp) throw new MongoError(2, "can't use a regex for _id");
  if (id === undefined) throw new MongoError(2, "can't use an undefined for _id");
  const dollar = isDoc(id) && Object.keys(id).find((key) => key.startsWith('$'));
  if (dollar) throw new MongoError(52, `_id fields may not contain '$'-prefixed fields: ${dollar} is not valid for storage.`); // prettier-ignore
}
