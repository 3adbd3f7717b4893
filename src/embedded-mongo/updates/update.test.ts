import { Int32, serialize } from 'bson';
import fc from 'fast-check';
import { type Doc } from '../values/bson-types';
import { MongoError } from '../errors';
import { compilePipeline } from '../aggregation/pipeline';
import { compileProjection } from '../filters/projection';
import { doc, number, scalar, value } from '../testing/arbitrary-values';
import { compileUpdate } from './update';
import { identical } from '../values/values';

const path = fc.constantFrom('a', 'b', 'a.b', 'a.0', 'a.0.b', 'b.c', 'c.1', 'a.$[]', 'a.$[].b');
const operator = fc.oneof(
  fc.tuple(
    fc.constantFrom('$set', '$min', '$max', '$push', '$addToSet', '$pull', '$unset', '$setOnInsert'),
    path,
    value,
  ),
  fc.tuple(fc.constantFrom('$inc', '$mul'), path, number),
  fc.tuple(fc.constant('$pop'), path, fc.constantFrom(new Int32(1), new Int32(-1))),
  fc.tuple(
    fc.constant('$push'),
    path,
    fc.record({ $each: fc.array(scalar, { maxLength: 2 }), $slice: fc.constant(new Int32(-2)) }),
  ),
  fc.tuple(fc.constant('$rename'), fc.constantFrom('a', 'b', 'a.b'), fc.constantFrom('c', 'b.c')),
);

/** Runs something that may answer with one of mongod's errors; any other error fails the test. */
function tolerantly<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof MongoError) return undefined;
    throw error;
  }
}

it('an update never changes its input, nor gives back an unchanged copy', () => {
  fc.assert(
    fc.property(doc, fc.array(operator, { minLength: 1, maxLength: 3 }), (d, operators) => {
      const update: Doc = {};
      for (const [name, field, arg] of operators) update[name] = { ...(update[name] as Doc), [field]: arg };
      const before = serialize(d);
      const next = tolerantly(() => compileUpdate(update, { filter: {} }).apply(d));
      expect(Buffer.compare(serialize(d), before)).toBe(0);
      if (next && next !== d && update.$set && Object.keys(update).length === 1) expect(identical(next, d)).toBe(false);
    }),
    { numRuns: 3000 },
  );
});

it('no stage and no projection changes its input', () => {
  const expression = fc.constantFrom('$a', '$b.c', { $concatArrays: ['$a', '$b'] }, { $mergeObjects: ['$a', '$b'] });
  const stage = fc.oneof(
    fc
      .tuple(fc.constantFrom('$set', '$project'), path, expression)
      .map(([name, field, e]) => ({ [name]: { [field]: e } })),
    path.map((field) => ({ $unset: field })),
    fc.constantFrom(
      { $unwind: '$a' },
      { $unwind: { path: '$a.b', includeArrayIndex: 'c', preserveNullAndEmptyArrays: true } },
    ),
    fc.constant({ $group: { _id: '$a', all: { $push: '$$ROOT' }, merged: { $mergeObjects: '$b' } } }),
    fc.constant({ $replaceWith: { $mergeObjects: ['$$ROOT', { a: { b: '$b' } }] } }),
  );
  fc.assert(
    fc.property(doc, fc.array(stage, { maxLength: 3 }), path, (d, stages, field) => {
      const before = serialize(d);
      tolerantly(() => [...compilePipeline(stages, {})([d])]);
      tolerantly(() => compileProjection({ [field]: 0 }, {})(d));
      expect(Buffer.compare(serialize(d), before)).toBe(0);
    }),
    { numRuns: 2000 },
  );
});

it('makes what an upsert inserts from the filter, then the update, the _id first', () => {
  const seed = compileUpdate(
    { $set: { c: 'x' }, $setOnInsert: { _id: 'me' } },
    { filter: { $and: [{ b: 2 }], 'a.x': { $eq: 1 }, d: { $gt: 3 } } },
  ).seed();
  expect(Object.entries(seed)).toEqual([['_id', 'me'], ['a', { x: 1 }], ['b', 2], ['c', 'x']]); // prettier-ignore
});
