/** Views: reading through them, upon each other, and what they refuse. */
import { useDatabase, type AnyCollection, type AnyDoc } from '../testing/database';

const database = useDatabase();
let made = 0;

async function view(docs: AnyDoc[], pipeline: AnyDoc[]): Promise<{ base: AnyCollection; shown: AnyCollection }> {
  const base = await database.collection(docs);
  const shown = await database.db.createCollection(`view${(made += 1)}`, { viewOn: base.collectionName, pipeline });
  return { base, shown };
}
const PEOPLE = [
  { _id: 1, name: 'ann', age: 30 },
  { _id: 2, name: 'bob', age: 15 },
  { _id: 3, name: 'cem', age: 50 },
];
const ADULTS = [{ $match: { age: { $gte: 18 } } }, { $project: { name: 1 } }];

it('find, count, distinct and aggregate see what the pipeline makes of the collection', async () => {
  const { base, shown } = await view(PEOPLE, ADULTS);
  expect(await shown.find().sort({ name: -1 }).toArray()).toEqual([{ _id: 3, name: 'cem' }, { _id: 1, name: 'ann' }]); // prettier-ignore
  expect(await shown.find({ name: 'ann' }, { projection: { _id: 0 } }).toArray()).toEqual([{ name: 'ann' }]);
  expect(await shown.find().sort({ _id: 1 }).skip(1).limit(1).toArray()).toEqual([{ _id: 3, name: 'cem' }]);
  expect([await shown.countDocuments(), await shown.estimatedDocumentCount()]).toEqual([2, 2]);
  expect(await shown.distinct('name')).toEqual(['ann', 'cem']);
  expect(await shown.aggregate([{ $match: { name: 'cem' } }]).toArray()).toEqual([{ _id: 3, name: 'cem' }]);
  await base.insertOne({ _id: 4, name: 'dan', age: 20 });
  expect(await shown.countDocuments({ name: 'dan' })).toBe(1);
});

it('a view may stand on a view, and be joined', async () => {
  const { base, shown } = await view(PEOPLE, ADULTS);
  const upper = await database.db.createCollection('upper', {
    viewOn: shown.collectionName,
    pipeline: [{ $set: { name: { $toUpper: '$name' } } }],
  });
  expect(await upper.distinct('name')).toEqual(['ANN', 'CEM']);
  const lookup = { from: upper.collectionName, localField: '_id', foreignField: '_id', as: 'found' };
  const joined = await base.aggregate([{ $sort: { _id: 1 } }, { $lookup: lookup }]).toArray();
  expect(joined.map(({ found }: AnyDoc) => found)).toEqual([[{ _id: 1, name: 'ANN' }], [], [{ _id: 3, name: 'CEM' }]]);
});

it('a view is listed as such, and described in system.views', async () => {
  const { base, shown } = await view(PEOPLE, ADULTS);
  const [listed] = await database.db.listCollections({ name: shown.collectionName }).toArray();
  const options = { viewOn: base.collectionName, pipeline: ADULTS };
  expect(listed).toEqual({ name: shown.collectionName, type: 'view', options, info: { readOnly: true } });
  const described = await database.db.collection<AnyDoc>('system.views').findOne({ _id: shown.namespace });
  expect(described).toEqual({ _id: shown.namespace, ...options });
});

it('writes and indexes are refused: code 166', async () => {
  const { shown } = await view(PEOPLE, ADULTS);
  await expect(shown.insertOne({ _id: 9 })).rejects.toMatchObject({ code: 166 });
  await expect(shown.updateOne({}, { $set: { a: 1 } })).rejects.toMatchObject({ code: 166 });
  await expect(shown.deleteOne({})).rejects.toMatchObject({ code: 166 });
  await expect(shown.createIndex({ a: 1 })).rejects.toMatchObject({ code: 166 });
});

it('a view is changed by collMod and dropped like a collection; what is below it stays', async () => {
  const { base, shown } = await view(PEOPLE, ADULTS);
  await database.db.command({ collMod: shown.collectionName, viewOn: base.collectionName, pipeline: [{ $match: { _id: 2 } }] }); // prettier-ignore
  expect(await shown.distinct('_id')).toEqual([2]);
  await shown.drop();
  expect(await shown.find().toArray()).toEqual([]);
  expect(await base.countDocuments()).toBe(3);
});

it('a name is taken once, a pipeline may not write, and no view may stand on itself', async () => {
  const { base, shown } = await view([], []);
  const create = (name: string, viewOn: string, pipeline: AnyDoc[] = []): Promise<unknown> =>
    database.db.createCollection(name, { viewOn, pipeline });
  await expect(create(base.collectionName, 'x')).rejects.toMatchObject({ code: 48 });
  await expect(database.db.createCollection(shown.collectionName)).rejects.toMatchObject({ code: 48 });
  await expect(create('writes', 'x', [{ $out: 'y' }])).rejects.toMatchObject({ code: 167 });
  await create('a', 'b');
  await expect(create('b', 'a')).rejects.toMatchObject({ code: 5 });
});
