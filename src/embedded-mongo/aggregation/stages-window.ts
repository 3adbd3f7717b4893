/** `$setWindowFields`, and `$fill`, which is made of it: fields computed from the documents around, partition by partition. */
import { isArray, isDoc, isString, type Doc, type Value } from '../values/bson-types';
import { fail } from '../errors';
import { compileExpression, scopeOf, type Scope } from '../expressions/expression';
import { compute, newTree, plant } from '../filters/projection';
import { compileOrder, inOrder, sortDirections } from '../values/sort';
import { compareValues, encodeKey } from '../values/values';
import { type PipelineEnv, type StageMaker } from './stage-types';
import { type Partition } from './window-bounds';
import { compileFunction } from './window-functions';

/** The fields of a stage's specification, checked. */
export function fieldsOf(spec: Value, name: string, known: string[], required: string[]): Doc {
  if (!isDoc(spec)) return fail(9, `the ${name} stage specification must be an object`);
  for (const key of Object.keys(spec))
    if (!known.includes(key)) fail(40415, `BSON field '${name}.${key}' is an unknown field.`);
  for (const key of required)
    if (!(key in spec)) fail(40414, `BSON field '${name}.${key}' is missing but a required field`);
  return spec;
}

function documentOf(spec: Doc, key: string, name: string): Doc | undefined {
  const value = spec[key];
  if (value === undefined || isDoc(value)) return value;
  return fail(14, `BSON field '${name}.${key}' is the wrong type, expected type 'object'`);
}

const setWindowFields: StageMaker = (spec, env) => {
  const fields = fieldsOf(spec, '$setWindowFields', ['partitionBy', 'sortBy', 'output'], ['output']);
  const sortBy = documentOf(fields, 'sortBy', '$setWindowFields');
  if (sortBy) sortDirections(sortBy);
  const tree = newTree();
  const output = Object.entries(documentOf(fields, 'output', '$setWindowFields')!);
  checkPaths(output.map(([path]) => path));
  const functions = output.map(([path, each], i) => {
    if (path.startsWith('$')) fail(16410, `FieldPath field names may not start with '$': '${path}'`);
    plant(tree, path, { compute: (columns) => columns[i] });
    return compileFunction(path, each, sortBy, env);
  });
  const partitioned = partitioner(fields.partitionBy, sortBy, env);
  return function* (docs) {
    for (const partition of partitioned(docs)) {
      const columns = functions.map((each) => each(partition));
      for (const [row, { ROOT }] of partition.scopes.entries())
        yield compute(ROOT as Doc, tree, Object.fromEntries(columns.map((column, i) => [i, column[row]])));
    }
  };
};

/** @throws 6307900 if one path leads into another */
function checkPaths(paths: string[]): void {
  for (const path of paths) {
    const above = paths.find((other) => path.startsWith(`${other}.`));
    if (above !== undefined)
      fail(6307900, `$setWindowFields 'output' specification contains two conflicting paths: '${path}' and '${above}'`);
  }
}

/** Sorted by the partitions' values; in each, as `sortBy` says. */
function partitioner(by: Value, sortBy: Doc | undefined, env: PipelineEnv): (docs: Iterable<Doc>) => Partition[] {
  const value = by === undefined ? () => null : compileExpression(by, env);
  const base = scopeOf(env);
  const keys = Object.keys(sortBy ?? {});
  const key = keys.length > 0 ? compileExpression(`$${keys[0]}`, env) : () => null;
  const order = sortBy && keys.length > 0 ? compileOrder(sortBy, env.collation, true) : undefined;
  return (docs) => {
    const partitions = new Map<string, { value: Value; scopes: Scope[] }>();
    for (const doc of docs) {
      const scope = { ROOT: doc, CURRENT: doc, ...base };
      const of = value(scope) ?? null;
      if (isArray(of)) fail(14, "Cannot 'partitionBy' an expression of type array");
      const id = encodeKey(of, env.collation);
      const known = partitions.get(id);
      if (known) known.scopes.push(scope);
      else partitions.set(id, { value: of, scopes: [scope] });
    }
    const sorted = [...partitions.values()].sort((a, b) => compareValues(a.value, b.value, env.collation));
    return sorted.map(({ scopes: found }) => {
      const scopes = order ? inOrder(found, ({ ROOT }) => ROOT as Doc, order) : found;
      const orderOf = (i: number): Value[] => order?.keyOf(scopes[i]!.ROOT as Doc).map((v) => v ?? null) ?? [];
      const ties = (a: number, b: number): boolean => !order || order.compare(orderOf(a), orderOf(b)) === 0;
      return { scopes, keys: scopes.map(key), ties };
    });
  };
}

const FILL = ['partitionBy', 'partitionByFields', 'sortBy', 'output'];
const METHODS: Record<string, string> = { locf: '$locf', linear: '$linearFill' };

const fill: StageMaker = (spec, env, compilePipeline) => {
  const fields = fieldsOf(spec, '$fill', FILL, ['output']);
  const output = Object.entries(documentOf(fields, 'output', '$fill')!);
  if (output.length === 0) fail(6050203, "The output field in '$fill' must contain an object with at least one element"); // prettier-ignore
  const methods: Doc = {};
  const values: Doc = {};
  for (const [path, how] of output) {
    if (!isDoc(how)) return fail(6050200, 'Each fill output specification must be an object with exactly one field');
    const { method, value } = fieldsOf(how, '$fill', ['method', 'value'], []);
    if (method !== undefined && value !== undefined) fail(6050201, "Each fill output specification must have exactly one of 'method' or 'value' fields, not both"); // prettier-ignore
    if (value !== undefined) values[path] = { $ifNull: [`$${path}`, value] };
    if (method === undefined) continue;
    if (!isString(method) || !Object.hasOwn(METHODS, method)) fail(6050202, 'Method must be either locf or linear');
    methods[path] = { [METHODS[method]!]: `$${path}` };
  }
  const window = { ...partitionOf(fields), ...('sortBy' in fields ? { sortBy: fields.sortBy } : {}), output: methods };
  const stages = [
    ...(Object.keys(methods).length > 0 ? [{ $setWindowFields: window }] : []),
    ...(Object.keys(values).length > 0 ? [{ $addFields: values }] : []),
  ];
  return compilePipeline(stages, env, '$fill');
};

function partitionOf({ partitionBy, partitionByFields }: Doc): Doc {
  if (partitionByFields === undefined) return partitionBy === undefined ? {} : { partitionBy };
  if (partitionBy !== undefined) fail(6050204, "Maximum one of 'partitionBy' and 'partitionByFields can be specified in '$fill'"); // prettier-ignore
  return { partitionBy: Object.fromEntries(textsOf(partitionByFields, '$fill').map((name) => [name, `$${name}`])) };
}

/** The names of fields in an array. */
export function textsOf(value: Value, name: string): string[] {
  if (isArray(value) && value.every(isString)) return value;
  return fail(14, `BSON field '${name}.partitionByFields' is the wrong type, expected an array of strings`);
}

export const WINDOWS: Record<string, StageMaker> = { $setWindowFields: setWindowFields, $fill: fill };
