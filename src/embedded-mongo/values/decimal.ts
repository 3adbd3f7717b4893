/**
 * Exact decimal arithmetic for BSON's Decimal128 (IEEE 754-2008, 34 digits, round half to even), on BigInt.
 *
 * A `Dec` is sign, coefficient and power of ten, so that trailing zeros ("1.50" is 150E-2) and minus zero survive, as they do in mongod.
 * Every operation computes exactly and then calls `finish`, which rounds to 34 digits and brings the exponent into range.
 */
import { Decimal128 } from 'bson';

export interface Dec {
  neg: boolean;
  /** Never negative; the sign stands apart. */
  coef: bigint;
  exp: number;
  special?: 'inf' | 'nan';
}

const DIGITS = 34;
const MIN_EXP = -6176;
const MAX_EXP = 6111;
const COEF_MASK = (1n << 113n) - 1n;
const MAX_COEF = 10n ** 34n;

export const NAN: Dec = { neg: false, coef: 0n, exp: 0, special: 'nan' };
const infinity = (neg: boolean): Dec => ({ neg, coef: 0n, exp: 0, special: 'inf' });
const pow10 = (n: number): bigint => 10n ** BigInt(n);
const digitsOf = (n: bigint): number => (n === 0n ? 1 : n.toString().length);
const fromSigned = (n: bigint, exp: number, negZero = false): Dec => ({
  neg: n < 0n || (n === 0n && negZero),
  coef: n < 0n ? -n : n,
  exp,
});
const signed = (d: Dec): bigint => (d.neg ? -d.coef : d.coef);

/** Divides, rounding half to even, for non-negative operands. */
function divideRounded(n: bigint, by: bigint): bigint {
  const q = n / by;
  const twice = (n % by) * 2n;
  return twice > by || (twice === by && q % 2n === 1n) ? q + 1n : q;
}

export function unpack(value: Decimal128): Dec {
  const view = new DataView(value.bytes.buffer, value.bytes.byteOffset, 16);
  const high = view.getBigUint64(8, true);
  const neg = high >> 63n === 1n;
  const combination = Number((high >> 58n) & 31n);
  if (combination === 31) return NAN;
  if (combination === 30) return infinity(neg);
  // coefficients above 2^113 cannot be canonical: mongod reads them as zero
  if (combination >= 24) return { neg, coef: 0n, exp: Number((high >> 47n) & 0x3fffn) + MIN_EXP };
  const coef = ((high << 64n) | view.getBigUint64(0, true)) & COEF_MASK;
  return { neg, coef: coef < MAX_COEF ? coef : 0n, exp: Number((high >> 49n) & 0x3fffn) + MIN_EXP };
}

export function pack(d: Dec): Decimal128 {
  const bytes = Buffer.alloc(16);
  const f = finish(d);
  const sign = f.neg ? 1n << 63n : 0n;
  if (f.special) bytes.writeBigUInt64LE(sign | ((f.special === 'inf' ? 30n : 31n) << 58n), 8);
  else {
    bytes.writeBigUInt64LE(f.coef & 0xffffffffffffffffn, 0);
    bytes.writeBigUInt64LE(sign | (BigInt(f.exp - MIN_EXP) << 49n) | (f.coef >> 64n), 8);
  }
  return new Decimal128(bytes);
}

/** Rounds to 34 digits and brings the exponent into range: overflow is infinity, underflow loses digits. */
export function finish(d: Dec): Dec {
  if (d.special) return d;
  let { coef, exp } = d;
  const drop = Math.max(digitsOf(coef) - DIGITS, MIN_EXP - exp, 0);
  if (drop > 0) {
    coef = divideRounded(coef, pow10(drop));
    exp += drop;
    if (coef === MAX_COEF) {
      coef /= 10n;
      exp += 1;
    }
  }
  if (exp > MAX_EXP) {
    if (coef !== 0n && digitsOf(coef) + exp - MAX_EXP > DIGITS) return infinity(d.neg);
    coef *= pow10(exp - MAX_EXP);
    exp = MAX_EXP;
  }
  return { neg: d.neg, coef, exp };
}

