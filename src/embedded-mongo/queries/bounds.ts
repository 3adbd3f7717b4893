/**
 * What a filter says about single fields, in a form that an index can use: the values that a field must have one of, or a range. The bounds made of it
 * may let too much through, never too little: the whole filter is always tested afterwards.
 */
import { BSONRegExp } from 'bson';
import { isArray, isDoc, isNullish, rank, RANK, toDouble, truthy, type Doc, type Value } from '../values/bson-types';
import { type Collation } from '../values/collation';
import { type CollectionIndex } from '../storage/collection-index';
import { compileFilter, isOperators } from '../filters/match';
import { compareValues, encodeKey, reversed } from '../values/values';

/** The values that a field must have one of, or between which one value must be. */
export type Condition = { points: Value[] } | Range;
interface Range {
  low?: Value;
  high?: Value;
}

/** By path. Under `$and` and inside `$elemMatch` too; all of them must hold for some value at the path. */
export function conditionsOf(
  filter: Doc,
  prefix = '',
  into = new Map<string, Condition[]>(),
): Map<string, Condition[]> {
  for (const key of Object.keys(filter)) {
    const arg = filter[key];
    if (key === '$and' && isArray(arg)) for (const each of arg) conditionsOf(each as Doc, prefix, into);
    else if (!key.startsWith('$')) addConditions(prefix + key, arg, into);
  }
  return into;
}

function addConditions(path: string, arg: Value, into: Map<string, Condition[]>): void {
  const add = (condition: Condition): void => {
    const known = into.get(path);
    if (known) known.push(condition);
    else into.set(path, [condition]);
  };
  if (!isOperators(arg)) {
    if (isPoint(arg)) add({ points: [arg] });
    return;
  }
  for (const [name, operand] of Object.entries(arg)) {
    if (name === '$eq' && isPoint(operand)) add({ points: [operand] });
    else if (name === '$in' && isArray(operand) && operand.every(isPoint)) add({ points: operand });
    else if (
      name === '$all' &&
      isArray(operand) &&
      operand.length > 0 &&
      operand.every((v) => isPoint(v) && !(isDoc(v) && isOperators(v)))
    )
      add({ points: [operand[0]] }); // prettier-ignore
    else if (name === '$elemMatch' && isDoc(operand)) {
      if (isOperators(operand)) for (const condition of ofOneElement(operand)) add(condition);
      else conditionsOf(operand, `${path}.`, into);
    } else if (endOf(name, operand)) add(endOf(name, operand)!);
  }
}

function endOf(name: string, operand: Value): Range | undefined {
  if (!/^\$[gl]te?$/.test(name) || !isBound(operand)) return undefined;
  return name.startsWith('$g') ? { low: operand } : { high: operand };
}

/** What the operators of a `$elemMatch` say of the one element that meets them all: its two bounds belong together. */
function ofOneElement(operators: Doc): Condition[] {
  const { $eq, $in } = operators;
  const found: Condition[] = [];
  if ($eq !== undefined && isPoint($eq)) found.push({ points: [$eq] });
  if (isArray($in) && $in.every(isPoint)) found.push({ points: $in });
  const ends = Object.entries(operators).flatMap(([name, operand]) => endOf(name, operand) ?? []);
  if (ends.length > 0) found.push(Object.assign({}, ...ends) as Range);
  return found;
}

/** An array as a value is left out: an index has its elements. */
const isPoint = (v: Value): boolean => !isArray(v) && !(v instanceof BSONRegExp) && v !== undefined;
const RANGES: number[] = [RANK.number, RANK.string, RANK.binary, RANK.objectId, RANK.bool, RANK.date, RANK.timestamp];
const isBound = (v: Value): boolean =>
  RANGES.includes(rank(v)) && !(rank(v) === RANK.number && Number.isNaN(toDouble(v)));

/** Keys of `from <= key < to`; several are in ascending order. */
export interface Interval {
  from: string;
  to: string;
}

export interface Bounds {
  intervals: Interval[];
  /** How many of the index's fields have bounds. */
  fields: number;
  /** How many of those, from the first, are pinned to one value. */
  pinned: number;
}

/** No key component begins with a character that high; behind a whole key comes nothing, so that any character ends it. */
const END = '\uffff';
const MAX_INTERVALS = 20_000;

/** Undefined if the index is of no use for the filter. */
export function boundsFor(
  index: CollectionIndex,
  conditions: Map<string, Condition[]>,
  filter: Doc,
  collation?: Collation,
): Bounds | undefined {
  const { spec, multikey } = index;
  if (!conditions.has(spec.paths[0]!)) return undefined;
  if (spec.partial && !implies(filter, spec.partial)) return undefined;
  let prefixes = [''];
  let fields = 0;
  let pinned = 0;
  let notNull = false;
  for (let i = 0; i < spec.paths.length; i += 1) {
    if (multikey.size > 1 && multikey.has(i) && i > 0) break;
    const path = spec.paths[i]!;
    const usable = (conditions.get(path) ?? []).filter((condition) => fits(condition, collation, spec.collation));
    const points = fewest(usable);
    if (points && prefixes.length * points.length <= MAX_INTERVALS) {
      const keys = keysFor(index, i, points);
      prefixes = keys.length === 1 ? prefixes.map((p) => p + keys[0]!) : prefixes.flatMap((p) => keys.map((key) => p + key)); // prettier-ignore
      notNull ||= points.every((value) => !isNullish(value));
      if (keys.length === 1 && pinned === i) pinned += 1;
      fields += 1;
      continue;
    }
    const range =
      spec.key[path] === 'hashed' || (spec.collation && usable.some(isText))
        ? undefined
        : rangeOf(usable, multikey.has(i), spec.descending[i]);
    if (range) {
      const intervals = prefixes.map((p) => ({ from: p + range.from, to: p + range.to }));
      return { intervals, fields: fields + 1, pinned };
    }
    break;
  }
  if (fields === 0 || (spec.sparse && !notNull)) return undefined;
  const end = fields === spec.paths.length ? '\0' : END;
  return { intervals: prefixes.map((p) => ({ from: p, to: p + end })), fields, pinned };
}

