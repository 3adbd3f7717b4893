/** Stages that bring in other collections or run pipelines inside: `$lookup`, `$graphLookup`, `$unionWith`, `$facet`. */
import { BSONRegExp } from 'bson';
import { isArray, isDoc, isString, long, toInteger, type Doc, type Value } from '../values/bson-types';
import { fail } from '../errors';
import { compileExpression, scopeOf } from '../expressions/expression';
import { isIndex, pathParts } from '../values/paths';
import { type CompilePipeline, type PipelineEnv, type Reader, type StageMaker } from './stage-types';
import { mapDocs, withPath } from './stages-shape';
import { encodeKey } from '../values/values';

function options(spec: Value, name: string, known: string[], required: string[]): Doc {
  if (!isDoc(spec)) return fail(9, `the ${name} specification must be an Object`);
  const unknown = Object.keys(spec).find((key) => !known.includes(key));
  if (unknown) fail(9, `unknown argument to ${name}: ${unknown}`);
  const missing = required.find((key) => !(key in spec));
  if (missing) fail(9, `${name} requires '${missing}' to be specified`);
  return spec;
}

function text(fields: Doc, name: string, key: string): string {
  const value = fields[key];
  return isString(value) ? value : fail(9, `${name} argument '${key}' must be a string`);
}

function reader(env: PipelineEnv, name: string): Reader {
  return env.collection?.(name) ?? { find: () => [] };
}

/** All values at a path, arrays opened, also along the way; null if there are none. */
function joinValues(doc: Doc, path: string): Value[] {
  const values: Value[] = [];
  const visit = (value: Value, parts: string[]): void => {
    const [part, ...rest] = parts;
    if (isArray(value)) {
      for (const item of value) if (part === undefined) values.push(item);
        else if (isDoc(item)) visit(item, parts); // prettier-ignore
      if (part !== undefined && isIndex(part)) visit(value[Number(part)], rest);
    } else if (part === undefined) {
      if (value !== undefined) values.push(value);
    } else if (isDoc(value)) visit(value[part], rest);
  };
  visit(doc, pathParts(path));
  return values.length === 0 ? [null] : values;
}

/** A filter for documents whose field equals one of the values. A regular expression among them is a value, not a pattern. */
function anyOf(field: string, values: Value[]): Doc {
  if (values.some((v) => v instanceof BSONRegExp)) return { $or: values.map((v) => ({ [field]: { $eq: v } })) };
  return { [field]: { $in: values } };
}

const lookup: StageMaker = (spec, env, compilePipeline) => {
  const fields = options(spec, '$lookup', ['from', 'localField', 'foreignField', 'as', 'let', 'pipeline'], ['as']);
  const as = text(fields, '$lookup', 'as');
  const { pipeline } = fields;
  const byField = 'localField' in fields || 'foreignField' in fields;
  if (byField && !('localField' in fields && 'foreignField' in fields))
    fail(9, '$lookup requires both or neither of localField and foreignField');
  if (!byField && pipeline === undefined)
    fail(9, "$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified");
  if (pipeline === undefined && 'let' in fields) fail(9, "$lookup with a 'let' argument must also specify 'pipeline'");
  if (pipeline !== undefined && !isArray(pipeline)) fail(9, "$lookup argument 'pipeline' must be an array");
  const from =
    'from' in fields
      ? text(fields, '$lookup', 'from')
      : pipeline
        ? undefined
        : fail(9, "missing 'from' option to $lookup");
  const local = byField ? text(fields, '$lookup', 'localField') : undefined;
  const foreign = byField ? text(fields, '$lookup', 'foreignField') : '';
  for (const path of [as, local ?? ''])
    if (path.startsWith('$')) fail(16410, `FieldPath field names may not start with '$': '${path}'`);
  const joined = (doc: Doc): Doc[] => {
    const filter = local === undefined ? {} : anyOf(foreign, joinValues(doc, local));
    const found = from === undefined ? [] : reader(env, from).find(filter);
    return [...found];
  };
  if (!pipeline) return (docs) => mapDocs(docs, (doc) => withPath(doc, as, joined(doc)));
  const run = subPipeline(pipeline as Doc[], fields.let, env, compilePipeline);
  return (docs) => mapDocs(docs, (doc) => withPath(doc, as, [...run(doc, joined(doc))]));
};

