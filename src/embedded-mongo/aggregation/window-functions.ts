/** The functions of `$setWindowFields`. Compiled, each gives a value for every document of a partition. */
import { bsonTypeName, double, intOrLong, isArray, isDate, isDoc, isNullish, isNumber, isString, long, toDouble, toInteger, type Doc, type Value } from '../values/bson-types'; // prettier-ignore
import { byExtreme, compileAccumulator, SIMPLE, type GroupOperator, type Make } from '../expressions/accumulators';
import { add, divide, multiply, subtract } from '../expressions/arithmetic';
import { FIXED, unitOf } from '../expressions/dates';
import { compilerFor, scopeOf } from '../expressions/expression';
import { type Compiler, type Expression, type ExpressionEnv } from '../expressions/expression-types';
import * as dec from '../values/decimal';
import { fail, unsupported } from '../errors';
import { coerceToDec } from '../values/numbers';
import { compareValues } from '../values/values';
import { accumulate, sorted } from './moving-windows';
import { covariance, integral } from './window-accumulators';
import { compileWindow, EVERYTHING, type WindowFunction, type Windows } from './window-bounds';

interface Place {
  name: string;
  arg: Value;
  /** Undefined if none is given. */
  windows: Windows | undefined;
  sortBy: Doc | undefined;
  compiler: Compiler;
}

export function compileFunction(
  field: string,
  spec: Value,
  sortBy: Doc | undefined,
  env: ExpressionEnv,
): WindowFunction {
  // prettier-ignore
  if (!isDoc(spec)) return fail(9, `The field '${field}' must be an object`);
  const name = Object.keys(spec).find((key) => key.startsWith('$'));
  if (name === undefined) return fail(9, 'Expected a $-prefixed window function');
  if (['$minMaxScaler', '$concatArrays', '$setUnion'].includes(name)) throw unsupported(`the window function ${name}`); // prettier-ignore
  const make = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name]! : fail(9, `Unrecognized window function, ${name}`);
  const others = Object.keys(spec).filter((key) => key !== name && (key !== 'window' || WITHOUT_WINDOW.includes(name)));
  const ranks = name in RANKS;
  if (others.length > 0) fail(ranks ? 5371601 : 9, `Window function ${name} found an unknown argument: ${others[0]}`);
  const windows = 'window' in spec ? compileWindow(spec.window, sortBy, env) : undefined;
  return make({ name, arg: spec[name], windows, sortBy, compiler: compilerFor(env) });
}

const inputOf = (arg: Value, { name }: Place, known: string[]): Doc => {
  if (!isDoc(arg)) return fail(9, `Argument to ${name} must be an object`);
  const unknown = Object.keys(arg).find((key) => !known.includes(key));
  if (unknown) fail(9, `${name} got unexpected argument: ${unknown}`);
  if (!(known[0]! in arg)) fail(9, `${name} requires an '${known[0]}' expression`);
  return arg;
};

// -- accumulators

const moving = ({ windows, compiler }: Place, operator: GroupOperator): WindowFunction =>
  accumulate(operator, windows, compiler.env.deadline);

const accumulating =
  (make: Make) =>
  (place: Place): WindowFunction => {
    const { arg, compiler } = place;
    return moving(place, { value: compiler.compile(arg), make: () => make(compiler.env.collation) });
  };

const extreme =
  (sign: 1 | -1) =>
  (place: Place): WindowFunction => {
    const { arg, compiler } = place;
    const ordered = byExtreme(sign, compiler, (values) => values[0] ?? null);
    return moving(place, { value: compiler.compile(arg), make: (scope) => sorted(ordered, scope) });
  };

const grouped = (place: Place): WindowFunction => {
  const { name, arg, compiler } = place;
  if (name === '$count' && !(isDoc(arg) && Object.keys(arg).length === 0))
    fail(9, '$count only accepts an empty object as input');
  const { value, make, ordered } = compileAccumulator({ [name]: arg }, name, compiler);
  return moving(place, { value, make: ordered ? (scope) => sorted(ordered, scope) : make });
};

// -- by the values that the documents are sorted by

/** @returns undefined without a unit, else its milliseconds */
function unitMillis({ unit }: Doc): number | undefined {
  if (unit === undefined) return undefined;
  const name = unitOf(isString(unit) ? unit : fail(9, `'unit' must be a string, but got ${bsonTypeName(unit)}`));
  return FIXED[name] ?? fail(5490710, "unit must be 'week' or smaller");
}

function checkSorted({ name, sortBy }: Place): void {
  if (!sortBy) fail(9, `${name} requires a sortBy`);
  else if (Object.keys(sortBy).length !== 1) fail(9, `${name} requires a non-compound sortBy`);
}

