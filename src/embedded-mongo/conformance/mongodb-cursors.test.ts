/** Cursors: batches, their end, and answers that are larger than one message. */
import { useDatabase, type AnyDoc } from '../testing/database';

const database = useDatabase();
const numbers = (n: number): AnyDoc[] => Array.from({ length: n }, (_, _id) => ({ _id }));

it('the first batch holds 101 documents unless told otherwise, later ones what is left', async () => {
  const { collectionName } = await database.collection(numbers(250));
  const { cursor } = await database.db.command({ find: collectionName, sort: { _id: 1 } });
  expect(cursor.firstBatch).toHaveLength(101);
  expect(Number(cursor.id)).not.toBe(0);
  const next = await database.db.command({ getMore: cursor.id, collection: collectionName });
  expect(next.cursor.nextBatch.map(({ _id }: AnyDoc) => _id)).toEqual(numbers(250).slice(101).map(({ _id }) => _id)); // prettier-ignore
  expect(Number(next.cursor.id)).toBe(0);
});

it('batches of the size asked for give every document once, in order', async () => {
  const collection = await database.collection(numbers(100));
  const all = await collection.find().sort({ _id: -1 }).batchSize(7).toArray();
  expect(all).toEqual(numbers(100).reverse());
  const piped = await collection
    .aggregate([{ $match: { _id: { $lt: 50 } } }, { $sort: { _id: 1 } }], { batchSize: 3 })
    .toArray();
  expect(piped).toEqual(numbers(50));
});

it('a batch size of 0 opens a cursor and answers with nothing yet', async () => {
  const { collectionName } = await database.collection(numbers(3));
  const { cursor } = await database.db.command({ find: collectionName, batchSize: 0 });
  expect(cursor.firstBatch).toEqual([]);
  const next = await database.db.command({ getMore: cursor.id, collection: collectionName });
  expect(next.cursor.nextBatch).toHaveLength(3);
});

it('a single batch closes the cursor at once', async () => {
  const { collectionName } = await database.collection(numbers(10));
  const { cursor } = await database.db.command({ find: collectionName, batchSize: 2, singleBatch: true });
  expect([cursor.firstBatch.length, Number(cursor.id)]).toEqual([2, 0]);
});

it('a killed cursor is gone: code 43', async () => {
  const { collectionName } = await database.collection(numbers(10));
  const { cursor } = await database.db.command({ find: collectionName, batchSize: 2 });
  const killed = await database.db.command({ killCursors: collectionName, cursors: [cursor.id] });
  expect(killed.cursorsKilled.map(Number)).toEqual([Number(cursor.id)]);
  const getMore = database.db.command({ getMore: cursor.id, collection: collectionName });
  await expect(getMore).rejects.toMatchObject({ code: 43 });
});

it('a cursor that nobody reads expires: code 43', async () => {
  const admin = database.client.db('admin');
  const set = (millis: number, seconds: number) =>
    Promise.all([
      admin.command({ setParameter: 1, cursorTimeoutMillis: millis }),
      admin.command({ setParameter: 1, clientCursorMonitorFrequencySecs: seconds }),
    ]);
  const { collectionName } = await database.collection(numbers(1000));
  await set(100, 1);
  const { cursor } = await database.db.command({ find: collectionName, batchSize: 2 });
  const gone = async (): Promise<AnyDoc> => {
    for (let tries = 0; tries < 100; tries += 1) {
      // longer than the timeout, so that asking does not keep the cursor alive
      await new Promise((resolve) => setTimeout(resolve, 300));
      const failed = await database.db.command({ getMore: cursor.id, collection: collectionName, batchSize: 1 }).then(() => undefined, (error: unknown) => error); // prettier-ignore
      if (failed) return failed;
    }
    return undefined;
  };
  expect(await gone()).toMatchObject({ code: 43 });
  await set(600_000, 4);
});

