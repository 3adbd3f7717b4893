/** Transactions: all or nothing, snapshot isolation, conflicts at once. */
import { MongoServerError, type ClientSession } from 'mongodb';
import { idsOf, useDatabase, type AnyCollection, type AnyDoc } from '../testing/database';

const database = useDatabase();
const sessions: ClientSession[] = [];

/** A session with an open transaction. */
function begin(): ClientSession {
  const session = database.client.startSession();
  session.startTransaction();
  sessions.push(session);
  return session;
}
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.endSession();
});

async function failure(operation: Promise<unknown>): Promise<MongoServerError> {
  const error = await operation.then(() => undefined, (e: unknown) => e); // prettier-ignore
  if (!(error instanceof MongoServerError)) throw new Error(`expected an error of the server, got ${String(error)}`);
  return error;
}

async function expectConflict(operation: Promise<unknown>): Promise<void> {
  const error = await failure(operation);
  expect([error.code, error.hasErrorLabel('TransientTransactionError')]).toEqual([112, true]);
}

const accounts = () => database.collection([{ _id: 'x', n: 50 }, { _id: 'y', n: 50 }]); // prettier-ignore
const stateOf = async (collection: AnyCollection): Promise<AnyDoc> =>
  Object.fromEntries((await collection.find().toArray()).map(({ _id, n }) => [_id, n]));

describe('all or nothing', () => {
  it('a commit shows the writes to two collections; before it nobody outside sees any', async () => {
    const [a, b] = [await accounts(), await database.collection()];
    const session = begin();
    await a.updateOne({ _id: 'x' }, { $inc: { n: -10 } }, { session });
    await b.insertMany([{ _id: 1 }, { _id: 2 }], { session });
    await a.deleteOne({ _id: 'y' }, { session });
    expect([await stateOf(a), await b.countDocuments()]).toEqual([{ x: 50, y: 50 }, 0]);
    expect(await a.findOne({ n: 40 })).toBeNull();
    expect(await a.countDocuments({}, { session })).toBe(1);
    expect(await b.find({}, { session }).toArray()).toHaveLength(2);
    await session.commitTransaction();
    expect([await stateOf(a), await b.countDocuments()]).toEqual([{ x: 40 }, 2]);
  });

  it('an abort leaves nothing, also no collection and no index that the transaction made', async () => {
    const a = await accounts();
    const session = begin();
    await a.updateMany({}, { $set: { n: 0 } }, { session });
    await a.insertOne({ _id: 'z' }, { session });
    const made = database.db.collection(`made by ${a.collectionName}`);
    await made.insertOne({}, { session });
    await session.abortTransaction();
    expect(await stateOf(a)).toEqual({ x: 50, y: 50 });
    expect(await database.db.listCollections({ name: made.collectionName }).toArray()).toEqual([]);
  });

  it('an error in a transaction aborts it: what follows fails with code 251', async () => {
    const a = await accounts();
    const session = begin();
    await a.updateOne({ _id: 'x' }, { $set: { n: 1 } }, { session });
    expect((await failure(a.insertOne({ _id: 'y' }, { session }))).code).toBe(11000);
    expect((await failure(a.findOne({}, { session }))).code).toBe(251);
    expect(await stateOf(a)).toEqual({ x: 50, y: 50 });
  });

  it('a session that ends takes its open transaction along', async () => {
    const a = await accounts();
    const session = begin();
    await a.updateOne({ _id: 'x' }, { $set: { n: 1 } }, { session });
    await session.endSession();
    await a.updateOne({ _id: 'x' }, { $inc: { n: 1 } });
    expect(await stateOf(a)).toEqual({ x: 51, y: 50 });
  });

  it('a commit sent again succeeds again', async () => {
    const a = await accounts();
    const session = begin();
    await a.updateOne({ _id: 'x' }, { $inc: { n: 1 } }, { session });
    await session.commitTransaction();
    await session.commitTransaction();
    expect(await stateOf(a)).toEqual({ x: 51, y: 50 });
  });

  it('a transaction that lives too long is aborted', async () => {
    const admin = database.client.db('admin');
    await admin.command({ setParameter: 1, transactionLifetimeLimitSeconds: 1 });
    const a = await accounts();
    const session = begin();
    await a.updateOne({ _id: 'x' }, { $set: { n: 1 } }, { session });
    // waits for the transaction, which only its end by the limit can satisfy
    await a.updateOne({ _id: 'x' }, { $inc: { n: 1 } });
    expect(await stateOf(a)).toEqual({ x: 51, y: 50 });
    const error = await failure(session.commitTransaction());
    expect([error.code, error.hasErrorLabel('TransientTransactionError')]).toEqual([251, true]);
    await admin.command({ setParameter: 1, transactionLifetimeLimitSeconds: 60 });
  });
});

