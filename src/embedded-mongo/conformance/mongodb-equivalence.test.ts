/**
 * An index changes the speed of an answer, never the answer. Two collections get the same random documents and updates, one has indexes; random
 * queries, sorts with limits, counts, distinct values and writes by filter must give the same on both.
 */
import { EJSON } from 'bson';
import fc from 'fast-check';
import { MongoServerError } from 'mongodb';
import { number, scalar } from '../testing/arbitrary-values';
import { useDatabase, type AnyCollection, type AnyDoc } from '../testing/database';
import { RAW } from '../testing/replay';

const database = useDatabase({ ...RAW });
/** The same cases in every run; for a long look there are more of them: `EQUIVALENCE_RUNS=1000`. */
/* eslint-disable-next-line no-restricted-properties -- a setting of this test alone */
const SETTINGS = { seed: 1_964_077, numRuns: Number(process.env.EQUIVALENCE_RUNS ?? 15), endOnFailure: true };
const CASELESS = { locale: 'en', strength: 2 };

/** Few values, so that filters find something and documents collide. */
const small = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<AnyDoc[]>(0, 1, 2, 3, 'a', 'A', 'b', null, true) },
  { weight: 1, arbitrary: scalar },
  { weight: 1, arbitrary: number },
);
const value = fc.oneof(
  { weight: 6, arbitrary: small },
  { weight: 2, arbitrary: fc.array(small, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.record({ b: small }) },
  { weight: 1, arbitrary: fc.array(fc.record({ b: small }, { requiredKeys: [] }), { maxLength: 2 }) },
);
const docs = fc.array(fc.record({ a: value, b: value, c: small }, { requiredKeys: [] }), {
  minLength: 12,
  maxLength: 24,
});
const field = fc.constantFrom('a', 'b', 'c', 'a.b', 'b.b');

const condition: fc.Arbitrary<AnyDoc> = fc.oneof(
  value,
  small.map((v) => ({ $eq: v })),
  fc.tuple(fc.constantFrom('$gt', '$gte', '$lt', '$lte', '$ne'), small).map(([operator, v]) => ({ [operator]: v })),
  fc.tuple(small, small).map(([low, high]) => ({ $gte: low, $lt: high })),
  fc.tuple(fc.constantFrom('$in', '$nin'), fc.array(small, { maxLength: 3 })).map(([operator, list]) => ({ [operator]: list })),
  fc.boolean().map((exists) => ({ $exists: exists })),
  fc.tuple(small, small).map(([low, high]) => ({ $elemMatch: { $gte: low, $lte: high } })),
  small.map((v) => ({ $not: { $gt: v } })),
  fc.constantFrom({ $regex: '^a' }, { $type: 'number' }, { $size: 2 }),
); // prettier-ignore
const leaf = fc.dictionary(field, condition, { minKeys: 1, maxKeys: 3, noNullPrototype: true });
const filter: fc.Arbitrary<AnyDoc> = fc.oneof(
  { weight: 5, arbitrary: leaf },
  { weight: 1, arbitrary: fc.array(leaf, { minLength: 1, maxLength: 2 }).map(($or) => ({ $or })) },
  { weight: 1, arbitrary: fc.tuple(leaf, leaf).map(($and) => ({ $and })) },
  { weight: 1, arbitrary: fc.tuple(leaf, leaf).map(([one, two]) => ({ ...one, $or: [two] })) },
);

const direction = fc.constantFrom<(1 | -1)[]>(1, -1);
const sort = fc.option(
  fc.oneof(
    fc.tuple(fc.constantFrom('a', 'b', 'c', 'a.b'), direction).map(([name, way]) => [[name, way]]),
    fc.tuple(direction, direction).map(([one, two]) => [['a', one], ['b', two]]),
    fc.tuple(direction, direction).map(([one, two]) => [['c', one], ['a', two]]),
  ),
  { nil: undefined },
); // prettier-ignore
const query = fc.record({
  filter,
  sort,
  tie: direction,
  limit: fc.nat({ max: 4 }),
  collation: fc.constantFrom(undefined, undefined, CASELESS),
});
type Query = typeof query extends fc.Arbitrary<infer T> ? T : never;

const update = fc.oneof(
  fc.tuple(fc.constantFrom('a', 'b', 'c', 'a.b', 'b.0'), value).map(([name, v]) => ({ $set: { [name]: v } })),
  field.map((name) => ({ $unset: { [name]: '' } })),
  fc.tuple(fc.constantFrom('a', 'b'), small).map(([name, v]) => ({ $push: { [name]: v } })),
  fc.tuple(fc.constantFrom('a', 'b'), small).map(([name, v]) => ({ $pull: { [name]: v } })),
  fc.constantFrom({ $inc: { c: 1 } }, { $inc: { a: 1 } }, { $rename: { a: 'b' } }),
);

const INDEXES: AnyDoc[] = [
  [{ key: { a: 1 } }, { key: { 'b.b': 1 } }],
  [{ key: { a: 1, b: -1 } }],
  [{ key: { a: -1, _id: 1 } }, { key: { c: 1 }, sparse: true }],
  [
    { key: { a: 1, c: 1 }, sparse: true },
    { key: { b: 1 }, sparse: true },
  ],
  [{ key: { a: 1 }, name: 'some', partialFilterExpression: { c: { $gt: 0 } } }],
  [{ key: { c: 1, a: -1 }, name: 'there', partialFilterExpression: { a: { $exists: true } } }],
  [{ key: { a: 1 }, name: 'caseless', collation: CASELESS }, { key: { c: 1 } }],
  [{ key: { c: 1, _id: -1 }, name: 'caseless', collation: CASELESS }, { key: { 'a.b': 1, c: 1 } }],
];

/** The answer, or the code of the error. */
async function outcome(operation: () => Promise<AnyDoc>): Promise<string> {
  try {
    return EJSON.stringify(await operation(), { relaxed: false });
  } catch (error) {
    if (error instanceof MongoServerError) return `error ${error.code}`;
    throw error;
  }
}

async function answers(collection: AnyCollection, { filter, sort, tie, limit, collation }: Query): Promise<string[]> {
  const options = collation ? { collation } : {};
  // the _id decides between equals, so that one order is right
  const order: AnyDoc = [...(sort ?? []), ['_id', tie]];
  return Promise.all([
    outcome(() => collection.find(filter, options).sort(order).limit(limit).toArray()),
    outcome(async () => byId(await collection.find(filter, options).toArray())),
    outcome(() => collection.countDocuments(filter, options)),
    // a sort alone may lead to an index; its equals may come in any order, so the sets are compared
    outcome(async () => byId(sort ? await collection.find(filter, options).sort(sort as AnyDoc).toArray() : [])),
    outcome(async () => byId((await collection.distinct('c', filter)).map((c: AnyDoc) => ({ _id: EJSON.stringify(c) })))),
  ]); // prettier-ignore
}
const byId = (rows: AnyDoc[]): AnyDoc[] => rows.map((row) => [EJSON.stringify(row._id), row]).sort(([a], [b]) => (a < b ? -1 : 1)); // prettier-ignore

const PARALLEL_ARRAYS = 'error 171';

/** What the indexed collection cannot hold (two arrays in one key) is done in neither. */
async function both(operation: (on: AnyCollection) => Promise<AnyDoc>, indexed: AnyCollection, plain: AnyCollection) {
  const first = await outcome(() => operation(indexed));
  if (first === PARALLEL_ARRAYS) return;
  expect(await outcome(() => operation(plain))).toBe(first);
}

it(
  'answers are the same with and without indexes, before and after updates',
  async () => {
    const everything = fc.record({
      docs,
      indexes: fc.constantFrom(...INDEXES),
      late: fc.boolean(),
      updates: fc.array(fc.tuple(fc.nat({ max: 23 }), update), { maxLength: 8 }),
      bulk: fc.tuple(filter, filter),
      queries: fc.array(query, { minLength: 6, maxLength: 10 }),
    });
    const same = async (indexed: AnyCollection, plain: AnyCollection, queries: Query[]) => {
      const all = await Promise.all(
        queries.map(async (each) => [await answers(indexed, each), await answers(plain, each)]),
      );
      all.forEach(([with_, without], i) => expect({ query: queries[i], answers: with_ }).toEqual({ query: queries[i], answers: without })); // prettier-ignore
    };
    await fc.assert(
      fc.asyncProperty(everything, async ({ docs, indexes, late, updates, bulk, queries }) => {
        const [indexed, plain] = [await database.collection(), await database.collection()];
        if (!late) await indexed.createIndexes(indexes);
        for (const [_id, doc] of docs.entries()) await both((on) => on.insertOne({ _id, ...doc }), indexed, plain);
        if (late && (await outcome(() => indexed.createIndexes(indexes))) === PARALLEL_ARRAYS) fc.pre(false);
        await same(indexed, plain, queries);
        for (const [_id, change] of updates) await both((on) => on.updateOne({ _id }, change), indexed, plain);
        const [marked, removed] = bulk;
        await both((on) => on.updateMany(marked, { $inc: { z: 1 } }), indexed, plain);
        await both((on) => on.deleteMany(removed), indexed, plain);
        await same(indexed, plain, queries);
        await Promise.all([indexed.drop(), plain.drop()]);
      }),
      SETTINGS,
    );
  },
  60_000 + SETTINGS.numRuns * 1000,
);