/** In the order of the entries, each once. */
function keysFor(index: CollectionIndex, i: number, points: Value[]): string[] {
  const keys = points.map((value) => index.encodeAt(i, value));
  return keys.length < 2 ? keys : [...new Set(keys)].sort();
}

export const everything: Interval = { from: '', to: END };

function fewest(conditions: Condition[]): Value[] | undefined {
  let best: Value[] | undefined;
  for (const condition of conditions)
    if ('points' in condition && (!best || condition.points.length < best.length)) best = condition.points;
  return best;
}

const valuesIn = (condition: Condition): Value[] =>
  'points' in condition ? condition.points : [condition.low, condition.high].filter((v) => v !== undefined);
const isText = (condition: Condition): boolean => valuesIn(condition).some((v) => rank(v) === RANK.string);

/** Under different collations an index can still find what is no text. */
function fits(condition: Condition, query: Collation | undefined, index: Collation | undefined): boolean {
  if (query === index) return true;
  return !valuesIn(condition).some((v) => [RANK.string, RANK.object, RANK.array].includes(rank(v) as 15));
}

/** With arrays in play two conditions may be met by two elements: only one of them bounds the keys then. */
function rangeOf(conditions: Condition[], multikey: boolean, descending?: boolean): Interval | undefined {
  const ranges = conditions.flatMap((condition) => ('points' in condition ? [] : [condition]));
  const narrow = ranges.find(({ low, high }) => low !== undefined && high !== undefined) ?? ranges[0];
  if (!narrow) return undefined;
  const used = multikey ? [narrow] : ranges;
  const type = rank(narrow.low ?? narrow.high);
  const same = (v: Value): boolean => v !== undefined && rank(v) === type;
  // an impossible combination is left to the filter
  const low = used.map((range) => range.low).filter(same).reduce<Value>((a, b) => (a === undefined || compareValues(b, a) > 0 ? b : a), undefined); // prettier-ignore
  const high = used.map((range) => range.high).filter(same).reduce<Value>((a, b) => (a === undefined || compareValues(b, a) < 0 ? b : a), undefined); // prettier-ignore
  return between(type, low, high, descending);
}

/** The keys of the values of a type, by its rank, between two of them; without one of these to that end of the type. */
export function between(type: number, low: Value, high: Value, descending = false): Interval {
  const least = low === undefined ? String.fromCharCode(type) : encodeKey(low);
  if (!descending) return { from: least, to: high === undefined ? String.fromCharCode(type + 1) : encodeKey(high) + END }; // prettier-ignore
  // without the mark at its end, behind which everything of the greatest value comes
  const from = reversed(high === undefined ? String.fromCharCode(type) : encodeKey(high)).slice(0, -1);
  return { from, to: low === undefined ? String.fromCharCode(0x10000 - type) : reversed(least) + END };
}

/** Whether whatever passes the filter certainly passes the index's partial filter. */
export function implies(filter: Doc, partial: Doc): boolean {
  return Object.entries(partial).every(([key, arg]) => {
    if (key === '$and') return (arg as Doc[]).every((each) => implies(filter, each));
    if (key === '$or') return (arg as Doc[]).some((each) => implies(filter, each));
    const operators: Doc = isOperators(arg) ? arg : { $eq: arg };
    return Object.entries(operators).every(([name, operand]) => impliesOne(filter, key, { [name]: operand }));
  });
}

function impliesOne(filter: Doc, path: string, wanted: Doc): boolean {
  const conditions = everyCondition(filter).filter(([key]) => key === path);
  if (conditions.length === 0) return false;
  const passes = compileFilter({ v: wanted });
  // null in a filter also finds what is missing
  const test = (v: Value): boolean => isPoint(v) && !isNullish(v) && passes({ v });
  const [name] = Object.keys(wanted) as [string];
  return conditions.some(([, given]) => {
    if (!isOperators(given)) return test(given);
    return Object.entries(given).some(([operator, value]) => {
      if (operator === '$eq') return test(value);
      if (operator === '$in') return isArray(value) && value.length > 0 && value.every(test);
      if (name === '$exists') return (operator === '$exists' && truthy(value)) || (['$gt', '$gte', '$lt', '$lte'].includes(operator) && isBound(value)); // prettier-ignore
      return impliesRange(name, wanted[name], operator, value);
    });
  });
}

function everyCondition(filter: Doc): [string, Value][] {
  return Object.entries(filter).flatMap(([key, arg]) =>
    key === '$and' && isArray(arg)
      ? arg.flatMap((each) => everyCondition(each as Doc))
      : [[key, arg] as [string, Value]],
  );
}

/** `{$gt: 5}` implies `{$gt: 3}`. */
function impliesRange(name: string, limit: Value, operator: string, value: Value): boolean {
  if (name.slice(0, 3) !== operator.slice(0, 3) || !/^\$[gl]te?$/.test(name) || !isBound(value)) return false;
  if (rank(limit) !== rank(value)) return false;
  const c = compareValues(value, limit) * (name.startsWith('$g') ? 1 : -1);
  return c > 0 || (c === 0 && (name === operator || name.endsWith('e')));
}
