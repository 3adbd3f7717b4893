/** Array operators of expressions. A null array gives null; what is no array is an error. */
import { bsonTypeName, int, isArray, isDoc, isNullish, isNumber, isString, toDouble, toInteger, truthy, type Doc, type Value } from '../values/bson-types'; // prettier-ignore
import { takeN } from './accumulators';
import { fail } from '../errors';
import { args, named, orNull, unary, type ExpressionEnv, type Operator } from './expression-types';
import { compileSort } from '../values/sort';
import { checkFieldName } from '../values/field-names';
import { compareValues, equalValues } from '../values/values';

function list(v: Value, code: number, name: string): Value[] {
  return isArray(v) ? v : fail(code, `${name} requires an array, but got ${bsonTypeName(v)}`);
}

function whole(v: Value, code: number, name: string): number {
  const n = toInteger(v);
  return n !== undefined && Math.abs(n) <= 2 ** 31
    ? n
    : fail(code, `${name} takes whole numbers, not ${bsonTypeName(v)}`);
}

const elementAt = (array: Value[], index: number): Value => array[index < 0 ? array.length + index : index];

function arrayElemAt([array, index]: Value[]): Value {
  const elements = list(array, 28689, '$arrayElemAt');
  if (!isNumber(index))
    return fail(28690, `$arrayElemAt's second argument must be a numeric value, but is ${bsonTypeName(index)}`);
  return elementAt(elements, whole(index, 28691, '$arrayElemAt'));
}

const end = (name: string, index: number): Operator =>
  unary((v) => (isNullish(v) ? null : elementAt(list(v, 28689, name), index)));

/** `[array, n]` or `[array, position, n]`. */
function slice([array, a, b]: Value[]): Value {
  const elements = list(array, 28724, '$slice');
  const first = whole(a, 28725, '$slice');
  if (b === undefined) return first < 0 ? elements.slice(first) : elements.slice(0, first);
  const n = whole(b, 28727, '$slice');
  if (n <= 0) fail(28729, `Third argument to $slice must be positive: ${n}`);
  const from = first < 0 ? Math.max(elements.length + first, 0) : first;
  return elements.slice(from, from + n);
}

function indexOfArray([array, wanted, from, to]: Value[], { collation }: ExpressionEnv): Value {
  if (isNullish(array)) return null;
  const elements = list(array, 40090, '$indexOfArray');
  const start = from === undefined ? 0 : whole(from, 40096, '$indexOfArray');
  const stop = to === undefined ? elements.length : whole(to, 40096, '$indexOfArray');
  if (start < 0 || stop < 0) fail(40097, '$indexOfArray requires nonnegative indexes');
  return int(elements.findIndex((v, i) => i >= start && i < stop && equalValues(v, wanted, collation)));
}

/** mongod stops at 100 MB. */
const MAX_RANGE = 6_000_000;

function range([from, to, by]: Value[]): Value {
  const [start, stop] = [whole(from, 34443, '$range'), whole(to, 34445, '$range')];
  const step = by === undefined ? 1 : whole(by, 34447, '$range');
  if (step === 0) fail(34449, '$range requires a non-zero step value');
  if ((stop - start) / step > MAX_RANGE) fail(146, '$range would use too much memory');
  const out: Value[] = [];
  for (let n = start; step > 0 ? n < stop : n > stop; n += step) out.push(int(n));
  return out;
}

function concatArrays(values: Value[]): Value {
  const out: Value[] = [];
  for (const v of values) {
    if (isNullish(v)) return null;
    out.push(...list(v, 28664, '$concatArrays'));
  }
  return out;
}

/** Pairs `[key, value]` or documents `{k, v}`, all of one form. */
function arrayToObject(v: Value): Value {
  if (isNullish(v)) return null;
  const out: Doc = {};
  let form: string | undefined;
  for (const item of list(v, 40386, '$arrayToObject')) {
    const [key, value] = isArray(item) && item.length === 2 ? item : isDoc(item) ? keyAndValue(item) : fail(40398, 'Unrecognised input type format for $arrayToObject'); // prettier-ignore
    if ((form ??= bsonTypeName(item)) !== bsonTypeName(item))
      fail(40391, '$arrayToObject requires a consistent input format');
    if (!isString(key)) return fail(40394, '$arrayToObject requires keys to be strings');
    checkFieldName(key);
    out[key] = value;
  }
  return out;
}