it('more than 16 MB is answered in several messages, whatever the batch size', async () => {
  const collection = await database.collection();
  const megabyte = 'x'.repeat(1024 * 1024);
  await collection.insertMany(numbers(20).map((doc) => ({ ...doc, megabyte })));
  const ids = (await collection.find().sort({ _id: 1 }).batchSize(1000).toArray()).map((doc) => doc._id);
  expect(ids).toEqual(numbers(20).map(({ _id }) => _id));
  const piped = await collection.aggregate([{ $match: {} }], { batchSize: 1000 }).toArray();
  expect(piped).toHaveLength(20);
  await collection.drop();
});

it('a cursor does not give a document twice when it is updated meanwhile, and survives deletions', async () => {
  const collection = await database.collection(numbers(20));
  const seen: number[] = [];
  for await (const { _id } of collection.find().sort({ _id: 1 }).batchSize(2)) {
    seen.push(_id);
    if (_id === 5) await collection.updateMany({}, { $set: { grown: 'x'.repeat(100) } });
    if (_id === 9) await collection.deleteMany({ _id: { $gte: 15 } });
  }
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen.slice(0, 15)).toEqual(numbers(15).map(({ _id }) => _id));
});

it('a tailable cursor needs a capped collection', async () => {
  const collection = await database.collection(numbers(1));
  await expect(collection.find({}, { tailable: true }).toArray()).rejects.toThrow();
});

it('a batch that is just full leaves the cursor open; an empty one ends it, unless a sort or a limit has told where the end is', async () => {
  const { collectionName } = await database.collection(numbers(4));
  const batches = async (options: AnyDoc): Promise<number[]> => {
    let { cursor } = await database.db.command({ find: collectionName, batchSize: 2, ...options });
    const sizes = [cursor.firstBatch.length];
    while (Number(cursor.id) !== 0) {
      ({ cursor } = await database.db.command({ getMore: cursor.id, collection: collectionName, batchSize: 2 }));
      sizes.push(cursor.nextBatch.length);
    }
    return sizes;
  };
  expect(await batches({})).toEqual([2, 2, 0]);
  expect(await batches({ sort: { x: 1 } })).toEqual([2, 2]);
  expect(await batches({ limit: 4 })).toEqual([2, 2]);
  expect(await batches({ filter: { _id: 1 }, batchSize: 1 })).toEqual([1]);
});

it('min and max are keys of the hinted index, the first one included', async () => {
  const collection = await database.collection([{ _id: 1, a: 1 }, { _id: 2, a: 2 }, { _id: 3, a: 3 }, { _id: 4, a: 2 }]); // prettier-ignore
  await collection.createIndex({ a: 1 });
  const find = (options: AnyDoc) => collection.find({}, options).toArray();
  const ids = (docs: AnyDoc[]): number[] => docs.map(({ _id }) => _id);
  expect(ids(await find({ min: { a: 2 }, max: { a: 3 }, hint: { a: 1 } }))).toEqual([2, 4]);
  expect(ids(await find({ min: { a: 2 }, hint: 'a_1', sort: { _id: -1 } }))).toEqual([4, 3, 2]);
  await expect(find({ max: { a: 3 } })).rejects.toMatchObject({ code: 51173 });
  await expect(find({ min: { b: 3 }, hint: { a: 1 } })).rejects.toMatchObject({ code: 51174 });
  await expect(find({ min: { a: 3 }, max: { a: 3 }, hint: { a: 1 } })).rejects.toMatchObject({ code: 51175 });
});

it('returnKey shows the key of the index that was used, showRecordId the number of the record', async () => {
  const collection = await database.collection([{ _id: 1, a: 5, b: 1 }, { _id: 2, a: 6, b: 1 }]); // prettier-ignore
  await collection.createIndex({ a: 1 });
  expect(await collection.find({ a: 6 }, { returnKey: true }).toArray()).toEqual([{ a: 6 }]);
  expect(await collection.find({ b: 1 }, { returnKey: true }).toArray()).toEqual([{}, {}]);
  const shown = await collection.find({}, { showRecordId: true, projection: { a: 1 } }).toArray();
  expect(shown).toEqual([{ _id: 1, a: 5, $recordId: expect.any(Number) }, { _id: 2, a: 6, $recordId: expect.any(Number) }]); // prettier-ignore
  expect(shown[0].$recordId).toBeLessThan(shown[1].$recordId);
});
