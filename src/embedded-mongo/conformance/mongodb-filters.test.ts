/** Which documents a filter finds. */
import { BSONRegExp, Decimal128, Long, ObjectId } from 'bson';
import { idsOf, useDatabase, type AnyDoc } from '../testing/database';

const database = useDatabase();
type Row = [rule: string, filter: AnyDoc, found: (number | string)[]];

/** One test for each row, all on the same documents. */
function finds(docs: AnyDoc[], rows: Row[]): void {
  it.each(rows)('%s', async (_rule, filter, found) => {
    const collection = await database.collection(docs);
    expect(await idsOf(collection, filter)).toEqual(found);
    expect(await collection.countDocuments(filter)).toBe(found.length);
  });
}

describe('null, missing and $exists', () => {
  finds(
    [
      { _id: 'missing' },
      { _id: 'null', a: null },
      { _id: 'one', a: 1 },
      { _id: 'empty', a: [] },
      { _id: 'nulls', a: [1, null] },
      { _id: 'object', a: { b: 1 } },
      { _id: 'object of null', a: { b: null } },
      { _id: 'objects', a: [{ b: 1 }, {}] },
      { _id: 'objects of one', a: [{ b: 1 }] },
    ],
    [
      ['null finds null, missing, and an array with a null in it', { a: null }, ['missing', 'null', 'nulls']],
      ['$ne null is the opposite', { a: { $ne: null } }, ['empty', 'object', 'object of null', 'objects', 'objects of one', 'one']], // prettier-ignore
      ['$in with null finds the missing too', { a: { $in: [null, 1] } }, ['missing', 'null', 'nulls', 'one']],
      ['$nin with null leaves them out', { a: { $nin: [null, 1] } }, ['empty', 'object', 'object of null', 'objects', 'objects of one']], // prettier-ignore
      ['$exists true counts a null as there', { a: { $exists: true } }, ['empty', 'null', 'nulls', 'object', 'object of null', 'objects', 'objects of one', 'one']], // prettier-ignore
      ['$exists false finds the missing only', { a: { $exists: false } }, ['missing']],
      ['$type null tells null from missing', { a: { $type: 'null' } }, ['null', 'nulls']],
      [
        'null at the end of a path: the path breaks off, or an element of an array lacks the field',
        { 'a.b': null, a: { $not: { $type: 'array' } } },
        ['missing', 'null', 'object of null', 'one'],
      ],
      ['null through an array finds it where one element lacks the field', { 'a.b': null, a: { $type: 'object' } }, ['object of null', 'objects']], // prettier-ignore
      ['$exists through an array wants one element that has it', { 'a.b': { $exists: true } }, ['object', 'object of null', 'objects', 'objects of one']], // prettier-ignore
    ],
  );
});

