/** Pipelines: joins, grouping, writing into collections; and that they never change what they read. */
import { Decimal128, Long } from 'bson';
import { useDatabase, type AnyCollection, type AnyDoc } from '../testing/database';

const database = useDatabase();
const run = async (collection: AnyCollection, ...pipeline: AnyDoc[]): Promise<AnyDoc[]> =>
  collection.aggregate(pipeline).toArray();

it('what only counts gives one document, with the identifier as it was given, or none', async () => {
  const source = await database.collection([1, 2, 2, 3].map((a, i) => ({ _id: i, a })));
  const some = { $match: { a: { $gte: 2 } } };
  expect(await run(source, some, { $group: { _id: 1, n: { $sum: 1 } } })).toEqual([{ _id: 1, n: 3 }]);
  expect(await run(source, { $group: { _id: null, n: { $sum: 1 } } })).toEqual([{ _id: null, n: 4 }]);
  expect(await run(source, some, { $count: 'all' })).toEqual([{ all: 3 }]);
  expect(await run(source, { $group: { _id: 1, n: { $sum: 2 } } })).toEqual([{ _id: 1, n: 8 }]);
  expect(await run(source, { $match: { a: 9 } }, { $count: 'all' })).toEqual([]);
  expect(await source.countDocuments({ a: { $gte: 2 } }, { skip: 1, limit: 1 })).toBe(1);
  expect(await source.countDocuments({ a: 9 })).toBe(0);
});

it('$rand is another number from 0 to below 1 for each document', async () => {
  const source = await database.collection([{ _id: 1 }, { _id: 2 }]);
  const [one, two] = (await run(source, { $set: { r: { $rand: {} } } })).map(({ r }) => Number(r));
  for (const r of [one, two]) expect(r! >= 0 && r! < 1).toBe(true);
  expect(one).not.toBe(two);
});

it('$bsonSize and $binarySize count bytes', async () => {
  const source = await database.collection([{ _id: 1, text: 'aü' }]);
  const sizes = { bson: { $bsonSize: '$$ROOT' }, text: { $binarySize: '$text' }, none: { $bsonSize: '$none' } };
  expect(await run(source, { $project: sizes })).toEqual([{ _id: 1, bson: 28, text: 3, none: null }]);
});

it('$convert and $toUUID go between strings and binary data, by a format', async () => {
  const source = await database.collection([{ _id: 1, id: '867dee52-c331-484e-92d1-c56479b8e67e', bytes: 'aGk=' }]);
  const convert = (input: string, to: AnyDoc, format: string) => ({ $convert: { input, to, format } });
  const shown = {
    _id: 0,
    again: convert('$made', 'string' as AnyDoc, 'uuid'),
    auto: convert('$made', 'string' as AnyDoc, 'auto'),
    hex: convert('$raw', 'string' as AnyDoc, 'hex'),
    text: convert('$raw', 'string' as AnyDoc, 'utf8'),
  };
  const set = { made: { $toUUID: '$id' }, raw: convert('$bytes', { type: 'binData', subtype: 0 }, 'base64') };
  const id = '867dee52-c331-484e-92d1-c56479b8e67e';
  expect(await run(source, { $set: set }, { $project: shown })).toEqual([{ again: id, auto: id, hex: '6869', text: 'hi' }]); // prettier-ignore
  await expect(run(source, { $set: { r: { $toUUID: '$bytes' } } })).rejects.toMatchObject({ code: 241 });
  await expect(run(source, { $set: { r: { $convert: { input: 'a', to: 'binData' } } } })).rejects.toThrow();
});

it('$median and $percentile give one of the numbers, of a group or of an array', async () => {
  const source = await database.collection([5, 1, 'x', 3, 4].map((x, _id) => ({ _id, x })));
  const method = 'approximate';
  const percentile = { input: '$x', p: [0, 0.5, 0.9, 1], method };
  const group = { _id: null, median: { $median: { input: '$x', method } }, all: { $percentile: percentile } };
  expect(await run(source, { $group: group })).toEqual([{ _id: null, median: 3, all: [1, 3, 5, 5] }]);
  const shown = { _id: 0, of: { $median: { input: [9, 7, 'x', 8], method } }, none: { $percentile: { input: [], p: [0.5], method } } }; // prettier-ignore
  expect(await run(source, { $limit: 1 }, { $project: shown })).toEqual([{ of: 8, none: [null] }]);
  const median = (more: AnyDoc): Promise<unknown> => run(source, { $group: { _id: null, r: { $median: { input: '$x', method, ...more } } } }); // prettier-ignore
  await expect(median({ p: [1] })).rejects.toMatchObject({ code: 40415 });
  await expect(run(source, { $group: { _id: null, r: { $percentile: { ...percentile, p: [2] } } } })).rejects.toThrow('[0.0, 1.0]'); // prettier-ignore
});

