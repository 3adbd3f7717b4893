/** What an update does to a document, and what it refuses. */
import { Double, Int32, Long, ObjectId } from 'bson';
import { RAW } from '../testing/replay';
import { useDatabase, type AnyDoc } from '../testing/database';

const database = useDatabase();

interface Updated {
  doc: AnyDoc;
  modified: number;
}

async function updated(before: AnyDoc, update: AnyDoc, options: AnyDoc = {}, filter: AnyDoc = {}): Promise<Updated> {
  const collection = await database.collection([{ _id: 1, ...before }]);
  const { matchedCount, modifiedCount } = await collection.updateOne(filter, update, options);
  expect(matchedCount).toBe(1);
  const { _id, ...doc } = await collection.findOne();
  expect(_id).toBe(1);
  return { doc, modified: modifiedCount };
}

type Row = [rule: string, before: AnyDoc, update: AnyDoc, after: AnyDoc];

function updates(rows: Row[]): void {
  it.each(rows)('%s', async (_rule, before, update, after) => {
    expect((await updated(before, update)).doc).toEqual(after);
  });
}

describe('fields', () => {
  updates([
    ['$set makes the way to a nested field', {}, { $set: { 'a.b.c': 1 } }, { a: { b: { c: 1 } } }],
    ['$set pads an array with nulls up to a position', { a: [1] }, { $set: { 'a.3': 4 } }, { a: [1, null, null, 4] }],
    ['$set of a position in a missing field makes an object', {}, { $set: { 'a.0': 1 } }, { a: { 0: 1 } }],
    ['$unset removes, and leaves null in an array', { a: 1, l: [1, 2] }, { $unset: { a: '', 'l.0': '' } }, { l: [null, 2] }], // prettier-ignore
    ['$inc and $mul start a missing field from 0', {}, { $inc: { a: 2 }, $mul: { b: 3 } }, { a: 2, b: 0 }],
    ['$min and $max compare by the order of BSON', { a: 5, b: 5 }, { $min: { a: 3 }, $max: { b: 'x' } }, { a: 3, b: 'x' }], // prettier-ignore
    ['$rename moves, also out of an object', { a: { b: 1 }, c: 2 }, { $rename: { 'a.b': 'd' } }, { a: {}, c: 2, d: 1 }],
    ['$bit', { a: 13 }, { $bit: { a: { and: 10 } } }, { a: 8 }],
    ['$setOnInsert does nothing where a document was found', {}, { $setOnInsert: { a: 1 } }, {}],
  ]);

  it('$currentDate sets the date of the server', async () => {
    const { doc } = await updated({}, { $currentDate: { at: true, stamp: { $type: 'timestamp' } } });
    expect(Math.abs(doc.at.getTime() - Date.now())).toBeLessThan(60_000);
    expect(doc.stamp._bsontype).toBe('Timestamp');
  });

  it('new fields of one update are added in the order of their names', async () => {
    const { doc } = await updated({ z: 1 }, { $set: { c: 1, b: 1 }, $inc: { a: 1 } });
    expect(Object.keys(doc)).toEqual(['z', 'a', 'b', 'c']);
  });

  it('$inc grows an int into a long, and keeps the wider type', async () => {
    const collection = await database.collection([
      { int: new Int32(2147483647), long: Long.fromNumber(1), double: 1.5 },
    ]);
    await collection.updateOne({}, { $inc: { int: 1, long: 1, double: 1 } });
    const { int, long, double } = await collection.findOne({}, RAW);
    expect([int, long, double]).toEqual([Long.fromNumber(2147483648), Long.fromNumber(2), new Double(2.5)]);
  });
});

