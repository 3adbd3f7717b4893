/** Arithmetic operators of expressions, and comparisons. Null in, null out; types as in numbers.ts. */
import { Decimal128 } from 'bson';
import {
  bsonTypeName,
  double,
  fitsInt64,
  intOrLong,
  isDate,
  isNullish,
  isNumber,
  long,
  toDouble,
  toInteger,
  type Value,
} from '../values/bson-types';
import * as dec from '../values/decimal';
import { fail, MongoError, unsupported } from '../errors';
import { args, orNull, unary, type Operator } from './expression-types';
import { bitwise, coerceToDec, divideNumbers, multiplyNumbers, numberType, remainderNumbers, subtractNumbers, Sum, toBigInt, widest } from '../values/numbers'; // prettier-ignore
import { compareValues } from '../values/values';

const isDecimal = (v: Value): v is Decimal128 => v instanceof Decimal128;
const isInteger = (v: Value): boolean => ['int', 'long'].includes(bsonTypeName(v));

/** A function of one number: exact for decimals if `ofDecimal` is given, refused for them otherwise. */
function numeric(name: string, ofDouble: (n: number) => number, ofDecimal?: (d: dec.Dec) => dec.Dec): Operator {
  return unary((v) => {
    if (isNullish(v)) return null;
    if (!isNumber(v)) return fail(28765, `${name} only supports numeric types, not ${bsonTypeName(v)}`);
    if (!isDecimal(v)) return double(ofDouble(toDouble(v)));
    if (!ofDecimal) throw unsupported(`${name} of a decimal`);
    return dec.pack(ofDecimal(dec.unpack(v)));
  });
}

/** `$floor` and `$ceil` leave integers as they are. */
function toWhole(name: string, ofDouble: (n: number) => number, rounding: dec.Rounding): Operator {
  const other = numeric(name, ofDouble, (d) => (d.exp >= 0 ? d : dec.quantize(d, 0, rounding)));
  const whole = unary((v) => v);
  return (arg, compiler, operator) => {
    const plain = whole(arg, compiler, operator);
    const rounded = other(arg, compiler, operator);
    return (scope) => {
      const v = plain(scope);
      return isInteger(v) ? v : rounded(scope);
    };
  };
}

function checked(
  name: string,
  holds: (n: number) => boolean,
  what: string,
  f: (n: number) => number,
): (n: number) => number {
  return (n) => (holds(n) || Number.isNaN(n) ? f(n) : fail(28766, `${name}'s argument must be ${what}, but is ${n}`));
}

export function add(values: Value[]): Value {
  const sum = new Sum();
  let date = false;
  let nullish = false;
  for (const v of values) {
    if (isDate(v)) {
      if (date) fail(16612, 'only one date allowed in an $add expression');
      date = true;
      sum.add(long(BigInt(v.getTime())));
    } else if (isNumber(v)) sum.add(v);
    else if (isNullish(v)) nullish = true;
    else fail(16554, `$add only supports numeric or date types, not ${bsonTypeName(v)}`);
    if (nullish) return null;
  }
  const total = sum.total();
  return date ? dateOf(total) : total;
}

function dateOf(ms: Value): Date {
  const n = toDouble(ms);
  // mongod has 64 bits of milliseconds, JavaScript's dates end at 8.64e15
  if (!Number.isFinite(n) || Math.abs(n) > 8.64e15) throw new MongoError(15, 'date overflow in $add');
  return new Date(isDecimal(ms) || !isInteger(ms) ? Math.round(n) : n);
}

export function multiply(values: Value[]): Value {
  let product: Value = 1;
  for (const v of values) {
    if (isNullish(v)) return null;
    if (!isNumber(v)) return fail(16555, `$multiply only supports numeric types, not ${bsonTypeName(v)}`);
    product = multiplyNumbers(product, v) ?? double(toDouble(product) * toDouble(v));
  }
  return typeof product === 'number' ? intOrLong(BigInt(product)) : product;
}

export function subtract([a, b]: Value[]): Value {
  if (isNullish(a) || isNullish(b)) return null;
  if (isNumber(a) && isNumber(b)) return subtractNumbers(a, b);
  if (isDate(a) && isDate(b)) return long(BigInt(a.getTime() - b.getTime()));
  if (isDate(a) && isNumber(b)) return new Date(a.getTime() - Math.trunc(toDouble(b)));
  return fail(16556, `cant $subtract a ${bsonTypeName(b)} from a ${bsonTypeName(a)}`);
}

