/** What values are to MongoDB: how they are kept, when they are equal, and how they are ordered. */
import {
  Binary, BSONRegExp, BSONSymbol, Code, DBRef, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, serialize, Timestamp, UUID,
} from 'bson'; // prettier-ignore
import { RAW } from '../testing/replay';
import { idsOf, useDatabase, type AnyCollection, type AnyDoc } from '../testing/database';

const database = useDatabase();
const bytes = (...values: number[]): Binary => new Binary(Uint8Array.from(values));

const storedBytes = async (collection: AnyCollection): Promise<AnyDoc> => collection.findOne({}, { raw: true });

describe('what is stored comes back', () => {
  it('byte for byte, for every BSON type', async () => {
    const doc = {
      _id: new ObjectId(),
      double: new Double(1),
      fraction: 0.1,
      negativeZero: new Double(-0),
      notANumber: NaN,
      infinite: -Infinity,
      text: 'smile 😀, é, and a zero \0 inside',
      empty: '',
      nested: { z: 1, a: { deep: [{}, [], [[new Int32(1)]]] } },
      list: [new Int32(1), 'a', null, [new Int32(2)]],
      bytes: bytes(0, 255),
      uuid: new UUID(),
      userDefined: new Binary(Uint8Array.from([1]), 128),
      id: new ObjectId(),
      yes: true,
      no: false,
      date: new Date(0),
      before: new Date(-1),
      nothing: null,
      regex: new BSONRegExp('^a.b', 'im'),
      reference: new DBRef('other', new ObjectId()),
      code: new Code('f()'),
      scoped: new Code('g()', { x: new Int32(1) }),
      symbol: new BSONSymbol('s'),
      int: new Int32(-1),
      timestamp: new Timestamp({ t: 5, i: 2 }),
      small: Long.fromNumber(1),
      large: Long.MAX_VALUE,
      decimal: new Decimal128('1.10'),
      decimalNaN: new Decimal128('NaN'),
      min: new MinKey(),
      max: new MaxKey(),
    };
    const collection = await database.collection([doc]);
    expect(Buffer.compare(await storedBytes(collection), serialize(doc))).toBe(0);
  });

  it('with its keys in the order in which they were given, but the _id first', async () => {
    const collection = await database.collection();
    await collection.insertOne({ z: 1, b: 1, _id: 1, a: { y: 1, c: 1 } });
    expect(JSON.stringify(await collection.findOne())).toBe('{"_id":1,"z":1,"b":1,"a":{"y":1,"c":1}}');
  });

  it('as the number type that it was, also after an update of another field', async () => {
    const collection = await database.collection([{ long: Long.fromNumber(5), double: new Double(5), int: 5 }]);
    await collection.updateOne({}, { $set: { other: 1 }, $inc: { counter: Long.fromNumber(1) } });
    const doc = await collection.findOne({}, { ...RAW });
    const types = ['long', 'double', 'int', 'counter'].map((field) => doc[field]._bsontype);
    expect(types).toEqual(['Long', 'Double', 'Int32', 'Long']);
  });

  it('up to 16 MiB a document, and not above', async () => {
    const collection = await database.collection();
    const fits = Buffer.alloc(16 * 1024 * 1024 - 100);
    await collection.insertOne({ _id: 1, fits });
    expect((await collection.findOne({ _id: 1 }))?.fits.length()).toBe(fits.length);
    await expect(collection.updateOne({ _id: 1 }, { $set: { more: 'x'.repeat(200) } })).rejects.toThrow();
    await expect(collection.insertOne({ _id: 2, tooMuch: Buffer.alloc(16 * 1024 * 1024) })).rejects.toThrow();
    expect(await idsOf(collection, {})).toEqual([1]);
  });

  it('with an ObjectId as _id where none was given', async () => {
    const collection = await database.collection();
    await database.db.command({ insert: collection.collectionName, documents: [{ a: 1 }] });
    const doc = await collection.findOne();
    expect(Object.keys(doc)).toEqual(['_id', 'a']);
    expect(doc._id).toBeInstanceOf(ObjectId);
  });
});

