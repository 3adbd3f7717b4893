/** String operators of expressions. Positions count code points (`…CP`) or UTF-8 bytes (`…Bytes`); upper and lower case are those of ASCII. */
import { BSONRegExp } from 'bson';
import { bsonTypeName, int, isNullish, isString, toInteger, type Value } from '../values/bson-types';
import { fail } from '../errors';
import { args, named, unary, type Operator } from './expression-types';
import { toText } from './convert';
import { compileRegex } from '../values/regex';
import { compareText } from '../values/values';

const upper = (s: string): string => s.replace(/[a-z]+/g, (c) => c.toUpperCase());
const lower = (s: string): string => s.replace(/[A-Z]+/g, (c) => c.toLowerCase());

function concat(values: Value[]): Value {
  let out = '';
  for (const v of values) {
    if (isNullish(v)) return null;
    if (!isString(v)) return fail(16702, `$concat only supports strings, not ${bsonTypeName(v)}`);
    out += v;
  }
  return out;
}

function whole(v: Value, code: number, name: string): number {
  return toInteger(v) ?? fail(code, `${name}: starting index and length must be whole numbers, not ${bsonTypeName(v)}`);
}

function substrCP([v, from, length]: Value[]): Value {
  const text = toText(v);
  const [start, n] = [whole(from, 34450, '$substrCP'), whole(length, 34452, '$substrCP')];
  if (start < 0) fail(34455, '$substrCP: the starting index must be nonnegative integer.');
  if (n < 0) fail(34454, '$substrCP: length must be a nonnegative integer.');
  return [...text].slice(start, start + n).join('');
}

function substrBytes([v, from, length]: Value[]): Value {
  const bytes = Buffer.from(toText(v));
  const [start, n] = [whole(from, 16034, '$substrBytes'), whole(length, 16035, '$substrBytes')];
  if (start < 0) fail(50752, '$substrBytes: starting index must be non-negative');
  const end = n < 0 ? bytes.length : Math.min(start + n, bytes.length);
  const inside = (at: number): boolean => at < bytes.length && (bytes[at]! & 0xc0) === 0x80;
  if (inside(start)) fail(28656, '$substrBytes: Invalid range, starting index is a UTF-8 continuation byte.');
  if (n !== 0 && inside(end))
    fail(28657, '$substrBytes: Invalid range, ending index is in the middle of a UTF-8 character.');
  return bytes.subarray(start, Math.max(end, start)).toString();
}

function length(name: string, code: number, measure: (s: string) => number): Operator {
  return unary((v) =>
    isString(v) ? int(measure(v)) : fail(code, `${name} requires a string argument, found: ${bsonTypeName(v)}`),
  );
}

/** The position of a string in another, both cut into the same units. */
function indexOf(name: string, unitsOf: (s: string) => ArrayLike<unknown>, codes: [number, number]): Operator {
  return args(2, 4, ([v, token, from, to]) => {
    if (isNullish(v)) return null;
    if (!isString(v))
      return fail(codes[0], `${name} requires a string as the first argument, found: ${bsonTypeName(v)}`);
    if (!isString(token))
      return fail(codes[1], `${name} requires a string as the second argument, found: ${bsonTypeName(token)}`);
    const [text, wanted] = [unitsOf(v), unitsOf(token)];
    const start = from === undefined ? 0 : whole(from, 40096, name);
    const stop = Math.min(to === undefined ? text.length : whole(to, 40096, name), text.length);
    if (start < 0 || stop < 0) fail(40097, `${name} requires a nonnegative ${start < 0 ? 'start' : 'end'} index`);
    for (let at = start; at + wanted.length <= stop; at += 1) {
      let same = 0;
      while (same < wanted.length && text[at + same] === wanted[same]) same += 1;
      if (same === wanted.length) return int(at);
    }
    return int(-1);
  });
}

function split([v, separator]: Value[]): Value {
  if (isNullish(v) || isNullish(separator)) return null;
  if (!isString(v)) return fail(40085, `$split requires an expression that evaluates to a string as a first argument, found: ${bsonTypeName(v)}`); // prettier-ignore
  if (!isString(separator)) return fail(40086, `$split requires an expression that evaluates to a string as a second argument, found: ${bsonTypeName(separator)}`); // prettier-ignore
  if (separator === '') fail(40087, '$split requires a non-empty separator');
  return v.split(separator);
}

const WHITESPACE = '\0 \t\n\v\f\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a';

