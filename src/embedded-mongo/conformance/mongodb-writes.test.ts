/** Inserting, upserting, finding and modifying, deleting; many at once; and what is said of failures. */
import { MongoBulkWriteError, MongoClient, ObjectId } from 'mongodb';
import { idsOf, useDatabase, type AnyDoc } from '../testing/database';

const database = useDatabase();

describe('upserts', () => {
  it('start from the equalities of the filter, apply the update, and report the new _id', async () => {
    const collection = await database.collection();
    const filter = {
      key: 'x',
      'at.place': { $eq: 'here' },
      $and: [{ kind: 1 }],
      age: { $gt: 3 },
      any: { $in: [1, 2] },
    };
    const update = { $inc: { n: 1 }, $setOnInsert: { made: true } };
    const first = await collection.updateOne(filter, update, { upsert: true });
    expect(first).toMatchObject({ matchedCount: 0, modifiedCount: 0, upsertedCount: 1 });
    expect(first.upsertedId).toBeInstanceOf(ObjectId);
    const doc = { _id: first.upsertedId, key: 'x', at: { place: 'here' }, kind: 1, n: 1, made: true };
    expect(await collection.findOne()).toEqual(doc);
  });

  it('ignore $setOnInsert where a document was found', async () => {
    const collection = await database.collection([{ _id: 1, n: 1 }]);
    const result = await collection.updateOne(
      { _id: 1 },
      { $inc: { n: 1 }, $setOnInsert: { made: true } },
      { upsert: true },
    );
    expect(result).toMatchObject({ matchedCount: 1, modifiedCount: 1, upsertedCount: 0, upsertedId: null });
    expect(await collection.findOne()).toEqual({ _id: 1, n: 2 });
  });

  it('by a replacement take the _id of the filter', async () => {
    const collection = await database.collection();
    const { upsertedId } = await collection.replaceOne({ _id: 5, gone: 1 }, { a: 1 }, { upsert: true });
    expect([upsertedId, await collection.findOne()]).toEqual([5, { _id: 5, a: 1 }]);
  });

  it('with two values for one field fail with code 54', async () => {
    const collection = await database.collection();
    const update = collection.updateOne({ $and: [{ a: 1 }, { a: 2 }] }, { $set: { b: 1 } }, { upsert: true });
    await expect(update).rejects.toMatchObject({ code: 54 });
  });

  it('twenty at once on a unique field make one document', async () => {
    const collection = await database.collection();
    await collection.createIndex({ key: 1 }, { unique: true });
    const upsert = () => collection.updateOne({ key: 'x' }, { $inc: { n: 1 } }, { upsert: true });
    const results = await Promise.all(Array.from({ length: 20 }, upsert));
    expect(results.filter(({ upsertedCount }) => upsertedCount === 1)).toHaveLength(1);
    expect(await collection.find().toArray()).toMatchObject([{ key: 'x', n: 20 }]);
  });
});

