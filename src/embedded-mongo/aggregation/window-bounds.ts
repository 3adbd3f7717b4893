/** Windows of `$setWindowFields`: which documents of its partition count for each one, by their places or by the values that they are sorted by. */
import { isArray, isDate, isDoc, isNumber, isString, toDouble, toInteger, type Doc, type Value } from '../values/bson-types'; // prettier-ignore
import { zoneOf } from '../values/dates';
import { fail } from '../errors';
import { addUnits, unitOf } from '../expressions/dates';
import { compileExpression, scopeOf, type Scope } from '../expressions/expression';
import { type ExpressionEnv } from '../expressions/expression-types';
import * as dec from '../values/decimal';
import { coerceToDec } from '../values/numbers';
import { compareValues } from '../values/values';

/** The documents of a partition, in order. */
export interface Partition {
  scopes: Scope[];
  /** What each is sorted by; the first of several. */
  keys: Value[];
  /** Whether the order takes two documents for equal: of arrays it looks at one element. */
  ties(this: void, a: number, b: number): boolean;
}

/** The first and the last document that count for each one of the partition; undefined where none does. */
export type Windows = (partition: Partition) => ([number, number] | undefined)[];

/** Compiled, a function of windows: it gives a value for every document of a partition. */
export type WindowFunction = (partition: Partition) => Value[];

/** All of the partition. */
export const EVERYTHING: Windows = ({ keys }) => keys.map(() => [0, keys.length - 1]);

export function compileWindow(spec: Value, sortBy: Doc | undefined, env: ExpressionEnv): Windows {
  if (!isDoc(spec)) return fail(9, "'window' field must be an object");
  const { documents, range, unit } = spec;
  if (documents !== undefined && range !== undefined)
    fail(9, "Window bounds can specify either 'documents' or 'unit', not both.");
  if (range === undefined && unit !== undefined)
    fail(9, "Window bounds can only specify 'unit' with range-based bounds.");
  const known = documents !== undefined ? ['documents'] : range !== undefined ? ['range', 'unit'] : [];
  const other = Object.keys(spec).find((key) => !known.includes(key));
  if (other) fail(9, `'window' field that specifies ${known[0] ?? 'nothing'} cannot have other fields: '${other}'`);
  if (documents !== undefined) return byPlace(documents, sortBy, env);
  return range === undefined ? EVERYTHING : byValue(range, unit, sortBy, env);
}

/** @param check gives the bound in the form in which it is used, or throws */
function boundsOf<T>(spec: Value, env: ExpressionEnv, check: (v: Value) => T): (T | 'unbounded' | 'current')[] {
  if (!isArray(spec) || spec.length !== 2) return fail(9, 'Window bounds must be a 2-element array');
  const bounds = spec.map((bound): T | 'unbounded' | 'current' => {
    if (bound === 'unbounded' || bound === 'current') return bound;
    if (isString(bound)) return fail(9, "Window bounds must be 'unbounded', 'current', or a number.");
    return check(compileExpression(bound, env)(scopeOf(env)));
  });
  const [low, high] = bounds.map((bound): Value => (bound === 'current' ? 0 : bound));
  if (low !== 'unbounded' && high !== 'unbounded' && compareValues(low, high) > 0)
    fail(5339900, 'Lower bound must not exceed upper bound');
  return bounds;
}

function byPlace(spec: Value, sortBy: Doc | undefined, env: ExpressionEnv): Windows {
  const whole = (v: Value): number =>
    (isNumber(v) ? toInteger(v) : undefined) ?? fail(9, 'Numeric document-based bounds must be an integer');
  const [low, high] = boundsOf(spec, env, whole).map((bound) => (bound === 'current' ? 0 : bound));
  if (!sortBy && (low !== 'unbounded' || high !== 'unbounded')) fail(5339901, 'Document-based bounds require a sortBy');
  return ({ keys }) =>
    keys.map((_key, i) => {
      const from = low === 'unbounded' ? 0 : Math.max(i + low!, 0);
      const to = high === 'unbounded' ? keys.length - 1 : Math.min(i + high!, keys.length - 1);
      return from <= to ? [from, to] : undefined;
    });
}

function byValue(spec: Value, unitSpec: Value, sortBy: Doc | undefined, env: ExpressionEnv): Windows {
  const unit = unitSpec === undefined ? undefined : unitOf(isString(unitSpec) ? unitSpec : fail(9, "'unit' must be a string")); // prettier-ignore
  const number = (v: Value): Value => {
    if (!isNumber(v)) return fail(9, 'Range-based bounds expression must be a number');
    if (unit && toInteger(v) === undefined) fail(9, "With 'unit', range-based bounds must be an integer");
    return v;
  };
  const [low, high] = boundsOf(spec, env, number);
  const directions = Object.values(sortBy ?? {});
  if (directions.length !== 1) fail(5339902, 'Range-based bounds require sortBy a single field');
  if (!isNumber(directions[0]) || toDouble(directions[0]) !== 1)
    fail(8947401, 'Range-based bounds require an ascending sortBy');
  const fits = unit ? isDate : isNumber;
  return ({ keys }) => {
    const first = keys.findIndex(fits);
    const last = keys.findLastIndex(fits);
    // the values ascend, and so do both ends
    let from = first;
    let to = first;
    return keys.map((key, i) => {
      checkKey(key, unit);
      if (low === 'current') from = i;
      else if (low !== 'unbounded') {
        const least = moved(key, low, unit);
        while (from <= last && compareValues(keys[from], least) < 0) from += 1;
      }
      if (high === 'unbounded') return from <= last ? [from, last] : undefined;
      if (high === 'current') return from <= i ? [from, i] : undefined;
      const most = moved(key, high, unit);
      while (to <= last && compareValues(keys[to], most) <= 0) to += 1;
      return from < to ? [from, to - 1] : undefined;
    });
  };
}

function checkKey(key: Value, unit: string | undefined): void {
  if (unit) {
    if (!isDate(key)) fail(5429513, 'Invalid range: Expected the sortBy field to be a Date');
    return;
  }
  if (isDate(key))
    fail(5429413, 'Invalid range: For windows that involve date or time ranges, a unit must be provided.');
  if (!isNumber(key)) fail(5429414, 'Invalid range: Expected the sortBy field to be a number');
}

const moved = (key: Value, by: Value, unit: string | undefined): Value =>
  unit
    ? new Date(addUnits((key as Date).getTime(), unit, toDouble(by), zoneOf()))
    : dec.pack(dec.add(coerceToDec(key), coerceToDec(by)));
