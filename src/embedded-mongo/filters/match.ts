/**
 * Filters: `compileFilter` turns a query document into a predicate.
 *
 * A condition on a path is a `Node`: a test of one value, or "not"/"all" of nodes. The same node serves in two places: on a path (the walk below
 * offers each value that the path reaches, arrays opened on the way; "not" applies to the whole walk) and, inside `$elemMatch` of a value, on a
 * single element. The walk also tells which element of the outermost array matched: that is what an update's positional `$` means.
 */
import { BSONRegExp } from 'bson';
import { isArray, isDoc, isNullish, isNumber, toDouble, type Doc, type Value } from '../values/bson-types';
import { type Collation } from '../values/collation';
import { MongoError, unsupported } from '../errors';
import { areaOf, geoJsonArea, liesIn } from '../values/geometry';
import { compileExpression, scopeOf } from '../expressions/expression';
import { child, isIndex, pathParts } from '../values/paths';
import { bitsNode, comparison, modNode, sizeNode, typeNode, type Node, type Single } from './match-leaves';
import { schemaTest } from './json-schema';
import { compileRegex } from '../values/regex';
import { encodeKey, identical } from '../values/values';

export interface FilterEnv {
  collation?: Collation;
  /** Values of the command's `let`. */
  variables?: Doc;
  now?: Date;
}
export interface Found {
  /** The index, in the outermost array, of the element that matched. */
  index?: number;
}
export type Test = (doc: Doc, found?: Found) => boolean;

const bad = (message: string): MongoError => new MongoError(2, message);

export function compileFilter(filter: Doc, env: FilterEnv = {}): (doc: Doc) => boolean {
  const test = compileMatcher(filter, env);
  return (doc) => test(doc);
}

/** The same, but the test can also tell which element of an array matched. */
export function compileMatcher(filter: Doc, env: FilterEnv = {}): Test {
  const tests = Object.keys(filter).map((key) =>
    key.startsWith('$') ? topLevel(key, filter[key], env) : onField(key, filter[key], env),
  );
  const [first] = tests;
  if (first && tests.length === 1) return first;
  return (doc, found) => tests.every((test) => test(doc, found));
}

// -- operators that stand where a field's name could

function filters(name: string, arg: Value, env: FilterEnv): Test[] {
  if (!isArray(arg) || arg.length === 0) throw bad(`${name} must be a nonempty array`);
  return arg.map((item) => {
    if (!isDoc(item)) throw bad(`${name} entries need to be full objects`);
    return compileMatcher(item, env);
  });
}

const TOP_LEVEL: Record<string, (arg: Value, env: FilterEnv) => Test> = {
  $and: (arg, env) => {
    const tests = filters('$and', arg, env);
    return (doc, found) => tests.every((test) => test(doc, found));
  },
  $or: (arg, env) => {
    const tests = filters('$or', arg, env);
    return (doc) => tests.some((test) => test(doc));
  },
  $nor: (arg, env) => {
    const tests = filters('$nor', arg, env);
    return (doc) => !tests.some((test) => test(doc));
  },
  $expr: (arg, env) => {
    const expression = compileExpression(arg, env);
    const scope = scopeOf(env);
    return (doc) => truth(expression({ ROOT: doc, CURRENT: doc, ...scope }));
  },
  $jsonSchema: (arg) => schemaTest(arg),
  $sampleRate: (arg) => {
    const rate = isNumber(arg) ? toDouble(arg) : NaN;
    if (!(rate >= 0 && rate <= 1)) throw bad('argument to $sampleRate must be between 0 and 1');
    return () => Math.random() < rate;
  },
  $comment: () => () => true,
  $alwaysTrue: (arg) => onlyOne('$alwaysTrue', arg, true),
  $alwaysFalse: (arg) => onlyOne('$alwaysFalse', arg, false),
};
function onlyOne(name: string, arg: Value, result: boolean): () => boolean {
  if (!isNumber(arg) || toDouble(arg) !== 1) throw new MongoError(9, `${name} must be an integer value of 1`);
  return () => result;
}
const truth = (v: Value): boolean =>
  v === true || (v !== false && !isNullish(v) && !(isNumber(v) && toDouble(v) === 0));
const REFUSED = ['$where', '$within'];

function topLevel(name: string, arg: Value, env: FilterEnv): Test {
  if (REFUSED.includes(name)) throw unsupported(`${name} in filters`);
  // at the top of a query it has been taken out (queries/text.ts)
  if (name === '$text') throw unsupported('$text below $or, $nor or $elemMatch, or in a later $match');
  const compile = TOP_LEVEL[name];
  if (!compile) throw bad(`unknown top level operator: ${name}`);
  return compile(arg, env);
}

// -- conditions on a field

function onField(path: string, arg: Value, env: FilterEnv): Test {
  return onPath(conditionNode(arg, env), pathParts(path));
}

