/** Capped collections, and the tailable cursors that follow them. */
import { useDatabase, type AnyCollection, type AnyDoc } from '../testing/database';

const database = useDatabase();
let made = 0;
const capped = (options: AnyDoc): Promise<AnyCollection> =>
  database.db.createCollection(`capped${(made += 1)}`, { capped: true, size: 4096, ...options });
const ids = async (collection: AnyCollection): Promise<number[]> =>
  (await collection.find().toArray()).map((doc: AnyDoc) => doc._id);

it('the oldest documents make room for new ones, by number and by size', async () => {
  const byCount = await capped({ max: 3 });
  await byCount.insertMany([1, 2, 3, 4, 5].map((_id) => ({ _id })));
  expect(await ids(byCount)).toEqual([3, 4, 5]);
  const bySize = await capped({});
  for (let _id = 0; _id < 8; _id += 1) await bySize.insertOne({ _id, text: 'x'.repeat(1000) });
  expect(await ids(bySize)).toEqual([5, 6, 7]);
});

it('the size is at least 4096 and a multiple of 256, and the options are listed', async () => {
  const { collectionName } = await capped({ size: 5000, max: 10 });
  const [listed] = await database.db.listCollections({ name: collectionName }).toArray();
  expect((listed as AnyDoc).options).toEqual({ capped: true, size: 5120, max: 10 });
  const small = await capped({ size: 1 });
  expect((await small.options()).size).toBe(4096);
});

it('a size belongs to capped collections, and they need one', async () => {
  await expect(database.db.command({ create: 'x1', capped: true })).rejects.toMatchObject({ code: 72 });
  await expect(database.db.command({ create: 'x2', size: 4096 })).rejects.toMatchObject({ code: 72 });
});

it('an update may not change the size of a document', async () => {
  const collection = await capped({});
  await collection.insertOne({ _id: 1, n: 1, text: 'a' });
  await collection.updateOne({ _id: 1 }, { $set: { n: 2 } });
  await expect(collection.updateOne({ _id: 1 }, { $set: { text: 'longer' } })).rejects.toMatchObject({ code: 10003 });
});

it('transactions may not write to one', async () => {
  const collection = await capped({});
  await collection.insertOne({ _id: 1 });
  await database.client.withSession(async (session) => {
    session.startTransaction();
    await expect(collection.insertOne({ _id: 2 }, { session })).rejects.toMatchObject({ code: 263 });
  });
});

it('a tailable cursor gives what is there, and then what comes', async () => {
  const collection = await capped({});
  await collection.insertMany([{ _id: 1 }, { _id: 2 }]);
  const cursor = collection.find({}, { tailable: true, awaitData: true });
  expect([await cursor.next(), await cursor.next()]).toEqual([{ _id: 1 }, { _id: 2 }]);
  const next = cursor.next();
  await collection.insertOne({ _id: 3 });
  expect(await next).toEqual({ _id: 3 });
  await cursor.close();
});

it('a tailable cursor gives only what its filter takes', async () => {
  const collection = await capped({});
  await collection.insertOne({ _id: 1, kind: 'other' });
  const cursor = collection.find({ kind: 'wanted' }, { tailable: true, awaitData: true });
  const next = cursor.next();
  await collection.insertMany([
    { _id: 2, kind: 'other' },
    { _id: 3, kind: 'wanted' },
  ]);
  expect(await next).toEqual({ _id: 3, kind: 'wanted' });
  await cursor.close();
});

it('on an empty collection a tailable cursor is closed at once; one that does not wait answers with nothing', async () => {
  const collection = await capped({});
  const find = { find: collection.collectionName, tailable: true };
  expect(Number((await database.db.command(find)).cursor.id)).toBe(0);
  await collection.insertOne({ _id: 1 });
  const { cursor } = await database.db.command(find);
  const more = await database.db.command({ getMore: cursor.id, collection: collection.collectionName });
  expect([more.cursor.nextBatch, more.cursor.id.toString()]).toEqual([[], cursor.id.toString()]);
});

it('a tailable cursor whose place was overwritten fails: code 136', async () => {
  const collection = await capped({ max: 2 });
  await collection.insertMany([{ _id: 1 }, { _id: 2 }]);
  const { cursor } = await database.db.command({ find: collection.collectionName, tailable: true });
  await collection.insertMany([{ _id: 3 }, { _id: 4 }, { _id: 5 }]);
  const more = database.db.command({ getMore: cursor.id, collection: collection.collectionName });
  await expect(more).rejects.toMatchObject({ code: 136 });
});
