/** Text indexes and `$text`. The scores are those of MongoDB's formula: how often a word stands in a field, and how much of the field it is. */
import { idsOf, useDatabase, type AnyCollection, type AnyDoc } from '../testing/database';

const database = useDatabase();
const DOCS = [
  { _id: 1, title: 'Running a coffee shop', body: 'Coffee, coffee and cake' },
  { _id: 2, title: 'Coffee', body: 'It runs through machines' },
  { _id: 3, title: 'Tea', body: 'A café is no coffee-house', tags: ['green tea', { note: 'black' }] },
  { _id: 4, title: 'The state of the art', body: 'until then' },
];

async function articles(options: AnyDoc = {}): Promise<AnyCollection> {
  const collection = await database.collection(DOCS);
  await collection.createIndex({ title: 'text', body: 'text' }, options);
  return collection;
}
const search = (collection: AnyCollection, $search: string, more: AnyDoc = {}) =>
  idsOf(collection, { $text: { $search, ...more } });

it('any of the words finds a document, by its stem, whatever its case and accents', async () => {
  const collection = await articles();
  expect(await search(collection, 'coffees')).toEqual([1, 2, 3]);
  expect(await search(collection, 'RUN')).toEqual([1, 2]);
  expect(await search(collection, 'cafe machine')).toEqual([2, 3]);
  expect(await search(collection, 'the of until')).toEqual([]);
  expect(await search(collection, 'until', { $language: 'none' })).toEqual([4]);
});

it('phrases have to be there, words with a minus must not be', async () => {
  const collection = await articles();
  expect(await search(collection, '"coffee shop"')).toEqual([1]);
  expect(await search(collection, 'coffee -cake')).toEqual([2, 3]);
  expect(await search(collection, 'coffee -"coffee shop"')).toEqual([2, 3]);
  expect(await search(collection, 'coffee-cake')).toEqual([1, 2, 3]);
});

it('case and accents count where the search asks for that', async () => {
  const collection = await articles();
  expect(await search(collection, 'Coffee', { $caseSensitive: true })).toEqual([1, 2]);
  expect(await search(collection, 'cafe', { $diacriticSensitive: true })).toEqual([]);
  expect(await search(collection, 'café', { $diacriticSensitive: true })).toEqual([3]);
});

it('the score is shown, sorted by, and given to pipelines', async () => {
  const collection = await articles({ weights: { title: 10 } });
  const score = { $meta: 'textScore' } as const;
  const filter = { $text: { $search: 'coffee' } };
  const found = await collection.find(filter, { projection: { score }, sort: { score } }).toArray();
  expect(found.map(({ _id }) => _id)).toEqual([2, 1, 3]);
  // all of its field; one of three words of a title, and twice among three words
  expect(found[0].score).toBeCloseTo(10, 10);
  expect(found[1].score).toBeCloseTo(10 * (0.5 / 3 + 0.5) + 1.5 * (1 / 3 + 0.5), 10);
  expect(found[0]).toMatchObject({ title: 'Coffee' });
  const piped = await collection
    .aggregate([{ $match: filter }, { $project: { title: 1 } }, { $sort: { score } }, { $addFields: { score } }])
    .toArray();
  expect(piped.map((doc) => doc.score)).toEqual(found.map((doc) => doc.score));
  expect(await collection.countDocuments(filter)).toBe(3);
  // a little more for a field that is the word itself
  const [tea] = await collection.find({ $text: { $search: 'tea' } }, { projection: { score } }).toArray();
  expect(tea.score).toBeCloseTo(11, 10);
  await expect(collection.find({}, { projection: { score } }).toArray()).rejects.toMatchObject({ code: 40218 });
});

it('$** has all strings of a document, however deep', async () => {
  const collection = await database.collection(DOCS);
  await collection.createIndex({ '$**': 'text' });
  expect(await search(collection, 'black')).toEqual([3]);
  expect(await search(collection, 'green coffee')).toEqual([1, 2, 3]);
});

it('writes may be chosen by it', async () => {
  const collection = await articles();
  await collection.updateMany({ $text: { $search: 'tea' } }, { $set: { hot: true } });
  await collection.deleteMany({ $text: { $search: 'cake' } });
  expect(await idsOf(collection, {})).toEqual([2, 3, 4]);
  expect(await collection.findOne({ hot: true })).toEqual({ ...DOCS[2], hot: true });
});

it('there is one text index in a collection, shown with its weights, and a search needs it', async () => {
  const collection = await articles();
  const [, index] = await collection.indexes();
  expect(index).toMatchObject({ key: { _fts: 'text', _ftsx: 1 }, weights: { body: 1, title: 1 }, default_language: 'english', language_override: 'language', textIndexVersion: 3 }); // prettier-ignore
  expect(await collection.createIndex({ title: 'text', body: 'text' })).toBe(index!.name);
  await expect(collection.createIndex({ other: 'text' })).rejects.toMatchObject({ code: 67 });
  await collection.dropIndex(index!.name!);
  await expect(search(collection, 'coffee')).rejects.toMatchObject({ code: 27 });
});
