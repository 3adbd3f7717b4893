/** Points on the earth: what is near, and what lies in an area. */
import { useDatabase, type AnyCollection, type AnyDoc } from '../testing/database';

const database = useDatabase();
const at = (...coordinates: number[]): AnyDoc => ({ type: 'Point', coordinates });
const CITIES = [
  { _id: 'berlin', at: at(13.405, 52.52) },
  { _id: 'potsdam', at: at(13.0645, 52.3906) },
  { _id: 'hamburg', at: at(9.9937, 53.5511) },
  { _id: 'munich', at: at(11.582, 48.1351) },
  { _id: 'nowhere' },
];
const BERLIN = { $geometry: at(13.405, 52.52) };

async function cities(): Promise<AnyCollection> {
  const collection = await database.collection(CITIES);
  await collection.createIndex({ at: '2dsphere' });
  return collection;
}
const names = async (collection: AnyCollection, filter: AnyDoc): Promise<string[]> =>
  (await collection.find(filter).toArray()).map(({ _id }: AnyDoc) => _id);

it('$near and $nearSphere give the nearest first, between the distances in metres', async () => {
  const collection = await cities();
  expect(await names(collection, { at: { $near: BERLIN } })).toEqual(['berlin', 'potsdam', 'hamburg', 'munich']);
  const within = { $near: { ...BERLIN, $minDistance: 1000, $maxDistance: 300_000 } };
  expect(await names(collection, { at: within })).toEqual(['potsdam', 'hamburg']);
  expect(await names(collection, { at: { $nearSphere: [13.4, 52.5], $maxDistance: 0.01 } })).toEqual(['berlin', 'potsdam']); // prettier-ignore
  expect(
    await collection
      .find({ at: { $near: BERLIN } })
      .limit(1)
      .skip(1)
      .toArray(),
  ).toEqual([CITIES[1]]);
  expect(await names(collection, { _id: { $ne: 'berlin' }, at: { $near: BERLIN } })).toEqual(['potsdam', 'hamburg', 'munich']); // prettier-ignore
});

it('$near needs an index (code 291), and is not for $match', async () => {
  const collection = await database.collection(CITIES);
  await expect(names(collection, { at: { $near: BERLIN } })).rejects.toMatchObject({ code: 291 });
  await collection.createIndex({ at: '2dsphere' });
  await expect(collection.countDocuments({ at: { $near: BERLIN } })).rejects.toThrow();
});

it('$geoNear tells the distance, on a sphere with a radius of 6,378.1 km', async () => {
  const collection = await cities();
  const near = { near: at(13.405, 52.52), distanceField: 'd', query: { _id: 'hamburg' }, includeLocs: 'loc', spherical: true }; // prettier-ignore
  const [hamburg] = (await collection.aggregate([{ $geoNear: near }]).toArray()) as AnyDoc[];
  expect(hamburg!.d).toBeCloseTo(255_526, -4);
  expect(hamburg!.loc).toEqual(at(9.9937, 53.5511));
  const quarter = await database.collection([{ at: at(90, 0) }]);
  await quarter.createIndex({ at: '2dsphere' });
  const [far] = (await quarter.aggregate([{ $geoNear: { near: at(0, 0), distanceField: 'd' } }]).toArray()) as AnyDoc[];
  expect(far!.d).toBeCloseTo((6_378_100 * Math.PI) / 2, 3);
});

it('$geoWithin and $geoIntersects find the points of an area, without an index too', async () => {
  const collection = await database.collection([...CITIES, { _id: 'pair', at: [13, 52.4] }]);
  const square = [[[12, 52], [14, 52], [14, 53], [12, 53], [12, 52]]]; // prettier-ignore
  const hole = [[13.3, 52.4], [13.5, 52.4], [13.5, 52.6], [13.3, 52.6], [13.3, 52.4]]; // prettier-ignore
  const areas: [AnyDoc, string[]][] = [
    [{ $geometry: { type: 'Polygon', coordinates: square } }, ['berlin', 'pair', 'potsdam']],
    [{ $geometry: { type: 'Polygon', coordinates: [square[0], hole] } }, ['pair', 'potsdam']],
    [{ $geometry: { type: 'MultiPolygon', coordinates: [square] } }, ['berlin', 'pair', 'potsdam']],
    [{ $centerSphere: [[13.405, 52.52], 50 / 6378.1] }, ['berlin', 'pair', 'potsdam']],
    [{ $box: [[13.2, 52], [14, 53]] }, ['berlin']], // prettier-ignore
    [{ $center: [[13, 52.4], 0.1] }, ['pair', 'potsdam']],
    [{ $polygon: [[12, 52], [14, 52], [13, 53]] }, ['berlin', 'pair', 'potsdam']], // prettier-ignore
  ];
  for (const [area, expected] of areas)
    expect((await names(collection, { at: { $geoWithin: area } })).sort()).toEqual(expected);
  const intersects = { at: { $geoIntersects: { $geometry: { type: 'Polygon', coordinates: square } } } };
  expect(await collection.countDocuments(intersects)).toBe(3);
});

it('an edge of a polygon is an arc of a great circle', async () => {
  const collection = await database.collection([{ _id: 'above the parallel', at: at(0, 50.5) }]);
  const coordinates = [[[-20, 50], [20, 50], [20, 40], [-20, 40], [-20, 50]]]; // prettier-ignore
  const filter = { at: { $geoWithin: { $geometry: { type: 'Polygon', coordinates } } } };
  expect(await names(collection, filter)).toEqual(['above the parallel']);
});

it('an index of kind 2dsphere is listed with its version and refuses what is no place', async () => {
  const collection = await cities();
  expect((await collection.indexes())[1]).toEqual({ v: 2, key: { at: '2dsphere' }, name: 'at_2dsphere', '2dsphereIndexVersion': 3 }); // prettier-ignore
  for (const wrong of [at(200, 0), { type: 'Nonsense', coordinates: [1, 2] }, 'text'])
    await expect(collection.insertOne({ at: wrong })).rejects.toMatchObject({ code: 16755 });
  await collection.insertOne({ at: [at(1, 2), at(3, 4)] });
  await expect(collection.updateOne({ _id: 'berlin' }, { $set: { at: [1] } })).rejects.toMatchObject({ code: 16755 });
});

it('an open or a too small ring is refused', async () => {
  const collection = await cities();
  for (const ring of [
    [
      [0, 0],
      [1, 1],
      [0, 1],
      [1, 0],
    ],
    [
      [0, 0],
      [1, 1],
      [0, 0],
    ],
  ]) {
    // prettier-ignore
    const geometry = { type: 'Polygon', coordinates: [ring] };
    await expect(names(collection, { at: { $geoWithin: { $geometry: geometry } } })).rejects.toMatchObject({ code: 2 });
  }
});