/** A condition as it stands behind a field's name: operators, a regular expression, or a value to be equal to. */
function conditionNode(arg: Value, env: FilterEnv): Node {
  if (isOperators(arg)) return operatorNodes(arg, env);
  return arg instanceof BSONRegExp ? regexNode(arg.pattern, arg.options) : comparison('$eq', arg, env);
}

const REFERENCE = ['$ref', '$id', '$db'];
export function isOperators(arg: Value): arg is Doc {
  if (!isDoc(arg)) return false;
  const [first] = Object.keys(arg);
  return first !== undefined && first.startsWith('$') && !REFERENCE.includes(first);
}

function operatorNodes(ops: Doc, env: FilterEnv): Node {
  const nodes = Object.entries(ops).flatMap(([name, arg]) => {
    if (name === '$comment') return [];
    if (name === '$options') {
      if (!('$regex' in ops)) throw bad('$options needs a $regex');
      return [];
    }
    return [operatorNode(name, arg, env, ops)];
  });
  return nodes.length === 1 ? nodes[0]! : { all: nodes };
}

function operatorNode(name: string, arg: Value, env: FilterEnv, siblings: Doc): Node {
  if (REFUSED.includes(name)) throw unsupported(`${name} in filters`);
  if (name === '$near' || name === '$nearSphere')
    throw bad('$geoNear, $near, and $nearSphere are not allowed in this context');
  const compile = OPERATORS[name];
  if (!compile) throw bad(`unknown operator: ${name}`);
  return compile(arg, env, siblings);
}

const OPERATORS: Record<string, (arg: Value, env: FilterEnv, siblings: Doc) => Node> = {
  $eq: (arg, env) => comparison('$eq', arg, env),
  $ne: (arg, env) => {
    if (arg instanceof BSONRegExp) throw bad("Can't have regex as arg to $ne.");
    return { not: comparison('$eq', arg, env) };
  },
  $lt: (arg, env) => comparison('$lt', arg, env),
  $lte: (arg, env) => comparison('$lte', arg, env),
  $gt: (arg, env) => comparison('$gt', arg, env),
  $gte: (arg, env) => comparison('$gte', arg, env),
  $in: (arg, env) => inNode('$in', arg, env),
  $nin: (arg, env) => ({ not: inNode('$nin', arg, env) }),
  $not: (arg, env) => ({ not: notArgument(arg, env) }),
  $all: allNode,
  $elemMatch: elemMatchNode,
  $exists: (arg) => {
    const exists: Node = { single: (v) => v !== undefined };
    return truth(arg) ? exists : { not: exists };
  },
  $regex: (arg, _env, siblings) => regexOperator(arg, siblings.$options),
  $mod: modNode,
  $size: sizeNode,
  $type: typeNode,
  $geoWithin: (arg) => ({ single: liesIn(areaOf(arg), '$geoWithin') }),
  $geoIntersects: (arg) => {
    if (!isDoc(arg) || !('$geometry' in arg)) throw bad('$geoIntersects needs a $geometry');
    return { single: liesIn(geoJsonArea(arg.$geometry), '$geoIntersects') };
  },
  $bitsAllSet: (arg) => bitsNode(arg, (set, total) => set === total),
  $bitsAnySet: (arg) => bitsNode(arg, (set) => set > 0),
  $bitsAllClear: (arg) => bitsNode(arg, (set) => set === 0),
  $bitsAnyClear: (arg) => bitsNode(arg, (set, total) => set < total),
};

function inNode(name: string, arg: Value, { collation }: FilterEnv): Node {
  if (!isArray(arg)) throw bad(`${name} needs an array`);
  const keys = new Set<string>();
  const regexes: Single[] = [];
  for (const item of arg) {
    if (isOperators(item)) throw bad(`cannot nest $ under ${name}`);
    if (item === undefined) throw bad('cannot compare to undefined');
    if (item instanceof BSONRegExp) regexes.push(regexSingle(item.pattern, item.options));
    else keys.add(encodeKey(item, collation));
  }
  const orMissing = keys.has(encodeKey(null));
  const single = (v: Value): boolean =>
    v === undefined ? orMissing : keys.has(encodeKey(v, collation)) || regexes.some((test) => test(v));
  return { single };
}

function notArgument(arg: Value, env: FilterEnv): Node {
  if (arg instanceof BSONRegExp) return regexNode(arg.pattern, arg.options);
  if (!isDoc(arg)) throw bad('$not needs a regex or a document');
  if (Object.keys(arg).length === 0) throw bad('$not cannot be empty');
  return operatorNodes(arg, env);
}

function allNode(arg: Value, env: FilterEnv): Node {
  if (!isArray(arg)) throw bad('$all needs an array');
  if (arg.length === 0) return { single: () => false };
  const elemMatch = isDoc(arg[0]) && '$elemMatch' in arg[0];
  const all = arg.map((item): Node => {
    if (elemMatch) {
      if (!isDoc(item) || Object.keys(item)[0] !== '$elemMatch') throw bad('$all/$elemMatch has to be consistent');
      return elemMatchNode(item.$elemMatch, env);
    }
    if (isOperators(item)) throw bad('no $ expressions in $all');
    return item instanceof BSONRegExp ? regexNode(item.pattern, item.options) : comparison('$eq', item, env);
  });
  return { all };
}

