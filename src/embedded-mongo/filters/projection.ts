/**
 * Projections, of `find` and of the stages `$project`, `$addFields` and `$unset`: one tree of fields, applied in two passes. The first keeps or drops
 * what the document has, in the document's order; the second sets the computed fields, in the order of the specification.
 *
 * A leaf is `true` (include), `false` (exclude), or a function: of the whole document (computed) or of the field's value (`$slice`, the positional `$`).
 */
import { isArray, isDoc, isNumber, toInteger, truthy, type Doc, type Value } from '../values/bson-types';
import { MongoError } from '../errors';
import { compileExpression, scopeOf, type Expression, type ExpressionEnv, type Scope } from '../expressions/expression';
import { pathParts } from '../values/paths';
import { isMeta, keepScore } from '../values/score';
import { compileMatcher, isOperators, type Found, type Test } from './match';

type Leaf = boolean | { compute: Expression } | { transform: (value: Value, found: Found) => Value };
export interface Tree {
  fields: Map<string, Tree | Leaf>;
  computes: boolean;
}

export const newTree = (): Tree => ({ fields: new Map(), computes: false });
const isTree = (entry: Tree | Leaf | undefined): entry is Tree => typeof entry === 'object' && 'fields' in entry;

/** Puts a leaf at a path; two specifications may not claim the same or nested paths. */
export function plant(tree: Tree, path: string, leaf: Leaf): void {
  const parts = [...pathParts(path)];
  if (parts.includes(''))
    throw new MongoError(40353, `FieldPath must not end with or contain an empty field name: '${path}'`);
  const last = parts.pop()!;
  let at = tree;
  const computes = typeof leaf === 'object' && 'compute' in leaf;
  at.computes ||= computes;
  for (const part of parts) {
    const next = at.fields.get(part) ?? newTree();
    if (!isTree(next)) throw new MongoError(31249, `Path collision at ${path}`);
    at.fields.set(part, next);
    next.computes ||= computes;
    at = next;
  }
  if (at.fields.has(last)) throw new MongoError(31250, `Path collision at ${path}`);
  at.fields.set(last, leaf);
}

/** First pass: `keepOthers` tells whether a field that the tree does not name stays. */
export function prune(doc: Doc, tree: Tree, keepOthers: boolean, found: Found = {}): Doc {
  const out: Doc = {};
  for (const key of Object.keys(doc)) {
    const value = pruneField(doc[key], tree.fields.get(key), keepOthers, found);
    if (value !== undefined) out[key] = value;
  }
  return out;
}

function pruneField(value: Value, entry: Tree | Leaf | undefined, keepOthers: boolean, found: Found): Value {
  if (entry === undefined) return keepOthers ? value : undefined;
  if (typeof entry === 'boolean') return entry ? value : undefined;
  if (isTree(entry)) return pruneValue(value, entry, keepOthers, found);
  if ('transform' in entry) return entry.transform(value, found);
  return keepOthers ? value : undefined;
}

function pruneValue(value: Value, tree: Tree, keepOthers: boolean, found: Found): Value {
  if (isDoc(value)) return prune(value, tree, keepOthers, found);
  if (isArray(value))
    return value.map((item) => pruneValue(item, tree, keepOthers, found)).filter((item) => item !== undefined);
  return keepOthers ? value : undefined;
}

/** Second pass: sets the computed fields; what stands in the way of a path becomes a document, arrays are gone through. */
export function compute(doc: Doc, tree: Tree, scope: Scope): Doc {
  if (!tree.computes) return doc;
  const out = { ...doc };
  for (const [key, entry] of tree.fields) {
    if (isTree(entry)) {
      if (entry.computes) out[key] = computeValue(out[key], entry, scope);
    } else if (typeof entry === 'object' && 'compute' in entry) {
      const value = entry.compute(scope);
      if (value === undefined) delete out[key];
      else out[key] = value;
    }
  }
  return out;
}

function computeValue(value: Value, tree: Tree, scope: Scope): Value {
  if (isArray(value)) return value.map((item) => computeValue(item, tree, scope));
  return compute(isDoc(value) ? value : {}, tree, scope);
}

// -- the specification

export interface ProjectionEnv extends ExpressionEnv {
  /** The query, for the positional `$`. */
  filter?: Doc;
}

interface Parsed {
  tree: Tree;
  /** Undefined while nothing has decided it. */
  including: boolean | undefined;
  id: Leaf | undefined;
  positional: boolean;
}

/** A projection of `find`: all its forms. `filter` is the query that found the document. */
export function compileProjection(spec: Doc, env: ProjectionEnv = {}): (doc: Doc, filter?: Doc) => Doc {
  const parsed: Parsed = { tree: newTree(), including: undefined, id: undefined, positional: false };
  readSpec(parsed, spec, '', env, true);
  return finish(parsed, env);
}

/** The stage `$project`: no `$slice`, `$elemMatch` or positional operators, and it may not be empty. */
export function compileProjectStage(spec: Doc, env: ExpressionEnv): (doc: Doc) => Doc {
  if (Object.keys(spec).length === 0)
    throw new MongoError(51272, 'Invalid $project :: projection specification must have at least one field');
  const parsed: Parsed = { tree: newTree(), including: undefined, id: undefined, positional: false };
  readSpec(parsed, spec, '', env, false);
  return finish(parsed, env);
}

