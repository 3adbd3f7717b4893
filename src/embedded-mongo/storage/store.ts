/**
 * All collections, and the clock of their versions. Writers begin and end here: a commit gives the writer's versions their time, drops what nobody can
 * see any more and hands the result to the disk, all in one turn; its promise resolves when the disk has it.
 */
import { type Doc } from '../values/bson-types';
import { ClusterClock } from './cluster-time';
import { Collection } from './collection';
import { MongoError } from '../errors';
import { Feed, type News } from './feed';
import { Blocked, conflict, Writer, type Rec, type View } from './versions';

/** Keeps what was committed. Everything that is told to it in one turn is kept together or not at all. */
export interface Disk {
  /** In BSON; undefined for one that is gone. */
  putDocument(collection: number, seq: number, bytes: Buffer | undefined): void;
  /** The collection with its options and indexes; its documents come by `putDocument`. */
  putCollection(collection: Collection): void;
  dropCollection(collection: Collection): void;
  /** Resolves when all that was told is kept. */
  kept(): Promise<void>;
  load(): Iterable<Collection>;
  close(): Promise<void>;
}

export class Store {
  private readonly byNamespace = new Map<string, Collection>();
  private clock = 0;
  private nextId = 1;
  readonly clusterClock = new ClusterClock();
  readonly feed = new Feed(this.clusterClock.tick());
  readonly transactions = new Set<Writer>();
  /** Records with versions that an open snapshot may need. */
  private readonly retained = new Map<Rec, Collection>();

  constructor(private readonly disk?: Disk) {
    for (const collection of disk?.load() ?? []) {
      this.byNamespace.set(collection.namespace, collection);
      this.nextId = Math.max(this.nextId, collection.id + 1);
    }
  }

  // -- writers

  begin(isTransaction: boolean): Writer {
    const writer = new Writer(isTransaction ? this.clock : Infinity, isTransaction);
    if (isTransaction) this.transactions.add(writer);
    return writer;
  }

  /** Applies at once; the promise is for the disk, undefined if there is nothing to wait for. */
  commit(writer: Writer): Promise<void> | undefined {
    const { changes } = writer;
    const oldestBefore = this.oldest();
    this.transactions.delete(writer);
    const time = changes.length > 0 ? ++this.clock : this.clock;
    this.tell(writer);
    for (const { version } of changes) {
      version.time = time;
      version.writer = undefined;
    }
    const oldest = this.oldest();
    for (const { home, rec, version, bytes } of changes) {
      // of several changes to a record the last one counts
      if (rec.head !== version) continue;
      const collection = home as Collection;
      this.disk?.putDocument(collection.id, rec.seq, bytes);
      if (collection.settle(rec, oldest)) this.retained.set(rec, collection);
    }
    for (const act of writer.commits) act();
    writer.end();
    if (writer.isTransaction) this.sweep(oldestBefore);
    if (changes.length > 0 || writer.news.length > 0) this.feed.wake();
    return this.disk && (changes.length > 0 || writer.commits.length > 0) ? this.disk.kept() : undefined;
  }

  /** A collection is made before its documents; what else is done to collections comes last, or alone. */
  private tell({ changes, news, origin }: Writer): void {
    if (changes.length === 0 && news.length === 0) return;
    const { feed } = this;
    const time = this.clusterClock.tick();
    const at = Date.now();
    const tell = ({ kind, db, coll, uuid, to, details }: News): void =>
      feed.add({ seq: 0, time, at, kind, db, coll, uuid, before: undefined, after: undefined, describe: undefined, origin, to, details, images: false, bytes: 0 }); // prettier-ignore
    for (const each of news) if (each.kind === 'create') tell(each);
    for (const { home, version, bytes, describe } of changes) {
      const { db, name: coll, uuid, keepsImages: images, timeSeries } = home as Collection;
      // the buckets of a time series are not told of
      if (timeSeries) continue;
      const before = version.previous?.doc;
      const after = version.doc;
      const kind = !after ? 'delete' : !before ? 'insert' : describe ? 'update' : 'replace';
      feed.add({ seq: 0, time, at, kind, db, coll, uuid, before, after, describe, origin, to: undefined, details: undefined, images, bytes: 2 * (bytes?.length ?? 0) }); // prettier-ignore
    }
    for (const each of news) if (each.kind !== 'create') tell(each);
  }

  abort(writer: Writer): void {
    if (writer.isOver) return;
    const oldestBefore = this.oldest();
    writer.undoAll();
    this.transactions.delete(writer);
    writer.end();
    if (writer.isTransaction) this.sweep(oldestBefore);
  }

  /** The time of the oldest open snapshot. */
  private oldest(): number {
    let oldest = Infinity;
    for (const { time } of this.transactions) oldest = Math.min(oldest, time);
    return oldest;
  }

