/** Set operators: arrays taken as sets by BSON equality. Unions and intersections come out in BSON order, as mongod gives them. */
import { bsonTypeName, isArray, isNullish, truthy, type Value } from '../values/bson-types';
import { type Collation } from '../values/collation';
import { MongoError } from '../errors';
import { args, type Operator } from './expression-types';
import { compareValues, encodeKey } from '../values/values';

function asSet(v: Value, name: string, collation?: Collation): Map<string, Value> {
  if (!isArray(v))
    throw new MongoError(17041, `All operands of ${name} must be arrays. One argument is of type: ${bsonTypeName(v)}`);
  const set = new Map<string, Value>();
  for (const item of v) {
    const key = encodeKey(item, collation);
    if (!set.has(key)) set.set(key, item);
  }
  return set;
}

const sorted = (set: Map<string, Value>, collation?: Collation): Value[] =>
  [...set.values()].sort((a, b) => compareValues(a, b, collation));

const setUnion = args(0, Infinity, (values, { collation }) => {
  const union = new Map<string, Value>();
  for (const v of values) {
    if (isNullish(v)) return null;
    for (const [key, item] of asSet(v, '$setUnion', collation)) if (!union.has(key)) union.set(key, item);
  }
  return sorted(union, collation);
});

const setIntersection = args(0, Infinity, (values, { collation }) => {
  let common: Map<string, Value> | undefined;
  for (const v of values) {
    if (isNullish(v)) return null;
    const set = asSet(v, '$setIntersection', collation);
    if (common) for (const key of [...common.keys()]) if (!set.has(key)) common.delete(key);
    common ??= set;
  }
  return sorted(common ?? new Map<string, Value>(), collation);
});

const setDifference = args(2, 2, ([a, b], { collation }) => {
  if (isNullish(a) || isNullish(b)) return null;
  const left = asSet(a, '$setDifference', collation);
  for (const key of asSet(b, '$setDifference', collation).keys()) left.delete(key);
  return [...left.values()];
});

const setEquals = args(2, Infinity, (values, { collation }) => {
  const [first, ...others] = values.map((v) => asSet(v, '$setEquals', collation));
  return others.every((set) => set.size === first!.size && [...set.keys()].every((key) => first!.has(key)));
});

const setIsSubset = args(2, 2, ([a, b], { collation }) => {
  const [part, whole] = [asSet(a, '$setIsSubset', collation), asSet(b, '$setIsSubset', collation)];
  return [...part.keys()].every((key) => whole.has(key));
});

const elementsTrue = (name: string, test: (list: Value[]) => boolean): Operator =>
  args(1, 1, ([v]) => {
    if (!isArray(v)) throw new MongoError(17040, `${name}'s argument must be an array, but is ${bsonTypeName(v)}`);
    return test(v);
  });

export const SETS: Record<string, Operator> = {
  $setUnion: setUnion,
  $setIntersection: setIntersection,
  $setDifference: setDifference,
  $setEquals: setEquals,
  $setIsSubset: setIsSubset,
  $anyElementTrue: elementsTrue('$anyElementTrue', (list) => list.some(truthy)),
  $allElementsTrue: elementsTrue('$allElementsTrue', (list) => list.every(truthy)),
};
