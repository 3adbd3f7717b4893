/**
 * `$jsonSchema`: draft 4 of JSON Schema as MongoDB has it, with `bsonType`, without `$ref`, `format`, `default` and `integer`. A schema becomes a test of one
 * value; keywords that mean another type let a value pass.
 */
import { isArray, isDoc, isNumber, isString, toDouble, toInteger, type Doc, type Value } from '../values/bson-types';
import { MongoError } from '../errors';
import { typeNode, type Single } from './match-leaves';
import { compileRegex } from '../values/regex';
import { compareValues, encodeKey } from '../values/values';

const bad = (message: string, code = 9): MongoError => new MongoError(code, message);
const wrong = (keyword: string, what: string): MongoError =>
  bad(`$jsonSchema keyword '${keyword}' must be ${what}`, 14);

export function schemaTest(schema: Value): Single {
  if (!isDoc(schema)) throw bad('$jsonSchema must be an object', 14);
  const tests = Object.entries(schema).flatMap(([keyword, arg]) => {
    if (DESCRIPTIVE.includes(keyword)) {
      if (!isString(arg)) throw wrong(keyword, 'a string');
      return [];
    }
    const compile = Object.hasOwn(KEYWORDS, keyword) ? KEYWORDS[keyword] : undefined;
    if (!compile) throw bad(`Unknown $jsonSchema keyword: ${keyword}`);
    return [compile(arg, schema, keyword)];
  });
  return (value) => tests.every((test) => test(value));
}

const DESCRIPTIVE = ['title', 'description'];
const JSON_TYPES: Record<string, string> = {
  object: 'object', array: 'array', number: 'number', boolean: 'bool', string: 'string', null: 'null',
}; // prettier-ignore

type Keyword = (arg: Value, schema: Doc, keyword: string) => Single;

// a keyword about values of one kind says nothing of others
const ofObjects = (test: (doc: Doc) => boolean): Single => (v) => !isDoc(v) || test(v); // prettier-ignore
const ofArrays = (test: (array: Value[]) => boolean): Single => (v) => !isArray(v) || test(v); // prettier-ignore
const ofStrings = (test: (text: string) => boolean): Single => (v) => !isString(v) || test(v); // prettier-ignore
const ofNumbers = (test: (n: Value) => boolean): Single => (v) => !isNumber(v) || test(v); // prettier-ignore

function size(arg: Value, keyword: string): number {
  const n = toInteger(arg);
  if (n === undefined) throw wrong(keyword, 'an integer');
  if (n < 0) throw bad(`$jsonSchema keyword '${keyword}' cannot be negative`);
  return n;
}
function number(arg: Value, keyword: string): Value {
  if (!isNumber(arg)) throw wrong(keyword, 'a number');
  return arg;
}
function strings(arg: Value, keyword: string): string[] {
  if (!isArray(arg) || !arg.every(isString)) throw wrong(keyword, 'an array of strings');
  if (arg.length === 0) throw bad(`$jsonSchema keyword '${keyword}' cannot be an empty array`);
  return arg;
}
function schemas(arg: Value, keyword: string): Single[] {
  if (!isArray(arg)) throw wrong(keyword, 'an array');
  if (arg.length === 0) throw bad(`$jsonSchema keyword '${keyword}' must be a non-empty array`, 2);
  return arg.map(schemaTest);
}
function byName(arg: Value, keyword: string): [string, Single][] {
  if (!isDoc(arg)) throw wrong(keyword, 'an object');
  return Object.entries(arg).map(([name, schema]) => [name, schemaTest(schema)]);
}

function bounded(arg: Value, keyword: string, exclusive: Value, accepts: (c: number) => boolean): Single {
  const limit = number(arg, keyword);
  return ofNumbers((n) => {
    const c = compareValues(n, limit);
    return accepts(c) || (c === 0 && exclusive !== true);
  });
}

/** `exclusiveMinimum` and `exclusiveMaximum` change the meaning of their partner. */
const partner = (other: string): Keyword => (arg, schema, keyword) => {
  if (typeof arg !== 'boolean') throw wrong(keyword, 'a boolean');
  if (!(other in schema)) throw bad(`$jsonSchema keyword '${other}' must be a present if ${keyword} is present`);
  return () => true;
}; // prettier-ignore

const types = (arg: Value, keyword: string): string[] => {
  const names = isArray(arg) ? arg : [arg];
  if (names.length === 0) throw bad(`$jsonSchema keyword '${keyword}' must name at least one type`);
  if (!names.every(isString)) throw wrong(keyword, 'either a string or an array of strings');
  return names;
};
function typed(names: string[]): Single {
  const node = typeNode(names);
  return 'single' in node ? node.single : () => false;
}