describe('what counts as modified', () => {
  it.each<[string, AnyDoc, AnyDoc, number]>([
    ['the same value again is matched, and not modified', { a: 1 }, { $set: { a: 1 } }, 0],
    ['the same keys in another order are a modification', { a: { x: 1, y: 2 } }, { $set: { a: { y: 2, x: 1 } } }, 1],
    ['$inc by 0 modifies nothing', { a: 1 }, { $inc: { a: 0 } }, 0],
    ['$addToSet of what is there modifies nothing', { a: [1] }, { $addToSet: { a: 1 } }, 0],
    ['$pull of what is not there modifies nothing', { a: [1] }, { $pull: { a: 2 } }, 0],
    ['$unset of a missing field modifies nothing', {}, { $unset: { a: '' } }, 0],
    ['$min of something greater modifies nothing', { a: 1 }, { $min: { a: 2 } }, 0],
    ['one operator of two is enough', { a: 1 }, { $set: { a: 1 }, $inc: { b: 1 } }, 1],
  ])('%s', async (_rule, before, update, modified) => {
    expect((await updated(before, update)).modified).toBe(modified);
  });

  it('the order of keys is stored as $set gave it', async () => {
    const { doc } = await updated({ a: { x: 1, y: 2 } }, { $set: { a: { y: 2, x: 1 } } });
    expect(Object.keys(doc.a)).toEqual(['y', 'x']);
  });
});

describe('arrays', () => {
  const id = new ObjectId();
  const other = new ObjectId();
  updates([
    ['$push makes a missing field', {}, { $push: { a: 1 } }, { a: [1] }],
    ['$push adds an array as one element', { a: [1] }, { $push: { a: [2, 3] } }, { a: [1, [2, 3]] }],
    ['$push each, sorted and sliced, also on a missing field', {}, { $push: { a: { $each: [3, 1, 2], $sort: 1, $slice: 2 } } }, { a: [1, 2] }], // prettier-ignore
    ['$slice below 0 keeps the last', { a: [1, 2] }, { $push: { a: { $each: [3, 4], $slice: -3 } } }, { a: [2, 3, 4] }],
    ['$slice 0 empties', { a: [1, 2] }, { $push: { a: { $each: [], $slice: 0 } } }, { a: [] }],
    ['$position inserts', { a: [1, 4] }, { $push: { a: { $each: [2, 3], $position: 1 } } }, { a: [1, 2, 3, 4] }],
    ['$position below 0 counts from the end', { a: [1, 4] }, { $push: { a: { $each: [2], $position: -1 } } }, { a: [1, 2, 4] }], // prettier-ignore
    ['$sort by a field of the elements', { a: [{ n: 2 }, { n: 1, m: 1 }] }, { $push: { a: { $each: [{ n: 1 }], $sort: { n: 1, m: -1 } } } }, { a: [{ n: 1, m: 1 }, { n: 1 }, { n: 2 }] }], // prettier-ignore
    ['$addToSet keeps the duplicates that are there', { a: [1, 1] }, { $addToSet: { a: 2 } }, { a: [1, 1, 2] }],
    ['$addToSet each adds each value once', { a: [1] }, { $addToSet: { a: { $each: [2, 1, 2] } } }, { a: [1, 2] }],
    ['$addToSet tells objects apart by the order of their keys', { a: [{ x: 1, y: 1 }] }, { $addToSet: { a: { y: 1, x: 1 } } }, { a: [{ x: 1, y: 1 }, { y: 1, x: 1 }] }], // prettier-ignore
    ['$pull by value', { a: [1, 2, 1] }, { $pull: { a: 1 } }, { a: [2] }],
    ['$pull by ObjectId', { a: [id, other] }, { $pull: { a: id } }, { a: [other] }],
    ['$pull by condition', { a: [1, 5, 9] }, { $pull: { a: { $gte: 5 } } }, { a: [1] }],
    ['$pull by fields, whatever else the element has', { a: [{ x: 1, y: 1 }, { x: 2 }] }, { $pull: { a: { x: 1 } } }, { a: [{ x: 2 }] }], // prettier-ignore
    ['$pull by $or', { a: [{ x: 1 }, { x: 2 }, { x: 3 }] }, { $pull: { a: { $or: [{ x: 1 }, { x: 3 }] } } }, { a: [{ x: 2 }] }], // prettier-ignore
    ['$pull of a pattern', { a: ['ab', 'cd'] }, { $pull: { a: /^a/ } }, { a: ['cd'] }],
    ['$pullAll', { a: [1, 2, 3, 1] }, { $pullAll: { a: [1, 3] } }, { a: [2] }],
    [
      '$pop takes the last, or the first',
      { a: [1, 2, 3], b: [1, 2] },
      { $pop: { a: 1, b: -1 } },
      { a: [1, 2], b: [2] },
    ],
    ['$[] is every element', { a: [{ n: 1 }, { n: 2 }] }, { $inc: { 'a.$[].n': 10 } }, { a: [{ n: 11 }, { n: 12 }] }],
  ]);
});

