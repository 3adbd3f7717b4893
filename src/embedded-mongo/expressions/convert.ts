/** Type operators of expressions: `$type`, `$convert` and its short forms `$toInt`, `$toString`, …. */
import { Binary, calculateObjectSize, Decimal128, Double, type Int32, type Long, ObjectId, Timestamp } from 'bson';
import { bsonTypeName, double, fitsInt64, int, isDate, isDoc, isNullish, isNumber, isString, long, toDouble, toInteger, TYPE_NUMBERS, type Value } from '../values/bson-types'; // prettier-ignore
import { formatDate, parseDate, zoneOf } from '../values/dates';
import * as dec from '../values/decimal';
import { MongoError } from '../errors';
import { namedSpecs, unary, type Expression, type Operator } from './expression-types';
import { coerceToDec, toBigInt } from '../values/numbers';
import { convertBinary } from './convert-binary';

const failure = (message: string): never => {
  throw new MongoError(241, message);
};
export const ISO_FORMAT = '%Y-%m-%dT%H:%M:%S.%LZ';
const isoText = (date: Date): string => formatDate(date.getTime(), zoneOf(), ISO_FORMAT);

/** Six significant digits, as C's `%g` prints them: 1e+10, 1.23457e+06. */
function doubleText(n: number): string {
  if (!Number.isFinite(n)) return Number.isNaN(n) ? 'NaN' : n > 0 ? 'Infinity' : '-Infinity';
  if (n === 0) return Object.is(n, -0) ? '-0' : '0';
  const [digits = '', exponent = ''] = n.toExponential(5).split('e');
  const power = Number(exponent);
  const plain = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
  if (power >= -4 && power < 6) return plain(n.toFixed(5 - power));
  return `${plain(digits)}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

function numberText(v: Value): string {
  if (v instanceof Double) return doubleText(v.value);
  if (v instanceof Decimal128) return v.toString();
  return toBigInt(v).toString();
}

/** What string operators take: null is empty, numbers and dates are written out, other types are refused. */
export function toText(v: Value): string {
  if (isNullish(v)) return '';
  if (isString(v)) return v;
  if (isNumber(v)) return numberText(v);
  if (isDate(v)) return isoText(v);
  if (v instanceof Timestamp) return isoText(new Date(v.t * 1000));
  throw new MongoError(16007, `can't convert from BSON type ${bsonTypeName(v)} to String`);
}

function parseNumber(text: string, to: string): Value {
  const bad = (): never => failure(`Failed to parse number '${text}' in $convert with no onError value`);
  if (to === 'double') {
    if (!/^[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|inf|infinity|nan)$/i.test(text)) return bad();
    const word = /^([+-]?)(inf|nan)/i.exec(text);
    return double(
      word ? (word[2]!.toLowerCase() === 'nan' ? NaN : word[1] === '-' ? -Infinity : Infinity) : Number(text),
    );
  }
  if (to === 'decimal') return /^\s|\s$|^$/.test(text) ? bad() : decimalOf(text, bad);
  if (!/^[+-]?\d+$/.test(text)) return bad();
  return whole(BigInt(text), to) ?? bad();
}

function decimalOf(text: string, bad: () => never): Value {
  try {
    return Decimal128.fromStringWithRounding(text);
  } catch {
    return bad();
  }
}

function whole(n: bigint, to: string): Int32 | Long | undefined {
  if (to === 'long') return fitsInt64(n) ? long(n) : undefined;
  return n >= -(2n ** 31n) && n < 2n ** 31n ? int(Number(n)) : undefined;
}

/** Fractions are cut off; what does not fit, and what is not finite, is an error. */
function toWhole(v: Value, to: string): Value {
  const d = toDouble(v);
  if (!Number.isFinite(d) && !(v instanceof Decimal128 && !dec.unpack(v).special)) {
    return failure('Attempt to convert NaN or infinity value to integer type in $convert with no onError value');
  }
  return whole(toBigInt(v), to) ?? failure('Conversion would overflow target type in $convert with no onError value');
}

function toDouble64(v: Value): Value {
  const n = toDouble(v);
  if (v instanceof Decimal128 && !dec.unpack(v).special && !Number.isFinite(n)) {
    return failure('Conversion would overflow target type in $convert with no onError value');
  }
  return double(n);
}

function toDate(v: Value): Value {
  const ms = toDouble(toWhole(v, 'long'));
  return Math.abs(ms) <= 8.64e15 ? new Date(ms) : failure('date out of range in $convert');
}

function toObjectId(text: string): ObjectId {
  return /^[0-9a-f]{24}$/i.test(text)
    ? new ObjectId(text)
    : failure(`Failed to parse objectId '${text}' in $convert with no onError value`);
}

type Conversion = (v: never) => Value;
const toNumberType = (to: string) => (v: Value) => toWhole(v, to);
const asIs = (v: Value): Value => v;
const yes = (): Value => true;
const nonZero = (v: Value): Value => toDouble(v) !== 0;
const toDec = (v: Value): Value => (v instanceof Decimal128 ? v : dec.pack(coerceToDec(v)));
const text = (v: Value): Value => numberText(v);