describe('equality', () => {
  it('tells binaries with different bytes, or of different subtypes, apart', async () => {
    const collection = await database.collection();
    await collection.createIndex({ token: 1 }, { unique: true });
    await collection.insertMany([
      { _id: 1, token: bytes(0xff, 0x01) },
      { _id: 2, token: bytes(0xfe, 0x01) },
      { _id: 3, token: new Binary(Uint8Array.from([0xff, 0x01]), 5) },
    ]);
    expect(await idsOf(collection, { token: bytes(0xff, 0x01) })).toEqual([1]);
    expect(await idsOf(collection, { token: { $in: [bytes(0xfe, 0x01), bytes(0xff)] } })).toEqual([2]);
    await expect(collection.insertOne({ token: bytes(0xfe, 0x01) })).rejects.toMatchObject({ code: 11000 });
  });

  it.each([
    ['an int', new Int32(7)],
    ['a long', Long.fromNumber(7)],
    ['a double', new Double(7)],
    ['a decimal', new Decimal128('7.0')],
  ])('finds the other three number types by %s', async (_type, seven) => {
    const values = [new Int32(7), Long.fromNumber(7), new Double(7), new Decimal128('7')];
    const collection = await database.collection(values.map((n, _id) => ({ _id, n })));
    expect(await idsOf(collection, { n: seven })).toEqual([0, 1, 2, 3]);
    expect(await idsOf(collection, { n: { $in: [seven] } })).toEqual([0, 1, 2, 3]);
    expect(await idsOf(collection, { n: { $gte: seven, $lte: seven } })).toEqual([0, 1, 2, 3]);
  });

  it('of numbers is exact above 2^53', async () => {
    const collection = await database.collection([
      { _id: 1, n: Long.fromBigInt(2n ** 53n) },
      { _id: 2, n: Long.fromBigInt(2n ** 53n + 1n) },
      { _id: 3, n: new Double(2 ** 53) },
      { _id: 4, n: new Decimal128('9007199254740993') },
    ]);
    expect(await idsOf(collection, { n: Long.fromBigInt(2n ** 53n + 1n) })).toEqual([2, 4]);
    expect(await idsOf(collection, { n: { $gt: new Double(2 ** 53) } })).toEqual([2, 4]);
  });

  it('makes one _id of the same number in different types', async () => {
    const collection = await database.collection([{ _id: new Int32(1) }]);
    for (const same of [Long.fromNumber(1), new Double(1), new Decimal128('1.0')]) {
      await expect(collection.insertOne({ _id: same })).rejects.toMatchObject({ code: 11000 });
    }
    expect(await collection.countDocuments({ _id: new Decimal128('1') })).toBe(1);
  });

  it('makes one group and one distinct value of the same number in different types', async () => {
    const collection = await database.collection([
      { n: new Int32(2) },
      { n: new Double(2) },
      { n: Long.fromNumber(2) },
    ]);
    expect(await collection.distinct('n')).toHaveLength(1);
    expect(await collection.aggregate([{ $group: { _id: '$n', count: { $sum: 1 } } }]).toArray()).toMatchObject([
      { count: 3 },
    ]);
  });

  it('of objects counts the order of their keys, also in an _id', async () => {
    const collection = await database.collection([{ _id: { x: 1, y: 2 } }, { _id: { y: 2, x: 1 }, o: { p: 1, q: 2 } }]);
    expect(await collection.countDocuments({ _id: { y: 2, x: 1 } })).toBe(1);
    expect(await collection.countDocuments({ o: { q: 2, p: 1 } })).toBe(0);
    expect(await collection.countDocuments({ 'o.q': 2, 'o.p': 1 })).toBe(1);
    expect(await collection.countDocuments({ o: { p: 1 } })).toBe(0);
  });
});

