/**
 * Cursors: results that are handed out in batches. A result is complete when its cursor is made (documents never change, so it holds references only); a
 * batch ends at the size asked for or at 16 MB. A cursor that nobody reads for ten minutes is dropped.
 *
 * Tailable cursors and change streams are live: they have a source that is asked for more, and, if they wait, asked again whenever something was committed.
 */
import { randomBytes } from 'node:crypto';
import { Long } from 'bson';
import { long, type Doc } from '../values/bson-types';
import { tooLarge } from '../values/bson-decode';
import { encodeDocument, Written } from '../values/bson-encode';
import { MongoError } from '../errors';
import { MAX_DOCUMENT } from '../limits';

/** Where a cursor that stays open gets its documents from. */
export interface Source {
  /** What has come since the last time; an empty list if nothing. What it throws ends the cursor. */
  pull(): Doc[];
  /** Whether nothing will come any more. */
  readonly isOver?: boolean;
  /** How long a client that does not say it waits for documents, in ms; undefined if it does not wait. */
  readonly patience: number | undefined;
  /** The place to go on from later: behind the `last` document handed out if the batch `isFull`, else behind all that was looked at. */
  token?(last: Doc | undefined, isFull: boolean): Doc;
  /** Calls back at the next news. @returns what takes that back */
  once(callback: () => void): () => void;
}

interface Cursor {
  id: Long;
  namespace: string;
  docs: Doc[];
  /** Makes of a document what is answered. */
  project: ((doc: Doc) => Doc) | undefined;
  at: number;
  session: string | undefined;
  /** Of the transaction that it belongs to. */
  txnNumber: bigint | undefined;
  usedAt: number;
  immortal: boolean;
  source: Source | undefined;
  /** Whether it ends with its last document; else one more batch, which is not full, tells the client so. */
  endKnown: boolean;
  /** What its client is told next, and last. */
  fault: MongoError | undefined;
  /** Ends the waiting of a client that asked for more. */
  wake: (() => void) | undefined;
}

const FIRST_BATCH = 101;
const MAX_BATCH_BYTES = 16 * 1024 * 1024 - 16 * 1024;

export interface CursorOptions {
  namespace: string;
  batchSize?: number | undefined;
  singleBatch?: boolean;
  session?: string | undefined;
  txnNumber?: bigint | undefined;
  immortal?: boolean;
  project?: ((doc: Doc) => Doc) | undefined;
  source?: Source | undefined;
  endKnown?: boolean;
}

export class Cursors {
  private readonly open = new Map<string, Cursor>();
  timeoutMs = 600_000;

  /** The reply of a command that opens a cursor. With a `source` it stays open. */
  first(docs: Doc[], options: CursorOptions): Doc {
    const { namespace, batchSize = FIRST_BATCH, singleBatch, session, txnNumber, project, immortal = false, source, endKnown = true } = options; // prettier-ignore
    const cursor: Cursor = { id: Long.ZERO, namespace, docs, project, at: 0, session, txnNumber, usedAt: Date.now(), immortal, source, endKnown, fault: undefined, wake: undefined }; // prettier-ignore
    const firstBatch = take(cursor, batchSize);
    const isFull = firstBatch.length >= batchSize;
    if ((source || cursor.at < docs.length || (isFull && !endKnown)) && !singleBatch) {
      cursor.id = newId();
      this.open.set(cursor.id.toString(), cursor);
    }
    return { cursor: { firstBatch, ...placeOf(cursor, firstBatch, isFull), id: cursor.id, ns: namespace } };
  }

  /** `patience`: how many ms to wait for documents, where the cursor is of that kind. */
  next(id: Long, { namespace, batchSize, session, txnNumber }: CursorOptions, patience?: number): Doc | Promise<Doc> {
    const cursor = this.open.get(id.toString());
    if (!cursor) throw new MongoError(43, `cursor id ${id.toString()} not found`);
    if (cursor.namespace !== namespace)
      throw new MongoError(13, `Requested getMore on namespace '${namespace}', but cursor belongs to a different namespace ${cursor.namespace}`); // prettier-ignore
    if (cursor.session !== undefined && cursor.session !== session)
      throw new MongoError(
        50738,
        `Cannot run getMore on cursor ${id.toString()}, which was created in another session`,
      );
    if (cursor.txnNumber !== txnNumber)
      throw new MongoError(50740, `Cannot run getMore on cursor ${id.toString()}, which was created in another transaction`); // prettier-ignore
    this.checkFault(cursor);
    const most = batchSize === undefined || batchSize === 0 ? Infinity : batchSize;
    return cursor.source ? this.nextOf(cursor, cursor.source, most, patience) : this.batchOf(cursor, most);
  }