  /** After a snapshot has gone: only when it was the oldest can there be something to drop. */
  private sweep(oldestBefore: number): void {
    const oldest = this.oldest();
    if (oldest === oldestBefore) return;
    for (const [rec, collection] of this.retained)
      if (!rec.head || !collection.settle(rec, oldest)) this.retained.delete(rec);
  }

  // -- collections

  collection(namespace: string, view: View): Collection | undefined {
    const collection = this.byNamespace.get(namespace);
    if (!collection || (collection.maker && collection.maker !== view.writer)) return undefined;
    view.writer?.touched.add(collection);
    return collection;
  }

  /** The collection, made if there is none. */
  ensure(db: string, name: string, writer: Writer): Collection {
    return this.collection(`${db}.${name}`, writer) ?? this.create(db, name, {}, writer);
  }

  /** One of the server's own, which clients cannot make. */
  system(db: string, name: string, writer: Writer): Collection {
    return this.collection(`${db}.${name}`, writer) ?? this.make(db, name, {}, writer);
  }

  create(db: string, name: string, options: Doc, writer: Writer): Collection {
    checkNames(db, name);
    return this.make(db, name, options, writer);
  }

  private make(db: string, name: string, options: Doc, writer: Writer): Collection {
    const namespace = `${db}.${name}`;
    const other = this.byNamespace.get(namespace);
    if (other?.maker && other.maker !== writer) throw conflict(writer, other.maker);
    if (other) throw new MongoError(48, `Collection ${namespace} already exists.`);
    const collection = new Collection(this.nextId++, db, name, options);
    collection.maker = writer;
    this.byNamespace.set(namespace, collection);
    writer.touched.add(collection);
    writer.undos.push(() => this.byNamespace.delete(namespace));
    writer.commits.push(() => {
      collection.maker = undefined;
      this.disk?.putCollection(collection);
    });
    this.announce(collection, writer, 'create', { idIndex: collection.indexes[0]!.spec.described, ...options });
    return collection;
  }

  /** Tells change streams what is done to a collection; the buckets of time series are not told of. */
  announce({ db, name: coll, uuid, timeSeries }: Collection, writer: Writer, kind: News['kind'], details?: Doc): void {
    if (!timeSeries) writer.news.push({ kind, db, coll, uuid, details });
  }

  drop(collection: Collection, writer: Writer): void {
    this.alone(collection, writer);
    this.byNamespace.delete(collection.namespace);
    writer.undos.push(() => this.byNamespace.set(collection.namespace, collection));
    writer.commits.push(() => this.disk?.dropCollection(collection));
    this.announce(collection, writer, 'drop');
  }

  rename(collection: Collection, db: string, name: string, writer: Writer, dropped?: Collection): void {
    checkNames(db, name);
    this.alone(collection, writer);
    const { db: oldDb, name: coll, uuid } = collection;
    const to = { db, coll: name };
    const details = { to, ...(dropped ? { dropTarget: dropped.uuid } : {}) };
    writer.news.push({ kind: 'rename', db: oldDb, coll, uuid, to, details });
    this.byNamespace.delete(collection.namespace);
    collection.db = db;
    collection.name = name;
    this.byNamespace.set(collection.namespace, collection);
    this.changed(collection, writer);
  }

  /** What describes the collection (indexes, options) is another now. */
  changed(collection: Collection, writer: Writer): void {
    writer.commits.push(() => this.disk?.putCollection(collection));
  }

  /** Changing what a collection is waits until no transaction uses it. */
  alone(collection: Collection, writer: Writer): void {
    for (const other of this.transactions)
      if (other !== writer && other.touched.has(collection)) throw new Blocked(other);
  }

  collections(view: View, db?: string): Collection[] {
    const all = [...this.byNamespace.values()].filter(({ maker }) => !maker || maker === view.writer);
    return db === undefined ? all : all.filter((collection) => collection.db === db);
  }
}

function checkNames(db: string, name: string): void {
  checkDatabaseName(db);
  if (name === '' || name.startsWith('.') || name.endsWith('.') || name.includes('$') || name.includes('\0'))
    throw new MongoError(73, `Invalid collection name: ${name}`);
  if (name.startsWith('system.')) throw new MongoError(73, `Invalid system namespace: ${db}.${name}`);
  if (Buffer.byteLength(`${db}.${name}`) > 255)
    throw new MongoError(73, `Fully qualified namespace is too long. Max: 255`);
}

export function checkDatabaseName(db: string): void {
  if (db === '' || Buffer.byteLength(db) > 63 || /[\0/\\. "$*<>:|?]/.test(db))
    throw new MongoError(73, `Invalid database name: '${db}'`);
}
