/** Stages that gather documents: `$group`, and `$bucket`, `$bucketAuto`, `$sortByCount`, which are groups with an order. */
import { isArray, isDoc, isString, rank, toInteger, type Doc, type Value } from '../values/bson-types';
import { compileAccumulator, type Accumulator } from '../expressions/accumulators';
import { fail, unsupported } from '../errors';
import { compileExpression, compilerFor, scopeOf, type Expression, type Scope } from '../expressions/expression';
import { isOperators } from '../filters/match';
import { type PipelineEnv, type StageMaker } from './stage-types';
import { compareValues, encodeKey, equalValues } from '../values/values';

interface Group {
  id: Value;
  accumulators: Accumulator[];
}

/** The accumulators of a group's output fields: `open` starts a group, `feed` adds a document, `close` gives the output document. */
function outputs(spec: Doc, env: PipelineEnv) {
  const compiler = compilerFor(env);
  const fields = Object.entries(spec).map(([field, accumulator]) => {
    if (field.includes('.')) fail(40235, `The field name '${field}' cannot contain '.'`);
    if (field.startsWith('$')) fail(40236, `The field name '${field}' cannot be an operator name`);
    return { field, ...compileAccumulator(accumulator, field, compiler) };
  });
  return {
    open: (id: Value, scope: Scope): Group => ({ id, accumulators: fields.map(({ make }) => make(scope)) }),
    feed: (group: Group, scope: Scope): void => {
      for (let i = 0; i < fields.length; i += 1) group.accumulators[i]!.add(fields[i]!.value(scope));
    },
    close: (group: Group): Doc => {
      const out: Doc = { _id: group.id };
      for (const [i, { field }] of fields.entries()) out[field] = group.accumulators[i]!.result();
      return out;
    },
  };
}

/** An identifier with one field has it null when it is missing; of several, the missing ones are left out. */
function compileId(spec: Value, env: PipelineEnv): Expression {
  const id = compileExpression(spec, env);
  const [only, ...others] = isDoc(spec) && !isOperators(spec) ? Object.keys(spec) : [];
  if (only === undefined || others.length > 0) return id;
  return (scope) => ({ [only]: null, ...(id(scope) as Doc) });
}

const group: StageMaker = (spec, env) => {
  if (!isDoc(spec)) return fail(15947, "a group's fields must be specified in an object");
  const { _id: idSpec, ...rest } = spec;
  if (!('_id' in spec)) fail(15955, 'a group specification must include an _id');
  const id = compileId(idSpec, env);
  const { open, feed, close } = outputs(rest, env);
  const base = scopeOf(env);
  return function* (docs) {
    const groups = new Map<string, Group>();
    for (const doc of docs) {
      const scope = { ROOT: doc, CURRENT: doc, ...base };
      const value = id(scope) ?? null;
      const key = encodeKey(value, env.collation);
      let found = groups.get(key);
      if (!found) groups.set(key, (found = open(value, scope)));
      feed(found, scope);
    }
    for (const each of groups.values()) yield close(each);
  };
};

const sortByCount: StageMaker = (spec, env, compilePipeline) => {
  const expression = isDoc(spec) ? Object.keys(spec)[0]?.startsWith('$') : isString(spec) && spec.startsWith('$');
  if (!expression) fail(isDoc(spec) ? 40147 : isString(spec) ? 40148 : 40149, 'the sortByCount field must be defined as a $-prefixed path or an expression inside an object'); // prettier-ignore
  return compilePipeline(
    [{ $group: { _id: spec, count: { $sum: 1 } } }, { $sort: { count: -1 } }],
    env,
    '$sortByCount',
  );
};

const COUNT = { count: { $sum: 1 } };

function options(spec: Value, name: string, known: string[], code: number): Doc {
  if (!isDoc(spec)) return fail(code, `Argument to ${name} stage must be an object`);
  const unknown = Object.keys(spec).find((key) => !known.includes(key));
  if (unknown) fail(40197, `Unrecognized option to ${name}: ${unknown}.`);
  const { groupBy, output } = spec;
  if (!(isString(groupBy) && groupBy.startsWith('$')) && !isDoc(groupBy)) {
    fail(40202, `The ${name} 'groupBy' field must be defined as a $-prefixed path or an expression`);
  }
  if (output !== undefined && !isDoc(output)) fail(40196, `The ${name} 'output' field must be an object`);
  return spec;
}