export function divide([a, b]: Value[]): Value {
  if (isNullish(a) || isNullish(b)) return null;
  if (!isNumber(a) || !isNumber(b))
    return fail(16609, `$divide only supports numeric types, not ${bsonTypeName(a)} and ${bsonTypeName(b)}`);
  if (toDouble(b) === 0) fail(16608, "can't $divide by zero");
  return divideNumbers(a, b);
}

function mod([a, b]: Value[]): Value {
  if (isNullish(a) || isNullish(b)) return null;
  if (!isNumber(a) || !isNumber(b))
    return fail(16611, `$mod only supports numeric types, not ${bsonTypeName(a)} and ${bsonTypeName(b)}`);
  if (toDouble(b) === 0) fail(16610, "can't $mod by zero");
  // a whole double divides integers as an integer
  const divisor = numberType(b) === 'double' && isInteger(a) && fitsInt(toDouble(b)) ? intOrLong(toBigInt(b)) : b;
  return remainderNumbers(a, divisor);
}
const fitsInt = (n: number): boolean => Number.isInteger(n) && Math.abs(n) < 2 ** 31;

function pow([base, exponent]: Value[]): Value {
  if (!isNumber(base) || !isNumber(exponent))
    return fail(28762, `$pow's arguments must be numeric, not ${bsonTypeName(base)} and ${bsonTypeName(exponent)}`);
  if (toDouble(base) === 0 && toDouble(exponent) < 0)
    fail(28764, '$pow cannot take a base of 0 and a negative exponent');
  const type = widest(numberType(base), numberType(exponent));
  if (type === 'decimal') return decimalPower(coerceToDec(base), coerceToDec(exponent));
  const approximate = toDouble(base) ** toDouble(exponent);
  if (type === 'double') return double(approximate);
  const [b, e] = [toBigInt(base), toBigInt(exponent)];
  if (e < 0n && b !== 1n && b !== -1n) return double(approximate);
  if (e > 63n && b !== 0n && b !== 1n && b !== -1n) return double(approximate);
  const result = e < 0n || e > 63n ? (b === -1n && e % 2n === 0n ? 1n : b) : b ** e;
  if (!fitsInt64(result)) return double(approximate);
  return type === 'long' ? long(result) : intOrLong(result);
}

function decimalPower(base: dec.Dec, exponent: dec.Dec): Decimal128 {
  const n = dec.toNumber(exponent);
  if (!Number.isInteger(n) || Math.abs(n) > 10_000) throw unsupported('$pow of decimals with such an exponent');
  let result = dec.fromBigInt(1n);
  for (let i = 0; i < Math.abs(n); i += 1) result = dec.multiply(result, base);
  return dec.pack(n < 0 ? dec.divide(dec.fromBigInt(1n), result) : result);
}

function log([v, base]: Value[]): Value {
  if (!isNumber(v) || !isNumber(base))
    return fail(28756, `$log's arguments must be numeric, not ${bsonTypeName(v)} and ${bsonTypeName(base)}`);
  if (isDecimal(v) || isDecimal(base)) throw unsupported('$log of a decimal');
  const [x, b] = [toDouble(v), toDouble(base)];
  if (x <= 0) fail(28758, `$log's argument must be a positive number, but is ${x}`);
  if (b <= 0 || b === 1) fail(28759, `$log's base must be a positive number not equal to 1, but is ${b}`);
  return double(Math.log(x) / Math.log(b));
}

/** Rounds at a decimal place (negative: left of the point), half to even or towards zero; doubles by their exact value. */
function atPlace(name: string, rounding: dec.Rounding): Operator {
  return args(1, 2, ([v, placeArg], _env) => {
    if (isNullish(v)) return null;
    if (!isNumber(v)) return fail(51081, `${name} only supports numeric types, not ${bsonTypeName(v)}`);
    const place = placeArg === undefined ? 0 : placeArg === null ? null : toInteger(placeArg);
    if (place === null) return null;
    if (place === undefined) return fail(51082, `precision argument to ${name} must be a integral value`);
    if (place < -20 || place > 100)
      return fail(51083, `cannot apply ${name} with precision value ${place} value must be in [-20, 100]`);
    if (isInteger(v) && place >= 0) return v;
    const exact = isDecimal(v) ? dec.unpack(v) : dec.finish(dec.fromDouble(toDouble(v)));
    const rounded = isInteger(v)
      ? dec.quantize(dec.fromBigInt(toBigInt(v)), -place, rounding)
      : dec.quantize(exact, -place, rounding);
    if (isDecimal(v)) return dec.pack(rounded.coef >= 10n ** 34n ? dec.NAN : rounded);
    if (!isInteger(v)) return double(dec.toNumber(rounded));
    const n = dec.toBigInt(rounded);
    if (!fitsInt64(n)) fail(51080, 'invalid conversion from Decimal128 result in rounding');
    return numberType(v) === 'long' ? long(n) : intOrLong(n);
  });
}

