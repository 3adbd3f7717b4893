/**
 * Order and equality of BSON values: three views of one order.
 *
 * `compareValues` is mongod's total order: types by rank, numbers of all four types by their exact mathematical value, NaN below all numbers.
 * `encodeKey` writes a value as a string such that strings are equal iff values are, and ordered by `<` as the values are: map keys and
 * index entries are such strings, and they may be concatenated. `identical` is stricter: the same bytes (1 is not 1.0), by which an
 * update knows that it changed nothing.
 *
 * The numeric encoding: 8 characters with the bits of the greatest double that is not above the value, flipped so that they sort; a number that
 * no double holds exactly adds what is left, as a decimal.
 */
import {
  Decimal128,
  Double,
  Int32,
  Long,
  ObjectId,
  type Binary,
  type BSONRegExp,
  type Code,
  type Timestamp,
} from 'bson';
import { isArray, isDoc, rank, RANK, toDouble, writeObjectId, type Doc, type Value } from './bson-types';
import { type Collation } from './collation';
import { compare as compareDec, fromBigInt, fromDouble, unpack, type Dec } from './decimal';

export { bsonTypeName, type Doc, type Value } from './bson-types';

const sign = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0);

/** By code point, which is the order of UTF-8 bytes: UTF-16 units differ from it above the surrogates. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i += 1) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return unitOrder(x) - unitOrder(y);
  }
  return a.length - b.length;
}
const unitOrder = (unit: number): number => (unit < 0xd800 ? unit : unit >= 0xe000 ? unit - 0x800 : unit + 0x2000);

const isSmall = (v: Value): boolean => v instanceof Int32 || v instanceof Double || typeof v === 'number';

/** The exact value of any BSON number. */
export function toDec(v: Value): Dec {
  if (v instanceof Decimal128) return unpack(v);
  if (v instanceof Long) return fromBigInt(v.toBigInt());
  return typeof v === 'bigint' ? fromBigInt(v) : fromDouble(toDouble(v));
}

export function compareNumbers(a: Value, b: Value): number {
  const x = toDouble(a);
  const y = toDouble(b);
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) ? (Number.isNaN(y) ? 0 : -1) : 1;
  if (isSmall(a) && isSmall(b)) return sign(x, y);
  return sign(x, y) || (a instanceof Long && b instanceof Long ? a.compare(b) : compareDec(toDec(a), toDec(b)));
}

function compareDocs(a: Doc, b: Doc, collation?: Collation): number {
  const keysA = Object.keys(a);
  const keysB = Object.keys(b);
  const n = Math.min(keysA.length, keysB.length);
  for (let i = 0; i < n; i += 1) {
    const keyA = keysA[i]!;
    const keyB = keysB[i]!;
    const c = rank(a[keyA]) - rank(b[keyB]) || compareText(keyA, keyB) || compareValues(a[keyA], b[keyB], collation);
    if (c !== 0) return c;
  }
  return keysA.length - keysB.length;
}

function compareArrays(a: Value[], b: Value[], collation?: Collation): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i += 1) {
    const c = compareValues(a[i], b[i], collation);
    if (c !== 0) return c;
  }
  return a.length - b.length;
}

const textOf = (v: Value): string => (typeof v === 'string' ? v : String((v as { value: unknown }).value));
const bytesOf = (v: Binary): Uint8Array => v.buffer.subarray(0, v.position);

/* eslint-disable @typescript-eslint/no-explicit-any -- a table by rank: the rank is what vouches for the type of the arguments */
type Compare = (a: any, b: any, collation?: Collation) => number;
type Encode = (v: any, collation?: Collation) => string;
/* eslint-enable @typescript-eslint/no-explicit-any */