const trim = (name: string, left: boolean, right: boolean): Operator =>
  named(['input', 'chars?'], ({ input, chars }, given) => {
    if (isNullish(input) || (given('chars') && isNullish(chars))) return null;
    if (!isString(input))
      return fail(50699, `${name} requires its input to be a string, got ${bsonTypeName(input)} instead.`);
    if (given('chars') && !isString(chars))
      return fail(50700, `${name} requires 'chars' to be a string, got ${bsonTypeName(chars)}`);
    const cut = new Set(given('chars') ? (chars as string) : WHITESPACE);
    const text = [...input];
    let [start, end] = [0, text.length];
    while (left && start < end && cut.has(text[start]!)) start += 1;
    while (right && end > start && cut.has(text[end - 1]!)) end -= 1;
    return text.slice(start, end).join('');
  });

const replace = (name: string, all: boolean): Operator =>
  named(['input', 'find', 'replacement'], ({ input, find, replacement }) => {
    const bad = [input, find, replacement].find((v) => !isNullish(v) && !isString(v));
    if (bad !== undefined) fail(51746, `${name} requires that its arguments be strings, found: ${bsonTypeName(bad)}`);
    if (isNullish(input) || isNullish(find) || isNullish(replacement)) return null;
    const [text, wanted, by] = [input as string, find as string, replacement as string];
    return all ? text.replaceAll(wanted, () => by) : text.replace(wanted, () => by);
  });

/** `empty` is the answer for a null input, `result` that of the matches, which come one by one. */
const regexOperator = (name: string, empty: Value, result: (matches: Iterable<RegExpExecArray>) => Value): Operator =>
  named(['input', 'regex', 'options?'], ({ input, regex, options }) => {
    if (!isNullish(input) && !isString(input)) return fail(51104, `${name} needs 'input' to be of type string`);
    if (!isNullish(regex) && !isString(regex) && !(regex instanceof BSONRegExp)) return fail(51105, `${name} needs 'regex' to be of type string or regex`); // prettier-ignore
    if (!isNullish(options) && !isString(options)) return fail(51106, `${name} needs 'options' to be of type string`);
    const own = regex instanceof BSONRegExp ? regex.options : '';
    if (own !== '' && !isNullish(options))
      fail(51107, `${name}: found regex option(s) specified in both 'regex' and 'option' fields`);
    const pattern = regex instanceof BSONRegExp ? regex.pattern : regex;
    const compiled = isNullish(pattern) ? undefined : compileRegex(pattern, (options as string | undefined) ?? own);
    return isNullish(input) || !compiled ? empty : result(input.matchAll(new RegExp(compiled, compiled.flags + 'g')));
  });

/** `idx` counts code points; a group that took no part is null. */
const matchOf = (match: RegExpExecArray): Value => ({
  match: match[0],
  idx: int([...match.input.slice(0, match.index)].length),
  captures: match.slice(1).map((group: string | undefined) => group ?? null),
});

function regexFind(matches: Iterable<RegExpExecArray>): Value {
  for (const match of matches) return matchOf(match);
  return null;
}

export const STRINGS: Record<string, Operator> = {
  $concat: args(0, Infinity, concat),
  $toUpper: unary((v) => upper(toText(v))),
  $toLower: unary((v) => lower(toText(v))),
  $substr: args(3, 3, substrBytes),
  $substrBytes: args(3, 3, substrBytes),
  $substrCP: args(3, 3, substrCP),
  $strLenBytes: length('$strLenBytes', 34473, (s) => Buffer.byteLength(s)),
  $strLenCP: length('$strLenCP', 34471, (s) => [...s].length),
  $strcasecmp: args(2, 2, ([a, b]) => int(Math.sign(compareText(upper(toText(a)), upper(toText(b)))))),
  $indexOfCP: indexOf('$indexOfCP', (s) => [...s], [40093, 40094]),
  $indexOfBytes: indexOf('$indexOfBytes', (s) => Buffer.from(s), [40091, 40092]),
  $split: args(2, 2, split),
  $trim: trim('$trim', true, true),
  $ltrim: trim('$ltrim', true, false),
  $rtrim: trim('$rtrim', false, true),
  $replaceOne: replace('$replaceOne', false),
  $replaceAll: replace('$replaceAll', true),
  $regexMatch: regexOperator('$regexMatch', false, (matches) => regexFind(matches) !== null),
  $regexFind: regexOperator('$regexFind', null, regexFind),
  $regexFindAll: regexOperator('$regexFindAll', [], (matches) => Array.from(matches, matchOf)),
};
