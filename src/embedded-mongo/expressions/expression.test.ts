import { Binary, BSONRegExp, Decimal128, Double, Int32, Long, ObjectId, Timestamp } from 'bson';
import fc from 'fast-check';
import { type Doc, type Value } from '../values/bson-types';
import { MongoError } from '../errors';
import { compileExpression, OPERATORS, scopeOf } from './expression';
import { compileFilter } from '../filters/match';
import { doc, scalar, value } from '../testing/arbitrary-values';
import { compileUpdate } from '../updates/update';
import { identical } from '../values/values';

const int = (n: number): Int32 => new Int32(n);
const double = (n: number): Double => new Double(n);
const long = (n: bigint | number): Long => Long.fromBigInt(BigInt(n));
const dec = (text: string): Decimal128 => new Decimal128(text);
const day = (text: string): Date => new Date(text);

function evaluate(expression: Value, d: Doc = {}): Value {
  const env = { now: new Date(0) };
  return compileExpression(expression, env)({ ...scopeOf(env), ROOT: d, CURRENT: d });
}

describe('expressions', () => {
  const maxInt = int(2147483647);
  const maxLong = long(2n ** 63n - 1n);

  it.each<[string, Value, Value]>([
    ['an int that overflows is a long', { $add: [maxInt, int(1)] }, long(2147483648)],
    ['a long that overflows is a double', { $add: [maxLong, long(1)] }, double(2 ** 63)],
    ['a decimal is contagious', { $add: [double(0.5), dec('1')] }, dec('1.5')],
    ['products of doubles and decimals', { $multiply: [double(1.5), dec('2')] }, dec('3.00000000000000')],
    ['exact quotients keep few digits', { $divide: [dec('10'), dec('4')] }, dec('2.5')],
    ['others have 34', { $divide: [dec('1'), dec('3')] }, dec('0.3333333333333333333333333333333333')],
    ['quotients of ints are doubles', { $divide: [int(6), int(3)] }, double(2)],
    ['remainders have the sign of the dividend', { $mod: [int(-7), int(3)] }, int(-1)],
    ['powers of ints stay whole', { $pow: [int(2), int(40)] }, long(2 ** 40)],
    ['rounding is to even', { $round: [double(2.5)] }, double(2)],
    ['rounding by the exact value', { $round: [double(2.675), int(2)] }, double(2.67)],
    ['rounding left of the point', { $round: [int(1250), int(-2)] }, int(1200)],
    ['the square root of a decimal', { $sqrt: dec('2') }, dec('1.414213562373095048801688724209698')],
    ['sums of doubles lose nothing on the way', { $sum: [[double(1e16), double(1), double(-1e16)]] }, double(1)],
    ['bytes and code points differ', { $strLenBytes: 'é😀' }, int(6)],
    ['code points', { $substrCP: ['a😀b', int(1), int(1)] }, '😀'],
    ['only ASCII changes its case', { $toUpper: 'éa' }, 'éA'],
    ['numbers become text like %g', { $toString: double(1234567.5) }, '1.23457e+06'],
    ['text becomes numbers', { $toLong: '-12' }, long(-12)],
    ['a failed conversion', { $convert: { input: 'x', to: 'int', onError: 'bad' } }, 'bad'],
    ['regular expressions count code points', { $regexFind: { input: '😀ab', regex: '(a)(c)?' } }, { match: 'a', idx: int(1), captures: ['a', null] }],
    ['unions are sorted', { $setUnion: [[int(3), int(1)], [int(2), int(1)]] }, [int(1), int(2), int(3)]],
    ['an index from the end', { $arrayElemAt: [[int(1), int(2)], int(-1)] }, int(2)],
    ['sorting by a field', { $sortArray: { input: [{ a: int(2) }, { a: int(1) }], sortBy: { a: int(1) } } }, [{ a: int(1) }, { a: int(2) }]],
    ['a timezone in daylight saving', { $dateToString: { date: day('2018-07-01T00:00:00Z'), format: '%H:%M %z', timezone: 'Europe/Berlin' } }, '02:00 +0200'],
    ['a skipped hour', { $dateFromParts: { year: int(2018), month: int(3), day: int(25), hour: int(2), timezone: 'Europe/Berlin' } }, day('2018-03-25T01:00:00Z')],
    ['ISO weeks', { $dateToParts: { date: day('2017-01-01T00:00:00Z'), iso8601: true } }, { isoWeekYear: int(2016), isoWeek: int(52), isoDayOfWeek: int(7), hour: int(0), minute: int(0), second: int(0), millisecond: int(0) }],
    ['months end early', { $dateAdd: { startDate: day('2020-01-31T00:00:00Z'), unit: 'month', amount: int(1) } }, day('2020-02-29T00:00:00Z')],
    ['differences count boundaries', { $dateDiff: { startDate: day('2020-12-31T23:00:00Z'), endDate: day('2021-01-01T00:00:00Z'), unit: 'year' } }, long(1)],
    ['weeks begin where one says', { $dateTrunc: { date: day('2021-03-17T10:00:00Z'), unit: 'week', startOfWeek: 'monday' } }, day('2021-03-15T00:00:00Z')],
    ['the 15 minutes of a moment', { $dateTrunc: { date: day('2021-03-17T10:44:59Z'), unit: 'minute', binSize: int(15) } }, day('2021-03-17T10:30:00Z')],
    ['parsing by a format', { $dateFromString: { dateString: '03/2020/07 +0130', format: '%d/%Y/%m %z' } }, day('2020-07-02T22:30:00Z')],
  ])('%s', (_rule, expression, expected) => {
    const result = evaluate(expression);
    expect({ equal: identical(result, expected), result }).toEqual({ equal: true, result });
  }); // prettier-ignore
});