const integrals = (place: Place): WindowFunction => {
  checkSorted(place);
  const spec = inputOf(place.arg, place, ['input', 'unit']);
  const make = integral(unitMillis(spec));
  const input = place.compiler.compile(spec.input);
  return (partition) => {
    const points = partition.scopes.map((scope, i) => ({ point: [partition.keys[i], input(scope)] }));
    return moving(place, { value: ({ point }) => point, make: () => make() })({ ...partition, scopes: points }); // prettier-ignore
  };
};

const derivatives = (place: Place): WindowFunction => {
  checkSorted(place);
  const spec = inputOf(place.arg, place, ['input', 'unit']);
  const millis = unitMillis(spec);
  const input = place.compiler.compile(spec.input);
  const windows = place.windows ?? fail(9, '$derivative requires explicit window bounds');
  return (partition) =>
    windows(partition).map((window) => {
      if (!window) return null;
      const [from, to] = window.map((i) => partition.keys[i]);
      if (millis !== undefined && !(isDate(from) && isDate(to))) fail(5624900, "$derivative with 'unit' expects the sortBy field to be a Date"); // prettier-ignore
      if (millis === undefined && (isDate(from) || isDate(to))) fail(5624901, "$derivative where the sortBy is a Date requires an 'unit'"); // prettier-ignore
      if (millis === undefined && !(isNumber(from) && isNumber(to))) fail(5624902, "$derivative (with no 'unit') expects the sortBy field to be numeric"); // prettier-ignore
      const run = subtract([to, from]);
      const [low, high] = window.map((i) => input(partition.scopes[i]!));
      const rise = subtract([high, low]);
      if (isNullish(rise)) fail(5624903, '$derivative input must not be null or missing');
      if (toDouble(run) === 0) return null;
      const slope = divide([rise, run]);
      return millis === undefined ? slope : multiply([slope, long(BigInt(millis))]);
    });
};

/** On the straight line between the known values around; what is known must be so once for each place. */
const linearFill = ({ arg, sortBy, compiler }: Place): WindowFunction => {
  if (Object.keys(sortBy ?? {}).length !== 1)
    fail(605001, '$linearFill must be specified with a top level sortBy expression with exactly one element');
  const input = compiler.compile(arg);
  return ({ scopes, keys }) => {
    const values = scopes.map(input);
    for (const [i, v] of values.entries()) checkPoint(v, keys, i);
    let before = -1;
    let after = 0;
    return values.map((v, i) => {
      if (!isNullish(v)) {
        before = i;
        return v;
      }
      if (after <= i) for (after = i + 1; after < values.length && isNullish(values[after]);) after += 1;
      if (before < 0 || after >= values.length) return null;
      const [x1, y1, x2, y2] = [keys[before], values[before], keys[after], values[after]];
      const slope = divide([subtract([y2, y1]), subtract([x2, x1])]);
      return add([y1, multiply([subtract([keys[i], x1]), slope])]);
    });
  };
};

function checkPoint(value: Value, keys: Value[], i: number): void {
  const key = keys[i];
  if (!isNullish(value) && !isNumber(value))
    fail(14, `Value to be filled must be numeric or nullish, but found ${bsonTypeName(value)}`);
  if (!isNumber(key) && !isDate(key))
    fail(14, `Value of the sortBy field must be numeric or a date, but found ${bsonTypeName(key)}`);
  if (i === 0) return;
  if (compareValues(key, keys[i - 1]) === 0) fail(6050106, 'There can be no repeated values in the sort field');
  if (isDate(key) !== isDate(keys[i - 1])) fail(14, 'Conflicting sort value types');
}

// -- from the first document to the current one

const running =
  (start: (place: Place) => { value: Expression; step: () => (v: Value) => Value }) =>
  (place: Place): WindowFunction => {
    const { value, step } = start(place);
    return ({ scopes }) => {
      const next = step();
      return scopes.map((scope) => next(value(scope)));
    };
  };

const lastKnown = running(({ arg, compiler }) => ({
  value: compiler.compile(arg),
  step: () => {
    let last: Value = null;
    return (v) => (last = v ?? last);
  },
}));

const movingAverage = running((place) => {
  const { arg, sortBy, compiler } = place;
  const { input, N, alpha } = inputOf(arg, place, ['input', 'N', 'alpha']);
  if (Object.keys(arg as Doc).length !== 2) fail(9, "$expMovingAvg sub object must have exactly two fields: An 'input' field, and either an 'N' field or an 'alpha' field"); // prettier-ignore
  if (!sortBy) fail(9, "$expMovingAvg requires an explicit 'sortBy'");
  const weight = N === undefined ? weightOf(alpha) : weightOfCount(N);
  const rest = dec.subtract(dec.fromBigInt(1n), weight);
  return {
    value: compiler.compile(input),
    step: () => {
      let average: dec.Dec | undefined;
      let isDecimal = false;
      return (v) => {
        if (isNumber(v)) {
          const next = coerceToDec(v);
          isDecimal ||= bsonTypeName(v) === 'decimal';
          average = average ? dec.add(dec.multiply(next, weight), dec.multiply(average, rest)) : next;
        }
        if (!average) return null;
        return isDecimal ? dec.pack(average) : double(dec.toNumber(average));
      };
    },
  };
});

