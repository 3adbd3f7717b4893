/**
 * Arithmetic over BSON's four number types with mongod's promotions: int to long when it overflows, anything with a double to double, anything with
 * a decimal to decimal. Updates refuse a long that overflows, expressions go on as doubles.
 */
import { Decimal128, type Double, type Int32, Long } from 'bson';
import { bsonTypeName, double, fitsInt64, int, intOrLong, long, toDouble, type Value } from './bson-types';
import * as dec from './decimal';

export type NumberType = 'int' | 'long' | 'double' | 'decimal';
const WIDTH: Record<string, number> = { int: 0, long: 1, double: 2, decimal: 3 };

export const numberType = (v: Value): NumberType => bsonTypeName(v) as NumberType;
export function widest(a: NumberType, b: NumberType): NumberType {
  return WIDTH[a]! >= WIDTH[b]! ? a : b;
}

/** The whole part of any finite number. */
export function toBigInt(v: Value): bigint {
  if (v instanceof Long) return v.toBigInt();
  if (v instanceof Decimal128) return dec.toBigInt(dec.unpack(v));
  return BigInt(Math.trunc(toDouble(v)));
}

/** As mongod coerces for arithmetic: a double becomes a decimal of 15 digits. */
export function coerceToDec(v: Value): dec.Dec {
  if (v instanceof Decimal128) return dec.unpack(v);
  return numberType(v) === 'double' ? dec.fromDouble15(toDouble(v)) : dec.fromBigInt(toBigInt(v));
}

/** `a op b` in the widest of their types; `undefined` if a long overflows. */
function combine(
  a: Value,
  b: Value,
  op: { big(x: bigint, y: bigint): bigint; double(x: number, y: number): number; dec(x: dec.Dec, y: dec.Dec): dec.Dec },
): Value {
  switch (widest(numberType(a), numberType(b))) {
    case 'decimal':
      return dec.pack(op.dec(coerceToDec(a), coerceToDec(b)));
    case 'double':
      return double(op.double(toDouble(a), toDouble(b)));
    case 'long': {
      const result = op.big(toBigInt(a), toBigInt(b));
      return fitsInt64(result) ? long(result) : undefined;
    }
    case 'int':
      return intOrLong(op.big(toBigInt(a), toBigInt(b)));
  }
}

export const addNumbers = (a: Value, b: Value): Value =>
  combine(a, b, { big: (x, y) => x + y, double: (x, y) => x + y, dec: dec.add });
export const subtractNumbers = (a: Value, b: Value): Value =>
  combine(a, b, { big: (x, y) => x - y, double: (x, y) => x - y, dec: dec.subtract }) ??
  double(toDouble(a) - toDouble(b));
export const multiplyNumbers = (a: Value, b: Value): Value =>
  combine(a, b, { big: (x, y) => x * y, double: (x, y) => x * y, dec: dec.multiply });
/** The divisor is not zero. */
export const remainderNumbers = (a: Value, b: Value): Value =>
  combine(a, b, { big: (x, y) => x % y, double: (x, y) => x % y, dec: dec.remainder });

export function divideNumbers(a: Value, b: Value): Value {
  if (widest(numberType(a), numberType(b)) === 'decimal') return dec.pack(dec.divide(coerceToDec(a), coerceToDec(b)));
  return double(toDouble(a) / toDouble(b));
}

/** On ints and longs only: a long if either is one. */
export function bitwise(op: 'and' | 'or' | 'xor', a: Value, b: Value): Int32 | Long {
  const x = toBigInt(a);
  const y = toBigInt(b);
  const result = op === 'and' ? x & y : op === 'or' ? x | y : x ^ y;
  return widest(numberType(a), numberType(b)) === 'long' ? long(result) : int(Number(result));
}

/** The sum, and the error so far with what this addition loses. */
function twoSum(a: number, b: number, error: number): [number, number] {
  const sum = a + b;
  const back = sum - a;
  return [sum, error + (a - (sum - back) + (b - back))];
}

/**
 * A running sum that loses nothing on the way: integers exactly, doubles with a second double for the rounding errors (Knuth's two-sum), decimals
 * apart. `total` has the widest type met, or a wider one if the sum needs it.
 */
export class Sum {
  private type: NumberType = 'int';
  private sum = 0;
  private error = 0;
  private integers = 0n;
  /** Ints that are not among the integers yet: exact as a double, and faster. */
  private ints = 0;
  private decimals: dec.Dec | undefined;

  add(v: Value): void {
    const type = numberType(v);
    if (type !== this.type) this.type = widest(this.type, type);
    if (type === 'int') {
      this.ints += toDouble(v);
      if (Math.abs(this.ints) > 2 ** 52) this.collectInts();
    } else if (type === 'decimal')
      this.decimals = this.decimals ? dec.add(this.decimals, coerceToDec(v)) : coerceToDec(v);
    else if (type === 'double') this.addDouble(toDouble(v));
    else this.integers += toBigInt(v);
  }

  private collectInts(): void {
    this.integers += BigInt(this.ints);
    this.ints = 0;
  }

  private addDouble(v: number): void {
    [this.sum, this.error] = twoSum(this.sum, v, this.error);
  }

  /** All but the decimals, as one double. */
  private nonDecimal(): number {
    this.collectInts();
    if (!Number.isFinite(this.sum)) return this.sum;
    const high = Number(this.integers);
    const low = Number(this.integers - BigInt(Number.isFinite(high) ? high : 0));
    const [sum, error] = twoSum(this.sum, high, this.error);
    return sum + (error + low);
  }

  asDec(): dec.Dec {
    this.collectInts();
    const whole = dec.fromBigInt(this.integers);
    if (this.sum === 0 && this.error === 0) return this.decimals ? dec.add(this.decimals, whole) : whole;
    const doubles = dec.add(dec.finish(dec.fromDouble(this.sum)), dec.finish(dec.fromDouble(this.error)));
    return dec.add(dec.add(this.decimals ?? dec.fromBigInt(0n), doubles), whole);
  }

  total(): Value {
    this.collectInts();
    if (this.type === 'decimal') return dec.pack(this.asDec());
    if (this.type === 'double' || !fitsInt64(this.integers)) return double(this.nonDecimal());
    return this.type === 'long' ? long(this.integers) : intOrLong(this.integers);
  }

  /** The mean of `n` summands: a double, or a decimal if there was one. */
  mean(n: number): Double | Decimal128 {
    if (this.type === 'decimal') return dec.pack(dec.divide(this.asDec(), dec.fromBigInt(BigInt(n))));
    return double(this.nonDecimal() / n);
  }
}