describe('order', () => {
  const ascending = [
    new MinKey(),
    [],
    null,
    new Double(NaN),
    -Infinity,
    Long.fromNumber(-5),
    new Decimal128('0.5'),
    1,
    '',
    'B',
    'a',
    'é',
    {},
    { a: 1 },
    { a: 1, b: 0 },
    { a: 2 },
    [[1]],
    bytes(9),
    bytes(1, 1),
    new ObjectId('000000000000000000000000'),
    new ObjectId('000000000000000000000001'),
    false,
    true,
    new Date(-1),
    new Date(1),
    new Timestamp({ t: 1, i: 1 }),
    new BSONRegExp('a'),
    new MaxKey(),
  ];

  it('goes by type first: MinKey, null, numbers, text, objects, arrays, binaries, ObjectIds, booleans, dates, timestamps, regexes, MaxKey', async () => {
    const mixed = ascending.map((v, _id) => ({ _id, v }));
    const collection = await database.collection(mixed.toSorted((a, b) => ((a._id * 5) % 28) - ((b._id * 5) % 28)));
    const sorted = async (direction: 1 | -1) =>
      (await collection.find().sort({ v: direction }).project({ _id: 1 }).toArray()).map(({ _id }) => _id);
    const expected = ascending.map((_v, i) => i);
    expect(await sorted(1)).toEqual(expected);
    expect(await sorted(-1)).toEqual(expected.toReversed());
    await collection.createIndex({ v: 1 });
    expect(await sorted(1)).toEqual(expected);
    expect(await sorted(-1)).toEqual(expected.toReversed());
  });

  it('compares only values of one type: $gt 5 finds no text, $lt a date no number', async () => {
    const values = [1, 9, '9', null, true, new Date(9), [10], {}];
    const collection = await database.collection([...values.map((v, _id) => ({ _id, v })), { _id: 8 }]);
    expect(await idsOf(collection, { v: { $gt: 5 } })).toEqual([1, 6]);
    expect(await idsOf(collection, { v: { $lt: new Date(10) } })).toEqual([5]);
    expect(await idsOf(collection, { v: { $gte: '' } })).toEqual([2]);
    expect(await idsOf(collection, { v: { $lte: true } })).toEqual([4]);
    expect(await idsOf(collection, { v: { $gte: null } })).toEqual([3, 8]);
    expect(await idsOf(collection, { v: { $lte: null } })).toEqual([3, 8]);
    expect(await idsOf(collection, { v: { $not: { $gt: 5 } } })).toEqual([0, 2, 3, 4, 5, 7, 8]);
  });

  it('sorts an array by its least element going up, and by its greatest going down', async () => {
    const collection = await database.collection([
      { _id: 'low and high', a: [1, 20] },
      { _id: 'middle', a: [5] },
      { _id: 'near', a: [9, 3] },
      { _id: 'none', a: [] },
      { _id: 'no array', a: 4 },
    ]);
    const order = async (direction: 1 | -1) =>
      (await collection.find().sort({ a: direction }).toArray()).map(({ _id }) => _id);
    expect(await order(1)).toEqual(['none', 'low and high', 'near', 'no array', 'middle']);
    expect(await order(-1)).toEqual(['low and high', 'near', 'middle', 'no array', 'none']);
  });

  it('sorts by several fields in the order in which they are named, skips and limits afterwards', async () => {
    const collection = await database.collection([
      { _id: 1, a: 1, b: 1 },
      { _id: 2, a: 1, b: 2 },
      { _id: 3, a: 0, b: 1 },
      { _id: 4, a: 2, b: { c: 1 } },
    ]);
    const sorted = await collection.find().sort([['a', -1], ['b', 1]]).skip(1).limit(2).toArray(); // prettier-ignore
    expect(sorted.map(({ _id }) => _id)).toEqual([1, 2]);
  });
});

describe('collations', () => {
  it('shifted pass over spaces and punctuation', async () => {
    const collection = await database.collection(['black-bird', 'blackbird', 'black bird', 'blackbirds'].map((s, _id) => ({ _id, s }))); // prettier-ignore
    const found = collection.find({ s: 'blackbird' }).collation({ locale: 'en', alternate: 'shifted' });
    expect((await found.sort({ _id: 1 }).toArray()).map(({ _id }) => _id)).toEqual([0, 1, 2]);
  });

  it('order as the kind of the locale does', async () => {
    const collection = await database.collection(['Ärger', 'Afrika'].map((s) => ({ s })));
    const sorted = async (locale: string): Promise<AnyDoc[]> =>
      (await collection.find().sort({ s: 1 }).collation({ locale }).toArray()).map(({ s }) => s);
    expect(await sorted('de')).toEqual(['Afrika', 'Ärger']);
    expect(await sorted('de@collation=phonebook')).toEqual(['Ärger', 'Afrika']);
    await expect(sorted('de@collation=none')).rejects.toMatchObject({ code: 2 });
  });
});
