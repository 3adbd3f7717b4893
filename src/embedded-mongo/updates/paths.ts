/** Paths of updates that depend on the document: `$` (the element that the filter matched), `$[]` (all), `$[name]` (those an array filter takes). */
import { bsonTypeName, isArray, isDoc, type Doc, type Value } from '../values/bson-types';
import { MongoError } from '../errors';
import { child } from '../values/paths';
import { compileFilter, type FilterEnv, type Found } from '../filters/match';

export type ArrayFilters = Map<string, (element: Value) => boolean>;

const NAMED = /^\$\[(.+)\]$/;

/** Each filter names one identifier, in the first part of all its fields; each must be used, and none may be missing. */
export function compileArrayFilters(
  filters: Doc[],
  leaves: { path: string; parts: string[] }[],
  env: FilterEnv,
): ArrayFilters {
  const compiled: ArrayFilters = new Map();
  const used = new Map(
    leaves.flatMap(({ path, parts }) => parts.flatMap((p) => NAMED.exec(p)?.[1] ?? []).map((id) => [id, path])),
  );
  for (const filter of filters) {
    const [id, ...others] = new Set(identifiers(filter));
    if (id === undefined)
      throw new MongoError(9, 'Cannot use an expression without a top-level field name in arrayFilters');
    if (others.length > 0) {
      throw new MongoError(9, `Error parsing array filter :: caused by :: Expected a single top-level field name, found '${id}' and '${others[0]}'`); // prettier-ignore
    }
    if (!/^[a-z][a-zA-Z0-9]*$/.test(id)) {
      throw new MongoError(2, `Error parsing array filter :: caused by :: The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '${id}'`); // prettier-ignore
    }
    if (compiled.has(id))
      throw new MongoError(9, `Found multiple array filters with the same top-level field name ${id}`);
    const test = compileFilter(filter, env);
    compiled.set(id, (element) => test({ [id]: element }));
  }
  for (const [id, path] of used) {
    if (!compiled.has(id)) throw new MongoError(2, `No array filter found for identifier '${id}' in path '${path}'`);
  }
  for (const id of compiled.keys()) {
    if (!used.has(id)) throw new MongoError(9, `The array filter for identifier '${id}' was not used in the update`);
  }
  return compiled;
}

function identifiers(filter: Doc): string[] {
  return Object.entries(filter).flatMap(([key, arg]) => {
    if (!key.startsWith('$')) return [key.split('.')[0]!];
    return isArray(arg) ? arg.filter(isDoc).flatMap(identifiers) : [];
  });
}

/** The paths that one path stands for in this document. */
export function concretePaths(doc: Doc, parts: string[], found: Found, filters: ArrayFilters): string[][] {
  return resolve(doc, parts, 0, found, filters);
}

function resolve(holder: Value, parts: string[], at: number, found: Found, filters: ArrayFilters): string[][] {
  if (at === parts.length) return [parts];
  const part = parts[at]!;
  const replaced = (index: number): string[] => parts.with(at, String(index));
  if (part === '$') {
    if (found.index === undefined) {
      throw new MongoError(2, 'The positional operator did not find the match needed from the query.');
    }
    return resolve(child(holder, String(found.index)), replaced(found.index), at + 1, found, filters);
  }
  if (part !== '$[]' && !NAMED.test(part)) return resolve(child(holder, part), parts, at + 1, found, filters);
  const path = parts.slice(0, at).join('.');
  if (holder === undefined) {
    throw new MongoError(2, `The path '${path}' must exist in the document in order to apply array updates.`);
  }
  if (!isArray(holder)) {
    throw new MongoError(2, `Cannot apply array updates to non-array element ${path}: ${bsonTypeName(holder)}`);
  }
  const takes = part === '$[]' ? () => true : filters.get(NAMED.exec(part)![1]!)!;
  return holder.flatMap((element, i) => (takes(element) ? resolve(element, replaced(i), at + 1, found, filters) : []));
}