describe('$lookup', () => {
  const joined = async (lookup: AnyDoc, left: AnyDoc[]): Promise<AnyDoc[]> => {
    const players = await database.collection([
      { _id: 1, team: 'a', score: 5, ref: null },
      { _id: 2, team: 'b', score: 7, ref: [10, 20] },
      { _id: 3, team: 'a', score: 9 },
    ]);
    const teams = await database.collection(left);
    const stage = { $lookup: { from: players.collectionName, as: 'found', ...lookup } };
    const rows = await run(teams, { $sort: { _id: 1 } }, stage);
    return rows.map(({ found }) => found.map(({ _id, ...rest }: AnyDoc) => _id ?? rest));
  };

  it('by one field equal to another', async () => {
    const left = [{ _id: 1, name: 'a' }, { _id: 2, name: 'c' }]; // prettier-ignore
    expect(await joined({ localField: 'name', foreignField: 'team' }, left)).toEqual([[1, 3], []]);
  });

  it('by any element of an array, on either side', async () => {
    expect(await joined({ localField: 'm', foreignField: '_id' }, [{ m: [3, 1, 8] }])).toEqual([[1, 3]]);
    expect(await joined({ localField: 'm', foreignField: 'ref' }, [{ m: 20 }])).toEqual([[2]]);
    expect(await joined({ localField: 'm.id', foreignField: '_id' }, [{ m: [{ id: 2 }, { id: 1 }] }])).toEqual([
      [1, 2],
    ]);
  });

  it('with a missing or null field on the left finds null and missing on the right', async () => {
    const left = [{ _id: 1 }, { _id: 2, m: null }];
    expect(await joined({ localField: 'm', foreignField: 'ref' }, left)).toEqual([[1, 3], [1, 3]]); // prettier-ignore
  });

  it('by a pipeline that sees variables of the left document', async () => {
    const pipeline = [
      { $match: { $expr: { $and: [{ $eq: ['$team', '$$team'] }, { $gt: ['$score', '$$least'] }] } } },
      { $project: { _id: 0, score: 1 } },
    ];
    const left = [{ name: 'a', min: 6 }];
    expect(await joined({ let: { team: '$name', least: '$min' }, pipeline }, left)).toEqual([[{ score: 9 }]]);
  });

  it('by fields and a pipeline together', async () => {
    const pipeline = [{ $match: { score: { $gt: 6 } } }];
    expect(await joined({ localField: 'name', foreignField: 'team', pipeline }, [{ name: 'a' }])).toEqual([[3]]);
  });

  it('by a pipeline alone', async () => {
    const pipeline = [{ $sort: { score: -1 } }, { $limit: 2 }];
    expect(await joined({ pipeline }, [{ _id: 1 }, { _id: 2 }])).toEqual([[3, 2], [3, 2]]); // prettier-ignore
  });

  it('from a missing collection finds nothing', async () => {
    expect(await joined({ from: 'never made', localField: 'a', foreignField: 'b' }, [{ a: 1 }])).toEqual([[]]);
  });

  it('and $unwind: one row for each, or also for none', async () => {
    const right = await database.collection([{ _id: 1, k: 1 }, { _id: 2, k: 1 }]); // prettier-ignore
    const left = await database.collection([{ _id: 1, k: 1 }, { _id: 2, k: 2 }]); // prettier-ignore
    const lookup = { $lookup: { from: right.collectionName, localField: 'k', foreignField: 'k', as: 'r' } };
    const sort = { $sort: { _id: 1, 'r._id': 1 } };
    const ids = (rows: AnyDoc[]): AnyDoc[] => rows.map(({ _id, r }) => [_id, r?._id]);
    expect(ids(await run(left, lookup, { $unwind: '$r' }, sort))).toEqual([[1, 1], [1, 2]]); // prettier-ignore
    const preserve = { $unwind: { path: '$r', preserveNullAndEmptyArrays: true } };
    expect(ids(await run(left, lookup, preserve, sort))).toEqual([[1, 1], [1, 2], [2, undefined]]); // prettier-ignore
  });

  it('$graphLookup follows references, with the depth', async () => {
    const people = await database.collection([{ _id: 1, boss: 2 }, { _id: 2, boss: 3 }, { _id: 3 }, { _id: 4, boss: 1 }]); // prettier-ignore
    const graph = { from: people.collectionName, startWith: '$boss', connectFromField: 'boss', connectToField: '_id', as: 'up', depthField: 'd' }; // prettier-ignore
    const [row] = await run(people, { $match: { _id: 4 } }, { $graphLookup: graph });
    const depths = row.up.map(({ _id, d }: AnyDoc) => [_id, Number(d)]).sort();
    expect(depths).toEqual([[1, 0], [2, 1], [3, 2]]); // prettier-ignore
  });
});

