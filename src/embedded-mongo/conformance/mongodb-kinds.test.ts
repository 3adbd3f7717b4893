/** Clustered collections, which lie in the order of their `_id`s, and time series: how they are made and shown, and what they take. */
import { useDatabase, type AnyCollection, type AnyDoc } from '../testing/database';

const database = useDatabase();
const at = (n: number): Date => new Date(Date.UTC(2024, 0, n));
let made = 0;

async function create(options: AnyDoc): Promise<AnyCollection> {
  made += 1;
  return database.db.createCollection(`k${made}`, options);
}
const listed = async (collection: AnyCollection): Promise<AnyDoc> =>
  (await database.db.listCollections({ name: collection.collectionName }).toArray())[0];

describe('a clustered collection', () => {
  const clusteredIndex = { key: { _id: 1 }, unique: true };

  it('tells how it is clustered, and has no other index of the _id', async () => {
    const collection = await create({ clusteredIndex: { ...clusteredIndex, name: 'mine' } });
    const { type, options, idIndex } = await listed(collection);
    expect({ type, options, idIndex }).toEqual({ type: 'collection', options: { clusteredIndex: { v: 2, name: 'mine', ...clusteredIndex } }, idIndex: undefined }); // prettier-ignore
    expect(await collection.indexes()).toEqual([{ v: 2, name: 'mine', ...clusteredIndex, clustered: true }]);
    await collection.createIndex({ _id: 1 });
    expect(await collection.indexes()).toHaveLength(1);
    await expect(collection.dropIndex('mine')).rejects.toMatchObject({ code: 5979800 });
    const other = { createIndexes: collection.collectionName, indexes: [{ key: { a: 1 }, name: 'a_1', clustered: true, unique: true }] }; // prettier-ignore
    await expect(database.db.command(other)).rejects.toMatchObject({ code: 6243700 });
  });

  it('gives its documents in the order of their _ids, and each only once', async () => {
    const collection = await create({ clusteredIndex });
    await collection.insertMany([3, 1, 2, 'a'].map((_id) => ({ _id }) as AnyDoc));
    expect((await collection.find().toArray()).map(({ _id }) => _id)).toEqual([1, 2, 3, 'a']);
    expect((await collection.find().sort({ $natural: -1 }).toArray()).map(({ _id }) => _id)).toEqual(['a', 3, 2, 1]);
    expect(await collection.find({ _id: { $gte: 2 } } as AnyDoc).hint({ _id: 1 }).toArray()).toHaveLength(2); // prettier-ignore
    await expect(collection.insertOne({ _id: 2 } as AnyDoc)).rejects.toMatchObject({ code: 11000, keyPattern: { _id: 1 } }); // prettier-ignore
  });

  it.each([
    ['another key', { clusteredIndex: { key: { a: 1 }, unique: true } }, 197],
    ['none that is unique', { clusteredIndex: { key: { _id: 1 }, unique: false } }, 5979700],
    ['no word on that', { clusteredIndex: { key: { _id: 1 } } }, 40414],
    ['a field that is none', { clusteredIndex: { ...clusteredIndex, x: 1 } }, 40415],
    ['another version', { clusteredIndex: { ...clusteredIndex, v: 12345 } }, 5979704],
    ['a view', { clusteredIndex, viewOn: 'x' }, 6026500],
    ['a size', { clusteredIndex, size: 10 }, 6049200],
    ['the form of old', { clusteredIndex: true }, 5979703],
    ['an expiry below zero', { clusteredIndex, expireAfterSeconds: -1 }, 72],
    ['an expiry of an ordinary one', { expireAfterSeconds: 1 }, 72],
  ])('is not made with %s', async (_what, options, code) => {
    await expect(create(options)).rejects.toMatchObject({ code });
  });
});