export const fromBigInt = (n: bigint): Dec => fromSigned(n, 0);

const scratch = new DataView(new ArrayBuffer(8));

/** The exact value of a double (a finite one is always a finite decimal, of up to 767 digits). */
export function fromDouble(d: number): Dec {
  if (Number.isNaN(d)) return NAN;
  if (!Number.isFinite(d)) return infinity(d < 0);
  if (d === 0) return fromSigned(0n, 0, Object.is(d, -0));
  if (Number.isInteger(d)) return fromSigned(BigInt(d), 0);
  scratch.setFloat64(0, Math.abs(d));
  const bits = scratch.getBigUint64(0);
  const e = Number(bits >> 52n);
  let mantissa = (bits & 0xfffffffffffffn) | (e === 0 ? 0n : 1n << 52n);
  let shift = 1075 - Math.max(e, 1);
  for (; mantissa % 2n === 0n; shift -= 1) mantissa /= 2n;
  return { neg: d < 0, coef: mantissa * 5n ** BigInt(shift), exp: -shift };
}

/** What mongod makes of a double that meets a decimal: 15 significant digits, so that 0.1 becomes 0.100000000000000. */
export function fromDouble15(d: number): Dec {
  const exact = fromDouble(d);
  if (exact.special || exact.coef === 0n) return exact;
  const target = exact.exp + digitsOf(exact.coef) - 15;
  const rounded = quantize(exact, target);
  return digitsOf(rounded.coef) > 15 ? quantize(exact, target + 1) : rounded;
}

export type Rounding = 'even' | 'truncate' | 'floor' | 'ceil';

/** The value at exponent `exp`: padded with zeros or rounded. */
export function quantize(d: Dec, exp: number, rounding: Rounding = 'even'): Dec {
  if (d.special) return d;
  if (exp <= d.exp) return { ...d, coef: d.coef * pow10(d.exp - exp), exp };
  const by = pow10(Math.min(exp - d.exp, digitsOf(d.coef) + 1));
  const away = rounding === (d.neg ? 'floor' : 'ceil') && d.coef % by !== 0n;
  const coef = rounding === 'even' ? divideRounded(d.coef, by) : d.coef / by + (away ? 1n : 0n);
  return { ...d, coef, exp };
}

export const toNumber = (d: Dec): number =>
  d.special
    ? d.special === 'nan'
      ? NaN
      : d.neg
        ? -Infinity
        : Infinity
    : Number(`${d.neg ? '-' : ''}${d.coef}E${d.exp}`);

/** The integer part, towards zero; for finite values only. */
export const toBigInt = (d: Dec): bigint => signed(quantize(d, 0, 'truncate'));

/** Exact order of two values that are not NaN. */
export function compare(a: Dec, b: Dec): number {
  if (a.special ?? b.special) {
    const infinite = (d: Dec): number => (d.special ? (d.neg ? -1 : 1) : 0);
    return Math.sign(infinite(a) - infinite(b));
  }
  if (a.coef === 0n || b.coef === 0n || a.neg !== b.neg) {
    const sign = (d: Dec): number => (d.coef === 0n ? 0 : d.neg ? -1 : 1);
    return Math.sign(sign(a) - sign(b));
  }
  const magnitude = digitsOf(a.coef) + a.exp - (digitsOf(b.coef) + b.exp);
  if (magnitude !== 0) return magnitude > 0 === a.neg ? -1 : 1;
  const exp = Math.min(a.exp, b.exp);
  const x = signed(quantize(a, exp));
  const y = signed(quantize(b, exp));
  return x < y ? -1 : x > y ? 1 : 0;
}

