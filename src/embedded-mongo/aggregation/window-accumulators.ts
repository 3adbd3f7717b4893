/** The accumulators that only `$setWindowFields` has: fed with pairs, they compute as expressions do, so that each number keeps its type. */
import { double, isArray, isDate, isNumber, long, toDouble, type Value } from '../values/bson-types';
import { type Make } from '../expressions/accumulators';
import { add, divide, multiply, subtract } from '../expressions/arithmetic';
import { fail } from '../errors';
import { Sum } from '../values/numbers';

const isInfinite = (v: Value): boolean => !Number.isFinite(toDouble(v));

/** Welford's running covariance, in the arithmetic of expressions. */
export const covariance = (sample: 0 | 1): Make => {
  return () => {
    const [x, y, products] = [new Sum(), new Sum(), new Sum()];
    let n = 0;
    const fromMean = (v: Value, sum: Sum, count: number): Value =>
      count === 0 ? null : subtract([v, sum.mean(count)]);
    const add = (pair: Value): void => {
      if (!isArray(pair) || pair.length !== 2 || !pair.every(isNumber)) return;
      const [a, b] = pair;
      if (isInfinite(a) || isInfinite(b)) return products.add(multiply([a, b].map((v) => (isInfinite(v) ? v : 1))));
      const fromX = fromMean(a, x, n);
      x.add(a);
      y.add(b);
      n += 1;
      const product = multiply([fromX, fromMean(b, y, n)]);
      if (product !== null) products.add(product);
    };
    const result = (): Value => {
      if (n === 1 && sample === 0) return double(0);
      if (n - sample <= 0) return null;
      return divide([products.total(), double(n - sample)]);
    };
    return { add, result };
  };
};

/** By the trapezoidal rule. `millis`: of the unit of time that it is told in. */
export const integral = (millis: number | undefined): Make => {
  return () => {
    const area = new Sum();
    let last: Value[] | undefined;
    let isNaNs = false;
    const take = (point: Value): void => {
      const [key, value] = point as [Value, Value];
      if (!isNumber(value) || !(isNumber(key) || isDate(key))) fail(5423900, 'The input value of $integral window function must be a vector of 2 value, the first value must be numeric or date type and the second must be numeric.'); // prettier-ignore
      if (millis !== undefined && !isDate(key)) fail(5423901, "$integral with 'unit' expects the sortBy field to be a Date"); // prettier-ignore
      if (millis === undefined && !isNumber(key)) fail(5423902, "$integral (with no 'unit') expects the sortBy field to be numeric"); // prettier-ignore
      isNaNs ||= Number.isNaN(toDouble(value)) || (isNumber(key) && Number.isNaN(toDouble(key)));
      if (last) area.add(divide([multiply([add([value, last[1]]), subtract([key, last[0]])]), double(2)]));
      last = [key, value];
    };
    const result = (): Value => {
      if (!last) return null;
      if (isNaNs) return double(NaN);
      return millis === undefined ? area.total() : divide([area.total(), long(BigInt(millis))]);
    };
    return { add: take, result };
  };
};