describe('a time series', () => {
  const series = (more: AnyDoc = {}) => create({ timeseries: { timeField: 't', metaField: 'm', ...more } });
  const without = { projection: { _id: 0 } };

  it('tells its options, with those that are by default', async () => {
    const collection = await create({ timeseries: { timeField: 't', metaField: 'm' }, expireAfterSeconds: 3600 });
    const { type, options, info } = await listed(collection);
    const timeseries = { timeField: 't', metaField: 'm', granularity: 'seconds', bucketMaxSpanSeconds: 3600 };
    expect({ type, options, info: info.readOnly }).toEqual({ type: 'timeseries', options: { timeseries, expireAfterSeconds: 3600 }, info: false }); // prettier-ignore
    expect(await collection.indexes()).toEqual([{ v: 2, key: { m: 1, t: 1 }, name: 'm_1_t_1' }]);
    await database.db.command({ collMod: collection.collectionName, timeseries: { granularity: 'minutes' } });
    expect((await listed(collection)).options.timeseries).toMatchObject({ granularity: 'minutes', bucketMaxSpanSeconds: 86_400 }); // prettier-ignore
    const back = { collMod: collection.collectionName, timeseries: { granularity: 'seconds' } };
    await expect(database.db.command(back)).rejects.toMatchObject({ code: 72 });
  });

  it('holds measurements, which may have equal _ids, and shows the time and what it is of first', async () => {
    const collection = await series();
    await collection.insertMany([{ x: 1, m: 'a', t: at(1), _id: 7 }, { t: at(2), x: 2, m: 'b', _id: 7 }] as AnyDoc[]); // prettier-ignore
    const found = await collection.find({ _id: 7 } as AnyDoc).sort({ t: 1 }).toArray(); // prettier-ignore
    expect(found.map((doc) => Object.keys(doc))).toEqual([['t', 'm', 'x', '_id'], ['t', 'm', 'x', '_id']]); // prettier-ignore
    expect(await collection.countDocuments({ m: 'a' })).toBe(1);
    expect(await collection.distinct('m')).toEqual(['a', 'b']);
    const sums = [{ $group: { _id: '$m', sum: { $sum: '$x' } } }, { $sort: { _id: 1 } }];
    expect(await collection.aggregate(sums).toArray()).toEqual([{ _id: 'a', sum: 1 }, { _id: 'b', sum: 2 }]); // prettier-ignore
  });

  it.each([[{}], [{ t: 1 }], [{ t: '2024-01-01' }], [{ t: null }]])(
    'does not take %j, which has no time',
    async (doc) => {
      // prettier-ignore
      await expect((await series()).insertOne(doc)).rejects.toMatchObject({ code: 2 });
    },
  );

  it('updates what many measurements are of, and refuses all other updates', async () => {
    const collection = await series();
    await collection.insertMany([1, 2].map((n) => ({ t: at(n), m: { a: n }, x: n })));
    expect(await collection.updateMany({ 'm.a': 2 }, { $set: { 'm.b': 1 } })).toMatchObject({ modifiedCount: 1 });
    expect(await collection.find({ 'm.b': 1 }, without).toArray()).toEqual([{ t: at(2), m: { a: 2, b: 1 }, x: 2 }]);
    const refused = { code: 72 };
    await expect(collection.updateOne({ m: 1 }, { $set: { m: 2 } })).rejects.toMatchObject(refused);
    await expect(collection.updateMany({ x: 1 }, { $set: { m: 2 } })).rejects.toMatchObject(refused);
    await expect(collection.updateMany({ $or: [{ m: 1 }, { x: 1 }] }, { $set: { m: 2 } })).rejects.toMatchObject(refused); // prettier-ignore
    await expect(collection.updateMany({ m: 1 }, { $set: { x: 2 } })).rejects.toMatchObject(refused);
    await expect(collection.updateMany({ m: 1 }, { $set: { m: 2 } }, { upsert: true })).rejects.toMatchObject(refused);
    await expect(collection.updateMany({ m: 1 }, [{ $set: { m: 2 } }])).rejects.toMatchObject(refused);
  });

  it('deletes by any condition, one or many', async () => {
    const collection = await series();
    await collection.insertMany([1, 2, 3, 4].map((x) => ({ t: at(x), m: 1, x })));
    expect(await collection.deleteMany({ x: { $gt: 2 } })).toMatchObject({ deletedCount: 2 });
    expect(await collection.deleteOne({ x: 1 })).toMatchObject({ deletedCount: 1 });
    expect((await collection.find().toArray()).map(({ x }) => x)).toEqual([2]);
  });

  it('is not written to in a transaction, nor renamed', async () => {
    const collection = await series();
    const session = database.client.startSession();
    session.startTransaction();
    await expect(collection.insertOne({ t: at(1) }, { session })).rejects.toMatchObject({ code: 263 });
    await session.endSession();
    await expect(collection.rename('renamed')).rejects.toThrow();
  });

  it('has indexes, though none that is unique', async () => {
    const collection = await series();
    await expect(collection.createIndex({ m: 1 }, { unique: true })).rejects.toMatchObject({ code: 72 });
    await collection.createIndex({ 'm.a': 1, t: -1 });
    expect((await collection.indexes()).map(({ name }) => name).sort()).toEqual(['m.a_1_t_-1', 'm_1_t_1']);
  });

  it.each([
    ['no time', { timeseries: { metaField: 'm' } }, 40414],
    ['a time that is no name', { timeseries: { timeField: 1 } }, 14],
    ['a time inside', { timeseries: { timeField: 'a.t' } }, 72],
    ['one field for both', { timeseries: { timeField: 't', metaField: 't' } }, 72],
    ['the _id as what it is of', { timeseries: { timeField: 't', metaField: '_id' } }, 72],
    ['a granularity that is none', { timeseries: { timeField: 't', granularity: 'days' } }, 2],
    ['a granularity that objects have', { timeseries: { timeField: 't', granularity: 'toString' } }, 2],
    ['another span', { timeseries: { timeField: 't', bucketMaxSpanSeconds: 10 } }, 72],
    ['an option that is none', { timeseries: { timeField: 't', x: 1 } }, 40415],
    ['a cap', { timeseries: { timeField: 't' }, capped: true, size: 100 }, 72],
    ['a validator', { timeseries: { timeField: 't' }, validator: {} }, 72],
    ['a view', { timeseries: { timeField: 't' }, viewOn: 'x' }, 72],
  ])('is not made with %s', async (_what, options, code) => {
    await expect(create(options)).rejects.toMatchObject({ code });
  });
});

it('the options of a storage engine are kept, and those of an unknown one refused', async () => {
  const storageEngine = { wiredTiger: { configString: 'block_compressor=zstd' } };
  expect((await listed(await create({ storageEngine }))).options).toEqual({ storageEngine });
  await expect(create({ storageEngine: { none: {} } })).rejects.toMatchObject({ code: 72 });
});