/** Compares values of one rank. */
const WITHIN: Record<number, Compare> = {
  [RANK.number]: compareNumbers,
  [RANK.string]: (a: Value, b: Value, collation) => (collation?.compare ?? compareText)(textOf(a), textOf(b)),
  [RANK.object]: compareDocs,
  [RANK.array]: compareArrays,
  [RANK.binary]: (a: Binary, b: Binary) =>
    a.position - b.position || a.sub_type - b.sub_type || Buffer.compare(bytesOf(a), bytesOf(b)),
  [RANK.objectId]: (a: ObjectId, b: ObjectId) => (a.equals(b) ? 0 : compareText(a.toHexString(), b.toHexString())),
  [RANK.bool]: (a: boolean, b: boolean) => Number(a) - Number(b),
  [RANK.date]: (a: Date, b: Date) => sign(a.getTime(), b.getTime()),
  [RANK.timestamp]: (a: Timestamp, b: Timestamp) => a.compare(b),
  [RANK.regex]: (a: BSONRegExp, b: BSONRegExp) =>
    compareText(a.pattern, b.pattern) || compareText(a.options, b.options),
  [RANK.code]: (a: Code, b: Code) => compareText(a.code, b.code),
  [RANK.codeWithScope]: (a: Code, b: Code) => compareText(a.code, b.code) || compareValues(a.scope, b.scope),
};

export function compareValues(a: Value, b: Value, collation?: Collation): number {
  const r = rank(a);
  return r - rank(b) || (WITHIN[r]?.(a, b, collation) ?? 0);
}

export const equalValues = (a: Value, b: Value, collation?: Collation): boolean => compareValues(a, b, collation) === 0;

/** The same BSON bytes: also the number's type, key order and the sign of zero. */
export function identical(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (isArray(a)) return isArray(b) && a.length === b.length && a.every((v, i) => identical(v, b[i]));
  if (isDoc(a)) {
    if (!isDoc(b)) return false;
    const keys = Object.keys(b);
    return (
      Object.keys(a).length === keys.length && Object.keys(a).every((k, i) => k === keys[i] && identical(a[k], b[k]))
    );
  }
  const type = (v: Value): unknown => (v as { _bsontype?: string })._bsontype;
  if (type(a) !== type(b)) return false;
  if (a instanceof Double) return Object.is(a.value, (b as Double).value);
  if (a instanceof Decimal128) return Buffer.compare(a.bytes, (b as Decimal128).bytes) === 0;
  return compareValues(a, b) === 0;
}

const bits = new DataView(new ArrayBuffer(8));

function encodeDouble(d: number): string {
  bits.setFloat64(0, d === 0 ? 0 : d);
  let high = bits.getUint32(0);
  let low = bits.getUint32(4);
  if (high >= 0x80000000) {
    high = ~high;
    low = ~low;
  } else high ^= 0x80000000;
  /* prettier-ignore */
  return String.fromCharCode(
    (high >>> 24) & 255, (high >>> 16) & 255, (high >>> 8) & 255, high & 255,
    (low >>> 24) & 255, (low >>> 16) & 255, (low >>> 8) & 255, low & 255,
  );
}

const NAN_KEY = '\0'.repeat(8);

function doubleBelow(d: number): number {
  if (d === Infinity) return Number.MAX_VALUE;
  if (d === 0) return -Number.MIN_VALUE;
  bits.setFloat64(0, d);
  bits.setBigUint64(0, bits.getBigUint64(0) + (d > 0 ? -1n : 1n));
  return bits.getFloat64(0);
}

function encodeNumber(v: Value): string {
  let d = toDouble(v);
  if (Number.isNaN(d)) return NAN_KEY;
  if (isSmall(v) || (v instanceof Long && Number.isSafeInteger(d))) return encodeDouble(d);
  const exact = toDec(v);
  const difference = compareDec(exact, fromDouble(d));
  if (difference === 0) return encodeDouble(d);
  if (difference < 0) d = doubleBelow(d);
  return encodeDouble(d) + '\xff' + encodeRest(exact, d);
}

/** `exact - d`, which is positive, as decimal exponent and digits; below all doubles, the magnitude in reverse order. */
function encodeRest(exact: Dec, d: number): string {
  const down = d === -Infinity;
  const floor = down ? undefined : fromDouble(d);
  const exp = Math.min(exact.exp, floor?.exp ?? exact.exp);
  const scaled = (x: Dec): bigint => (x.neg ? -1n : 1n) * x.coef * 10n ** BigInt(x.exp - exp);
  const rest = floor ? scaled(exact) - scaled(floor) : exact.coef;
  const digits = rest.toString();
  const exponent = digits.length + exp + 20000;
  const trimmed = digits.replace(/0+$/, '');
  if (!down) return `${exponent}${trimmed}\0`;
  return `${40000 - exponent}${trimmed.replace(/./g, (c) => String(9 - Number(c)))}:`;
}

