/** The update operators on arrays: `$push` with its modifiers, `$addToSet`, `$pull`, `$pullAll`, `$pop`. */
import { BSONRegExp } from 'bson';
import {
  bsonTypeName,
  isArray,
  isDoc,
  isNumber,
  toDouble,
  toInteger,
  type Doc,
  type Value,
} from '../values/bson-types';
import { type Collation } from '../values/collation';
import { MongoError } from '../errors';
import { getPath } from '../values/paths';
import { compileFilter, isOperators } from '../filters/match';
import { idOf, type Change, type UpdateOptions } from './change';
import { compareValues, encodeKey, equalValues } from '../values/values';

const bad = (message: string, code = 2): MongoError => new MongoError(code, message);

/** The values of `{$each: […]}`, or the argument itself as the only one. */
function eachOf(name: string, arg: Value, modifiers: string[]): { values: Value[]; rest: Doc } {
  if (!isDoc(arg) || Object.keys(arg)[0]?.startsWith('$') !== true || !('$each' in arg))
    return { values: [arg], rest: {} };
  const { $each: values, ...rest } = arg;
  if (!isArray(values)) throw bad(`The argument to $each in ${name} must be an array but it was of type: ${bsonTypeName(values)}`, name === '$push' ? 2 : 14); // prettier-ignore
  const unknown = Object.keys(rest).find((key) => !modifiers.includes(key));
  if (unknown) throw bad(`Unrecognized clause in ${name}: ${unknown}`);
  return { values, rest };
}

export function push(arg: Value, path: string, { collation }: UpdateOptions): Change {
  const { values, rest } = eachOf('$push', arg, ['$slice', '$sort', '$position']);
  const position = wholeNumber('$position', rest.$position);
  const slice = wholeNumber('$slice', rest.$slice);
  const order = '$sort' in rest ? elementOrder(rest.$sort, collation) : undefined;
  const apply: Change['apply'] = (old, place) => {
    if (old !== undefined && !isArray(old)) {
      throw bad(`The field '${path}' must be an array but is of type ${bsonTypeName(old)} in document ${idOf(place)}`);
    }
    const next = old ? old.slice() : [];
    const at = position === undefined ? next.length : position < 0 ? Math.max(next.length + position, 0) : position;
    next.splice(at, 0, ...values);
    if (order) next.sort(order);
    const kept = slice === undefined ? next : slice < 0 ? next.slice(slice) : next.slice(0, slice);
    // sorting counts as a change, even of what was in order, unless there was nothing
    return old && values.length === 0 && kept.length === old.length && !(order && kept.length > 0) ? old : kept;
  };
  return { creates: true, apply, appends: Object.keys(rest).length === 0 };
}

function wholeNumber(name: string, v: Value): number | undefined {
  if (v === undefined) return undefined;
  const n = toInteger(v);
  if (n === undefined)
    throw bad(`The value for ${name} must be an integer value but was given type: ${bsonTypeName(v)}`);
  return n;
}

/** By whole elements (1, -1) or by their fields; an element without the field, or that is no document, counts as null. */
function elementOrder(spec: Value, collation?: Collation): (a: Value, b: Value) => number {
  const direction = (v: Value): number => {
    const n = isNumber(v) ? toDouble(v) : NaN;
    if (n !== 1 && n !== -1) throw bad('The $sort element value must be either 1 or -1');
    return n;
  };
  if (!isDoc(spec)) {
    if (!isNumber(spec))
      throw bad('The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields');
    const whole = direction(spec);
    return (a, b) => whole * compareValues(a, b, collation);
  }
  const fields = Object.entries(spec).map(([path, v]) => ({ path, sign: direction(v) }));
  if (fields.length === 0) throw bad('The $sort pattern is empty when it should be a set of fields.');
  if (fields.some(({ path }) => path.split('.').includes('')))
    throw bad('The $sort field is invalid: empty field names');
  const key = (v: Value, path: string): Value => (isDoc(v) ? (getPath(v, path) ?? null) : null);
  return (a, b) => {
    for (const { path, sign } of fields) {
      const c = compareValues(key(a, path), key(b, path), collation);
      if (c !== 0) return sign * c;
    }
    return 0;
  };
}

export function addToSet(arg: Value, path: string, { collation }: UpdateOptions): Change {
  const { values } = eachOf('$addToSet', arg, []);
  const apply: Change['apply'] = (old) => {
    if (old !== undefined && !isArray(old)) {
      throw bad(
        `Cannot apply $addToSet to non-array field. Field named '${path}' has non-array type ${bsonTypeName(old)}`,
      );
    }
    const present = new Set((old ?? []).map((v) => encodeKey(v, collation)));
    const fresh = values.filter((v) => {
      const key = encodeKey(v, collation);
      return !present.has(key) && present.add(key);
    });
    return old && fresh.length === 0 ? old : [...(old ?? []), ...fresh];
  };
  return { creates: true, apply };
}

export function pull(arg: Value, _path: string, options: UpdateOptions): Change {
  return remover('$pull', pullTest(arg, options));
}

/** A document is a filter on elements that are documents; operators test elements of any type; other values are compared. */
function pullTest(arg: Value, options: UpdateOptions): (element: Value) => boolean {
  const [first] = isDoc(arg) ? Object.keys(arg) : [];
  if (
    arg instanceof BSONRegExp ||
    (isOperators(arg) && !['$and', '$or', '$nor', '$not', '$expr', '$comment'].includes(first!))
  ) {
    const test = compileFilter({ '': arg }, options);
    return (element) => test({ '': element });
  }
  if (!isDoc(arg)) return (element) => equalValues(element, arg, options.collation);
  const test = compileFilter(arg, options);
  return (element) => isDoc(element) && test(element);
}

export function pullAll(arg: Value, _path: string, { collation }: UpdateOptions): Change {
  if (!isArray(arg)) throw bad(`$pullAll requires an array argument but was given a ${bsonTypeName(arg)}`);
  return remover('$pullAll', (element) => arg.some((v) => equalValues(v, element, collation)));
}

function remover(name: string, test: (element: Value) => boolean): Change {
  const apply: Change['apply'] = (old) => {
    if (!isArray(old)) throw bad(`Cannot apply ${name} to a non-array value`);
    const kept = old.filter((element) => !test(element));
    return kept.length === old.length ? old : kept;
  };
  return { creates: false, apply };
}

export function pop(arg: Value, path: string): Change {
  const n = isNumber(arg) ? toDouble(arg) : NaN;
  if (n !== 1 && n !== -1) throw bad(`$pop expects 1 or -1, found: ${Number.isNaN(n) ? bsonTypeName(arg) : n}`, 9);
  const apply: Change['apply'] = (old) => {
    if (!isArray(old)) throw bad(`Path '${path}' contains an element of non-array type '${bsonTypeName(old)}'`, 14);
    if (old.length === 0) return old;
    return n === 1 ? old.slice(0, -1) : old.slice(1);
  };
  return { creates: false, apply };
}
