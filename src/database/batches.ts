import type { Connection } from 'mongoose';
import { createRowReader, type Plain } from './row-reader';

/** A batch of a cursor, its rows as the server sends them. */
interface Batch {
  cursor: { id: { isZero(): boolean }; firstBatch?: Buffer[]; nextBatch?: Buffer[] };
}

export interface Wanted {
  collection: string;
  filter: object;
  projection: object;
  /** Rows that are taken apart in one go: nobody else has a turn meanwhile. */
  batchSize: number;
}

/**
 * Reads many rows, the next batch of them while the caller deals with the last one. The driver's own cursor waits in between, and takes much longer
 * to take rows apart, twice: this is worth it for a hundred thousand of them and for nothing less.
 *
 * @throws what the driver throws, which does not try again by itself here
 */
export async function* inBatches<Row>(connection: Connection, wanted: Wanted): AsyncGenerator<Plain<Row>[]> {
  const { collection, batchSize, ...query } = wanted;
  if (!connection.db) throw new Error('the connection is not open');
  const db = connection.db;
  // a cursor belongs to the session that opened it
  const session = await connection.startSession();
  // the id of a cursor has 64 bits
  const options = { session, promoteLongs: false, fieldsAsRaw: { firstBatch: true, nextBatch: true } };
  const ask = (command: object) => db.command(command, options) as Promise<unknown> as Promise<Batch>;
  const readRow = createRowReader<Row>();
  let open: object | undefined;
  try {
    let { cursor } = await ask({ find: collection, ...query, batchSize });
    for (let rows = cursor.firstBatch ?? []; ; rows = cursor.nextBatch ?? []) {
      const more = !cursor.id.isZero();
      open = more ? cursor.id : undefined;
      const next = more ? ask({ getMore: cursor.id, collection, batchSize }) : undefined;
      // it is waited for below, perhaps never
      next?.catch(() => undefined);
      yield rows.map(readRow);
      if (!next) return;
      ({ cursor } = await next);
    }
  } finally {
    if (open) await ask({ killCursors: collection, cursors: [open] }).catch(() => undefined);
    await session.endSession();
  }
}