function keyAndValue(item: Doc): [Value, Value] {
  if (Object.keys(item).length !== 2 || !('k' in item) || !('v' in item)) {
    fail(40392, "$arrayToObject requires an object with keys 'k' and 'v'");
  }
  return [item.k, item.v];
}

function objectToArray(v: Value): Value {
  if (isNullish(v)) return null;
  if (!isDoc(v)) return fail(40390, `$objectToArray requires a document input, found: ${bsonTypeName(v)}`);
  return Object.entries(v).map(([k, value]) => ({ k, v: value }));
}

function zip({ inputs, useLongestLength, defaults }: Record<string, Value>): Value {
  if (isNullish(inputs)) return null;
  const columns = list(inputs, 34461, '$zip');
  if (columns.length === 0) fail(34465, '$zip requires at least one input array');
  if (columns.some(isNullish)) return null;
  const arrays = columns.map((v) => list(v, 34468, '$zip'));
  const fill = isNullish(defaults) ? [] : list(defaults, 34462, '$zip');
  const longest = truthy(useLongestLength);
  if (fill.length > 0 && !longest) fail(34466, '$zip cannot have defaults unless useLongestLength is true');
  if (fill.length > 0 && fill.length !== arrays.length)
    fail(34467, 'inputs and defaults of $zip must have the same length');
  const lengths = arrays.map((array) => array.length);
  const length = longest ? Math.max(...lengths) : Math.min(...lengths);
  return Array.from({ length }, (_, i) =>
    arrays.map((array, column) => (i < array.length ? array[i] : (fill[column] ?? null))),
  );
}

function sortArray({ input, sortBy }: Record<string, Value>, { collation }: ExpressionEnv): Value {
  if (isNullish(input)) return null;
  const elements = [...list(input, 2942504, '$sortArray')];
  if (isDoc(sortBy)) {
    const order = compileSort(sortBy, collation);
    return elements.sort((a, b) => order(isDoc(a) ? a : {}, isDoc(b) ? b : {}));
  }
  const direction = isNumber(sortBy) ? toDouble(sortBy) : NaN;
  if (direction !== 1 && direction !== -1) fail(2942507, '$sortArray: sortBy is 1, -1 or an object');
  return elements.sort((a, b) => direction * compareValues(a, b, collation));
}

const takes = (name: string, fromEnd: boolean, sign: 0 | 1 | -1 = 0): Operator =>
  named(['input', 'n'], ({ input, n }, _given, { collation }) => {
    const elements = list(input, 5788200, name);
    if (sign === 0) return takeN(elements, n, fromEnd);
    const present = elements.filter((v) => !isNullish(v));
    return takeN(
      [...present].sort((a, b) => sign * compareValues(a, b, collation)),
      n,
      false,
    );
  });

export const ARRAYS: Record<string, Operator> = {
  $arrayElemAt: args(2, 2, orNull(arrayElemAt)),
  $first: end('$first', 0),
  $last: end('$last', -1),
  $firstN: takes('$firstN', false),
  $lastN: takes('$lastN', true),
  $minN: takes('$minN', false, 1),
  $maxN: takes('$maxN', false, -1),
  $slice: args(2, 3, orNull(slice)),
  $size: unary((v) =>
    isArray(v)
      ? int(v.length)
      : fail(17124, `The argument to $size must be an array, but was of type: ${bsonTypeName(v)}`),
  ),
  $isArray: unary((v) => isArray(v)),
  $in: args(2, 2, ([v, array], { collation }) =>
    list(array, 40081, '$in').some((item) => equalValues(item, v, collation)),
  ),
  $indexOfArray: args(2, 4, indexOfArray),
  $range: args(2, 3, range),
  $reverseArray: unary((v) => (isNullish(v) ? null : list(v, 34435, '$reverseArray').toReversed())),
  $concatArrays: args(0, Infinity, concatArrays),
  $arrayToObject: unary(arrayToObject),
  $objectToArray: unary(objectToArray),
  $zip: named(['inputs', 'useLongestLength?', 'defaults?'], zip),
  $sortArray: named(['input', 'sortBy'], (values, _given, env) => sortArray(values, env)),
};
