import type { Db, MongoClient } from 'mongodb';
import type { Document } from 'bson';
import { encode, type Counts } from './records';

/**
 * A database as the records of a backup, all of it as it was at one moment, while servers go on writing.
 * @param onProgress documents so far, now and then
 * @throws Error where something in the database could not be restored faithfully
 */
export async function* dump(
  client: MongoClient,
  db: Db,
  onProgress: (documents: number) => void = () => undefined,
): AsyncGenerator<Buffer> {
  const collections = await collectionsOf(db);
  const counts: Counts = {};
  let seen = 0;
  // all reads of a snapshot session see the moment of the first one; MongoDB keeps it for minutes (minSnapshotHistoryWindowInSeconds)
  const session = client.startSession({ snapshot: true });
  try {
    for (const { name, options } of collections) {
      const indexes = await db.collection(name).indexes();
      yield encode('C', { name, options, indexes: indexes.filter((index) => index.name !== '_id_') });
      counts[name] = 0;
      const rows = db.collection(name).find({}, { session, raw: true, batchSize: 1000 });
      for await (const row of rows) {
        yield encode('D', row);
        counts[name] += 1;
        if ((seen += 1) % 10_000 === 0) onProgress(seen);
      }
    }
  } finally {
    await session.endSession();
  }
  yield encode('E', { counts });
}

async function collectionsOf(db: Db): Promise<{ name: string; options: Document }[]> {
  const all = await db.listCollections({}, { nameOnly: false }).toArray();
  const own = all.filter(({ name }) => !name.startsWith('system.'));
  const strange = own.find(({ type }) => type !== undefined && type !== 'collection');
  if (strange) throw new Error(`${strange.name} is a ${strange.type}, which a backup of this kind cannot hold.`);
  return own
    .map((info) => ({ name: info.name, options: 'options' in info ? (info.options ?? {}) : {} }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}
