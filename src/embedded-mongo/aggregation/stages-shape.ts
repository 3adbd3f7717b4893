/** Stages that take documents one by one: they let through, reshape, order or count them. */
import { bsonTypeName, int, isArray, isDoc, isNullish, isNumber, isString, long, toDouble, toInteger, truthy, type Doc, type Value } from '../values/bson-types'; // prettier-ignore
import { checkFieldName } from '../values/field-names';
import { fail } from '../errors';
import { compileExpression, scopeOf, type Expression, type Scope } from '../expressions/expression';
import { getPath, pathParts } from '../values/paths';
import { keepScore } from '../values/score';
import { compileFilter, isOperators } from '../filters/match';
import { compileProjectStage, compute, newTree, plant, prune, type Tree } from '../filters/projection';
import { compileOrder, inOrder, sortDirections } from '../values/sort';
import { type PipelineEnv, type StageMaker } from './stage-types';

export function* filterDocs(docs: Iterable<Doc>, test: (doc: Doc) => boolean): Iterable<Doc> {
  for (const doc of docs) if (test(doc)) yield doc;
}
export function* mapDocs(docs: Iterable<Doc>, change: (doc: Doc) => Doc): Iterable<Doc> {
  for (const doc of docs) yield change(doc);
}

const match: StageMaker = (spec, env) => {
  if (!isDoc(spec)) return fail(15959, 'the match filter must be an expression in an object');
  const test = compileFilter(spec, env);
  return (docs) => filterDocs(docs, test);
};

const project: StageMaker = (spec, env) => {
  if (!isDoc(spec)) return fail(15969, '$project specification must be an object');
  const change = compileProjectStage(spec, env);
  return (docs) => mapDocs(docs, (doc) => change(doc));
};

const addFields: StageMaker = (spec, env) => {
  if (!isDoc(spec)) return fail(40272, '$addFields specification stage must be an object');
  const tree = newTree();
  plantFields(tree, spec, '', env);
  const scope = scopeOf(env);
  return (docs) => mapDocs(docs, (doc) => compute(doc, tree, { ROOT: doc, CURRENT: doc, ...scope }));
};

/** A document without operators stands for the paths in it. */
function plantFields(tree: Tree, spec: Doc, prefix: string, env: PipelineEnv): void {
  for (const [key, value] of Object.entries(spec)) {
    const path = prefix + key;
    if (key.startsWith('$'))
      fail(16410, `FieldPath field names may not start with '$'. Consider using $getField or $setField: '${path}'`);
    if (isDoc(value) && !isOperators(value) && Object.keys(value).length > 0) plantFields(tree, value, `${path}.`, env);
    else plant(tree, path, { compute: compileExpression(value, env) });
  }
}

const unset: StageMaker = (spec) => {
  const paths = isArray(spec) ? spec : [spec];
  if (paths.length === 0) fail(31119, '$unset specification must be a string or an array with at least one field');
  const tree = newTree();
  for (const path of paths) {
    if (!isString(path)) return fail(31002, '$unset specification must be a string or an array');
    if (path.startsWith('$')) fail(16410, `FieldPath field names may not start with '$': '${path}'`);
    plant(tree, path, false);
  }
  return (docs) => mapDocs(docs, (doc) => prune(doc, tree, true));
};

const sort: StageMaker = (spec, { collation }) => {
  if (!isDoc(spec)) return fail(15973, 'the $sort key specification must be an object');
  if (Object.keys(spec).length === 0) fail(15976, '$sort stage must have at least one sort key');
  sortDirections(spec);
  return function* (docs) {
    yield* inOrder(docs, (doc) => doc, compileOrder(spec, collation, true));
  };
};

function count(spec: Value, name: string, least: number): number {
  if (!isNumber(spec)) return fail(15957, `the ${name} must be specified as a number`);
  const n = toInteger(spec);
  return n !== undefined && n >= least
    ? n
    : fail(15958, `the ${name} must be ${least > 0 ? 'positive' : 'non-negative'}: ${toDouble(spec)}`);
}

const limit: StageMaker = (spec) => {
  const n = count(spec, 'limit', 1);
  return function* (docs) {
    let left = n;
    for (const doc of docs) {
      yield doc;
      left -= 1;
      if (left === 0) return;
    }
  };
};

const skip: StageMaker = (spec) => {
  const n = count(spec, 'skip', 0);
  return function* (docs) {
    let left = n;
    for (const doc of docs) {
      if (left > 0) left -= 1;
      else yield doc;
    }
  };
};

const countStage: StageMaker = (spec) => {
  if (!isString(spec) || spec === '') return fail(40156, 'the count field must be a non-empty string');
  checkFieldName(spec);
  if (spec.startsWith('$') || spec.includes('.'))
    fail(40158, "the count field cannot be a $-prefixed path or contain '.'");
  return function* (docs) {
    let n = 0;
    for (const _doc of docs) n += 1;
    if (n > 0) yield { [spec]: int(n) };
  };
};

const replaceWith = (expressionOf: (spec: Value) => Value): StageMaker => {
  return (spec, env) => {
    const expression = compileExpression(expressionOf(spec), env);
    const scope = scopeOf(env);
    const change = (doc: Doc): Doc => {
      const root = expression({ ROOT: doc, CURRENT: doc, ...scope });
      return isDoc(root) ? keepScore(root, doc) : fail(40228, `'newRoot' expression must evaluate to an object, but resulting value was of type: ${bsonTypeName(root)}`); // prettier-ignore
    };
    return (docs) => mapDocs(docs, change);
  };
};

