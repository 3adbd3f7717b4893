/**
 * Cursors: results that are handed out in batches. A result is complete when its cursor is made (documents never change, so it holds references only); a
 * batch ends at the size asked for or at 16 MB. A cursor that nobody reads for ten minutes is dropped.
 */
import { randomBytes } from 'node:crypto';
import { calculateObjectSize, Long } from 'bson';
import { long, type Doc } from '../values/bson-types';
import { tooLarge } from '../values/bson-decode';
import { MongoError } from '../errors';
import { MAX_DOCUMENT } from '../limits';

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
}

export class Cursors {
  private readonly open = new Map<string, Cursor>();
  timeoutMs = 600_000;

  /** The reply of a command that opens a cursor. */
  first(docs: Doc[], options: CursorOptions): Doc {
    const { namespace, batchSize = FIRST_BATCH, singleBatch, session, txnNumber, project, immortal = false } = options;
    const cursor = { id: Long.ZERO, namespace, docs, project, at: 0, session, txnNumber, usedAt: Date.now(), immortal };
    const firstBatch = take(cursor, batchSize);
    if ((cursor.at < docs.length || (batchSize === 0 && docs.length > 0)) && !singleBatch) {
      cursor.id = newId();
      this.open.set(cursor.id.toString(), cursor);
    }
    return { cursor: { firstBatch, id: cursor.id, ns: namespace } };
  }

  next(id: Long, namespace: string, batchSize: number | undefined, session?: string, txnNumber?: bigint): Doc {
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
    cursor.usedAt = Date.now();
    const nextBatch = take(cursor, batchSize === undefined || batchSize === 0 ? Infinity : batchSize);
    const over = cursor.at >= cursor.docs.length;
    if (over) this.open.delete(id.toString());
    return { cursor: { nextBatch, id: over ? Long.ZERO : id, ns: namespace } };
  }

  kill(id: Long, namespace: string): boolean {
    const cursor = this.open.get(id.toString());
    return cursor?.namespace === namespace && this.open.delete(id.toString());
  }

  /** Those of a session that ended, of a transaction, or of a collection that is gone. */
  killWhere(
    condition: (cursor: { session: string | undefined; txnNumber: bigint | undefined; namespace: string }) => boolean,
  ): void {
    for (const [key, cursor] of this.open) if (condition(cursor)) this.open.delete(key);
  }

  expire(now = Date.now()): void {
    for (const [key, { usedAt, immortal }] of this.open)
      if (!immortal && now - usedAt > this.timeoutMs) this.open.delete(key);
  }

  get count(): number {
    return this.open.size;
  }
}

/** At least one document, however large. */
function take(cursor: Cursor, batchSize: number): Doc[] {
  const { docs, project } = cursor;
  const batch: Doc[] = [];
  let bytes = 0;
  while (batch.length < batchSize && cursor.at < docs.length) {
    const doc = project ? project(docs[cursor.at]!) : docs[cursor.at]!;
    const size = calculateObjectSize(doc);
    if (size > MAX_DOCUMENT) throw tooLarge(size);
    bytes += size + 12;
    if (bytes > MAX_BATCH_BYTES && batch.length > 0) break;
    batch.push(doc);
    cursor.at += 1;
  }
  return batch;
}

function newId(): Long {
  const id = randomBytes(8).readBigUInt64LE() >> 1n;
  return long(id === 0n ? 1n : id);
}