describe('snapshots', () => {
  it('a transaction sees the state of its first operation, whatever is committed meanwhile', async () => {
    const a = await accounts();
    const session = begin();
    expect(await a.countDocuments({}, { session })).toBe(2);
    await a.updateOne({ _id: 'x' }, { $set: { n: 99 } });
    await a.insertOne({ _id: 'z' });
    await a.deleteOne({ _id: 'y' });
    expect(await a.find({}, { session }).sort({ _id: 1 }).toArray()).toEqual([{ _id: 'x', n: 50 }, { _id: 'y', n: 50 }]); // prettier-ignore
    await session.commitTransaction();
    expect(await idsOf(a, {})).toEqual(['x', 'z']);
  });

  it('indexed lookups in a transaction see the snapshot as well', async () => {
    const a = await accounts();
    await a.createIndex({ n: 1 });
    const session = begin();
    expect(await a.findOne({ n: 50, _id: 'x' }, { session })).not.toBeNull();
    await a.updateMany({}, { $set: { n: 60 } });
    expect(await a.find({ n: 50 }, { session }).toArray()).toHaveLength(2);
    expect(await a.find({ n: 60 }, { session }).toArray()).toEqual([]);
    expect(await a.find({ n: 50 }).toArray()).toEqual([]);
    await session.abortTransaction();
  });

  it('no update is lost: the second writer of a document conflicts', async () => {
    const a = await accounts();
    const [one, two] = [begin(), begin()];
    const read = async (session: ClientSession) => (await a.findOne({ _id: 'x' }, { session })).n as number;
    const [first, second] = [await read(one), await read(two)];
    await a.updateOne({ _id: 'x' }, { $set: { n: first + 1 } }, { session: one });
    await expectConflict(a.updateOne({ _id: 'x' }, { $set: { n: second + 1 } }, { session: two }));
    await one.commitTransaction();
    expect(await stateOf(a)).toEqual({ x: 51, y: 50 });
  });

  it('nor is one that was committed after the snapshot: first committer wins', async () => {
    const a = await accounts();
    const [one, two] = [begin(), begin()];
    expect([await a.findOne({ _id: 'x' }, { session: one }), await a.findOne({ _id: 'x' }, { session: two })]).toHaveLength(2); // prettier-ignore
    await a.updateOne({ _id: 'x' }, { $inc: { n: 1 } }, { session: one });
    await one.commitTransaction();
    await expectConflict(a.updateOne({ _id: 'x' }, { $inc: { n: 1 } }, { session: two }));
    expect(await stateOf(a)).toEqual({ x: 51, y: 50 });
  });

  it('a document deleted, or a unique value taken, by another open transaction conflicts too', async () => {
    const a = await accounts();
    await a.createIndex({ email: 1 }, { unique: true, sparse: true });
    const one = begin();
    await a.deleteOne({ _id: 'x' }, { session: one });
    await a.insertOne({ _id: 'new', email: 'e' }, { session: one });
    await expectConflict(a.updateOne({ _id: 'x' }, { $set: { n: 1 } }, { session: begin() }));
    await expectConflict(a.insertOne({ email: 'e' }, { session: begin() }));
    await expectConflict(a.insertOne({ _id: 'new' }, { session: begin() }));
    await one.commitTransaction();
  });

  it('write skew is possible: two that read both and each write another both commit', async () => {
    const a = await accounts();
    const [one, two] = [begin(), begin()];
    const total = async (session: ClientSession) =>
      (await a.find({}, { session }).toArray()).reduce((sum, { n }) => sum + n, 0) as number;
    expect([await total(one), await total(two)]).toEqual([100, 100]);
    await a.updateOne({ _id: 'x' }, { $inc: { n: -60 } }, { session: one });
    await a.updateOne({ _id: 'y' }, { $inc: { n: -60 } }, { session: two });
    await one.commitTransaction();
    await two.commitTransaction();
    expect(await stateOf(a)).toEqual({ x: -10, y: -10 });
  });

  it('a transaction that only reads never conflicts and blocks nobody', async () => {
    const a = await accounts();
    const reader = begin();
    await a.find({}, { session: reader }).toArray();
    await a.updateMany({}, { $inc: { n: 1 } });
    await reader.commitTransaction();
    expect(await stateOf(a)).toEqual({ x: 51, y: 51 });
  });
});

