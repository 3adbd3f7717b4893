import type { ClientSession, Db, MongoClient } from 'mongodb';
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
  const moment = await oneMoment(client, db);
  try {
    for (const { name, options } of collections) {
      const indexes = await db.collection(name).indexes();
      yield encode('C', { name, options, indexes: indexes.filter((index) => index.name !== '_id_') });
      counts[name] = 0;
      const rows = db.collection(name).find({}, { session: moment.session, raw: true, batchSize: 1000 });
      for await (const row of rows) {
        yield encode('D', row);
        counts[name] += 1;
        if ((seen += 1) % 10_000 === 0) onProgress(seen);
      }
    }
  } finally {
    await moment.end();
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

interface Moment {
  session: ClientSession;
  end(): Promise<void>;
}

/**
 * Reads that all see the same moment. A snapshot session of MongoDB may take minutes (`minSnapshotHistoryWindowInSeconds`, 5 minutes
 * by default). The embedded server knows no such sessions, which shows by its naming no moment; there a transaction does.
 */
async function oneMoment(client: MongoClient, db: Db): Promise<Moment> {
  const probe = await db.command({ find: 'migrations', limit: 1, readConcern: { level: 'snapshot' } });
  if ((probe as { cursor: Document }).cursor['atClusterTime'] !== undefined) {
    const session = client.startSession({ snapshot: true });
    return { session, end: () => session.endSession() };
  }
  const session = client.startSession();
  session.startTransaction({ readConcern: { level: 'snapshot' } });
  return {
    session,
    async end() {
      await session.abortTransaction().catch(() => undefined); // nothing was written
      await session.endSession();
    },
  };
}