  private batchOf(cursor: Cursor, most: number): Doc {
    cursor.usedAt = Date.now();
    const nextBatch = take(cursor, most);
    const isFull = nextBatch.length >= most;
    const ended = cursor.source ? cursor.source.isOver === true : cursor.endKnown || !isFull;
    const over = cursor.at >= cursor.docs.length && ended;
    if (over) this.drop(cursor);
    return { cursor: { nextBatch, ...placeOf(cursor, nextBatch, isFull), id: over ? Long.ZERO : cursor.id, ns: cursor.namespace } }; // prettier-ignore
  }

  private async nextOf(cursor: Cursor, source: Source, most: number, patience = source.patience ?? 0): Promise<Doc> {
    const until = Date.now() + (source.patience === undefined ? 0 : patience);
    for (;;) {
      if (cursor.at >= cursor.docs.length) {
        try {
          cursor.docs = source.pull();
        } catch (error) {
          this.drop(cursor);
          throw error;
        }
        cursor.at = 0;
      }
      const left = until - Date.now();
      if (cursor.docs.length > 0 || source.isOver || left <= 0) return this.batchOf(cursor, most);
      await news(cursor, source, left);
      this.checkFault(cursor);
      if (!this.open.has(cursor.id.toString()))
        throw new MongoError(237, 'operation was interrupted because a client killed the cursor');
    }
  }

  private checkFault(cursor: Cursor): void {
    if (!cursor.fault) return;
    this.drop(cursor);
    throw cursor.fault;
  }

  private drop(cursor: Cursor): void {
    this.open.delete(cursor.id.toString());
    cursor.wake?.();
  }

  kill(id: Long, namespace: string): boolean {
    const cursor = this.open.get(id.toString());
    if (cursor?.namespace !== namespace) return false;
    this.drop(cursor);
    return true;
  }

  /** Those of a collection that is gone: who asks for more of one is told why there is none. */
  failWhere(condition: (cursor: Pick<Cursor, 'namespace' | 'source'>) => boolean, fault: MongoError): void {
    for (const cursor of this.open.values()) {
      if (!condition(cursor)) continue;
      Object.assign(cursor, { fault, docs: [], at: 0 });
      cursor.wake?.();
    }
  }

  /** Those of a session that ended, or of a transaction. */
  killWhere(condition: (cursor: Pick<Cursor, 'session' | 'txnNumber' | 'namespace' | 'source'>) => boolean): void {
    for (const cursor of this.open.values()) if (condition(cursor)) this.drop(cursor);
  }

  expire(now = Date.now()): void {
    for (const cursor of this.open.values())
      if (!cursor.immortal && !cursor.wake && now - cursor.usedAt > this.timeoutMs) this.drop(cursor);
  }

  isChangeStream(id: unknown): boolean {
    return id instanceof Long && this.open.get(id.toString())?.source?.token !== undefined;
  }

  get count(): number {
    return this.open.size;
  }
}

function placeOf({ source, docs, at }: Cursor, { length }: Written[], isFull: boolean): Doc {
  if (!source?.token) return {};
  const last = length > 0 ? docs[at - 1] : undefined;
  return { postBatchResumeToken: source.token(last, isFull || at < docs.length) };
}

/** Resolves at the next news, after so many milliseconds, or when the cursor is dropped. */
function news(cursor: Cursor, source: Source, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      takeBack();
      cursor.wake = undefined;
      resolve();
    };
    const timer = setTimeout(done, ms);
    const takeBack = source.once(done);
    cursor.wake = done;
  });
}

/** At least one document, however large; each as the bytes that the reply will have. */
function take(cursor: Cursor, batchSize: number): Written[] {
  const { docs, project } = cursor;
  const batch: Written[] = [];
  let bytes = 0;
  while (batch.length < batchSize && cursor.at < docs.length) {
    const written = encodeDocument(project ? project(docs[cursor.at]!) : docs[cursor.at]!);
    if (written.length > MAX_DOCUMENT) throw tooLarge(written.length);
    bytes += written.length + 12;
    if (bytes > MAX_BATCH_BYTES && batch.length > 0) break;
    batch.push(new Written(written));
    cursor.at += 1;
  }
  return batch;
}

/** Positive, and beyond 2^53: a client that turns whole numbers into doubles where they fit keeps it whole. */
function newId(): Long {
  return long((randomBytes(8).readBigUInt64LE() >> 1n) | (1n << 53n));
}
