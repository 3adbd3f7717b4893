import { Binary, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import fc from 'fast-check';
import { parseCollation } from './collation';
import { value } from '../testing/arbitrary-values';
import { compareValues, encodeKey, identical } from './values';

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

describe('the order of values', () => {
  const ascending = [
    new MinKey(), undefined, null, new Double(NaN), new Double(-Infinity), new Decimal128('-1E6000'), new Double(-1e300), new Int32(-1),
    new Decimal128('-1E-6100'), new Int32(0), new Decimal128('1E-6100'), new Decimal128('0.1'), new Double(0.1), new Int32(1), new Double(2 ** 53),
    Long.fromBigInt(2n ** 53n + 1n), new Decimal128('9007199254740993.5'), Long.fromBigInt(2n ** 53n + 2n), new Decimal128('1E6000'), new Double(Infinity),
    '', 'A', 'a', 'a\0', 'ab', '\ud7ff', '\ue000', '\uffff', '😀', {}, { b: null, a: new Int32(1) }, { a: new Int32(1) }, { a: new Int32(1), b: null }, { a: 'x' },
    [], [new Int32(1)], [new Int32(1), new Int32(0)], ['a'], new Binary(new Uint8Array([9])), new Binary(new Uint8Array([0, 0])),
    new ObjectId('000000000000000000000001'), false, true, new Date(-1), new Date(0), new Timestamp({ t: 1, i: 2 }), new MaxKey(),
  ]; // prettier-ignore

  it('is that of BSON, and so is the order of their keys', () => {
    for (const [i, a] of ascending.entries()) {
      for (const [j, b] of ascending.entries()) {
        expect([i, j, Math.sign(compareValues(a, b))]).toEqual([i, j, Math.sign(i - j)]);
        expect([i, j, order(encodeKey(a), encodeKey(b))]).toEqual([i, j, Math.sign(i - j)]);
      }
    }
  });

  it('takes numbers of all four types as equal if their values are', () => {
    const ones = [new Int32(1), new Double(1), Long.fromNumber(1), new Decimal128('1'), new Decimal128('1.000')];
    expect(new Set(ones.map((v) => encodeKey(v))).size).toBe(1);
    expect(encodeKey(new Double(-0))).toBe(encodeKey(new Decimal128('0E+3')));
    expect(encodeKey(new Decimal128('0.1'))).not.toBe(encodeKey(new Double(0.1)));
  });

  it('agrees between compareValues and encodeKey for any two values', () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        expect(order(encodeKey(a), encodeKey(b))).toBe(Math.sign(compareValues(a, b)));
      }),
      { numRuns: 3000 },
    );
  });

  it('lets keys be joined to compound keys', () => {
    fc.assert(
      fc.property(value, value, value, value, (a, b, c, d) => {
        const expected = Math.sign(compareValues(a, c)) || Math.sign(compareValues(b, d));
        expect(order(encodeKey(a) + encodeKey(b), encodeKey(c) + encodeKey(d))).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });
});

it('tells identical values from equal ones', () => {
  expect(identical({ a: new Int32(1) }, { a: new Int32(1) })).toBe(true);
  expect(identical(new Int32(1), new Double(1))).toBe(false);
  expect(identical(new Double(0), new Double(-0))).toBe(false);
  expect(identical(new Decimal128('1.0'), new Decimal128('1.00'))).toBe(false);
  expect(identical({ a: null, b: null }, { b: null, a: null })).toBe(false);
});

describe('collations', () => {
  const equal = (spec: Record<string, unknown>, a: string, b: string): boolean => {
    const collation = parseCollation(spec)!;
    expect(encodeKey(a, collation) === encodeKey(b, collation)).toBe(compareValues(a, b, collation) === 0);
    return compareValues(a, b, collation) === 0;
  };

  it('of strength 2 ignore case, of strength 1 accents too', () => {
    expect(equal({ locale: 'en', strength: new Int32(2) }, 'Résumé', 'rÉSUMÉ')).toBe(true);
    expect(equal({ locale: 'en', strength: new Int32(2) }, 'Résumé', 'resume')).toBe(false);
    expect(equal({ locale: 'en', strength: new Int32(1) }, 'Résumé', 'resume')).toBe(true);
    expect(equal({ locale: 'en' }, 'a', 'A')).toBe(false);
    // in Swedish å is a letter of its own
    expect(equal({ locale: 'sv', strength: new Int32(1) }, 'å', 'a')).toBe(false);
    expect(equal({ locale: 'en', numericOrdering: true }, 'a7', 'a007')).toBe(true);
  });

  it('that do not exist here are refused', () => {
    expect(() => parseCollation({ locale: 'en', strength: new Int32(4) })).toThrow('EmbeddedMongo does not support');
    expect(() => parseCollation({ locale: 'en', backwards: true })).toThrow('EmbeddedMongo does not support');
    expect(() => parseCollation({ locale: 'nosuch' })).toThrow("Field 'locale' is invalid");
  });
});
