/**
 * Versions: how readers and writers stay out of each other's way (snapshot isolation).
 *
 * A record is a chain of versions, newest first; a version without a document is a deletion. Every change is made by a `Writer`: the one of a single
 * command, or that of a transaction. Its versions are pending, seen by nobody else, until it commits; then they get the commit's time. A view sees its own
 * writer's versions, else the newest one committed at its time. Whoever meets another writer's pending version, or (in a transaction) one
 * committed after its snapshot, may not write: in a transaction that is a WriteConflict at once, a single command waits (`Blocked`) and starts again.
 */
import { type Doc } from '../values/bson-types';
import { MongoError } from '../errors';
import { type Entry, type News, type Origin } from './feed';

export interface Version {
  readonly doc: Doc | undefined;
  /** Of its commit; Infinity while it is pending. */
  time: number;
  writer: Writer | undefined;
  previous: Version | undefined;
}

export interface Rec {
  /** The encoded `_id`. */
  readonly key: string;
  /** Natural order, and the key on disk. */
  readonly seq: number;
  head: Version | undefined;
}

export interface View {
  /** Of the snapshot; Infinity sees whatever is committed. */
  readonly time: number;
  readonly writer?: Writer | undefined;
}

export function visible(rec: Rec, view: View): Doc | undefined {
  let version = rec.head;
  while (version && !(version.writer ? version.writer === view.writer : version.time <= view.time)) {
    version = version.previous;
  }
  return version?.doc;
}

/** Where a writer's versions live: undoing and settling them is the collection's business. */
export interface Home {
  undo(rec: Rec, version: Version): void;
  settle(rec: Rec, oldest: number): boolean;
}

export interface Change {
  home: Home;
  rec: Rec;
  version: Version;
  /** The new document in BSON; undefined for a deletion. */
  bytes: Buffer | undefined;
  /** What an update did, for the feed; without it the document was replaced. */
  describe: Entry['describe'];
}

export class Writer implements View {
  readonly writer = this;
  readonly changes: Change[] = [];
  /** What to take back besides versions (collections made), newest last. */
  readonly undos: (() => void)[] = [];
  /** The collections that it has used. */
  readonly touched = new Set<Home>();
  /** What to do when it commits. */
  readonly commits: (() => void)[] = [];
  /** Resolves when it has committed or aborted. */
  readonly ended: Promise<void>;
  private resolveEnded!: () => void;
  isOver = false;
  /** Whether its command asked for bypassDocumentValidation. */
  bypassesValidation = false;
  /** What the feed tells besides documents, in the order in which it happens. */
  readonly news: News[] = [];
  origin: Origin | undefined;

  constructor(
    readonly time: number,
    /** A transaction of several commands, which never waits. */
    readonly isTransaction: boolean,
  ) {
    this.ended = new Promise((resolve) => (this.resolveEnded = resolve));
  }

  /** Takes back what came after the first `count` changes. */
  undo(count = 0): void {
    while (this.changes.length > count) {
      const { home, rec, version } = this.changes.pop()!;
      home.undo(rec, version);
    }
  }

  undoAll(): void {
    this.undo();
    while (this.undos.length > 0) this.undos.pop()!();
  }

  end(): void {
    this.isOver = true;
    this.resolveEnded();
  }
}

/** Thrown through a single command that has to wait for a transaction. */
export class Blocked extends Error {
  constructor(readonly by: Writer) {
    super('waits for a transaction');
  }
}

/** For what another open writer holds. */
export function conflict(writer: Writer, holder: Writer | undefined): Error {
  return writer.isTransaction || !holder ? writeConflict() : new Blocked(holder);
}

export const writeConflict = (): MongoError =>
  new MongoError(112, 'WriteConflict error: this operation conflicted with another operation. Please retry your operation or multi-document transaction.'); // prettier-ignore

/** @throws unless `writer` may put a version onto this record */
export function checkWritable(rec: Rec, writer: Writer): void {
  const { head } = rec;
  if (!head || head.writer === writer) return;
  if (head.writer) throw conflict(writer, head.writer);
  if (head.time > writer.time) throw writeConflict();
}
