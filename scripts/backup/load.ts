import type { Db, Document, IndexDescription } from 'mongodb';
import { BackupError, exact, type BackupRecord, type CollectionRecord, type Counts } from './records';

const BATCH = 1000;
const BATCH_BYTES = 8 * 2 ** 20;

export interface Loaded {
  /** What the backup says it holds, and what the database said it took. */
  expected: Counts;
  taken: Counts;
}

/**
 * Writes the records of a backup into an empty database: documents first, then indexes, so that a TTL index cannot remove what is
 * still being counted.
 * @param onProgress documents so far, now and then
 * @throws BackupError where the backup is damaged; the database is then half filled, and of no use
 */
export async function load(
  db: Db,
  records: AsyncIterable<BackupRecord>,
  onProgress: (documents: number) => void = () => undefined,
): Promise<Loaded> {
  const collections: CollectionRecord[] = [];
  const taken: Counts = {};
  let expected: Counts = {};
  let batch: Document[] = [];
  let bytes = 0;
  let seen = 0;

  const flush = async () => {
    const name = collections.at(-1)?.name;
    if (name === undefined || batch.length === 0) return;
    const { insertedCount } = await db.collection(name).insertMany(batch, { ordered: false, ignoreUndefined: false });
    taken[name] = (taken[name] ?? 0) + insertedCount;
    seen += insertedCount;
    onProgress(seen);
    batch = [];
    bytes = 0;
  };

  for await (const record of records) {
    if (record.kind === 'D') {
      batch.push(exact(record.document));
      bytes += record.document.length;
      if (batch.length >= BATCH || bytes >= BATCH_BYTES) await flush();
      continue;
    }
    await flush();
    if (record.kind === 'E') expected = record.counts;
    else {
      const { name, options } = record.collection;
      await db.createCollection(name, options);
      collections.push(record.collection);
      taken[name] = 0;
    }
  }
  for (const { name, indexes } of collections)
    if (indexes.length > 0) await db.collection(name).createIndexes(indexes.map(toBuild));
  return { expected, taken };
}

/** An index as it is listed, as one to be made. */
function toBuild({ v: _version, ns: _namespace, ...index }: Document): IndexDescription {
  return index as IndexDescription;
}

/** Reads a backup to its end without writing anything. @throws BackupError where it is damaged */
export async function check(records: AsyncIterable<BackupRecord>): Promise<Counts> {
  const counted: Counts = {};
  let name = '';
  for await (const record of records) {
    if (record.kind === 'C') counted[(name = record.collection.name)] = 0;
    if (record.kind === 'D') counted[name] = (counted[name] ?? 0) + 1;
    if (record.kind === 'E' && !sameCounts(record.counts, counted))
      throw new BackupError('The backup does not hold what its end says.');
  }
  return counted;
}

export const sameCounts = (one: Counts, other: Counts): boolean =>
  Object.keys({ ...one, ...other }).every((name) => one[name] === other[name]);