describe('whatever stands behind an operator', () => {
  const junk = fc.oneof(
    value,
    scalar,
    fc.array(fc.oneof(value, fc.constantFrom('$a', '$b.c', '$$ROOT', '$$x')), { maxLength: 4 }),
    fc.dictionary(
      fc.constantFrom('input', 'in', 'as', 'cond', 'date', 'format', 'timezone', 'to', 'regex', 'n', 'sortBy', 'unit', 'amount', 'startDate', 'vars', 'year', 'field', 'value', 'branches', 'inputs'),
      fc.oneof(value, fc.constantFrom('$a', '$b', 'UTC', 'Europe/Berlin', 'day', 'int', '%Y')),
      { maxKeys: 4, noNullPrototype: true },
    ),
    fc.constantFrom(new ObjectId(), new Timestamp({ t: 1, i: 1 }), new Binary(new Uint8Array(2)), new BSONRegExp('a')),
  ); // prettier-ignore
  const onlyMongoErrors = (run: () => unknown): void => {
    try {
      run();
    } catch (error) {
      if (!(error instanceof MongoError)) throw error;
    }
  };

  it("an expression gives a value or one of mongod's errors", () => {
    const operators = Object.keys(OPERATORS).filter((name) => name !== '$range');
    fc.assert(
      fc.property(fc.constantFrom(...operators), junk, doc, (name, arg, d) =>
        onlyMongoErrors(() => evaluate({ [name]: arg }, d)),
      ),
      { numRuns: 20_000 },
    );
  }, 60_000);

  it('so does a filter', () => {
    const names = ['$eq', '$in', '$nin', '$not', '$all', '$elemMatch', '$size', '$type', '$mod', '$regex', '$options', '$bitsAllSet', '$exists', '$and', '$or', '$expr', '$gt']; // prettier-ignore
    fc.assert(
      fc.property(fc.constantFrom(...names), junk, doc, (name, arg, d) => {
        onlyMongoErrors(() => compileFilter({ a: { [name]: arg } })(d));
        onlyMongoErrors(() => compileFilter({ [name]: arg })(d));
      }),
      { numRuns: 5000 },
    );
  });

  it('so does an update', () => {
    const names = [
      '$set',
      '$unset',
      '$inc',
      '$mul',
      '$min',
      '$rename',
      '$push',
      '$addToSet',
      '$pull',
      '$pullAll',
      '$pop',
      '$bit',
      '$currentDate',
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.constantFrom('a', 'a.b', 'a.$[]', 'a.$[e]', 'a.$', '', 'a..b'),
        junk,
        doc,
        (name, path, arg, d) => {
          onlyMongoErrors(() => compileUpdate({ [name]: { [path]: arg } }, { filter: {} }).apply(d));
          onlyMongoErrors(() => compileUpdate({ [name]: arg }, { filter: {} }).apply(d));
        },
      ),
      { numRuns: 5000 },
    );
  });
});
