/**
 * The vocabulary: what a value in memory is, which BSON type it has, and how to look at it as a number.
 *
 * Documents are plain objects holding bson's wrapper classes for all that JavaScript cannot tell apart (Int32, Double, Long, Decimal128, …), so
 * that a number keeps its BSON type from the wire to the wire. `undefined` stands for "no such field". They are never changed in place.
 */
import { type Code, Decimal128, Double, Int32, Long, type ObjectId } from 'bson';
import { toNumber as decimalToNumber, unpack } from './decimal';

/** Anything that BSON holds; `rank` and `bsonTypeName` tell what it is. */
export type Value = unknown;
export type Doc = { [key: string]: Value };

/** Canonical order of types: values of lower rank sort first, values of one rank are compared with each other. */
export const RANK = {
  minKey: 1,
  undefined: 2,
  null: 5,
  number: 10,
  string: 15,
  object: 20,
  array: 25,
  binary: 30,
  objectId: 35,
  bool: 40,
  date: 45,
  timestamp: 47,
  regex: 50,
  code: 60,
  codeWithScope: 65,
  maxKey: 127,
} as const;

const RANK_OF_CLASS: Record<string, number> = {
  Int32: RANK.number,
  Double: RANK.number,
  Long: RANK.number,
  Decimal128: RANK.number,
  ObjectId: RANK.objectId,
  Binary: RANK.binary,
  Timestamp: RANK.timestamp,
  BSONRegExp: RANK.regex,
  BSONSymbol: RANK.string,
  MinKey: RANK.minKey,
  MaxKey: RANK.maxKey,
};

export function rank(value: Value): number {
  switch (typeof value) {
    case 'string':
      return RANK.string;
    case 'boolean':
      return RANK.bool;
    case 'undefined':
      return RANK.undefined;
    case 'object':
      break;
    default:
      return RANK.number;
  }
  if (value === null) return RANK.null;
  if (Array.isArray(value)) return RANK.array;
  if (value instanceof Date) return RANK.date;
  const name = (value as { _bsontype?: string })._bsontype;
  if (name === undefined) return RANK.object;
  if (name === 'Code') return (value as Code).scope ? RANK.codeWithScope : RANK.code;
  return RANK_OF_CLASS[name] ?? RANK.object;
}

export const isNumber = (v: Value): boolean => rank(v) === RANK.number;
/** Array.isArray would give `any[]`. */
export const isArray = (v: Value): v is Value[] => Array.isArray(v);
export const isDoc = (v: Value): v is Doc => rank(v) === RANK.object;
export const isString = (v: Value): v is string => typeof v === 'string';
export const isNullish = (v: Value): v is null | undefined => v === null || v === undefined;
export const isDate = (v: Value): v is Date => v instanceof Date;

/** BSON type numbers by the names that `$type` takes. */
export const TYPE_NUMBERS: Record<string, number> = {
  double: 1,
  string: 2,
  object: 3,
  array: 4,
  binData: 5,
  undefined: 6,
  objectId: 7,
  bool: 8,
  date: 9,
  null: 10,
  regex: 11,
  dbPointer: 12,
  javascript: 13,
  symbol: 14,
  javascriptWithScope: 15,
  int: 16,
  timestamp: 17,
  long: 18,
  decimal: 19,
  minKey: -1,
  maxKey: 127,
};

const NAME_OF_CLASS: Record<string, string> = {
  Int32: 'int',
  Double: 'double',
  Long: 'long',
  Decimal128: 'decimal',
  ObjectId: 'objectId',
  Binary: 'binData',
  Timestamp: 'timestamp',
  BSONRegExp: 'regex',
  BSONSymbol: 'symbol',
  MinKey: 'minKey',
  MaxKey: 'maxKey',
};

/** The type's name as `$type` gives it; `missing` for undefined. */
export function bsonTypeName(value: Value): string {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'undefined':
      return 'missing';
    case 'number':
      return isInt32(value) ? 'int' : 'double';
    case 'bigint':
      return 'long';
    default:
  }
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (value instanceof Date) return 'date';
  const name = (value as { _bsontype?: string })._bsontype;
  if (name === undefined) return 'object';
  if (name === 'Code') return (value as Code).scope ? 'javascriptWithScope' : 'javascript';
  return NAME_OF_CLASS[name] ?? 'object';
}

export const isInt32 = (n: number): boolean => (n | 0) === n && !Object.is(n, -0);
export const INT64_MIN = -(2n ** 63n);
export const INT64_MAX = 2n ** 63n - 1n;
export const fitsInt64 = (n: bigint): boolean => n >= INT64_MIN && n <= INT64_MAX;

/** Any BSON number as a double: longs and decimals lose what a double cannot hold. */
export function toDouble(value: Value): number {
  if (typeof value === 'number') return value;
  if (value instanceof Int32 || value instanceof Double) return value.value;
  if (value instanceof Long) return value.toNumber();
  if (value instanceof Decimal128) return decimalToNumber(unpack(value));
  return Number(value);
}

/** The value as an exact safe integer (2.0 counts), or undefined: for sizes, positions and limits. */
export function toInteger(value: Value): number | undefined {
  if (!isNumber(value)) return undefined;
  const n = toDouble(value);
  return Number.isSafeInteger(n) ? n : undefined;
}

export const int = (n: number): Int32 => new Int32(n);
export const double = (n: number): Double => new Double(n);
export const long = (n: bigint): Long => Long.fromBigInt(n);
export const intOrLong = (n: bigint): Int32 | Long =>
  n >= -2147483648n && n <= 2147483647n ? int(Number(n)) : long(n);

/** What bson's own writer uses, and its types leave out: the `id` that they show is made anew whenever it is asked for. */
interface Packed {
  serializeInto(bytes: Uint8Array, at: number): number;
}
/** Writes the 12 bytes of an identifier. */
export const writeObjectId = (id: ObjectId, into: Uint8Array, at: number): number => (id as unknown as Packed).serializeInto(into, at); // prettier-ignore

/** The truth of a value in expressions: false, null, missing and zero are false. */
export function truthy(value: Value): boolean {
  if (typeof value === 'boolean') return value;
  return !isNullish(value) && !(isNumber(value) && toDouble(value) === 0);
}