const KEYWORDS: Record<string, Keyword> = {
  bsonType: (arg, schema, keyword) => {
    if ('type' in schema) throw bad('Cannot specify both $jsonSchema keywords bsonType and type');
    return typed(types(arg, keyword));
  },
  type: (arg, _schema, keyword) =>
    typed(
      types(arg, keyword).map((name) => {
        if (name === 'integer') throw bad("$jsonSchema type 'integer' is not currently supported.");
        if (!Object.hasOwn(JSON_TYPES, name)) throw bad(`Unknown type name alias: ${name}`, 2);
        return JSON_TYPES[name]!;
      }),
    ),
  enum: (arg, _schema, keyword) => {
    if (!isArray(arg)) throw wrong(keyword, 'an array');
    if (arg.length === 0) throw bad(`$jsonSchema keyword 'enum' cannot be an empty array`);
    const keys = new Set(arg.map((v) => encodeKey(v)));
    return (v) => keys.has(encodeKey(v));
  },
  allOf: (arg, _schema, keyword) => {
    const tests = schemas(arg, keyword);
    return (v) => tests.every((test) => test(v));
  },
  anyOf: (arg, _schema, keyword) => {
    const tests = schemas(arg, keyword);
    return (v) => tests.some((test) => test(v));
  },
  oneOf: (arg, _schema, keyword) => {
    const tests = schemas(arg, keyword);
    return (v) => tests.filter((test) => test(v)).length === 1;
  },
  not: (arg) => {
    const test = schemaTest(arg);
    return (v) => !test(v);
  },
  minimum: (arg, schema, keyword) => bounded(arg, keyword, schema.exclusiveMinimum, (c) => c > 0),
  maximum: (arg, schema, keyword) => bounded(arg, keyword, schema.exclusiveMaximum, (c) => c < 0),
  exclusiveMinimum: partner('minimum'),
  exclusiveMaximum: partner('maximum'),
  multipleOf: (arg, _schema, keyword) => {
    const divisor = toDouble(number(arg, keyword));
    if (!(divisor > 0)) throw bad(`$jsonSchema keyword 'multipleOf' must have a positive value`);
    return ofNumbers((n) => toDouble(n) % divisor === 0);
  },
  minLength: (arg, _schema, keyword) => {
    const least = size(arg, keyword);
    return ofStrings((text) => [...text].length >= least);
  },
  maxLength: (arg, _schema, keyword) => {
    const most = size(arg, keyword);
    return ofStrings((text) => [...text].length <= most);
  },
  pattern: (arg, _schema, keyword) => {
    if (!isString(arg)) throw wrong(keyword, 'a string');
    const regex = compileRegex(arg, '');
    return ofStrings((text) => regex.test(text));
  },
  minItems: (arg, _schema, keyword) => {
    const least = size(arg, keyword);
    return ofArrays((array) => array.length >= least);
  },
  maxItems: (arg, _schema, keyword) => {
    const most = size(arg, keyword);
    return ofArrays((array) => array.length <= most);
  },
  uniqueItems: (arg, _schema, keyword) => {
    if (typeof arg !== 'boolean') throw wrong(keyword, 'a boolean');
    return ofArrays((array) => !arg || new Set(array.map((v) => encodeKey(v))).size === array.length);
  },
  items: (arg) => {
    if (!isArray(arg)) {
      const test = schemaTest(arg);
      return ofArrays((array) => array.every(test));
    }
    const tests = arg.map(schemaTest);
    return ofArrays((array) => tests.every((test, i) => i >= array.length || test(array[i])));
  },
  additionalItems: (arg, { items }) => {
    const test = typeof arg === 'boolean' ? () => arg : schemaTest(arg);
    const from = isArray(items) ? items.length : Infinity;
    return ofArrays((array) => array.slice(from).every(test));
  },
  minProperties: (arg, _schema, keyword) => {
    const least = size(arg, keyword);
    return ofObjects((doc) => Object.keys(doc).length >= least);
  },
  maxProperties: (arg, _schema, keyword) => {
    const most = size(arg, keyword);
    return ofObjects((doc) => Object.keys(doc).length <= most);
  },
  required: (arg, _schema, keyword) => {
    const names = strings(arg, keyword);
    return ofObjects((doc) => names.every((name) => Object.hasOwn(doc, name)));
  },
  properties: (arg, _schema, keyword) => {
    const tests = byName(arg, keyword);
    return ofObjects((doc) => tests.every(([name, test]) => !Object.hasOwn(doc, name) || test(doc[name])));
  },
  patternProperties: (arg, _schema, keyword) => {
    const tests = byName(arg, keyword).map(([pattern, test]) => [compileRegex(pattern, ''), test] as const);
    return ofObjects((doc) =>
      tests.every(([regex, test]) => Object.keys(doc).every((name) => !regex.test(name) || test(doc[name]))),
    );
  },
  additionalProperties: (arg, { properties, patternProperties }) => {
    const test = typeof arg === 'boolean' ? () => arg : schemaTest(arg);
    const named = new Set(isDoc(properties) ? Object.keys(properties) : []);
    const patterns = (isDoc(patternProperties) ? Object.keys(patternProperties) : []).map((each) =>
      compileRegex(each, ''),
    );
    const isOther = (name: string): boolean => !named.has(name) && !patterns.some((regex) => regex.test(name));
    return ofObjects((doc) => Object.keys(doc).every((name) => !isOther(name) || test(doc[name])));
  },
  dependencies: (arg, _schema, keyword) => {
    if (!isDoc(arg)) throw wrong(keyword, 'an object');
    const tests = Object.entries(arg).map(([name, needs]): [string, Single] => {
      if (!isArray(needs)) return [name, schemaTest(needs)];
      const others = strings(needs, keyword);
      return [name, (v) => isDoc(v) && others.every((other) => Object.hasOwn(v, other))];
    });
    return ofObjects((doc) => tests.every(([name, test]) => !Object.hasOwn(doc, name) || test(doc)));
  },
};
