/**
 * Accumulators: of `$group` (and the stages made of it), one object for each group, fed value by value; some also serve as expressions over an array or
 * over their arguments.
 */
import {
  double,
  isArray,
  isDoc,
  isNullish,
  isNumber,
  toDouble,
  toInteger,
  type Doc,
  type Value,
} from '../values/bson-types';
import { type Collation } from '../values/collation';
import { MongoError, unsupported } from '../errors';
import {
  type Compiler,
  type Expression,
  namedSpecs,
  type Operator,
  type Ordered,
  type Scope,
} from './expression-types';
import { compileQuantile } from './percentiles';
import { Sum } from '../values/numbers';
import { compileSort } from '../values/sort';
import { compareValues, encodeKey } from '../values/values';

export interface Accumulator {
  add(value: Value): void;
  /** Takes back the one that was added first of those still in. */
  remove?(value: Value): void;
  result(): Value;
}
export type Make = (collation?: Collation) => Accumulator;

function sum(): Accumulator {
  const total = new Sum();
  return { add: (v) => isNumber(v) && total.add(v), result: () => total.total() };
}

function avg(): Accumulator {
  const total = new Sum();
  let n = 0;
  const add = (v: Value): void => {
    if (!isNumber(v)) return;
    total.add(v);
    n += 1;
  };
  return { add, result: () => (n === 0 ? null : total.mean(n)) };
}

/** Null and missing do not count. */
const extreme =
  (sign: 1 | -1): Make =>
  (collation) => {
    let best: Value = null;
    const add = (v: Value): void => {
      if (!isNullish(v) && (best === null || sign * compareValues(v, best, collation) > 0)) best = v;
    };
    return { add, result: () => best };
  };

/** Welford's running variance. */
const standardDeviation = (sample: 0 | 1): Make => {
  return () => {
    let n = 0;
    let mean = 0;
    let squares = 0;
    const add = (v: Value): void => {
      if (!isNumber(v)) return;
      n += 1;
      const x = toDouble(v);
      const delta = x - mean;
      mean += delta / n;
      squares += delta * (x - mean);
    };
    return { add, result: () => (n <= sample ? null : double(Math.sqrt(squares / (n - sample)))) };
  };
};

function first(): Accumulator {
  let value: Value;
  let seen = false;
  const add = (v: Value): void => {
    if (!seen) value = v;
    seen = true;
  };
  return { add, result: () => value ?? null };
}

function last(): Accumulator {
  let value: Value;
  return { add: (v) => void (value = v), result: () => value ?? null };
}

function push(): Accumulator {
  const list: Value[] = [];
  return { add: (v) => v !== undefined && list.push(v), result: () => [...list] };
}

function addToSet(collation?: Collation): Accumulator {
  const set = new Map<string, Value>();
  const add = (v: Value): void => {
    if (v === undefined) return;
    const key = encodeKey(v, collation);
    if (!set.has(key)) set.set(key, v);
  };
  return { add, result: () => [...set.values()] };
}

function mergeObjects(): Accumulator {
  const merged: Doc = {};
  const add = (v: Value): void => {
    if (isNullish(v)) return;
    if (!isDoc(v)) throw new MongoError(40400, '$mergeObjects requires object inputs');
    Object.assign(merged, v);
  };
  return { add, result: () => merged };
}

/** Those that take one value of each document. */
export const SIMPLE: Record<string, Make> = {
  $sum: sum,
  $avg: avg,
  $min: extreme(-1),
  $max: extreme(1),
  $stdDevPop: standardDeviation(0),
  $stdDevSamp: standardDeviation(1),
  $first: first,
  $last: last,
  $push: push,
  $addToSet: addToSet,
  $mergeObjects: mergeObjects,
};

// -- the forms that keep n values, in an order of their own or as they come

/** The `n` first in `order`, or as they came; from the other end if `fromEnd`. */
export function takeN(values: Value[], n: Value, fromEnd: boolean): Value[] {
  const count = toInteger(n);
  if (count === undefined || count < 1) throw new MongoError(5787902, "'n' must be a positive integer");
  return fromEnd ? values.slice(-count) : values.slice(0, count);
}

export interface GroupOperator {
  /** What each document contributes. */
  value: Expression;
  make: (scope: Scope) => Accumulator;
  /** Of those that look at the values in an order of their own: windows that move keep them sorted. */
  ordered?: Ordered;
}

const inOrderOf = (value: Expression, ordered: Ordered): GroupOperator => {
  const { keeps, compare, of } = ordered;
  return { value, make: collecting((values, scope) => of(values.filter(keeps).sort(compare), scope)), ordered };
};

