/** The filter operators that test one value by themselves: comparisons, `$type`, `$size`, `$mod` and the bit tests. */
import { Binary, BSONRegExp, Double, Int32 } from 'bson';
import { bsonTypeName, isArray, isNullish, isNumber, rank, RANK, toDouble, toInteger, TYPE_NUMBERS, type Value } from '../values/bson-types'; // prettier-ignore
import { type Collation } from '../values/collation';
import { toBigInt } from '../values/decimal';
import { MongoError } from '../errors';
import { shellText } from '../values/shell-text';
import { compareValues, toDec } from '../values/values';

export type Single = (value: Value) => boolean;
/** A condition: a test of one value (of arrays as a whole only, if `whole`), or made of others. See match.ts. */
export type Node = { single: Single; whole?: boolean } | { not: Node } | { all: Node[] };

const bad = (message: string, code = 2): MongoError => new MongoError(code, message);
const NAMES = new Map(Object.entries(TYPE_NUMBERS).map(([name, number]) => [number, name]));

export function typeNode(arg: Value): Node {
  const wanted = new Set((isArray(arg) ? arg : [arg]).flatMap(typeNames));
  if (wanted.size === 0) throw bad('$type must match at least one type', 9);
  return { single: (v) => v !== undefined && wanted.has(bsonTypeName(v)) };
}

function typeNames(alias: Value): string[] {
  if (alias === 'number') return ['int', 'long', 'double', 'decimal'];
  if (typeof alias === 'string') {
    if (!Object.hasOwn(TYPE_NUMBERS, alias)) throw bad(`Unknown type name alias: ${alias}`);
    return [alias];
  }
  if (!isNumber(alias)) throw bad('type must be represented as a number or a string', 14);
  const name = NAMES.get(toInteger(alias) ?? NaN);
  if (!name) throw bad(`Invalid numerical type code: ${toDouble(alias)}`);
  return [name];
}

export function sizeNode(arg: Value): Node {
  const size = toInteger(arg);
  if (size === undefined) throw bad('$size must be a whole number');
  if (size < 0) throw bad('$size may not be negative');
  if (size >= 2 ** 31) throw bad('$size must be representable as a 32-bit integer');
  return { whole: true, single: (v) => isArray(v) && v.length === size };
}

/** Fractions are cut off, of the operands as of the value; what is not finite has no remainder. */
function integerPart(v: Value): bigint | undefined {
  if (!isNumber(v)) return undefined;
  const dec = toDec(v);
  if (dec.special) return undefined;
  const n = toBigInt(dec);
  return BigInt.asIntN(64, n) === n ? n : undefined;
}

export function modNode(arg: Value): Node {
  if (!isArray(arg)) throw bad('malformed mod, needs to be an array');
  if (arg.length !== 2) throw bad(`malformed mod, ${arg.length < 2 ? 'not enough' : 'too many'} elements`);
  const [divisor, rest] = arg.map(integerPart);
  if (divisor === undefined) throw bad('malformed mod, divisor not a number');
  if (rest === undefined) throw bad('malformed mod, remainder not a number');
  if (divisor === 0n) throw bad('divisor cannot be 0');
  const single = (v: Value): boolean => {
    const n = integerPart(v);
    return n !== undefined && n % divisor === rest;
  };
  return { single };
}

/** Counts which of the mask's positions are set; `accept` gets that number and how many positions the mask has. */
export function bitsNode(mask: Value, accept: (set: number, total: number) => boolean): Node {
  const positions = maskPositions(mask);
  const single = (v: Value): boolean => {
    const isSet = v instanceof Binary ? bitOfBytes(v) : bitOfNumber(v);
    return isSet !== undefined && accept(positions.filter(isSet).length, positions.length);
  };
  return { single };
}

const bitOfBytes =
  (v: Binary) =>
  (position: number): boolean =>
    position >> 3 < v.position && ((v.buffer[position >> 3]! >> (position & 7)) & 1) === 1;

/** Only whole numbers of 64 bits have bits; the sign goes on for ever. */
function bitOfNumber(v: Value): ((position: number) => boolean) | undefined {
  const n = integerPart(v);
  if (n === undefined || !Number.isInteger(toDouble(v))) return undefined;
  return (position) => ((n >> BigInt(Math.min(position, 63))) & 1n) === 1n;
}

function maskPositions(mask: Value): number[] {
  if (isArray(mask)) {
    return mask.map((item) => {
      const position = toInteger(item);
      if (position === undefined) throw bad('bit positions must be integers');
      if (position < 0) throw bad('bit positions must be >= 0');
      return position;
    });
  }
  if (mask instanceof Binary) return Array.from({ length: mask.position * 8 }, (_, i) => i).filter(bitOfBytes(mask));
  if (!isNumber(mask)) throw bad('bit tests take a number, an Array or a BinData');
  const n = Number.isInteger(toDouble(mask)) ? integerPart(mask) : undefined;
  if (n === undefined) throw new MongoError(9, `Expected an integer: ${shellText(mask)}`);
  if (n < 0n) throw new MongoError(9, `Expected a positive number in: ${shellText(mask)}`);
  return Array.from({ length: 64 }, (_, i) => i).filter((i) => ((n >> BigInt(i)) & 1n) === 1n);
}

const ACCEPTS = {
  $eq: (c: number) => c === 0,
  $lt: (c: number) => c < 0,
  $lte: (c: number) => c <= 0,
  $gt: (c: number) => c > 0,
  $gte: (c: number) => c >= 0,
};
type Operator = keyof typeof ACCEPTS;

/** Values of another type never match, but null stands for missing, and MinKey and MaxKey are comparable with all. */
export function comparison(name: Operator, rhs: Value, { collation }: { collation?: Collation }): Node {
  if (rhs === undefined) throw bad('cannot compare to undefined');
  if (rhs instanceof BSONRegExp && name !== '$eq') throw bad(`Can't have RegEx as arg to predicate over field.`);
  const accepts = ACCEPTS[name];
  const type = rank(rhs);
  const inclusive = accepts(0);
  if (type === RANK.null) return { single: (v) => inclusive && isNullish(v) };
  const below = type === RANK.maxKey && name.startsWith('$lt');
  const above = type === RANK.minKey && name.startsWith('$gt');
  const notANumber = type === RANK.number && Number.isNaN(toDouble(rhs));
  const literal = name === '$eq' && typeof rhs === 'string' && !collation;
  const plain = rhs instanceof Int32 || rhs instanceof Double ? rhs.value : NaN;
  const single = (v: Value): boolean => {
    // the two commonest comparisons, without the way round by rank
    if (literal && typeof v === 'string') return v === rhs;
    if (v instanceof Int32 && !Number.isNaN(plain)) return accepts(v.value - plain);
    if (rank(v) !== type) return below || above;
    if (type === RANK.number && (notANumber || Number.isNaN(toDouble(v)))) {
      return inclusive && notANumber && Number.isNaN(toDouble(v));
    }
    return accepts(compareValues(v, rhs, collation));
  };
  return { single };
}
