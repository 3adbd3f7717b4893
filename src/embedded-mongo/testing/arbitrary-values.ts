/** Random BSON values and documents for property tests: few names and few values, so that they meet. */
import { Binary, BSONRegExp, Code, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import fc from 'fast-check';
import { type Doc, type Value } from '../values/bson-types';

const decimal = fc
  .tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.integer({ min: -30, max: 30 }))
  .map(([digits, exponent]) => new Decimal128(`${digits}E${exponent}`));

export const number: fc.Arbitrary<Value> = fc.oneof(
  fc.integer({ min: -5, max: 5 }).map((n) => new Int32(n)),
  fc.integer().map((n) => new Int32(n)),
  fc.double().map((n) => new Double(n)),
  fc.integer({ min: -20, max: 20 }).map((n) => new Double(n / 4)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => Long.fromBigInt(n)),
  fc.integer({ min: -5, max: 5 }).map((n) => Long.fromNumber(n)),
  fc.integer({ min: -2, max: 2 }).map((n) => Long.fromBigInt(2n ** 53n + BigInt(n))),
  fc.integer({ min: -2, max: 2 }).map((n) => new Decimal128(String(2n ** 53n + BigInt(n)))),
  fc
    .constantFrom('NaN', 'Infinity', '-Infinity', '0', '-0', '0.1', '1.5', '1E6000', '-1E6000', '1E-6100', '-1E-6100')
    .map((s) => new Decimal128(s)),
  fc.constantFrom(0.1, -0, NaN, Infinity, -Infinity, 1e300, 5e-324, 2 ** 53, 2 ** 63).map((n) => new Double(n)),
  decimal,
);

const text = fc.oneof(
  fc.constantFrom('', 'a', 'b', 'A', 'é', 'ab', 'a\0', 'a\0b', '\ud7ff', '\ue000', '\uffff', '😀', 'a😀'),
  fc.string({ unit: 'binary', maxLength: 4 }),
);

export const scalar: fc.Arbitrary<Value> = fc.oneof(
  number,
  number,
  text,
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom(new MinKey(), new MaxKey()),
  fc.integer({ min: -3, max: 3 }).map((n) => new Date(n * 1e9)),
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => new ObjectId(bytes)),
  fc.tuple(fc.uint8Array({ maxLength: 3 }), fc.constantFrom(0, 5)).map(([bytes, type]) => new Binary(bytes, type)),
  fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 3 })).map(([t, i]) => new Timestamp({ t, i })),
  fc
    .tuple(fc.constantFrom('a', 'b'), fc.constantFrom('', 'i'))
    .map(([pattern, options]) => new BSONRegExp(pattern, options)),
  fc.constantFrom('f()', 'g()').map((code) => new Code(code)),
);

const name = fc.constantFrom('a', 'b', 'c');

export const { value, doc } = fc.letrec<{ value: Value; doc: Doc }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    { weight: 4, arbitrary: scalar },
    { weight: 1, arbitrary: fc.array(tie('value'), { maxLength: 3 }) },
    { weight: 1, arbitrary: tie('doc') },
  ),
  doc: fc.dictionary(name, tie('value'), { maxKeys: 3, noNullPrototype: true }),
}));