describe('arrays', () => {
  finds(
    [
      {
        _id: 1,
        a: [1, 2, 3],
        o: [
          { x: 1, y: 5 },
          { x: 2, y: 1 },
        ],
      },
      { _id: 2, a: [[1, 2], 3], o: [{ x: 1, y: 1 }] },
      { _id: 3, a: 1, o: { x: 1, y: 1 } },
      { _id: 4, a: [], o: [] },
      { _id: 5, a: [1, 10], o: [{ x: [1, 7], y: [1] }] },
    ],
    [
      ['a value finds arrays that hold it', { a: 1 }, [1, 3, 5]],
      ['an array finds itself whole, or as an element', { a: [1, 2] }, [2]],
      ['the order of elements counts', { a: [3, 2, 1] }, []],
      ['an empty array finds only empty arrays', { a: [] }, [4]],
      ['two dotted conditions may be met by different elements', { 'o.x': 1, 'o.y': 1 }, [1, 2, 3, 5]],
      ['$elemMatch wants one element that meets both', { o: { $elemMatch: { x: 1, y: 1 } } }, [2, 5]],
      ['two bounds may be met by different elements', { a: { $gt: 3, $lt: 2 } }, [5]],
      ['$elemMatch of bounds wants one value within them', { a: { $elemMatch: { $gt: 1, $lt: 3 } } }, [1]],
      ['$elemMatch finds nothing where there is no array', { o: { $elemMatch: { x: 1 } }, _id: 3 }, []],
      ['$not $elemMatch finds documents without such an element', { o: { $not: { $elemMatch: { x: 1 } } } }, [3, 4]],
      ['a number in a path is a position', { 'a.0': 1 }, [1, 5]],
      ['a position and then a field', { 'o.1.x': 2 }, [1]],
      ['$size counts elements, and no array has no size', { a: { $size: 2 } }, [2, 5]],
      ['$all wants each value somewhere', { a: { $all: [1, 3] } }, [1]],
      ['$all of one value also fits a plain value', { a: { $all: [1] } }, [1, 3, 5]],
      ['$all of nothing finds nothing', { a: { $all: [] } }, []],
      ['$all of $elemMatch wants an element for each', { o: { $all: [{ $elemMatch: { x: 1 } }, { $elemMatch: { x: 2 } }] } }, [1]], // prettier-ignore
      ['$ne leaves out arrays that hold the value', { a: { $ne: 1 } }, [2, 4]],
      ['$nin leaves out arrays that hold any of the values', { a: { $nin: [10, 2] } }, [2, 3, 4]],
    ],
  );
});

describe('logic', () => {
  finds(
    [1, 2, 3, 4].map((n) => ({ _id: n, n, even: n % 2 === 0 })),
    [
      ['an empty filter finds all', {}, [1, 2, 3, 4]],
      ['$or', { $or: [{ n: 1 }, { even: true }] }, [1, 2, 4]],
      ['$nor', { $nor: [{ n: 1 }, { even: true }] }, [3]],
      ['$and of the same field twice', { $and: [{ n: { $gt: 1 } }, { n: { $lt: 4 } }] }, [2, 3]],
      ['$or beside another condition is met together with it', { even: true, $or: [{ n: 1 }, { n: 2 }] }, [2]],
      ['$not turns one condition round, and finds what lacks the field', { gone: { $not: { $gt: 1 } } }, [1, 2, 3, 4]],
      ['$mod', { n: { $mod: [3, 1] } }, [1, 4]],
      ['$expr compares two fields', { $expr: { $eq: ['$n', { $add: ['$_id', 0] }] }, n: { $gte: 3 } }, [3, 4]],
      ['$expr with $in over a list', { $expr: { $in: ['$n', [1, 4]] } }, [1, 4]],
      ['$in of nothing finds nothing', { n: { $in: [] } }, []],
      ['$nin of nothing finds all', { n: { $nin: [] } }, [1, 2, 3, 4]],
      ['bits', { n: { $bitsAllSet: [1] } }, [2, 3]],
      ['a comment changes nothing', { n: 1, $comment: 'why' }, [1]],
    ],
  );

  it('refuses an unknown operator, and arguments of the wrong kind, with code 2', async () => {
    const collection = await database.collection();
    const wrong: AnyDoc[] = [{ a: { $nope: 1 } }, { $nope: [] }, { $or: [] }, { $or: {} }, { a: { $in: 1 } }, { a: { $mod: [1] } }, { a: { $elemMatch: 1 } }]; // prettier-ignore
    for (const filter of wrong) await expect(collection.findOne(filter)).rejects.toMatchObject({ code: 2 });
  });

  it('evaluates the variables of `let`', async () => {
    const collection = await database.collection([{ _id: 1 }, { _id: 2 }]);
    const found = await collection.find({ $expr: { $eq: ['$_id', '$$wanted'] } }, { let: { wanted: 2 } }).toArray();
    expect(found).toEqual([{ _id: 2 }]);
  });
});