const abs = unary((v) => {
  if (isNullish(v)) return null;
  if (!isNumber(v)) return fail(28765, `$abs only supports numeric types, not ${bsonTypeName(v)}`);
  if (isDecimal(v)) return dec.pack(dec.abs(dec.unpack(v)));
  if (numberType(v) === 'double') return double(Math.abs(toDouble(v)));
  const n = toBigInt(v);
  const positive = n < 0n ? -n : n;
  if (!fitsInt64(positive)) fail(28680, "can't take $abs of long long min");
  return numberType(v) === 'long' ? long(positive) : intOrLong(positive);
});

const bits = (op: 'and' | 'or' | 'xor', start: number): Operator =>
  args(0, Infinity, orNull((values) => values.reduce((a, b) => (isInteger(b) ? bitwise(op, a, b) : fail(14, `$bit operators only support int and long`)), start))); // prettier-ignore

const compared = (accept: (c: number) => boolean): Operator =>
  args(2, 2, ([a, b], { collation }) => accept(compareValues(a, b, collation)));

const degrees = Math.PI / 180;
const inRange = (name: string, f: (n: number) => number, low: number, high: number): Operator =>
  numeric(name, checked(name, (n) => n >= low && n <= high, `in [${low},${high}]`, f)); // prettier-ignore

export const ARITHMETIC: Record<string, Operator> = {
  $add: args(0, Infinity, add),
  $multiply: args(0, Infinity, multiply),
  $subtract: args(2, 2, subtract),
  $divide: args(2, 2, divide),
  $mod: args(2, 2, mod),
  $pow: args(2, 2, orNull(pow)),
  $log: args(2, 2, orNull(log)),
  $abs: abs,
  $floor: toWhole('$floor', Math.floor, 'floor'),
  $ceil: toWhole('$ceil', Math.ceil, 'ceil'),
  $round: atPlace('$round', 'even'),
  $trunc: atPlace('$trunc', 'truncate'),
  $sqrt: numeric(
    '$sqrt',
    checked('$sqrt', (n) => n >= 0, 'greater than or equal to 0', Math.sqrt),
    (d) =>
      d.neg && d.coef !== 0n ? fail(28714, "$sqrt's argument must be greater than or equal to 0") : dec.squareRoot(d),
  ),
  $exp: numeric('$exp', Math.exp),
  $ln: numeric('$ln', checked('$ln', (n) => n > 0, 'a positive number', Math.log)), // prettier-ignore
  $log10: numeric('$log10', checked('$log10', (n) => n > 0, 'a positive number', Math.log10)), // prettier-ignore
  $sin: numeric('$sin', Math.sin),
  $cos: numeric('$cos', Math.cos),
  $tan: numeric('$tan', Math.tan),
  $asin: inRange('$asin', Math.asin, -1, 1),
  $acos: inRange('$acos', Math.acos, -1, 1),
  $atan: numeric('$atan', Math.atan),
  $sinh: numeric('$sinh', Math.sinh),
  $cosh: numeric('$cosh', Math.cosh),
  $tanh: numeric('$tanh', Math.tanh),
  $asinh: numeric('$asinh', Math.asinh),
  $acosh: inRange('$acosh', Math.acosh, 1, Infinity),
  $atanh: inRange('$atanh', Math.atanh, -1, 1),
  $degreesToRadians: numeric('$degreesToRadians', (n) => n * degrees),
  $radiansToDegrees: numeric('$radiansToDegrees', (n) => n / degrees),
  $atan2: args(2, 2, orNull(([y, x]) => (isNumber(y) && isNumber(x) ? double(Math.atan2(toDouble(y), toDouble(x))) : fail(51044, '$atan2 only supports numeric types')))), // prettier-ignore
  $bitAnd: bits('and', -1),
  $bitOr: bits('or', 0),
  $bitXor: bits('xor', 0),
  $bitNot: unary((v) =>
    isNullish(v) ? null : isInteger(v) ? bitwise('xor', v, -1) : fail(28765, '$bitNot only supports int and long'),
  ),
  $cmp: args(2, 2, ([a, b], { collation }) => intOrLong(BigInt(Math.sign(compareValues(a, b, collation))))),
  $eq: compared((c) => c === 0),
  $ne: compared((c) => c !== 0),
  $lt: compared((c) => c < 0),
  $lte: compared((c) => c <= 0),
  $gt: compared((c) => c > 0),
  $gte: compared((c) => c >= 0),
};