describe('writers beside transactions', () => {
  it('a plain write to a document of an open transaction waits for its end, and then applies', async () => {
    const a = await accounts();
    const session = begin();
    await a.updateOne({ _id: 'x' }, { $inc: { n: 1 } }, { session });
    let done = false;
    const plain = a.updateOne({ _id: 'x' }, { $mul: { n: 2 } }).then(() => (done = true));
    await a.updateOne({ _id: 'y' }, { $inc: { n: 1 } });
    expect(done).toBe(false);
    expect(await stateOf(a)).toEqual({ x: 50, y: 51 });
    await session.commitTransaction();
    await plain;
    expect(await stateOf(a)).toEqual({ x: 102, y: 51 });
  });

  it('waits for an abort just as well', async () => {
    const a = await accounts();
    const session = begin();
    await a.deleteOne({ _id: 'x' }, { session });
    const plain = a.findOneAndUpdate({ _id: 'x' }, { $inc: { n: 1 } }, { returnDocument: 'after' });
    await session.abortTransaction();
    expect(await plain).toEqual({ _id: 'x', n: 51 });
  });

  it('withTransaction of many at once ends with the right sum', async () => {
    const a = await accounts();
    const transfer = () =>
      database.client.withSession((session) =>
        session.withTransaction(async () => {
          const { n } = await a.findOne({ _id: 'x' }, { session });
          await a.updateOne({ _id: 'x' }, { $set: { n: n - 1 } }, { session });
          await a.updateOne({ _id: 'y' }, { $inc: { n: 1 } }, { session });
        }),
      );
    await Promise.all(Array.from({ length: 20 }, transfer));
    expect(await stateOf(a)).toEqual({ x: 30, y: 70 });
  });
});

describe('what may not be done in a transaction', () => {
  it('is refused with code 263: listing collections', async () => {
    const session = begin();
    const { collectionName } = await accounts();
    const command = database.db.command({ listCollections: 1, filter: { name: collectionName } }, { session });
    expect((await failure(command)).code).toBe(263);
  });

  it('a count command is, countDocuments is not', async () => {
    const a = await accounts();
    expect((await failure(database.db.command({ count: a.collectionName }, { session: begin() }))).code).toBe(263);
    expect(await a.countDocuments({}, { session: begin() })).toBe(2);
  });
});

describe('snapshot sessions', () => {
  it('all reads of one see the time of its first read; what was written since is not there', async () => {
    const collection = await accounts();
    const session = database.client.startSession({ snapshot: true });
    sessions.push(session);
    expect(await collection.countDocuments({}, { session })).toBe(2);
    await collection.updateOne({ _id: 'x' }, { $inc: { n: 1 } });
    await collection.deleteOne({ _id: 'y' });
    await collection.insertOne({ _id: 'z', n: 1 });
    const seen = await collection.find({}, { session }).toArray();
    expect(seen).toEqual([{ _id: 'x', n: 50 }, { _id: 'y', n: 50 }]); // prettier-ignore
    expect(await collection.distinct('n', {}, { session })).toEqual([50]);
    expect(await stateOf(collection)).toEqual({ x: 51, z: 1 });
  });

  it('a write or a listing in one is an error', async () => {
    const collection = await accounts();
    const session = database.client.startSession({ snapshot: true });
    sessions.push(session);
    expect((await failure(collection.insertOne({}, { session }))).code).toBe(72);
    expect((await failure(database.db.listCollections({}, { session }).toArray())).code).toBe(72);
  });
});
