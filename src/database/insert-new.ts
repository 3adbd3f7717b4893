import mongoose, { type Collection } from 'mongoose';
import { isDuplicateKey } from './transaction';

/**
 * Inserts these rows, each by itself: who runs into a unique index stays out, and stands in nobody's way.
 *
 * @returns for each of them whether it is in now
 * @throws whatever else goes wrong
 */
export async function insertNew<Row extends object>(collection: Collection, rows: readonly Row[]): Promise<boolean[]> {
  try {
    await collection.insertMany([...rows], { ordered: false });
    return rows.map(() => true);
  } catch (error) {
    const refused = refusedOf(error);
    if (!refused) throw error;
    return rows.map((_, i) => !refused.has(i));
  }
}

/** Which rows ran into a unique index, where that is all that went wrong. */
function refusedOf(error: unknown): ReadonlySet<number> | null {
  if (!(error instanceof mongoose.mongo.MongoBulkWriteError) || error.result.getWriteConcernError()) return null;
  const writeErrors = [error.writeErrors].flat();
  if (writeErrors.length === 0) return null;
  return writeErrors.every((each) => isDuplicateKey(each)) ? new Set(writeErrors.map(({ index }) => index)) : null;
}