const NEEDS_ESCAPE = /[\0\ud7ff-\uffff]/;

/** Ends with a zero character; one inside is escaped, and what UTF-16 sorts otherwise than code points do is marked. */
function encodeText(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return text + '\0';
  let out = '';
  for (const c of text) {
    const code = c.codePointAt(0)!;
    if (code === 0) out += '\0\xff';
    else if (code < 0xd7ff) out += c;
    else out += '\ud7ff' + (code === 0xd7ff ? '\x01' : code < 0x10000 ? '\x02' : '\x03') + c;
  }
  return out + '\0';
}

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
const uint32 = (n: number): string => String.fromCharCode((n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255);

/** What follows the rank character. */
const BODY: Record<number, Encode> = {
  [RANK.number]: encodeNumber,
  [RANK.string]: (v: Value, collation) => encodeText(collation ? collation.fold(textOf(v)) : textOf(v)),
  [RANK.object]: (v: Doc, collation) => {
    let out = '';
    for (const key of Object.keys(v)) {
      const r = rank(v[key]);
      out += RANK_CHAR[r]! + encodeText(key) + (BODY[r]?.(v[key], collation) ?? '');
    }
    return out + '\0';
  },
  [RANK.array]: (v: Value[], collation) => {
    let out = '';
    for (const item of v) out += encodeKey(item, collation);
    return out + '\0';
  },
  [RANK.binary]: (v: Binary) => uint32(v.position) + String.fromCharCode(v.sub_type) + latin1(bytesOf(v)),
  [RANK.objectId]: (v: ObjectId) => objectIdKey(v).slice(1),
  [RANK.bool]: (v: boolean) => (v ? '\x01' : '\0'),
  [RANK.date]: (v: Date) => encodeDouble(v.getTime()),
  [RANK.timestamp]: (v: Timestamp) => uint32(v.t) + uint32(v.i),
  [RANK.regex]: (v: BSONRegExp) => encodeText(v.pattern) + encodeText(v.options),
  [RANK.code]: (v: Code) => encodeText(v.code),
  [RANK.codeWithScope]: (v: Code) => encodeText(v.code) + encodeKey(v.scope),
};
const RANK_CHAR = Array.from({ length: 128 }, (_, i) => String.fromCharCode(i));

const twelve = new Uint8Array(12);

/** With its rank, in one piece. */
function objectIdKey(id: ObjectId): string {
  const b = twelve;
  writeObjectId(id, b, 0);
  return String.fromCharCode(RANK.objectId, b[0]!, b[1]!, b[2]!, b[3]!, b[4]!, b[5]!, b[6]!, b[7]!, b[8]!, b[9]!, b[10]!, b[11]!); // prettier-ignore
}

/** So many characters are made at once. */
const PIECE = 1024;

/** Of a canonical string, one that sorts the other way round; the last character is above what may come instead of it. */
export function reversed(key: string): string {
  let out = '';
  for (let from = 0; from < key.length; from += PIECE) {
    const units: number[] = [];
    for (let i = from; i < Math.min(from + PIECE, key.length); i += 1) units.push(0xffff - key.charCodeAt(i));
    out += String.fromCharCode(...units);
  }
  return out + '\uffff';
}

/**
 * The canonical string of a value: equal iff the values are equal, ordered by `<` as the values are, never a prefix problem when concatenated.
 * With a collation strings are folded: then it tells equality only, not order.
 */
export function encodeKey(value: Value, collation?: Collation): string {
  if (typeof value === 'string' && !collation) return RANK_CHAR[RANK.string]! + encodeText(value);
  if (value instanceof ObjectId) return objectIdKey(value);
  const r = rank(value);
  return RANK_CHAR[r]! + (BODY[r]?.(value, collation) ?? '');
}