function weightOf(alpha: Value): dec.Dec {
  if (!isNumber(alpha)) return fail(9, "'alpha' must be a number");
  const n = toDouble(alpha);
  return n > 0 && n < 1 ? coerceToDec(alpha) : fail(9, `'alpha' must be between 0 and 1 (exclusive), found ${n}`);
}

function weightOfCount(N: Value): dec.Dec {
  const n = isNumber(N) ? toInteger(N) : undefined;
  if (n === undefined) return fail(9, "'N' field must be an integer");
  if (n <= 0) fail(9, `'N' must be greater than zero. Got ${n}`);
  return dec.divide(dec.fromBigInt(2n), dec.fromBigInt(BigInt(n + 1)));
}

const RANKS: Record<string, (isSame: boolean, rank: number, at: number) => number> = {
  $rank: (isSame, rank, at) => (isSame ? rank : at),
  $denseRank: (isSame, rank) => (isSame ? rank : rank + 1),
  $documentNumber: (_isSame, _rank, at) => at,
};

const ranking = ({ name, arg, sortBy }: Place): WindowFunction => {
  if (!isDoc(arg) || Object.keys(arg).length > 0) fail(5371603, `${name} must be specified with '{}' as the value`);
  if (Object.keys(sortBy ?? {}).length !== 1)
    fail(5371602, `${name} must be specified with a top level sortBy expression with exactly one element`);
  return ({ scopes, ties }) => {
    let rank = 0;
    return scopes.map((_scope, i) => {
      rank = RANKS[name]!(i > 0 && ties(i - 1, i), rank, i + 1);
      return intOrLong(BigInt(rank));
    });
  };
};

// -- of one other document

const endOf =
  (end: 0 | 1) =>
  ({ arg, compiler, windows = EVERYTHING }: Place): WindowFunction => {
    const input = compiler.compile(arg);
    return (partition) => windows(partition).map((window) => (window ? input(partition.scopes[window[end]]!) : null));
  };

/** Whether an expression depends on the document that it is evaluated for. */
function readsDocument(spec: Value): boolean {
  if (isString(spec)) return /^\$($|[^$]|\$(ROOT|CURRENT)\b)/.test(spec);
  if (isArray(spec)) return spec.some(readsDocument);
  return isDoc(spec) && Object.entries(spec).some(([name, arg]) => !['$literal', '$const'].includes(name) && readsDocument(arg)); // prettier-ignore
}

const shift = (place: Place): WindowFunction => {
  const { arg, sortBy, compiler } = place;
  const spec = inputOf(arg, place, ['output', 'by', 'default']);
  const by = isNumber(spec.by) ? toInteger(spec.by) : undefined;
  if (by === undefined) return fail(9, "$shift requires 'by' as an integer value.");
  if (readsDocument(spec.default)) fail(9, "'$shift:default' expression must yield a constant value."); // prettier-ignore
  if (!sortBy) fail(9, "'$shift' requires a sortBy");
  const output = compiler.compile(spec.output);
  const otherwise = compiler.compile(spec.default ?? null)(scopeOf(compiler.env));
  return ({ scopes }) => scopes.map((_scope, i) => (scopes[i + by] ? output(scopes[i + by]!) : otherwise));
};

const SIMPLE_NAMES = ['$sum', '$avg', '$stdDevPop', '$stdDevSamp', '$push', '$addToSet'];
const GROUPED = [
  '$count',
  '$median',
  '$percentile',
  '$firstN',
  '$lastN',
  '$minN',
  '$maxN',
  '$top',
  '$topN',
  '$bottom',
  '$bottomN',
];
const WITHOUT_WINDOW = ['$shift', '$locf', '$linearFill', '$expMovingAvg', ...Object.keys(RANKS)];

const FUNCTIONS: Record<string, (place: Place) => WindowFunction> = {
  ...Object.fromEntries(SIMPLE_NAMES.map((name) => [name, accumulating(SIMPLE[name]!)])),
  ...Object.fromEntries(GROUPED.map((name) => [name, grouped])),
  ...Object.fromEntries(Object.keys(RANKS).map((name) => [name, ranking])),
  $min: extreme(1),
  $max: extreme(-1),
  $covariancePop: accumulating(covariance(0)),
  $covarianceSamp: accumulating(covariance(1)),
  $first: endOf(0),
  $last: endOf(1),
  $shift: shift,
  $derivative: derivatives,
  $integral: integrals,
  $expMovingAvg: movingAverage,
  $linearFill: linearFill,
  $locf: lastKnown,
};