describe('find and modify', () => {
  const docs = [{ _id: 1, n: 1, g: 'a' }, { _id: 2, n: 5, g: 'a' }, { _id: 3, n: 3, g: 'b' }]; // prettier-ignore

  it('answers with the document before, or after, as asked', async () => {
    const collection = await database.collection(docs);
    const inc = { $inc: { n: 1 } };
    expect(await collection.findOneAndUpdate({ _id: 1 }, inc)).toEqual({ _id: 1, n: 1, g: 'a' });
    expect(await collection.findOneAndUpdate({ _id: 1 }, inc, { returnDocument: 'after' })).toEqual({ _id: 1, n: 3, g: 'a' }); // prettier-ignore
    expect(await collection.findOneAndUpdate({ _id: 9 }, inc)).toBeNull();
  });

  it('takes the first in the order of `sort`, and projects', async () => {
    const collection = await database.collection(docs);
    const options = { sort: { n: -1 }, projection: { n: 1, _id: 0 } } as const;
    expect(await collection.findOneAndUpdate({ g: 'a' }, { $set: { g: 'c' } }, options)).toEqual({ n: 5 });
    expect(await collection.findOneAndDelete({}, { sort: { n: 1 } })).toEqual({ _id: 1, n: 1, g: 'a' });
    expect(await idsOf(collection, {})).toEqual([2, 3]);
  });

  it('upserts, with nothing before and the new document after', async () => {
    const collection = await database.collection();
    const upsert = { upsert: true, includeResultMetadata: true } as const;
    const before = await collection.findOneAndUpdate({ _id: 1 }, { $set: { a: 1 } }, upsert);
    expect(before).toMatchObject({ value: null, lastErrorObject: { n: 1, updatedExisting: false, upserted: 1 } });
    const after = await collection.findOneAndReplace({ _id: 2 }, { b: 1 }, { upsert: true, returnDocument: 'after' });
    expect(after).toEqual({ _id: 2, b: 1 });
  });

  it('gives each of fifty concurrent callers a number of its own', async () => {
    const collection = await database.collection([{ _id: 'counter', n: 0 }]);
    const next = () => collection.findOneAndUpdate({ _id: 'counter' }, { $inc: { n: 1 } }, { returnDocument: 'after' });
    const numbers = await Promise.all(Array.from({ length: 50 }, async () => (await next()).n));
    expect(new Set(numbers).size).toBe(50);
  });
});

describe('many writes at once', () => {
  const failing = async (write: Promise<unknown>): Promise<MongoBulkWriteError> => {
    const error = await write.then(() => undefined, (e: unknown) => e); // prettier-ignore
    if (!(error instanceof MongoBulkWriteError)) throw new Error('expected a MongoBulkWriteError');
    return error;
  };
  const errorsOf = (error: MongoBulkWriteError): AnyDoc =>
    [error.writeErrors].flat().map(({ index, code }) => [index, code]);
  const docs = [{ _id: 1 }, { _id: 1, again: true }, { _id: 2 }, { _id: 2, again: true }];

  it('in order stop at the first error and keep what came before', async () => {
    const collection = await database.collection();
    const error = await failing(collection.insertMany(docs));
    expect([error.insertedCount, errorsOf(error)]).toEqual([1, [[1, 11000]]]);
    expect(await idsOf(collection, {})).toEqual([1]);
  });

  it('without order do all that can be done and report every error', async () => {
    const collection = await database.collection();
    const error = await failing(collection.insertMany(docs, { ordered: false }));
    expect([error.insertedCount, errorsOf(error)]).toEqual([2, [[1, 11000], [3, 11000]]]); // prettier-ignore
    expect(await collection.find().sort({ _id: 1 }).toArray()).toEqual([{ _id: 1 }, { _id: 2 }]);
  });

  it('of different kinds report the counts of each', async () => {
    const collection = await database.collection([{ _id: 1, n: 1 }, { _id: 2, n: 1 }, { _id: 3, n: 1 }]); // prettier-ignore
    const result = await collection.bulkWrite([
      { insertOne: { document: { _id: 4 } } },
      { updateMany: { filter: { n: 1 }, update: { $set: { n: 2 } } } },
      { updateOne: { filter: { _id: 9 }, update: { $set: { n: 9 } }, upsert: true } },
      { replaceOne: { filter: { _id: 1 }, replacement: { m: 1 } } },
      { deleteOne: { filter: { n: 2 } } },
      { deleteMany: { filter: { n: { $exists: false } } } },
    ]);
    expect(result).toMatchObject({
      insertedCount: 1,
      matchedCount: 4,
      modifiedCount: 4,
      upsertedCount: 1,
      deletedCount: 3,
    });
    expect(result.upsertedIds).toEqual({ 2: 9 });
    expect(await collection.find().sort({ _id: 1 }).toArray()).toEqual([{ _id: 3, n: 2 }, { _id: 9, n: 9 }]); // prettier-ignore
  });

  it('are taken by the thousand', async () => {
    const collection = await database.collection();
    const { insertedCount } = await collection.insertMany(Array.from({ length: 5000 }, (_, _id) => ({ _id })));
    expect(insertedCount).toBe(5000);
    expect((await collection.deleteMany({ _id: { $gte: 10 } })).deletedCount).toBe(4990);
  });
});

