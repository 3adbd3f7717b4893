/**
 * `$percentile` and `$median`, as accumulators and as expressions over an array. They give one of the numbers that went in. A mongod does the same for
 * arrays and for up to some 1,200 numbers in a group, and estimates beyond that; here they are exact.
 */
import { double, isArray, isDoc, isNumber, isString, toDouble, type Doc, type Value } from '../values/bson-types';
import { fail } from '../errors';
import { type Compiler, type Expression, type Operator, type Ordered } from './expression-types';

interface Quantile {
  input: Expression;
  /** What is made of all that went in. */
  ordered: Ordered;
}

export function compileQuantile(arg: Value, compiler: Compiler, name: string): Quantile {
  if (!isDoc(arg)) return fail(7429703, 'specification must be an object');
  const fields = ['input', 'method', ...(name === '$percentile' ? ['p'] : [])];
  for (const key of Object.keys(arg)) if (!fields.includes(key)) fail(40415, `BSON field '${name}.${key}' is an unknown field.`); // prettier-ignore
  for (const key of fields)
    if (!(key in arg)) fail(40414, `BSON field '${name}.${key}' is missing but a required field`);
  if (!isString(arg.method)) fail(14, `BSON field '${name}.method' is the wrong type, expected type 'string'`);
  if (arg.method !== 'approximate') fail(2, "Currently only 'approximate' can be used as percentile 'method'.");
  const ps = name === '$percentile' ? sharesOf(arg, compiler) : undefined;
  const ordered: Ordered = {
    keeps: (v) => isNumber(v) && !Number.isNaN(toDouble(v)),
    compare: (a, b) => toDouble(a) - toDouble(b) || 0,
    of: (sorted) => (ps ? ps.map((p) => at(sorted, p)) : at(sorted, 0.5)),
  };
  return { input: compiler.compile(arg.input), ordered };
}

function sharesOf({ p }: Doc, compiler: Compiler): number[] {
  const list = compiler.compile(p)({});
  const message = "The $percentile 'p' field must be an array of numbers from [0.0, 1.0]";
  if (!isArray(list) || list.length === 0) return fail(7750301, message);
  return list.map((each) => {
    if (!isNumber(each)) return fail(7750302, message);
    const share = toDouble(each);
    return share >= 0 && share <= 1 ? share : fail(7750303, message);
  });
}

function at(sorted: Value[], p: number): Value {
  if (sorted.length === 0) return null;
  return double(toDouble(sorted[p >= 1 ? sorted.length - 1 : Math.max(Math.ceil(sorted.length * p) - 1, 0)]));
}

const quantile: Operator = (arg, compiler, name) => {
  const { input, ordered } = compileQuantile(arg, compiler, name);
  return (scope) => {
    const value = input(scope);
    return ordered.of((isArray(value) ? value : [value]).filter(ordered.keeps).sort(ordered.compare), scope);
  };
};

export const PERCENTILES: Record<string, Operator> = { $percentile: quantile, $median: quantile };