function elemMatchNode(arg: Value, env: FilterEnv): Node {
  if (!isDoc(arg)) throw bad('$elemMatch needs an Object');
  const [first] = Object.keys(arg);
  if (isOperators(arg) && first && !(first in TOP_LEVEL)) {
    const single = onValue(operatorNodes(arg, env));
    return { whole: true, single: elements((item) => single(item)) };
  }
  const test = compileFilter(arg, env);
  // an array among the elements is looked at as a document with the fields 0, 1, …
  return { whole: true, single: elements((item) => (isDoc(item) || isArray(item)) && test(item as Doc)) };
}

/** A test of arrays by their elements; it remembers which one it was, for `Found`. */
function elements(test: Single): Single {
  const single: Single & { matched?: number } = (value) => {
    if (!isArray(value)) return false;
    single.matched = value.findIndex(test);
    return single.matched >= 0;
  };
  return single;
}

function regexOperator(arg: Value, options: Value): Node {
  const flags: unknown = options ?? (arg instanceof BSONRegExp ? arg.options : '');
  if (typeof flags !== 'string') throw bad('$options has to be a string');
  if (arg instanceof BSONRegExp) {
    if (options !== undefined && arg.options !== '')
      throw new MongoError(51075, 'options set in both $regex and $options');
    return regexNode(arg.pattern, flags);
  }
  if (typeof arg !== 'string') throw bad('$regex has to be a string');
  return regexNode(arg, flags);
}

const regexNode = (pattern: string, options: string): Node => ({ single: regexSingle(pattern, options) });

function regexSingle(pattern: string, options: string): Single {
  if (pattern.includes('\0') || options.includes('\0'))
    throw new MongoError(51091, 'Regular expression cannot contain an embedded null byte');
  const regex = compileRegex(pattern, options);
  const same = new BSONRegExp(pattern, options);
  return (v) => (typeof v === 'string' ? regex.test(v) : v instanceof BSONRegExp && identical(v, same));
}

// -- nodes on values and on paths

function onValue(node: Node): Single {
  if ('single' in node) return node.single;
  if ('not' in node) {
    const test = onValue(node.not);
    return (v) => !test(v);
  }
  const tests = node.all.map(onValue);
  return (v) => tests.every((test) => test(v));
}

function onPath(node: Node, parts: string[]): Test {
  if ('single' in node) return leafTest(node.single, parts, !node.whole);
  if ('not' in node) {
    const test = onPath(node.not, parts);
    return (doc) => !test(doc);
  }
  const tests = node.all.map((each) => onPath(each, parts));
  return (doc, found) => tests.every((test) => test(doc, found));
}

function leafTest(single: Single & { matched?: number }, parts: string[], expand: boolean): Test {
  const only = parts[0]!;
  const atTop = parts.length === 1 && !(only in Object.prototype);
  return (doc, found) => {
    // most fields are no arrays and lie at the top: nothing to walk, nothing to find
    if (atTop && !isArray(doc)) {
      const value = doc[only];
      if (!isArray(value)) return single(value);
    }
    const state: Found = {};
    if (!walk(doc, parts, 0, expand, single, state)) return false;
    if (found) {
      const index = state.index ?? single.matched;
      if (index !== undefined && index >= 0) found.index = index;
    }
    return true;
  };
}

/**
 * Offers to `test` every value that the path reaches, until one passes: mongod's BSONElementIterator. An array on the way is entered through each
 * document in it and through a numeric part as position; at the path's end (if `expand`) come the elements, then the array itself. A path
 * that breaks off offers `undefined` once.
 */
export function walk(root: Value, parts: string[], from: number, expand: boolean, test: Single, found: Found): boolean {
  let value: Value = root;
  let at = from;
  do {
    value = child(value, parts[at]!);
    at += 1;
  } while (at < parts.length && isDoc(value));
  if (!isArray(value)) return test(at === parts.length ? value : undefined);
  if (at === parts.length) return (expand && value.some((item, i) => test(item) && keep(found, i))) || test(value);
  return walkArray(value, parts, at, expand, test, found);
}

/** Into an array, with parts of the path left: what the array has no element for is not offered as missing. */
function walkArray(array: Value[], parts: string[], at: number, expand: boolean, test: Single, found: Found): boolean {
  const position = isIndex(parts[at]!) ? Number(parts[at]) : -1;
  const inside: Found = {};
  return array.some((item, i) => {
    if (isDoc(item) && walk(item, parts, at, expand, test, inside)) return keep(found, i);
    if (i !== position) return false;
    if (at + 1 === parts.length) return test(item) && keep(found, i);
    if (isDoc(item)) return walk(item, parts, at + 1, expand, test, inside) && keep(found, i);
    return isArray(item) && walkArray(item, parts, at + 1, expand, test, inside) && keep(found, i);
  });
}

function keep(found: Found, index: number): true {
  found.index = index;
  return true;
}