describe('stages', () => {
  const docs = [
    { _id: 1, g: 'a', n: 1, l: [1, 2] },
    { _id: 2, g: 'a', n: Long.fromNumber(2), l: [] },
    { _id: 3, g: 'b', n: new Decimal128('0.5') },
    { _id: 4, g: 'b', n: 'text', l: [3] },
  ];

  it('$group gathers by every accumulator', async () => {
    const collection = await database.collection(docs);
    const group = { _id: '$g', sum: { $sum: '$n' }, avg: { $avg: '$n' }, first: { $first: '$_id' }, all: { $push: '$_id' }, most: { $max: '$_id' }, count: { $count: {} } }; // prettier-ignore
    const rows = await run(collection, { $sort: { _id: 1 } }, { $group: group }, { $sort: { _id: 1 } });
    expect(rows).toMatchObject([
      { _id: 'a', sum: 3, avg: 1.5, first: 1, all: [1, 2], most: 2, count: 2 },
      { _id: 'b', first: 3, all: [3, 4], most: 4, count: 2 },
    ]);
    expect(String(rows[1].sum)).toBe('0.5');
  });

  it('$group of nothing gives one row for no document only where none is asked: an empty answer', async () => {
    const collection = await database.collection();
    expect(await run(collection, { $group: { _id: null, n: { $sum: 1 } } })).toEqual([]);
    expect(await run(collection, { $count: 'n' })).toEqual([]);
  });

  it('$unwind with the index of each element', async () => {
    const collection = await database.collection(docs);
    const rows = await run(collection, { $unwind: { path: '$l', includeArrayIndex: 'at' } }, { $sort: { l: 1 } });
    expect(rows.map(({ l, at }) => [l, Number(at)])).toEqual([[1, 0], [2, 1], [3, 0]]); // prettier-ignore
  });

  it('$facet runs several pipelines on the same documents', async () => {
    const collection = await database.collection(docs);
    const [facets] = await run(collection, { $facet: { count: [{ $count: 'n' }], best: [{ $sort: { _id: -1 } }, { $limit: 1 }, { $project: { _id: 1 } }] } }); // prettier-ignore
    expect(facets).toEqual({ count: [{ n: 4 }], best: [{ _id: 4 }] });
  });

  it('$bucket, $sortByCount, $unionWith, $sample, $replaceRoot', async () => {
    const collection = await database.collection(docs);
    const buckets = { $bucket: { groupBy: '$_id', boundaries: [1, 3, 5], output: { ids: { $push: '$_id' } } } };
    expect(await run(collection, { $sort: { _id: 1 } }, buckets)).toEqual([{ _id: 1, ids: [1, 2] }, { _id: 3, ids: [3, 4] }]); // prettier-ignore
    expect(await run(collection, { $match: { _id: { $lt: 4 } } }, { $sortByCount: '$g' })).toEqual([{ _id: 'a', count: 2 }, { _id: 'b', count: 1 }]); // prettier-ignore
    expect(await run(collection, { $unionWith: collection.collectionName }, { $count: 'n' })).toEqual([{ n: 8 }]);
    expect(await run(collection, { $sample: { size: 2 } })).toHaveLength(2);
    expect(await run(collection, { $match: { _id: 1 } }, { $replaceRoot: { newRoot: { was: '$_id' } } })).toEqual([{ was: 1 }]); // prettier-ignore
  });

  it('never change what is stored', async () => {
    const nested = [{ _id: 1, o: { x: 1, y: { z: 1 } }, l: [{ k: 1 }, { k: 2 }] }, { _id: 2, l: [] }]; // prettier-ignore
    const collection = await database.collection(nested);
    await run(collection, { $match: { _id: 1 } }, { $set: { 'o.x': 9, 'o.y.z': 9, 'l.k': 9 } }, { $unset: 'o.y' });
    await run(collection, { $addFields: { 'l.added': '$$ROOT' } }, { $unwind: '$l' }, { $set: { 'l.k': 0 } });
    await run(collection, { $project: { 'o.y.z': 0, 'l.k': 0 } });
    await run(collection, { $group: { _id: null, all: { $push: '$$ROOT' } } }, { $set: { 'all.o': 1 } });
    await run(collection, { $sort: { 'o.x': 1 } }, { $replaceWith: { $mergeObjects: ['$o', { y: 1 }] } });
    expect(await collection.find().sort({ _id: 1 }).toArray()).toEqual(nested);
  });

  it('change streams need more than this: an unknown stage and a misplaced one fail', async () => {
    const collection = await database.collection();
    await expect(run(collection, { $nope: {} })).rejects.toMatchObject({ code: 40324 });
    await expect(run(collection, { $out: 'x' }, { $match: {} })).rejects.toThrow();
    await expect(run(collection, { $match: {}, $limit: 1 })).rejects.toThrow();
  });
});