/** From (by rows) to (by columns): what is not here is an unsupported conversion. */
const NUMBER = {
  double: toDouble64,
  string: text,
  bool: nonZero,
  int: toNumberType('int'),
  long: toNumberType('long'),
  decimal: toDec,
};
const CONVERSIONS_FROM: Record<string, Record<string, Conversion>> = {
  double: { ...NUMBER, date: toDate },
  decimal: { ...NUMBER, date: toDate },
  long: { ...NUMBER, date: toDate },
  int: NUMBER,
  string: {
    string: asIs,
    bool: yes,
    double: (v: string) => parseNumber(v, 'double'),
    int: (v: string) => parseNumber(v, 'int'),
    long: (v: string) => parseNumber(v, 'long'),
    decimal: (v: string) => parseNumber(v, 'decimal'),
    objectId: toObjectId,
    date: (v: string) => new Date(parseDate(v)),
  },
  bool: {
    bool: asIs,
    string: (v: boolean) => String(v),
    int: (v: boolean) => int(Number(v)),
    long: (v: boolean) => long(BigInt(v)),
    double: (v: boolean) => double(Number(v)),
    decimal: (v: boolean) => dec.pack(dec.fromBigInt(BigInt(v))),
  },
  date: {
    date: asIs,
    bool: yes,
    string: isoText,
    long: (v: Date) => long(BigInt(v.getTime())),
    double: (v: Date) => double(v.getTime()),
    decimal: (v: Date) => dec.pack(dec.fromBigInt(BigInt(v.getTime()))),
  },
  objectId: {
    objectId: asIs,
    bool: yes,
    string: (v: ObjectId) => v.toHexString(),
    date: (v: ObjectId) => v.getTimestamp(),
  },
  binData: { bool: yes },
  timestamp: { bool: yes, date: (v: Timestamp) => new Date(v.t * 1000) },
};
const TARGETS = ['double', 'string', 'objectId', 'bool', 'date', 'int', 'long', 'decimal'];

function convert(v: Value, to: string): Value {
  const from = bsonTypeName(v);
  // newer servers take any value for true
  const conversion = CONVERSIONS_FROM[from]?.[to] ?? (to === 'bool' ? yes : undefined);
  if (!conversion) return failure(`Unsupported conversion from ${from} to ${to} in $convert with no onError value`);
  return (conversion as (v: Value) => Value)(v);
}

/** The target type, by name or number; undefined for null. */
function targetOf(type: Value): string | undefined {
  const to = isDoc(type) ? type.type : type;
  if (isNullish(to)) return undefined;
  const name = isString(to) ? to : Object.keys(TYPE_NUMBERS).find((key) => TYPE_NUMBERS[key] === toInteger(to));
  if (name === undefined || !Object.hasOwn(TYPE_NUMBERS, name))
    throw new MongoError(2, `Unknown type name in $convert: ${isString(to) ? to : bsonTypeName(to)}`);
  return name;
}

const convertOperator: Operator = (arg, compiler, name) => {
  const fields = namedSpecs(arg, name, ['input', 'to', 'onError?', 'onNull?', 'format?', 'byteOrder?']);
  const part = (key: string): Expression | undefined =>
    Object.hasOwn(fields, key) ? compiler.compile(fields[key]) : undefined;
  const [input, to, onError, onNull, format] = [part('input')!, part('to')!, part('onError'), part('onNull'), part('format')]; // prettier-ignore
  return (scope) => {
    const v = input(scope);
    const type = to(scope);
    const target = targetOf(type);
    if (isNullish(v)) return onNull ? onNull(scope) : null;
    if (target === undefined) return null;
    try {
      if ((isString(v) && target === 'binData') || (v instanceof Binary && target === 'string'))
        return convertBinary(v, isDoc(type) ? (toInteger(type.subtype) ?? 0) : 0, format?.(scope));
      return convert(v, target);
    } catch (error) {
      if (onError && error instanceof MongoError && error.code === 241) return onError(scope);
      throw error;
    }
  };
};

const bsonSize = (v: Value): Value => {
  if (isNullish(v)) return null;
  if (!isDoc(v)) throw new MongoError(31393, `$bsonSize requires a document input, found: ${bsonTypeName(v)}`);
  return int(calculateObjectSize(v));
};

const binarySize = (v: Value): Value => {
  if (isNullish(v)) return null;
  if (isString(v)) return int(Buffer.byteLength(v));
  if (v instanceof Binary) return int(v.position);
  throw new MongoError(51276, `$binarySize requires a string or BinData argument, found: ${bsonTypeName(v)}`);
};

const short = (to: string): Operator => unary((v) => (isNullish(v) ? null : convert(v, to)));

export const CONVERSIONS: Record<string, Operator> = {
  $convert: convertOperator,
  $type: unary((v) => bsonTypeName(v)),
  $toUUID: unary((v) => (isNullish(v) ? null : isString(v) ? convertBinary(v, 4, 'uuid') : convert(v, 'binData'))),
  $isNumber: unary(isNumber),
  $bsonSize: unary(bsonSize),
  $binarySize: unary(binarySize),
  ...Object.fromEntries(TARGETS.map((to) => [`$to${to[0]!.toUpperCase()}${to.slice(1)}`, short(to)])),
};