describe('array filters', () => {
  it('two paths through one array, each with its filter', async () => {
    const { doc } = await updated(
      { a: [{ k: 1 }, { k: 2 }, { k: 3 }] },
      { $set: { 'a.$[one].n': 1, 'a.$[big].n': 2 } },
      { arrayFilters: [{ 'one.k': 1 }, { 'big.k': { $gt: 1 } }] },
    );
    expect(doc.a).toEqual([{ k: 1, n: 1 }, { k: 2, n: 2 }, { k: 3, n: 2 }]); // prettier-ignore
  });

  it('nested ones, and one with $or', async () => {
    const { doc } = await updated(
      {
        a: [
          { k: 1, l: [1, 2, 3] },
          { k: 2, l: [1] },
        ],
      },
      { $mul: { 'a.$[x].l.$[y]': 10 } },
      { arrayFilters: [{ 'x.k': 1 }, { $or: [{ y: 1 }, { y: { $gte: 3 } }] }] },
    );
    expect(doc.a).toEqual([{ k: 1, l: [10, 2, 30] }, { k: 2, l: [1] }]); // prettier-ignore
  });

  it('a name without a filter fails with code 2, a filter without a use with code 9', async () => {
    const collection = await database.collection([{ a: [1] }]);
    await expect(collection.updateOne({}, { $set: { 'a.$[x]': 2 } })).rejects.toMatchObject({ code: 2 });
    const unused = { arrayFilters: [{ x: 1 }] };
    await expect(collection.updateOne({}, { $set: { b: 2 } }, unused)).rejects.toMatchObject({ code: 9 });
  });
});

describe('the positional $', () => {
  const before = { a: [{ k: 1, n: 0 }, { k: 2, n: 0 }], status: 'on' }; // prettier-ignore

  it('is the first element that the filter matched', async () => {
    const { doc } = await updated({ a: [5, 6, 6] }, { $set: { 'a.$': 0 } }, {}, { a: 6 });
    expect(doc.a).toEqual([5, 0, 6]);
  });

  it('is known in every path of the update, also when the first changes what was matched', async () => {
    const { doc } = await updated(before, { $set: { 'a.$.k': 9, 'a.$.n': 1 }, $push: { 'a.$.log': 'x' } }, {}, { 'a.k': 2 }); // prettier-ignore
    expect(doc.a).toEqual([{ k: 1, n: 0 }, { k: 9, n: 1, log: ['x'] }]); // prettier-ignore
  });

  it('is found under $and, and by $elemMatch', async () => {
    const and = await updated(before, { $set: { 'a.$.n': 1 } }, {}, { $and: [{ status: 'on' }, { 'a.k': 2 }] });
    expect(and.doc.a[1].n).toBe(1);
    const element = await updated(before, { $set: { 'a.$.n': 1 } }, {}, { a: { $elemMatch: { k: 2, n: 0 } } });
    expect(element.doc.a).toEqual([{ k: 1, n: 0 }, { k: 2, n: 1 }]); // prettier-ignore
  });

  it('reaches into a nested array of the element', async () => {
    const { doc } = await updated({ a: [{ k: 1, l: [{ m: 1 }] }] }, { $set: { 'a.$.l.0.m': 2 } }, {}, { 'a.k': 1 });
    expect(doc.a).toEqual([{ k: 1, l: [{ m: 2 }] }]);
  });

  it('fails with code 2 where the filter names no array', async () => {
    const collection = await database.collection([before]);
    await expect(collection.updateOne({}, { $set: { 'a.$.n': 1 } })).rejects.toMatchObject({ code: 2 });
  });
});

