/** Stages that write their input to a collection, `$out` and `$merge`: through the `target` port, all rules of ordinary writes hold. */
import { ObjectId } from 'bson';
import { isArray, isDoc, isNullish, isString, type Doc, type Value } from '../values/bson-types';
import { fail, unsupported } from '../errors';
import { compileExpression, scopeOf } from '../expressions/expression';
import { getPath } from '../values/paths';
import { type CompilePipeline, type PipelineEnv, type StageMaker, type WriteTarget } from './stage-types';
import { equalValues } from '../values/values';

function targetOf(env: PipelineEnv, into: Value, name: string): WriteTarget {
  if (!env.target) throw unsupported(`${name} here`);
  if (isString(into)) return env.target({ coll: into });
  if (!isDoc(into) || !isString(into.coll)) return fail(16990, `${name} needs the name of a collection`);
  return env.target({ coll: into.coll, db: isString(into.db) ? into.db : undefined });
}

const withId = (doc: Doc): Doc => ('_id' in doc ? doc : { _id: new ObjectId(), ...doc });

const out: StageMaker = (spec, env) => {
  const target = targetOf(env, spec, '$out');
  return (docs) => {
    target.replaceAll(Array.from(docs, withId));
    return [];
  };
};

const WHEN_MATCHED = ['replace', 'keepExisting', 'merge', 'fail'];
const WHEN_NOT_MATCHED = ['insert', 'discard', 'fail'];

const merge: StageMaker = (given, env, compilePipeline) => {
  const spec = isString(given) ? { into: given } : given;
  if (!isDoc(spec)) return fail(51182, '$merge requires a string or object argument');
  const unknown = Object.keys(spec).find(
    (key) => !['into', 'on', 'let', 'whenMatched', 'whenNotMatched'].includes(key),
  );
  if (unknown) fail(40415, `BSON field '$merge.${unknown}' is an unknown field.`);
  if (!('into' in spec)) fail(40414, "BSON field '$merge.into' is missing but a required field");
  const { on = '_id', whenMatched = 'merge', whenNotMatched = 'insert' } = spec;
  if (!isArray(whenMatched) && !WHEN_MATCHED.includes(whenMatched as string)) fail(2, `Enumeration value for field 'whenMatched' is not a valid value.`); // prettier-ignore
  if (!WHEN_NOT_MATCHED.includes(whenNotMatched as string))
    fail(2, `Enumeration value for field 'whenNotMatched' is not a valid value.`);
  const fields = (isArray(on) ? on : [on]).map((field) =>
    isString(field) ? field : fail(51186, '$merge.on must be a string or an array of strings'),
  );
  if (fields.length === 0) fail(51187, 'If explicitly specifying $merge.on, must include at least one field');
  const target = targetOf(env, spec.into, '$merge');
  if (!target.hasUniqueIndex(fields)) fail(51183, 'Cannot find index to verify that join fields will be unique');
  const change = matchedChange(whenMatched, spec.let, env, compilePipeline);
  return (docs) => {
    for (const doc of docs)
      mergeOne(target, fields.includes('_id') ? withId(doc) : doc, fields, change, whenNotMatched as string);
    return [];
  };
};

type MatchedChange = (old: Doc, doc: Doc) => Doc;

function mergeOne(
  target: WriteTarget,
  doc: Doc,
  fields: string[],
  change: MatchedChange,
  whenNotMatched: string,
): void {
  const key = Object.fromEntries(fields.map((field) => [field, joinValue(doc, field)]));
  const old = target.findOne(key);
  if (!old) {
    if (whenNotMatched === 'fail') fail(13113, '$merge could not find a matching document in the target collection for at least one document in the source collection'); // prettier-ignore
    if (whenNotMatched === 'insert') target.insert(withId(doc));
    return;
  }
  const next = change(old, doc);
  if (!equalValues(next._id ?? old._id, old._id)) fail(66, "$merge failed to update the matching document, did you attempt to modify the _id or the shard key?"); // prettier-ignore
  if (next !== old) target.replace(old, { _id: old._id, ...next });
}

function joinValue(doc: Doc, field: string): Value {
  const value = getPath(doc, field);
  if (isNullish(value) || isArray(value)) return fail(51132, `$merge write error: 'on' field '${field}' cannot be missing, null, undefined or an array`); // prettier-ignore
  return { $eq: value };
}

function matchedChange(
  whenMatched: Value,
  vars: Value,
  env: PipelineEnv,
  compilePipeline: CompilePipeline,
): MatchedChange {
  if (isArray(whenMatched)) return pipelineChange(whenMatched as Doc[], vars, env, compilePipeline);
  if (!isNullish(vars)) fail(51199, "Cannot use 'let' variables with this whenMatched mode");
  if (whenMatched === 'keepExisting') return (old) => old;
  if (whenMatched === 'replace') return (_old, doc) => doc;
  if (whenMatched === 'merge') return (old, doc) => ({ ...old, ...doc });
  return () => fail(11000, '$merge found a matching document, and whenMatched is fail');
}

/** The pipeline runs on the old document; the new one is `$$new`, unless `let` says otherwise. */
function pipelineChange(stages: Doc[], vars: Value, env: PipelineEnv, compilePipeline: CompilePipeline): MatchedChange {
  const bindings = Object.entries(isDoc(vars) ? vars : { new: '$$ROOT' }).map(
    ([name, spec]) => [name, compileExpression(spec, env)] as const,
  );
  const base = scopeOf(env);
  return (old, doc) => {
    const scope = { ROOT: doc, CURRENT: doc, ...base };
    const values = Object.fromEntries(bindings.map(([name, expression]) => [name, expression(scope)]));
    const [next] = compilePipeline(stages, { ...env, variables: { ...env.variables, ...values } }, '$merge')([old]);
    return next ?? old;
  };
}

export const WRITES: Record<string, StageMaker> = { $out: out, $merge: merge };