/** A pipeline that sees variables computed from the outer document; compiled anew for each, unless there are none. */
function subPipeline(stages: Doc[], vars: Value, env: PipelineEnv, compilePipeline: CompilePipeline) {
  const bindings = Object.entries(isDoc(vars) ? vars : {}).map(([name, spec]) => {
    if (!/^[a-z\u0080-\uffff]/.test(name))
      fail(16867, `'${name}' starts with an invalid character for a user variable name`);
    return [name, compileExpression(spec, env)] as const;
  });
  const withVariables = (values: Doc) =>
    compilePipeline(stages, { ...env, variables: { ...env.variables, ...values } }, '$lookup');
  // faults are found before the first document
  const plain = withVariables(Object.fromEntries(bindings.map(([name]) => [name, null])));
  if (bindings.length === 0) return (_doc: Doc, source: Doc[]) => plain(source);
  const base = scopeOf(env);
  return (doc: Doc, source: Doc[]) => {
    const scope = { ROOT: doc, CURRENT: doc, ...base };
    return withVariables(Object.fromEntries(bindings.map(([name, expression]) => [name, expression(scope)])))(source);
  };
}

const GRAPH = [
  'from',
  'startWith',
  'connectFromField',
  'connectToField',
  'as',
  'maxDepth',
  'depthField',
  'restrictSearchWithMatch',
];

/** Breadth first: each document is found once, at its least depth. */
const graphLookup: StageMaker = (spec, env) => {
  if (!isDoc(spec)) return fail(40327, 'the $graphLookup stage specification must be an object');
  const unknown = Object.keys(spec).find((key) => !GRAPH.includes(key));
  if (unknown) fail(40104, `Unknown argument to $graphLookup: ${unknown}`);
  if (GRAPH.slice(0, 5).some((key) => !(key in spec))) fail(40105, "$graphLookup requires 'from', 'as', 'startWith', 'connectFromField', and 'connectToField' to be specified"); // prettier-ignore
  const [from, fromField, toField, as] = ['from', 'connectFromField', 'connectToField', 'as'].map((key) => text(spec, '$graphLookup', key)) as [string, string, string, string]; // prettier-ignore
  const maxDepth =
    spec.maxDepth === undefined ? Infinity : (toInteger(spec.maxDepth) ?? fail(40102, 'maxDepth requires an integer'));
  if (maxDepth < 0) fail(40101, 'maxDepth requires a nonnegative argument');
  const { depthField, restrictSearchWithMatch: restrict } = spec;
  if (restrict !== undefined && !isDoc(restrict)) fail(40185, 'restrictSearchWithMatch must be an object');
  const start = compileExpression(spec.startWith, env);
  const base = scopeOf(env);
  const search = (doc: Doc): Doc[] => {
    const first = start({ ROOT: doc, CURRENT: doc, ...base });
    let frontier: Value[] = isArray(first) ? first : [first ?? null];
    const found = new Map<string, Doc>();
    for (let depth = 0; depth <= maxDepth && frontier.length > 0; depth += 1) {
      const filter = anyOf(toField, frontier);
      frontier = [];
      for (const match of reader(env, from).find(restrict ? { $and: [filter, restrict] } : filter)) {
        const key = encodeKey(match._id);
        if (found.has(key)) continue;
        found.set(key, isString(depthField) ? withPath(match, depthField, long(BigInt(depth))) : match);
        frontier.push(...reached(match, fromField));
      }
    }
    return [...found.values()];
  };
  return (docs) => mapDocs(docs, (doc) => withPath(doc, as, search(doc)));
};

/** Unlike a missing starting value, a missing link leads nowhere. */
const reached = (doc: Doc, path: string): Value[] => joinValues(doc, path).filter((v) => v !== null);

const unionWith: StageMaker = (spec, env, compilePipeline) => {
  const fields = isString(spec) ? { coll: spec } : options(spec, '$unionWith', ['coll', 'pipeline'], []);
  const pipeline = (fields.pipeline ?? []) as Doc[];
  const run = compilePipeline(pipeline, env, '$unionWith');
  const coll = 'coll' in fields ? text(fields, '$unionWith', 'coll') : undefined;
  return function* (docs) {
    yield* docs;
    yield* run(coll === undefined ? [] : reader(env, coll).find({}));
  };
};

const facet: StageMaker = (spec, env, compilePipeline) => {
  if (!isDoc(spec) || Object.keys(spec).length === 0)
    return fail(40169, 'the $facet specification must be a non-empty object');
  const facets = Object.entries(spec).map(([name, stages]) => {
    if (!isArray(stages)) return fail(40170, `arguments to $facet must be arrays, ${name} is not`);
    if (name.startsWith('$') || name.includes('.')) fail(16410, `invalid facet name '${name}'`);
    return [name, compilePipeline(stages as Doc[], env, '$facet')] as const;
  });
  return function* (docs) {
    const source = [...docs];
    yield Object.fromEntries(facets.map(([name, run]) => [name, [...run(source)]]));
  };
};

export const JOINS: Record<string, StageMaker> = {
  $lookup: lookup,
  $graphLookup: graphLookup,
  $unionWith: unionWith,
  $facet: facet,
};
