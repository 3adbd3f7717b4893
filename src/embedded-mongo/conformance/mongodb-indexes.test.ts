/** Indexes: what unique ones refuse, how they are made and described, collations, and documents that expire. */
import { idsOf, type AnyCollection, useDatabase, type AnyDoc } from '../testing/database';

const database = useDatabase();
const duplicate = { code: 11000 };
const namesOf = async (collection: AnyCollection): Promise<string[]> => (await collection.indexes()).map(({ name }) => String(name)); // prettier-ignore

describe('unique indexes', () => {
  const unique = async (key: AnyDoc, options: AnyDoc = {}): Promise<AnyCollection> => {
    const collection = await database.collection();
    await collection.createIndex(key, { unique: true, ...options });
    return collection;
  };

  it('of several fields refuse only the same combination', async () => {
    const collection = await unique({ game: 1, name: -1 });
    await collection.insertMany([{ game: 1, name: 'a' }, { game: 1, name: 'b' }, { game: 2, name: 'a' }]); // prettier-ignore
    await expect(collection.insertOne({ game: 2, name: 'a' })).rejects.toMatchObject(duplicate);
    await expect(collection.updateOne({ name: 'b' }, { $set: { name: 'a' } })).rejects.toMatchObject(duplicate);
    expect(await collection.countDocuments({ name: 'b' })).toBe(1);
  });

  it('take a missing field for null', async () => {
    const collection = await unique({ email: 1 });
    await collection.insertOne({});
    await expect(collection.insertOne({ email: null })).rejects.toMatchObject(duplicate);
    await expect(collection.insertOne({})).rejects.toMatchObject(duplicate);
  });

  it('that are sparse let any number lack the field', async () => {
    const collection = await unique({ email: 1 }, { sparse: true });
    await collection.insertMany([{}, {}, { email: 'x' }]);
    await expect(collection.insertOne({ email: 'x' })).rejects.toMatchObject(duplicate);
    expect(await collection.find().sort({ email: 1 }).toArray()).toHaveLength(3);
  });

  it('that are partial hold among the documents of their filter, also for those that come in by an update', async () => {
    const collection = await unique({ player: 1 }, { partialFilterExpression: { open: true } });
    await collection.insertMany([{ _id: 1, player: 'a', open: true }, { _id: 2, player: 'a', open: false }, { _id: 3, player: 'a' }]); // prettier-ignore
    await expect(collection.insertOne({ player: 'a', open: true })).rejects.toMatchObject(duplicate);
    await expect(collection.updateOne({ _id: 2 }, { $set: { open: true } })).rejects.toMatchObject(duplicate);
    await collection.updateOne({ _id: 1 }, { $set: { open: false } });
    await collection.updateOne({ _id: 2 }, { $set: { open: true } });
    expect(await collection.countDocuments({ player: 'a' })).toBe(3);
  });

  it('over arrays hold between documents, and not within one', async () => {
    const collection = await unique({ tags: 1 });
    await collection.insertOne({ _id: 1, tags: ['a', 'a', 'b'] });
    await expect(collection.insertOne({ tags: ['c', 'b'] })).rejects.toMatchObject(duplicate);
    await collection.insertOne({ _id: 2, tags: ['c'] });
    await expect(collection.updateOne({ _id: 2 }, { $push: { tags: 'a' } } as AnyDoc)).rejects.toMatchObject(duplicate);
    expect(await collection.findOne({ tags: 'c' })).toEqual({ _id: 2, tags: ['c'] });
  });

  it('say what was duplicate: text, keyPattern and keyValue', async () => {
    const collection = await unique({ email: 1, n: 1 });
    const index = `index: email_1_n_1 dup key: { email: "a@x", n: 1 }`;
    await collection.insertOne({ email: 'a@x', n: 1 });
    await expect(collection.insertOne({ email: 'a@x', n: 1 })).rejects.toMatchObject({
      code: 11000,
      message: `E11000 duplicate key error collection: ${collection.namespace} ${index}`,
      keyPattern: { email: 1, n: 1 },
      keyValue: { email: 'a@x', n: 1 },
    });
    await expect(collection.findOneAndUpdate({ n: 2 }, { $set: { email: 'a@x', n: 1 } }, { upsert: true })).rejects.toMatchObject({ code: 11000, keyValue: { email: 'a@x', n: 1 } }); // prettier-ignore
  });

  it('are not made over duplicates: the build fails and leaves no index', async () => {
    const collection = await database.collection([{ a: 1 }, { a: 1 }]);
    await expect(collection.createIndex({ a: 1 }, { unique: true })).rejects.toMatchObject(duplicate);
    expect(await namesOf(collection)).toEqual(['_id_']);
    await collection.insertOne({ a: 1 });
  });

  it('free a value when its document goes', async () => {
    const collection = await unique({ a: 1 });
    await collection.insertOne({ _id: 1, a: 1 });
    await collection.deleteOne({ _id: 1 });
    await collection.insertOne({ _id: 2, a: 1 });
    await collection.replaceOne({ _id: 2 }, { a: 2 });
    await collection.insertOne({ _id: 3, a: 1 });
    expect(await collection.countDocuments()).toBe(2);
  });

  it('let one of many concurrent inserts win', async () => {
    const collection = await unique({ name: 1 });
    const inserts = await Promise.allSettled(Array.from({ length: 20 }, () => collection.insertOne({ name: 'x' })));
    expect(inserts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('making and describing indexes', () => {
  it('lists key, name, version and options of each', async () => {
    const collection = await database.collection();
    const created = await collection.createIndexes([
      { key: { a: 1, 'b.c': -1 }, unique: true },
      { key: { at: 1 }, expireAfterSeconds: 60, name: 'expiry' },
      { key: { p: 1 }, sparse: true },
      { key: { q: 1 }, partialFilterExpression: { q: { $gt: 5 } } },
    ]);
    expect(created).toEqual(['a_1_b.c_-1', 'expiry', 'p_1', 'q_1']);
    expect(await collection.indexes()).toEqual([
      { v: 2, key: { _id: 1 }, name: '_id_' },
      { v: 2, key: { a: 1, 'b.c': -1 }, name: 'a_1_b.c_-1', unique: true },
      { v: 2, key: { at: 1 }, name: 'expiry', expireAfterSeconds: 60 },
      { v: 2, key: { p: 1 }, name: 'p_1', sparse: true },
      { v: 2, key: { q: 1 }, name: 'q_1', partialFilterExpression: { q: { $gt: 5 } } },
    ]);
  });

  it('makes the same index twice without complaint, and without a second one', async () => {
    const collection = await database.collection();
    await collection.createIndex({ a: 1 }, { unique: true });
    await collection.createIndex({ a: 1 }, { unique: true });
    expect(await namesOf(collection)).toEqual(['_id_', 'a_1']);
  });

  it('refuses the same key under another name (85), and the same name for another key (86)', async () => {
    const collection = await database.collection();
    await collection.createIndex({ a: 1 }, { name: 'first' });
    await expect(collection.createIndex({ a: 1 }, { name: 'second' })).rejects.toMatchObject({ code: 85 });
    await expect(collection.createIndex({ b: 1 }, { name: 'first' })).rejects.toMatchObject({ code: 86 });
    expect(await namesOf(collection)).toEqual(['_id_', 'first']);
  });

  it('refuses keys that mean nothing with code 67, and two arrays in one key with 171', async () => {
    const collection = await database.collection();
    for (const value of [0, 'nope', {}]) await expect(collection.createIndex({ a: value as 1 })).rejects.toMatchObject({ code: 67 }); // prettier-ignore
    await collection.createIndex({ a: 1, b: 1 });
    await expect(collection.insertOne({ a: [1], b: [1] })).rejects.toMatchObject({ code: 171 });
    await collection.insertOne({ a: [1], b: 1 });
  });

  it('drops by name, by key, or all but the one of the _id', async () => {
    const collection = await database.collection();
    await collection.createIndexes([{ key: { a: 1 } }, { key: { b: 1 } }, { key: { c: 1 } }]);
    await collection.dropIndex('a_1');
    await expect(collection.dropIndex('a_1')).rejects.toMatchObject({ code: 27 });
    await expect(collection.dropIndex('_id_')).rejects.toMatchObject({ code: 72 });
    await collection.dropIndexes();
    expect(await namesOf(collection)).toEqual(['_id_']);
  });

  it('lists none of a missing collection: code 26', async () => {
    await expect(database.db.collection('never made').indexes()).rejects.toMatchObject({ code: 26 });
  });

  it('refuses a hint that names no index with code 2', async () => {
    const collection = await database.collection([{ a: 1 }]);
    await expect(collection.find().hint('nope_1').toArray()).rejects.toMatchObject({ code: 2 });
    await collection.createIndex({ a: 1 });
    expect(await collection.find({ a: 1 }).hint('a_1').toArray()).toHaveLength(1);
    expect(await collection.find({ a: 1 }).hint({ a: 1 }).toArray()).toHaveLength(1);
  });
});

describe('explain', () => {
  const stagesOf = (plan: AnyDoc): string[] => (plan ? [plan.stage, ...stagesOf(plan.inputStage)] : []);
  it.each<[string, AnyDoc, boolean]>([
    ['equality on the first field of an index', { a: 1 }, true],
    ['$in on it', { a: { $in: [1, 2] } }, true],
    ['equality, and a range on the next field', { a: 1, b: { $gt: 3 } }, true],
    ['a range on the first field', { a: { $gte: 3 } }, true],
    ['a condition on the second field alone', { b: 1 }, false],
    ['a range for one element of an array', { a: { $elemMatch: { $gte: 3, $lt: 5 } } }, true],
    ['no condition', {}, false],
  ])('tells an index from a scan: %s', async (_rule, filter, indexed) => {
    const collection = await database.collection([{ a: 1, b: 1 }]);
    await collection.createIndex({ a: 1, b: 1 });
    const { queryPlanner } = await collection.find(filter).explain('queryPlanner');
    const plan = queryPlanner.winningPlan.queryPlan ?? queryPlanner.winningPlan;
    expect(stagesOf(plan).at(-1)).toBe(indexed ? 'IXSCAN' : 'COLLSCAN');
  });
});

describe('the directions of an index', () => {
  const rows = [1, 2].flatMap((a) => ['x', 'y', 'y\0'].map((b, i) => ({ _id: `${a}${i}`, a, b })));
  const orderOf = (found: AnyDoc[]): string[] => found.map(({ _id }) => String(_id));
  let collection: AnyCollection;
  beforeAll(async () => {
    collection = await database.collection(rows);
    await collection.createIndex({ a: -1, b: 1 });
  });

  it.each<[AnyDoc, boolean, string[]]>([
    [{ a: -1, b: 1 }, true, ['20', '21', '22', '10', '11', '12']],
    [{ a: 1, b: -1 }, true, ['12', '11', '10', '22', '21', '20']],
    [{ a: 1, b: 1 }, false, ['10', '11', '12', '20', '21', '22']],
  ])('give the order %j or need a sort', async (sort, indexed, expected) => {
    expect(orderOf(await collection.find().sort(sort).toArray())).toEqual(expected);
    expect(orderOf(await collection.find().sort(sort).limit(2).toArray())).toEqual(expected.slice(0, 2));
    const { queryPlanner } = await collection.find().sort(sort).explain('queryPlanner');
    expect(JSON.stringify(queryPlanner.winningPlan).includes('SORT')).toBe(!indexed);
  });

  it.each<[AnyDoc, string[]]>([
    [{ a: { $gt: 1 } }, ['20', '21', '22']],
    [{ a: { $gte: 1, $lt: 2 } }, ['10', '11', '12']],
    [{ a: { $lte: 2 }, b: 'x' }, ['20', '10']],
    [{ a: { $in: [1, 2] }, b: { $gt: 'x', $lte: 'y' } }, ['21', '11']],
  ])('are the order of what is found without a sort, too: %j', async (filter, expected) => {
    expect(orderOf(await collection.find(filter).hint('a_-1_b_1').toArray())).toEqual(expected);
  });
});

describe('collations', () => {
  const caseless = { locale: 'en', strength: 2 };

  it('of strength 2 make a unique index and its lookups blind for case', async () => {
    const collection = await database.collection([{ _id: 1, name: 'Ada' }]);
    await collection.createIndex({ name: 1 }, { unique: true, collation: caseless });
    await expect(collection.insertOne({ name: 'ADA' })).rejects.toMatchObject(duplicate);
    await collection.insertOne({ _id: 2, name: 'Adá' });
    expect(await collection.findOne({ name: 'aDA' }, { collation: caseless })).toEqual({ _id: 1, name: 'Ada' });
    expect(await collection.findOne({ name: { $in: ['ADÁ'] } }, { collation: caseless })).toEqual({
      _id: 2,
      name: 'Adá',
    });
    expect(await collection.findOne({ name: 'aDA' })).toBeNull();
  });

  it('hold for updates, deletes, distinct and sorting where they are given', async () => {
    const collection = await database.collection(['b', 'A', 'a', 'C'].map((s, _id) => ({ _id, s })));
    expect((await collection.updateMany({ s: 'a' }, { $set: { t: 1 } }, { collation: caseless })).modifiedCount).toBe(
      2,
    );
    const sorted = await collection.find().sort({ s: 1, _id: 1 }).collation(caseless).toArray();
    expect(sorted.map(({ s }) => s)).toEqual(['A', 'a', 'b', 'C']);
    expect(await collection.distinct('s', {}, { collation: caseless })).toHaveLength(3);
    expect((await collection.deleteMany({ s: 'c' }, { collation: caseless })).deletedCount).toBe(1);
  });

  it('of one index and no collation are two different indexes', async () => {
    const collection = await database.collection();
    await collection.createIndex({ s: 1 });
    await collection.createIndex({ s: 1 }, { name: 'caseless', collation: caseless });
    const [, plain, folded] = await collection.indexes();
    expect([plain?.collation, folded?.collation]).toEqual([undefined, expect.objectContaining(caseless)]);
  });
});

describe('documents that expire', () => {
  const parameter = async (seconds: number) => {
    await database.client.db('admin').command({ setParameter: 1, ttlMonitorSleepSecs: seconds });
  };
  const past = (seconds: number) => new Date(Date.now() - seconds * 1000);

  it('go by a date that is old enough, the oldest of an array, within the partial filter; others stay', async () => {
    await parameter(1);
    const collection = await database.collection([
      { _id: 'old', at: past(100) },
      { _id: 'young', at: past(5) },
      { _id: 'oldest counts', at: [new Date(), past(100)] },
      { _id: 'no date', at: 'yesterday' },
      { _id: 'number', at: 1 },
      { _id: 'no field' },
      { _id: 'in an object', at: { date: past(100) } },
    ]);
    const partial = await database.collection([{ _id: 'done', at: past(100), done: true }, { _id: 'open', at: past(100) }]); // prettier-ignore
    await partial.createIndex({ at: -1 }, { expireAfterSeconds: 0, partialFilterExpression: { done: true } });
    await collection.createIndex({ at: 1 }, { expireAfterSeconds: 60 });
    const left = async (of: AnyCollection) => (await of.distinct('_id')).sort();
    const deadline = Date.now() + 15_000;
    while ((await collection.countDocuments()) > 5 || (await partial.countDocuments()) > 1) {
      if (Date.now() > deadline) throw new Error(`still there: ${String(await left(collection))} ${String(await left(partial))}`); // prettier-ignore
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await parameter(60);
    expect(await left(collection)).toEqual(['in an object', 'no date', 'no field', 'number', 'young']);
    expect(await left(partial)).toEqual(['open']);
  });

  it('go from clustered collections by their _id, and from time series by their time', async () => {
    await parameter(1);
    const clusteredIndex = { key: { _id: 1 }, unique: true };
    const clustered: AnyCollection = await database.db.createCollection('by_id', { clusteredIndex, expireAfterSeconds: 60 }); // prettier-ignore
    const series = await database.db.createCollection('by_time', { timeseries: { timeField: 't' }, expireAfterSeconds: 60 }); // prettier-ignore
    await clustered.insertMany([past(100), past(5), 'none'].map((_id) => ({ _id })));
    await series.insertMany([past(1e8), past(5)].map((t, n) => ({ t, n })));
    const deadline = Date.now() + 15_000;
    while ((await clustered.countDocuments()) > 2 || (await series.countDocuments()) > 1) {
      if (Date.now() > deadline) throw new Error('still there');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await parameter(60);
    expect(await clustered.countDocuments({ _id: 'none' })).toBe(1);
    expect(await series.distinct('n')).toEqual([1]);
  });
});

describe('other kinds of index', () => {
  it('a hashed one finds by equality, and takes no arrays', async () => {
    const collection = await database.collection([{ _id: 1, a: 5 }, { _id: 2, a: 6 }]); // prettier-ignore
    await collection.createIndex({ a: 'hashed' });
    expect(await idsOf(collection, { a: 5 })).toEqual([1]);
    expect(await idsOf(collection, { a: { $gt: 5 } })).toEqual([2]);
    expect(JSON.stringify((await collection.find({ a: 5 }).explain()).queryPlanner.winningPlan)).toContain('IXSCAN');
    expect(JSON.stringify((await collection.find({ a: { $gt: 5 } }).explain()).queryPlanner.winningPlan)).toContain('COLLSCAN'); // prettier-ignore
    await expect(collection.insertOne({ _id: 3, a: [1] })).rejects.toMatchObject({ code: 16766 });
    await expect(collection.createIndex({ b: 'hashed' }, { unique: true })).rejects.toMatchObject({ code: 16764 });
  });

  it('those of text and of the flat have no collation', async () => {
    const collection = await database.db.createCollection('collated', { collation: { locale: 'en' } });
    await expect(collection.createIndex({ t: 'text' })).rejects.toMatchObject({ code: 67 });
    await expect(collection.createIndex({ at: '2d' })).rejects.toMatchObject({ code: 67 });
    await collection.createIndex({ t: 'text' }, { collation: { locale: 'simple' } });
    expect(await collection.indexes()).toHaveLength(2);
  });

  it('a wildcard one is kept, shown and dropped', async () => {
    const collection = await database.collection([{ _id: 1, a: { b: 5 } }]);
    await collection.createIndex({ '$**': 1 }, { wildcardProjection: { a: 1 } });
    await collection.createIndex({ 'a.$**': 1 });
    const [, all, below] = await collection.indexes();
    expect(all).toMatchObject({ key: { '$**': 1 }, wildcardProjection: { a: 1 } });
    expect(below).toMatchObject({ key: { 'a.$**': 1 }, name: 'a.$**_1' });
    expect(await idsOf(collection, { 'a.b': 5 })).toEqual([1]);
    await collection.dropIndex('$**_1');
    expect(await collection.indexes()).toHaveLength(2);
  });

  it('a 2d one measures on the flat', async () => {
    const collection = await database.collection([{ _id: 1, at: [3, 4] }, { _id: 2, at: { x: 0, y: 1 } }, { _id: 3 }]); // prettier-ignore
    await collection.createIndex({ at: '2d' }, { bits: 20 });
    expect((await collection.indexes())[1]).toMatchObject({ key: { at: '2d' }, bits: 20 });
    const near = await collection.find({ at: { $near: [0, 0] } }).toArray();
    expect(near.map(({ _id }) => _id)).toEqual([2, 1]);
    expect(await collection.find({ at: { $near: [0, 0], $maxDistance: 2 } }).toArray()).toHaveLength(1);
    const [, far] = await collection.aggregate([{ $geoNear: { near: [0, 0], distanceField: 'd' } }]).toArray();
    expect(far).toMatchObject({ _id: 1, d: 5 });
    await expect(collection.insertOne({ _id: 4, at: [200, 0] })).rejects.toMatchObject({ code: 13027 });
    await expect(collection.insertOne({ _id: 4, at: 'x' })).rejects.toMatchObject({ code: 13654 });
    const wide = await database.collection([{ _id: 1, at: [900, 0] }]);
    await wide.createIndex({ at: '2d' }, { min: -1000, max: 1000 });
    await expect(wide.insertOne({ _id: 2, at: [0, 1001] })).rejects.toMatchObject({ code: 13027 });
  });
});