/** Groups by the lower boundary of the half-open interval that a value falls in. */
const bucket: StageMaker = (spec, env) => {
  const { groupBy, boundaries: given, default: otherwise, output = COUNT } = options(spec, '$bucket', ['groupBy', 'boundaries', 'default', 'output'], 40201); // prettier-ignore
  if (!isArray(given)) return fail(40200, "The $bucket 'boundaries' field must be an array");
  const boundaries = given.map((v) => constant(v, env, 40191));
  if (boundaries.length < 2) fail(40192, "The $bucket 'boundaries' field must have at least 2 values");
  for (let i = 1; i < boundaries.length; i += 1) {
    if (rank(boundaries[i]) !== rank(boundaries[0]))
      fail(40193, "All values in the 'boundaries' option to $bucket must have the same type");
    if (compareValues(boundaries[i - 1], boundaries[i]) >= 0)
      fail(40194, "The 'boundaries' option to $bucket must be sorted");
  }
  const hasDefault = isDoc(spec) && 'default' in spec;
  const rest = hasDefault ? constant(otherwise, env, 40195) : undefined;
  if (hasDefault && within(rest, boundaries) !== undefined) fail(40199, "The $bucket 'default' field must be less than the lowest boundary or greater than or equal to the highest boundary"); // prettier-ignore
  const id = compileExpression(groupBy, env);
  const place = (scope: Scope): Value =>
    within(id(scope), boundaries) ??
    (hasDefault
      ? rest
      : fail(40066, '$switch could not find a matching branch for an input, and no default was specified.'));
  return (docs) => sortedGroups(docs, place, output as Doc, env);
};

const within = (v: Value, boundaries: Value[]): Value => {
  const i = boundaries.findIndex((boundary) => compareValues(v, boundary) < 0);
  return i > 0 ? boundaries[i - 1] : undefined;
};

function constant(spec: Value, env: PipelineEnv, code: number): Value {
  const unsettled = (v: Value): boolean => isString(v) && v.startsWith('$');
  if (unsettled(spec)) fail(code, 'the boundaries and the default of $bucket must be constants');
  return compileExpression(spec, env)(scopeOf(env));
}

function sortedGroups(docs: Iterable<Doc>, place: Expression, output: Doc, env: PipelineEnv): Doc[] {
  const { open, feed, close } = outputs(output, env);
  const base = scopeOf(env);
  const groups = new Map<string, Group>();
  for (const doc of docs) {
    const scope = { ROOT: doc, CURRENT: doc, ...base };
    const id = place(scope);
    const key = encodeKey(id);
    let found = groups.get(key);
    if (!found) groups.set(key, (found = open(id, scope)));
    feed(found, scope);
  }
  return [...groups.values()].sort((a, b) => compareValues(a.id, b.id)).map(close);
}

/** Buckets of about equal size; equal values stay together, so there may be fewer. */
const bucketAuto: StageMaker = (spec, env) => {
  const { groupBy, buckets, output = COUNT, granularity } = options(spec, '$bucketAuto', ['groupBy', 'buckets', 'output', 'granularity'], 40240); // prettier-ignore
  const most = toInteger(buckets);
  if (most === undefined || most <= 0)
    return fail(40243, "The $bucketAuto 'buckets' field must be a positive 32-bit integer");
  if (granularity !== undefined) throw unsupported('the granularity of $bucketAuto');
  const id = compileExpression(groupBy, env);
  const { open, feed, close } = outputs(output as Doc, env);
  const base = scopeOf(env);
  return (docs) => {
    const items = Array.from(docs, (doc) => {
      const scope = { ROOT: doc, CURRENT: doc, ...base };
      return { scope, value: id(scope) ?? null };
    }).sort((a, b) => compareValues(a.value, b.value, env.collation));
    const size = Math.max(Math.round(items.length / most), 1);
    const made: { min: Value; max: Value; group: Group }[] = [];
    for (let at = 0; at < items.length;) {
      let end = made.length === most - 1 ? items.length : Math.min(at + size, items.length);
      while (end < items.length && equalValues(items[end]!.value, items[end - 1]!.value, env.collation)) end += 1;
      const group = open(null, items[at]!.scope);
      for (const { scope } of items.slice(at, end)) feed(group, scope);
      made.push({ min: items[at]!.value, max: items[end - 1]!.value, group });
      at = end;
    }
    // a bucket ends where the next one begins
    return made.map(({ min, max, group }, i) => close({ ...group, id: { min, max: made[i + 1]?.min ?? max } }));
  };
};

export const GROUPS: Record<string, StageMaker> = {
  $group: group,
  $sortByCount: sortByCount,
  $bucket: bucket,
  $bucketAuto: bucketAuto,
};