function newRoot(spec: Value): Value {
  if (!isDoc(spec)) return fail(40229, 'expected an object as specification for $replaceRoot stage');
  const unknown = Object.keys(spec).find((key) => key !== 'newRoot');
  if (unknown) fail(40415, `BSON field '$replaceRoot.${unknown}' is an unknown field.`);
  return 'newRoot' in spec
    ? spec.newRoot
    : fail(40414, "BSON field '$replaceRoot.newRoot' is missing but a required field");
}

// -- $unwind

interface Unwind {
  path: string;
  indexField?: string;
  keepEmpty: boolean;
}

function unwindOf(spec: Value): Unwind {
  const fields = isDoc(spec) ? spec : { path: spec };
  const unknown = Object.keys(fields).find(
    (key) => !['path', 'includeArrayIndex', 'preserveNullAndEmptyArrays'].includes(key),
  );
  if (unknown) fail(28811, `unrecognized option to $unwind stage: ${unknown}`);
  const { path, includeArrayIndex: indexField, preserveNullAndEmptyArrays: keepEmpty = false } = fields;
  if (path === undefined) fail(28812, 'no path specified to $unwind stage');
  if (!isString(path)) return fail(28808, `expected a string as the path for $unwind stage, got ${bsonTypeName(path)}`);
  if (!path.startsWith('$')) fail(28818, `path option to $unwind stage should be prefixed with a '$': ${path}`);
  if (typeof keepEmpty !== 'boolean')
    fail(28809, 'expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage');
  if (indexField !== undefined && (!isString(indexField) || indexField === '')) return fail(28810, 'expected a non-empty string for the includeArrayIndex option to $unwind stage'); // prettier-ignore
  if (indexField?.startsWith('$'))
    fail(28822, 'includeArrayIndex option to $unwind stage should not be prefixed with a $');
  return { path: path.slice(1), indexField, keepEmpty: truthy(keepEmpty) };
}

/** The document with a value at a path through documents. */
export function withPath(doc: Doc, path: string, value: Value): Doc {
  const set = (holder: Value, [part, ...rest]: string[]): Doc => {
    const old = isDoc(holder) ? holder : {};
    const next = rest.length === 0 ? value : set(old[part!], rest);
    if (next !== undefined) return { ...old, [part!]: next };
    const { [part!]: _removed, ...others } = old;
    return others;
  };
  return set(doc, pathParts(path));
}

const unwind: StageMaker = (spec) => {
  const { path, indexField, keepEmpty } = unwindOf(spec);
  const placed = (doc: Doc, value: Value, index: number | null): Doc => {
    const next = withPath(doc, path, value);
    return indexField === undefined ? next : withPath(next, indexField, index === null ? null : long(BigInt(index)));
  };
  return function* (docs) {
    for (const doc of docs) {
      const value = documentsOnly(doc, path);
      if (isArray(value) && value.length > 0) {
        for (const [i, item] of value.entries()) yield placed(doc, item, i);
      } else if (!isArray(value) && !isNullish(value)) yield placed(doc, value, null);
      // an empty array is left out of the document, null stays
      else if (keepEmpty) yield placed(doc, isArray(value) ? undefined : value, null);
    }
  };
};

/** The value at a path, unless the path leads through an array. */
function documentsOnly(doc: Doc, path: string): Value {
  const parent = pathParts(path).slice(0, -1);
  return parent.length === 0 || isDoc(getPath(doc, parent.join('.'))) ? getPath(doc, path) : undefined;
}

// -- $redact

const redact: StageMaker = (spec, env) => {
  const names = { DESCEND: 'descend', PRUNE: 'prune', KEEP: 'keep' };
  const expression = compileExpression(spec, env, Object.keys(names));
  const scope = { ...scopeOf(env), ...names };
  return function* (docs) {
    for (const doc of docs) {
      const kept = redacted(doc, expression, { ...scope, ROOT: doc });
      if (kept !== undefined) yield kept;
    }
  };
};

function redacted(doc: Doc, expression: Expression, scope: Scope): Doc | undefined {
  const verdict = expression({ ...scope, CURRENT: doc });
  if (verdict === 'keep') return doc;
  if (verdict === 'prune') return undefined;
  if (verdict !== 'descend') return fail(17053, '$redact must evaluate to one of $$DESCEND, $$PRUNE, or $$KEEP');
  const fields = Object.entries(doc).map(([key, value]) => [key, redactedValue(value, expression, scope)] as const);
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}

function redactedValue(value: Value, expression: Expression, scope: Scope): Value {
  if (isDoc(value)) return redacted(value, expression, scope);
  if (!isArray(value)) return value;
  return value.map((item) => redactedValue(item, expression, scope)).filter((item) => item !== undefined);
}

// -- chance and constants

const sample: StageMaker = (spec) => {
  const size = isDoc(spec) ? toInteger(spec.size) : undefined;
  if (size === undefined || size < 0) return fail(28745, 'the $sample stage requires a nonnegative size');
  return (docs) => {
    const pool = [...docs];
    for (let i = 0; i < Math.min(size, pool.length); i += 1) {
      const j = i + Math.floor(Math.random() * (pool.length - i));
      [pool[i], pool[j]] = [pool[j]!, pool[i]!];
    }
    return pool.slice(0, size);
  };
};

const documents: StageMaker = (spec, env) => {
  const list = compileExpression(spec, env)(scopeOf(env));
  if (!isArray(list) || !list.every(isDoc)) return fail(5858203, 'an array of documents is expected for $documents');
  return () => list;
};

export const SHAPES: Record<string, StageMaker> = {
  $match: match,
  $project: project,
  $addFields: addFields,
  $set: addFields,
  $unset: unset,
  $sort: sort,
  $limit: limit,
  $skip: skip,
  $count: countStage,
  $replaceRoot: replaceWith(newRoot),
  $replaceWith: replaceWith((spec) => spec),
  $unwind: unwind,
  $redact: redact,
  $sample: sample,
  $documents: documents,
};