it('a document with a $ at the start of a field is kept below the top; an _id may be no array, pattern or $ object', async () => {
  const collection = await database.collection();
  for (const _id of [[1], /a/, { $a: 1 }]) await expect(collection.insertOne({ _id })).rejects.toThrow();
  await collection.insertOne({ _id: 1, 'price.each': 2 });
  expect(await collection.findOne()).toEqual({ _id: 1, 'price.each': 2 });
});

it('a write concern that the set cannot meet is an error', async () => {
  const collection = await database.collection();
  await expect(collection.insertOne({ _id: 1 }, { writeConcern: { w: 10 } })).rejects.toMatchObject({ code: 100 });
});

it('a retried write is not done twice: the same txnNumber answers as before', async () => {
  const collection = await database.collection([{ _id: 1, n: 0 }]);
  // a client of its own, whose session no other write has used
  const client = await MongoClient.connect(database.uri);
  const session = client.startSession();
  const command = {
    update: collection.collectionName,
    updates: [{ q: { _id: 1 }, u: { $inc: { n: 1 } } }],
    txnNumber: 5n,
  };
  const send = () => client.db(database.db.databaseName).command({ ...command }, { session });
  expect(await send()).toMatchObject({ n: 1, nModified: 1 });
  expect(await send()).toMatchObject({ n: 1, nModified: 1 });
  await client.close();
  expect(await collection.findOne()).toEqual({ _id: 1, n: 1 });
});

it('a collection is created once, dropped with its documents, and known to listCollections meanwhile', async () => {
  const { db } = database;
  await db.createCollection('made');
  await expect(db.createCollection('made', { collation: { locale: 'en' } })).rejects.toMatchObject({ code: 48 });
  await db.collection('implied').insertOne({});
  const names = async () => (await db.listCollections({ name: { $in: ['made', 'implied'] } }, { nameOnly: true }).toArray()).map(({ name }) => name); // prettier-ignore
  expect((await names()).sort()).toEqual(['implied', 'made']);
  expect((await database.client.db().admin().listDatabases()).databases.map(({ name }) => name)).toContain(
    db.databaseName,
  );
  await db.dropCollection('implied');
  expect(await names()).toEqual(['made']);
  expect(await db.collection('implied').countDocuments()).toBe(0);
});

it('the texts of errors tell where they come from', async () => {
  const collection = await database.collection([{ _id: 1, s: 'x' }]);
  await collection.createIndex({ s: 1 }, { unique: true });
  await collection.insertOne({ _id: 2, s: 'y' });
  const caused = 'Plan executor error during findAndModify :: caused by :: ';
  await expect(collection.findOneAndUpdate({ _id: 1 }, { $inc: { s: 1 } })).rejects.toThrow(`${caused}Cannot apply $inc`); // prettier-ignore
  await expect(collection.findOneAndUpdate({ _id: 1 }, { $set: { s: 'y' } })).rejects.toMatchObject({ code: 11000, keyValue: { s: 'y' }, message: expect.stringContaining(`${caused}E11000`) }); // prettier-ignore
  await expect(collection.replaceOne({ _id: 1 }, { _id: 9 })).rejects.toThrow("After applying the update, the (immutable) field '_id' was found to have been altered to _id: 9"); // prettier-ignore
  await expect(collection.updateOne({ _id: 1 }, { $set: { _id: 9 } })).rejects.toThrow("Performing an update on the path '_id' would modify the immutable field '_id'"); // prettier-ignore
});
