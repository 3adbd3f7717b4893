/** What a find answers with of each document. */
import { useDatabase, type AnyDoc } from '../testing/database';

const database = useDatabase();
const doc = { _id: 1, a: 1, o: { x: 1, y: { z: 2 } }, l: [1, 2, 3, 4], d: [{ k: 1, v: 'a' }, { k: 2, v: 'b' }], s: 'text' }; // prettier-ignore

async function projected(projection: AnyDoc, filter: AnyDoc = {}): Promise<AnyDoc> {
  const collection = await database.collection([doc]);
  return collection.findOne(filter, { projection });
}

it.each<[string, AnyDoc, AnyDoc]>([
  ['an inclusion keeps the named fields and the _id', { a: 1, s: true }, { _id: 1, a: 1, s: 'text' }],
  ['an inclusion may leave out the _id', { a: 1, _id: 0 }, { a: 1 }],
  ['the _id alone', { _id: 1 }, { _id: 1 }],
  ['an exclusion keeps the others', { o: 0, l: 0, d: false }, { _id: 1, a: 1, s: 'text' }],
  ['all but the _id', { _id: 0, l: 0, d: 0, o: 0 }, { a: 1, s: 'text' }],
  ['a dotted inclusion keeps the way', { 'o.y.z': 1 }, { _id: 1, o: { y: { z: 2 } } }],
  ['a dotted exclusion', { 'o.y.z': 0, l: 0, d: 0 }, { _id: 1, a: 1, o: { x: 1, y: {} }, s: 'text' }],
  ['a nested inclusion is a dotted one', { o: { x: 1 } }, { _id: 1, o: { x: 1 } }],
  ['a path through an array is taken in each element', { 'd.k': 1 }, { _id: 1, d: [{ k: 1 }, { k: 2 }] }],
  ['a path through a plain value keeps nothing of it', { 'a.b': 1, s: 1 }, { _id: 1, s: 'text' }],
  ['a missing field stays missing', { nope: 1 }, { _id: 1 }],
  ['$slice keeps the first', { l: { $slice: 2 }, _id: 1, a: 1 }, { _id: 1, a: 1, l: [1, 2] }],
  ['$slice below 0 keeps the last', { l: { $slice: -1 }, a: 1 }, { _id: 1, a: 1, l: [4] }],
  ['$slice skips and takes', { l: { $slice: [1, 2] }, a: 1 }, { _id: 1, a: 1, l: [2, 3] }],
  ['$slice alone keeps all other fields', { l: { $slice: 1 }, d: 0, o: 0 }, { _id: 1, a: 1, l: [1], s: 'text' }],
  ['$elemMatch keeps the first element that fits', { d: { $elemMatch: { k: { $gt: 1 } } } }, { _id: 1, d: [{ k: 2, v: 'b' }] }], // prettier-ignore
  ['$elemMatch keeps no field where none fits', { d: { $elemMatch: { k: 9 } }, a: 1 }, { _id: 1, a: 1 }],
  ['an expression computes', { sum: { $add: ['$a', '$o.x'] }, _id: 0 }, { sum: 2 }],
  ['text that begins with $ is a path', { copy: '$o.y', _id: 0 }, { copy: { z: 2 } }],
  ['$literal is not', { one: { $literal: 1 }, a: 1 }, { _id: 1, a: 1, one: 1 }],
])('%s', async (_rule, projection, expected) => {
  expect(await projected(projection)).toEqual(expected);
});

it('the positional $ keeps the element that the filter matched', async () => {
  expect(await projected({ 'd.$': 1 }, { 'd.k': 2 })).toEqual({ _id: 1, d: [{ k: 2, v: 'b' }] });
  expect(await projected({ 'l.$': 1 }, { l: { $gte: 3 } })).toEqual({ _id: 1, l: [3] });
});

it('an inclusion keeps the order of the document, not the one of the projection', async () => {
  expect(Object.keys(await projected({ s: 1, o: 1, a: 1 }))).toEqual(['_id', 'a', 'o', 's']);
});

it('inclusion and exclusion do not mix, nor a field and one inside it', async () => {
  for (const projection of [
    { a: 1, s: 0 },
    { a: 0, s: 1 },
    { o: 1, 'o.x': 1 },
  ]) {
    await expect(projected(projection)).rejects.toThrow();
  }
});

it('what was projected away is still there afterwards', async () => {
  const collection = await database.collection([doc]);
  await collection.find({}, { projection: { 'o.y.z': 0, 'd.k': 0 } }).toArray();
  expect(await collection.findOne()).toEqual(doc);
});