describe('regular expressions', () => {
  finds(
    [
      { _id: 1, s: 'Apple pie' },
      { _id: 2, s: 'apple\nbanana' },
      { _id: 3, s: ['cherry', 'Apple'] },
      { _id: 4, s: 42 },
      { _id: 5, s: new BSONRegExp('^a', 'i') },
    ],
    [
      ['a pattern finds text, and arrays with such text', { s: /^Apple/ }, [1, 3]],
      ['option i', { s: /^apple/i }, [1, 2, 3]],
      ['$regex and $options as text', { s: { $regex: 'APPLE', $options: 'i' } }, [1, 2, 3]],
      ['option m: ^ at each line', { s: { $regex: '^ban', $options: 'm' } }, [2]],
      ['option s: a dot is also a new line', { s: { $regex: 'apple.ban', $options: 's' } }, [2]],
      ['without it a dot is not', { s: { $regex: 'apple.ban' } }, []],
      ['option x: blanks in the pattern do not count', { s: { $regex: 'Apple\\ pie # dessert', $options: 'x' } }, [1]],
      ['inside $in, beside plain values', { s: { $in: [/^app/, 42] } }, [2, 4]],
      ['$nin', { s: { $nin: [/apple/i, new BSONRegExp('^a', 'i')] } }, [4]],
      ['under $not', { s: { $not: /apple/i } }, [4, 5]],
      ['a stored pattern is found by the same pattern', { s: new BSONRegExp('^a', 'i'), _id: 5 }, [5]],
      ['numbers have no text', { s: /42/ }, []],
    ],
  );
});

describe('$type', () => {
  finds(
    [
      { _id: 'int', v: 1 },
      { _id: 'long', v: Long.fromNumber(1) },
      { _id: 'double', v: 1.5 },
      { _id: 'decimal', v: new Decimal128('1') },
      { _id: 'string', v: 'x' },
      { _id: 'array', v: ['x'] },
      { _id: 'date', v: new Date() },
      { _id: 'id', v: new ObjectId() },
    ],
    [
      ['tells the number types apart', { v: { $type: 'long' } }, ['long']],
      ['knows all numbers under one name', { v: { $type: 'number' } }, ['decimal', 'double', 'int', 'long']],
      ['takes the codes', { v: { $type: 16 } }, ['int']],
      ['takes a list', { v: { $type: ['date', 'objectId', 1] } }, ['date', 'double', 'id']],
      ['looks into arrays', { v: { $type: 'string' } }, ['array', 'string']],
      ['and at the array itself', { v: { $type: 'array' } }, ['array']],
    ],
  );
});

it('distinct lists the elements of arrays once each, also below a path', async () => {
  const collection = await database.collection([
    { t: ['a', 'b'], o: [{ x: 1 }, { x: 2 }] },
    { t: 'b', o: { x: 2 } },
    { t: [] },
  ]);
  expect((await collection.distinct('t')).sort()).toEqual(['a', 'b']);
  expect((await collection.distinct('o.x')).sort()).toEqual([1, 2]);
  expect(await collection.distinct('o.x', { t: 'a' })).toHaveLength(2);
});

it('counts with skip and limit, and counts a missing collection as empty', async () => {
  const collection = await database.collection([{}, {}, {}]);
  expect(await collection.countDocuments({}, { skip: 1, limit: 1 })).toBe(1);
  expect(await collection.estimatedDocumentCount()).toBe(3);
  expect(await database.db.collection('never made').countDocuments()).toBe(0);
  expect(await database.db.collection('never made').find().toArray()).toEqual([]);
});

it('a mask of bits that is negative or broken is refused with code 9, a size beyond 32 bits with 2', async () => {
  const collection = await database.collection([{ _id: 1, a: 5 }]);
  const refused = (filter: AnyDoc, code: number) =>
    expect(collection.find(filter).toArray()).rejects.toMatchObject({ code });
  await refused({ a: { $bitsAllSet: -1 } }, 9);
  await refused({ a: { $bitsAnyClear: 1.5 } }, 9);
  await refused({ a: { $bitsAnyClear: 'x' } }, 2);
  await refused({ $alwaysTrue: 2 }, 9);
  await refused({ a: { $size: 2 ** 40 } }, 2);
});
