import { BSONRegExp, Int32 } from 'bson';
import fc from 'fast-check';
import { isArray, isDoc, rank, type Doc, type Value } from '../values/bson-types';
import { compileFilter, compileMatcher, type Found } from './match';
import { doc, scalar, value } from '../testing/arbitrary-values';
import { compareValues, equalValues } from '../values/values';

const one = new Int32(1);
const two = new Int32(2);

describe('filters against a plain reference', () => {
  const candidates = (d: Doc): Value[] => {
    const v = Object.hasOwn(d, 'a') ? d.a : undefined;
    return isArray(v) ? [...v, v] : [v];
  };

  it('$eq and $ne', () => {
    fc.assert(
      fc.property(doc, value, (d, v) => {
        fc.pre(!(v instanceof BSONRegExp) && !isDoc(v));
        const expected = candidates(d).some((c) => equalValues(c ?? null, v));
        expect(compileFilter({ a: { $eq: v } })(d)).toBe(expected);
        expect(compileFilter({ a: { $ne: v } })(d)).toBe(!expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('$lt and $gte compare only values of one type', () => {
    const plain = scalar.filter((v) => v !== null && ![1, 10, 50, 127].includes(rank(v)));
    fc.assert(
      fc.property(doc, plain, (d, v) => {
        const same = candidates(d).filter((c) => rank(c) === rank(v));
        expect(compileFilter({ a: { $lt: v } })(d)).toBe(same.some((c) => compareValues(c, v) < 0));
        expect(compileFilter({ a: { $gte: v } })(d)).toBe(same.some((c) => compareValues(c, v) >= 0));
      }),
      { numRuns: 2000 },
    );
  });

  it('$in is an $or of equalities, $nin its opposite', () => {
    fc.assert(
      fc.property(doc, fc.array(scalar, { maxLength: 4 }), (d, list) => {
        const plain = list.filter((v) => !(v instanceof BSONRegExp));
        const expected = plain.some((v) => compileFilter({ a: { $eq: v } })(d));
        expect(compileFilter({ a: { $in: plain } })(d)).toBe(expected);
        expect(compileFilter({ a: { $nin: plain } })(d)).toBe(!expected);
      }),
      { numRuns: 1000 },
    );
  });
});

it('tells which element of the array matched', () => {
  const index = (filter: Doc, d: Doc): number | undefined => {
    const found: Found = {};
    expect(compileMatcher(filter)(d, found)).toBe(true);
    return found.index;
  };
  expect(index({ a: two }, { a: [one, two] })).toBe(1);
  expect(index({ 'a.b': two }, { a: [{ b: one }, { b: [two] }] })).toBe(1);
  expect(index({ $and: [{ a: { $elemMatch: { b: two } } }] }, { a: [{}, {}, { b: two }] })).toBe(2);
  expect(index({ a: [one, two] }, { a: [one, two] })).toBeUndefined();
});

it.each([
  ['a missing field equals null', { 'a.b': null }, { a: one }, true],
  ['an empty array offers nothing to a path through it', { 'a.b': null }, { a: [] }, false],
  ['a number in a path is a position, or a field of an element', { 'a.0': one }, { a: [one, two] }, true],
  ['$size looks at the array itself', { a: { $size: one } }, { a: [[one, two]] }, true],
  ['$not holds for what has no such field', { a: { $not: { $gt: one } } }, {}, true],
  ['the key order of a document counts', { a: { x: one, y: two } }, { a: { y: two, x: one } }, false],
  ['$expr sees variables of the document', { $expr: { $gt: ['$a', '$b'] } }, { a: two, b: one }, true],
])('%s', (_rule, filter: Doc, d: Doc, expected) => {
  expect(compileFilter(filter)(d)).toBe(expected);
});

describe('regular expressions', () => {
  it.each([
    ['^a$', '', 'a\n', true],
    ['a.b', '', 'a\nb', false],
    ['a.b', 's', 'a\nb', true],
    ['^b', 'm', 'a\nb', true],
    ['a b # comment', 'x', 'ab', true],
    ['(?i)ABC', '', 'xabc', true],
    ['\\Qa.b\\E', '', 'a.b', true],
    ['[[:digit:]]+\\z', '', 'x12', true],
    ['[\\w.-]+@x', '', 'a-b.c@x', true],
    ['a{,2}', '', 'a{,2}', true],
  ])('%s with options "%s" on %j: %s', (pattern, options, text, expected) => {
    expect(compileFilter({ a: new BSONRegExp(pattern, options) })({ a: text })).toBe(expected);
  });

  it('are refused where JavaScript has no means for them', () => {
    expect(() => compileFilter({ a: new BSONRegExp('(?>a)b') })).toThrow('EmbeddedMongo does not support');
    expect(() => compileFilter({ a: new BSONRegExp('a++') })).toThrow('EmbeddedMongo does not support');
    expect(() => compileFilter({ a: new BSONRegExp('(') })).toThrow('Regular expression is invalid');
  });
});

it('refuses what it cannot do by name', () => {
  for (const operator of ['$where', '$text']) {
    expect(() => compileFilter({ [operator]: 'x' })).toThrow(`EmbeddedMongo does not support ${operator}`);
  }
  // what orders documents is the business of queries (queries/near.ts)
  expect(() => compileFilter({ a: { $near: [one, two] } })).toThrow('are not allowed in this context');
  expect(() => compileFilter({ a: { $nosuch: 1 } })).toThrow('unknown operator: $nosuch');
});