describe('refusals', () => {
  it.each<[string, number, AnyDoc]>([
    ['$inc of text: TypeMismatch', 14, { $inc: { text: 1 } }],
    ['$inc by text: TypeMismatch', 14, { $inc: { n: 'x' } }],
    ['$push to no array: BadValue', 2, { $push: { text: 1 } }],
    ['$addToSet to no array: BadValue', 2, { $addToSet: { text: 1 } }],
    ['$pull from no array: BadValue', 2, { $pull: { text: 1 } }],
    ['$pop of no array: TypeMismatch', 14, { $pop: { text: 1 } }],
    ['a path through text: PathNotViable', 28, { $set: { 'text.a': 1 } }],
    ['a field of an array: PathNotViable', 28, { $set: { 'list.a': 1 } }],
    ['two operators on one field: ConflictingUpdateOperators', 40, { $set: { n: 1 }, $inc: { n: 1 } }],
    ['a field and one inside it: ConflictingUpdateOperators', 40, { $set: { o: 1, 'o.a': 1 } }],
    ['another _id: ImmutableField', 66, { $set: { _id: 2 } }],
    ['no _id: ImmutableField', 66, { $unset: { _id: '' } }],
    ['an unknown operator: FailedToParse', 9, { $sett: { a: 1 } }],
    ['$slice without a number: BadValue', 2, { $push: { list: { $each: [1], $slice: 'x' } } }],
  ])('%s (%i)', async (_rule, code, update) => {
    const collection = await database.collection([{ _id: 1, text: 'x', list: [1], n: 1, o: {} }]);
    const before = await collection.findOne();
    await expect(collection.updateOne({}, { ...update, $min: { other: 1 } })).rejects.toMatchObject({ code });
    expect(await collection.findOne()).toEqual(before);
  });

  it('a replacement that changes the _id fails with code 66', async () => {
    const collection = await database.collection([{ _id: 1 }]);
    await expect(collection.replaceOne({ _id: 1 }, { _id: 2 })).rejects.toMatchObject({ code: 66 });
  });

  it('an update of many that fails leaves whole documents, and counts none that failed', async () => {
    const collection = await database.collection([{ _id: 1, n: 1 }, { _id: 2, n: 'x' }, { _id: 3, n: 1 }]); // prettier-ignore
    const failed = collection.bulkWrite([
      { updateOne: { filter: { _id: 1 }, update: { $inc: { n: 1 } } } },
      { updateOne: { filter: { _id: 2 }, update: { $set: { m: 1 }, $inc: { n: 1 } } } },
    ]);
    await expect(failed).rejects.toMatchObject({ code: 14, result: { matchedCount: 1, modifiedCount: 1 } });
    expect(await collection.findOne({ _id: 2 })).toEqual({ _id: 2, n: 'x' });
  });
});

describe('updates by a pipeline', () => {
  it('compute from the document, with the date of the server at hand', async () => {
    const { doc } = await updated({ n: 2, list: [1, 2, 3], o: { x: 1, y: 1 } }, [
      { $set: { twice: { $multiply: ['$n', 2] }, big: { $filter: { input: '$list', cond: { $gt: ['$$this', 1] } } } } },
      { $unset: ['list', 'o.x'] },
      { $set: { n: { $add: ['$twice', 1] }, at: '$$NOW' } },
    ]);
    expect(doc).toEqual({ n: 5, o: { y: 1 }, twice: 4, big: [2, 3], at: expect.any(Date) });
  });

  it('may replace the document, but not its _id', async () => {
    const collection = await database.collection([{ _id: 1, inner: { a: 1 } }]);
    await collection.updateOne({}, [{ $replaceWith: { $mergeObjects: ['$inner', { _id: '$_id', b: 2 }] } }]);
    expect(await collection.findOne()).toEqual({ _id: 1, a: 1, b: 2 });
    await expect(collection.updateOne({}, [{ $set: { _id: 2 } }])).rejects.toMatchObject({ code: 66 });
  });

  it('upsert, see variables of `let`, and take no stage but those of updates', async () => {
    const collection = await database.collection();
    await collection.updateOne({ _id: 7 }, [{ $set: { n: { $ifNull: ['$n', '$$start'] } } }], { upsert: true, let: { start: 3 } }); // prettier-ignore
    expect(await collection.findOne()).toEqual({ _id: 7, n: 3 });
    await expect(collection.updateOne({}, [{ $match: { n: 3 } }])).rejects.toThrow();
  });
});