describe('$merge and $out', () => {
  const target = async (docs: AnyDoc[] = []): Promise<AnyCollection> => {
    const collection = await database.collection();
    await collection.createIndex({ key: 1 }, { unique: true });
    if (docs.length > 0) await collection.insertMany(docs);
    return collection;
  };

  it('$merge inserts the new, merges fields into the old, and answers with nothing', async () => {
    const into = await target([{ _id: 1, key: 'a', kept: true }]);
    const source = await database.collection([{ _id: 1, n: 1 }, { _id: 2, key: 'b' }]); // prettier-ignore
    expect(await run(source, { $merge: { into: into.collectionName } })).toEqual([]);
    expect(await into.find().sort({ _id: 1 }).toArray()).toEqual([{ _id: 1, key: 'a', kept: true, n: 1 }, { _id: 2, key: 'b' }]); // prettier-ignore
  });

  it('$merge on a unique field, with a pipeline for what is there and none for what is not', async () => {
    const into = await target([{ _id: 1, key: 'a', n: 1 }]);
    const source = await database.collection([{ key: 'a', n: 5 }, { key: 'z', n: 1 }]); // prettier-ignore
    const whenMatched = [{ $set: { n: { $add: ['$n', '$$new.n'] } } }];
    await run(source, { $project: { _id: 0 } }, { $merge: { into: into.collectionName, on: 'key', whenMatched, whenNotMatched: 'discard' } }); // prettier-ignore
    expect(await into.find().toArray()).toEqual([{ _id: 1, key: 'a', n: 6 }]);
  });

  it('$merge honours unique indexes, and needs one for the fields of `on`', async () => {
    const into = await target([{ _id: 1, key: 'a' }]);
    const source = await database.collection([{ _id: 2, key: 'a' }]);
    await expect(run(source, { $merge: { into: into.collectionName } })).rejects.toMatchObject({ code: 11000 });
    await expect(run(source, { $merge: { into: into.collectionName, on: 'other' } })).rejects.toMatchObject({ code: 51183 }); // prettier-ignore
    expect(await into.countDocuments()).toBe(1);
  });

  it('$out replaces all documents and keeps the indexes; where that fails all stays as it was', async () => {
    const into = await target([{ _id: 1, key: 'old' }]);
    const source = await database.collection([{ _id: 5, key: 'x' }, { _id: 6, key: 'y' }]); // prettier-ignore
    await run(source, { $out: into.collectionName });
    expect(await into.find().sort({ _id: 1 }).toArray()).toEqual([{ _id: 5, key: 'x' }, { _id: 6, key: 'y' }]); // prettier-ignore
    expect((await into.indexes()).map(({ name }) => name)).toEqual(['_id_', 'key_1']);
    await source.updateMany({}, { $set: { key: 'same' } });
    await expect(run(source, { $out: into.collectionName })).rejects.toMatchObject({ code: 11000 });
    expect(await into.distinct('key')).toEqual(['x', 'y']);
  });

  it('$out makes a missing collection, also an empty one', async () => {
    const source = await database.collection();
    await run(source, { $out: 'made by out' });
    expect(await database.db.listCollections({ name: 'made by out' }).toArray()).toHaveLength(1);
  });
});