export const negate = (d: Dec): Dec => ({ ...d, neg: !d.neg });
export const abs = (d: Dec): Dec => ({ ...d, neg: false });
const isNaNs = (a: Dec, b: Dec): boolean => a.special === 'nan' || b.special === 'nan';

export function add(a: Dec, b: Dec): Dec {
  if (a.special ?? b.special) {
    if (isNaNs(a, b) || (a.special && b.special && a.neg !== b.neg)) return NAN;
    return a.special ? a : b;
  }
  const exp = Math.min(a.exp, b.exp);
  return finish(fromSigned(signed(quantize(a, exp)) + signed(quantize(b, exp)), exp, a.neg && b.neg));
}

export const subtract = (a: Dec, b: Dec): Dec => add(a, b.special === 'nan' ? b : negate(b));

export function multiply(a: Dec, b: Dec): Dec {
  const neg = a.neg !== b.neg;
  if (isNaNs(a, b)) return NAN;
  if (a.special ?? b.special) {
    const zero = (!a.special && a.coef === 0n) || (!b.special && b.coef === 0n);
    return zero ? NAN : infinity(neg);
  }
  return finish({ neg, coef: a.coef * b.coef, exp: a.exp + b.exp });
}

/** A quotient that comes out exactly has the exponent nearest to `a.exp - b.exp`; any other has 34 digits. */
export function divide(a: Dec, b: Dec): Dec {
  const neg = a.neg !== b.neg;
  if (isNaNs(a, b) || (a.special && b.special)) return NAN;
  if (a.special) return infinity(neg);
  if (b.special) return { neg, coef: 0n, exp: MIN_EXP };
  if (b.coef === 0n) return a.coef === 0n ? NAN : infinity(neg);
  const ideal = a.exp - b.exp;
  if (a.coef === 0n) return finish({ neg, coef: 0n, exp: ideal });
  const scale = Math.max(DIGITS + 2 + digitsOf(b.coef) - digitsOf(a.coef), 0);
  const n = a.coef * pow10(scale);
  let coef = n / b.coef;
  let exp = ideal - scale;
  // a sticky digit makes the later rounding see that something follows
  if (n % b.coef !== 0n) return finish({ neg, coef: coef * 10n + 1n, exp: exp - 1 });
  for (; exp < ideal && coef % 10n === 0n; exp += 1) coef /= 10n;
  return finish({ neg, coef, exp });
}

/** Remainder with the sign of the dividend, as C's fmod. */
export function remainder(a: Dec, b: Dec): Dec {
  if (isNaNs(a, b) || a.special || (!b.special && b.coef === 0n)) return NAN;
  if (b.special) return a;
  const exp = Math.min(a.exp, b.exp);
  return finish({ neg: a.neg, coef: quantize(a, exp).coef % quantize(b, exp).coef, exp });
}

export function squareRoot(d: Dec): Dec {
  if (d.special === 'nan' || (d.neg && d.coef !== 0n) || (d.special && d.neg)) return NAN;
  if (d.special || d.coef === 0n) return d.special ? d : { ...d, exp: Math.floor(d.exp / 2) };
  const ideal = Math.floor(d.exp / 2);
  let exp = ideal;
  let n = d.coef * (d.exp % 2 === 0 ? 1n : 10n);
  for (; digitsOf(n) < 2 * DIGITS + 4; exp -= 1) n *= 100n;
  let root = BigInt(Math.floor(Math.sqrt(Number(n))));
  for (let previous = 0n; root !== previous && root !== previous + 1n;) {
    previous = root;
    root = (root + n / root) / 2n;
  }
  while (root * root > n) root -= 1n;
  while ((root + 1n) * (root + 1n) <= n) root += 1n;
  if (root * root !== n) return finish({ neg: false, coef: root * 10n + 1n, exp: exp - 1 });
  for (; exp < ideal && root % 10n === 0n; exp += 1) root /= 10n;
  return finish({ neg: false, coef: root, exp });
}