function collecting(finish: (values: Value[], scope: Scope) => Value): GroupOperator['make'] {
  return (scope) => {
    const values: Value[] = [];
    return { add: (v) => values.push(v), result: () => finish(values, scope) };
  };
}

function nForm(arg: Value, compiler: Compiler, name: string): GroupOperator {
  const fields = namedSpecs(arg, name, ['input', 'n']);
  const input = compiler.compile(fields.input);
  const n = compiler.compile(fields.n);
  const sign = name === '$minN' ? 1 : name === '$maxN' ? -1 : 0;
  if (sign !== 0)
    return inOrderOf(
      input,
      byExtreme(sign, compiler, (values, scope) => takeN(values, n(scope), false)),
    );
  const finish = (values: Value[], scope: Scope): Value => takeN(values, n(scope), name === '$lastN').map((v) => v ?? null); // prettier-ignore
  return { value: input, make: collecting(finish) };
}

/** Values that are there, the least of them first (`sign` 1) or the greatest. */
export const byExtreme = (sign: 1 | -1, { env }: Compiler, of: Ordered['of']): Ordered => ({
  keeps: (v) => !isNullish(v),
  compare: (a, b) => sign * compareValues(a, b, env.collation),
  of,
});

/** `$top`, `$bottom` and their n forms: by an order of the documents, not of the outputs. */
function ranked(arg: Value, compiler: Compiler, name: string): GroupOperator {
  const many = name.endsWith('N');
  const fields = namedSpecs(arg, name, ['sortBy', 'output', ...(many ? ['n'] : [])]);
  if (!isDoc(fields.sortBy)) throw new MongoError(10065, `${name} requires sortBy to be an object`);
  const order = compileSort(fields.sortBy, compiler.env.collation);
  const output = compiler.compile(fields.output);
  const n: Expression = many ? compiler.compile(fields.n) : () => 1;
  const of: Ordered['of'] = (docs, scope) => {
    const taken = takeN(docs, n(scope), name.startsWith('$bottom'));
    const outputs = taken.map((doc) => output({ ...scope, ROOT: doc, CURRENT: doc }) ?? null);
    return many ? outputs : (outputs[0] ?? null);
  };
  return inOrderOf((scope) => scope.ROOT, { keeps: () => true, compare: (a, b) => order(a as Doc, b as Doc), of });
}

function quantile(arg: Value, compiler: Compiler, name: string): GroupOperator {
  const { input, ordered } = compileQuantile(arg, compiler, name);
  return inOrderOf(input, ordered);
}

export function compileAccumulator(spec: Value, field: string, compiler: Compiler): GroupOperator {
  if (!isDoc(spec) || Object.keys(spec).length !== 1) {
    throw new MongoError(isDoc(spec) ? 40238 : 40234, `The field '${field}' must be an accumulator object`);
  }
  const [[name, arg] = ['', null]] = Object.entries(spec);
  if (['$firstN', '$lastN', '$minN', '$maxN'].includes(name)) return nForm(arg, compiler, name);
  if (['$top', '$bottom', '$topN', '$bottomN'].includes(name)) return ranked(arg, compiler, name);
  if (name === '$percentile' || name === '$median') return quantile(arg, compiler, name);
  if (['$accumulator', '$concatArrays', '$setUnion'].includes(name)) {
    throw unsupported(`the accumulator ${name}`);
  }
  if (name === '$count') return { value: () => 1, make: sum };
  const make = Object.hasOwn(SIMPLE, name) ? SIMPLE[name] : undefined;
  if (!make) throw new MongoError(15952, `unknown group operator '${name}'`);
  if (isArray(arg)) throw new MongoError(40237, `The ${name} accumulator is a unary operator`);
  return { value: compiler.compile(arg), make: () => make(compiler.env.collation) };
}

/** As expressions: over the elements if the only argument is an array, else over the arguments. */
const overArguments =
  (make: Make): Operator =>
  (arg, compiler) => {
    const expressions = (isArray(arg) ? arg : [arg]).map(compiler.compile);
    return (scope) => {
      const values = expressions.map((expression) => expression(scope));
      const accumulator = make(compiler.env.collation);
      for (const v of values.length === 1 && isArray(values[0]) ? values[0] : values) accumulator.add(v);
      return accumulator.result();
    };
  };

export const AS_EXPRESSIONS: Record<string, Operator> = Object.fromEntries(
  ['$sum', '$avg', '$min', '$max', '$stdDevPop', '$stdDevSamp'].map((name) => [name, overArguments(SIMPLE[name]!)]),
);