function finish({ tree, including, id, positional }: Parsed, env: ProjectionEnv): (doc: Doc, filter?: Doc) => Doc {
  // `{_id: 1}` alone includes, `{_id: 0}` alone excludes; otherwise _id goes along unless it is excluded
  const inclusion = including ?? id === true;
  if (id !== undefined) tree.fields.set('_id', id);
  else if (inclusion && !tree.fields.has('_id')) tree.fields.set('_id', true);
  const scope = scopeOf(env);
  let test: Test | undefined;
  let tested: Doc | undefined;
  return (doc, filter = env.filter) => {
    const found: Found = {};
    if (positional) {
      if (!test || tested !== filter) test = compileMatcher((tested = filter) ?? {}, env);
      test(doc, found);
    }
    return keepScore(compute(prune(doc, tree, !inclusion, found), tree, { ROOT: doc, CURRENT: doc, ...scope }), doc);
  };
}

function readSpec(parsed: Parsed, spec: Doc, prefix: string, env: ProjectionEnv, find: boolean): void {
  for (const [key, value] of Object.entries(spec)) readField(parsed, prefix + key, value, env, find);
}

function readField(parsed: Parsed, path: string, value: Value, env: ProjectionEnv, find: boolean): void {
  if (find && path.endsWith('.$')) return readPositional(parsed, path.slice(0, -2), value);
  if (path.startsWith('$') || path.includes('.$'))
    throw new MongoError(16410, `FieldPath field names may not start with '$': ${path}`);
  if (typeof value === 'boolean' || isNumber(value)) {
    const include = truthy(value);
    if (path === '_id') {
      parsed.id = include;
      return;
    }
    decide(parsed, include, path);
    return plant(parsed.tree, path, include);
  }
  if (isDoc(value) && !isOperators(value)) {
    if (Object.keys(value).length === 0)
      throw new MongoError(51270, `An empty sub-projection is not a valid value: ${path}`);
    return readSpec(parsed, value, path + '.', env, find);
  }
  const [operator = ''] = isDoc(value) ? Object.keys(value) : [];
  if (find && isDoc(value) && (operator === '$slice' || operator === '$elemMatch')) {
    if (operator === '$slice') return plant(parsed.tree, path, { transform: slice(value.$slice) });
    return readElemMatch(parsed, path, value.$elemMatch, env);
  }
  // in find, a score by itself neither includes nor excludes the other fields
  if (!find || !isMeta(value)) decide(parsed, true, path);
  const leaf = { compute: compileExpression(value, env) };
  if (path !== '_id') return plant(parsed.tree, path, leaf);
  parsed.id = leaf;
  parsed.tree.computes = true;
}

function decide(parsed: Parsed, include: boolean, path: string): void {
  if (parsed.including !== undefined && parsed.including !== include) {
    throw new MongoError(include ? 31253 : 31254, `Cannot do ${include ? 'inclusion' : 'exclusion'} on field ${path} in ${include ? 'exclusion' : 'inclusion'} projection`); // prettier-ignore
  }
  parsed.including = include;
}

function readPositional(parsed: Parsed, path: string, value: Value): void {
  if (parsed.positional) throw new MongoError(31276, 'Cannot specify more than one positional projection per query.');
  if (!truthy(value) || isDoc(value))
    throw new MongoError(31395, 'positional projection cannot be used with exclusion');
  decide(parsed, true, path);
  parsed.positional = true;
  const transform = (field: Value, found: Found): Value => {
    if (!isArray(field)) return field;
    if (found.index === undefined || found.index >= field.length) {
      throw new MongoError(51246, "Executor error during find command :: caused by :: positional operator '.$' couldn't find a matching element in the array"); // prettier-ignore
    }
    return [field[found.index]];
  };
  plant(parsed.tree, path, { transform });
}

function readElemMatch(parsed: Parsed, path: string, condition: Value, env: ProjectionEnv): void {
  if (path.includes('.')) throw new MongoError(31275, 'Cannot use $elemMatch projection on a nested field.');
  if (!isDoc(condition)) throw new MongoError(31274, '$elemMatch: Invalid argument, object required');
  decide(parsed, true, path);
  const test = compileMatcher({ [path]: { $elemMatch: condition } }, env);
  const transform = (field: Value): Value => {
    const found: Found = {};
    return isArray(field) && test({ [path]: field }, found) ? [field[found.index!]] : undefined;
  };
  plant(parsed.tree, path, { transform });
}

/** `n` first (or -n last) elements, or `[skip, limit]`. */
function slice(arg: Value): (value: Value) => Value {
  const [skip, limit] = isArray(arg) ? arg.map(toInteger) : [undefined, toInteger(arg)];
  if (isArray(arg) && (arg.length !== 2 || skip === undefined || limit === undefined || limit <= 0)) {
    throw new MongoError(28724, '$slice takes a skip and a positive limit');
  }
  if (limit === undefined) throw new MongoError(28667, '$slice only supports numbers and [skip, limit] arrays');
  return (value) => {
    if (!isArray(value)) return value;
    if (skip === undefined) return limit < 0 ? value.slice(limit) : value.slice(0, limit);
    const from = skip < 0 ? Math.max(value.length + skip, 0) : skip;
    return value.slice(from, from + limit);
  };
}
