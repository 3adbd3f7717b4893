/**
 * Updates: `compileUpdate` turns the `u` of an update into `apply` (a new document, or the same object if nothing changed) and `seed` (the
 * document that an upsert inserts). Three forms: operators, a replacement, a pipeline.
 *
 * Operators follow mongod's order of events: every path is made concrete first (`$`, `$[]`, `$[name]` become positions) against the document as it
 * was; then the changes happen in the order of their paths, which is the order in which new fields appear.
 */
import { ObjectId } from 'bson';
import { bsonTypeName, isArray, isDoc, type Doc, type Value } from '../values/bson-types';
import { MongoError } from '../errors';
import { shellText } from '../values/shell-text';
import { isIndex, pathParts } from '../values/paths';
import { compileMatcher, type Found } from '../filters/match';
import { compilePipeline } from '../aggregation/pipeline';
import { compileArrayFilters, concretePaths } from './paths';
import { changeAt, type Change, type UpdateOptions } from './change';
import { describeAt, describeDifference, nothing, type Description } from './describe';
import { OPERATORS, renameChange } from './operators';
import { equalityFields } from './upsert';
import { compareText, equalValues, identical } from '../values/values';

export interface Update {
  /** The changed document, or the very same object if nothing changed. Never touches its argument. */
  apply(doc: Doc): Doc;
  /** What an upsert inserts, always with an `_id`. */
  seed(): Doc;
  /** What `apply` did; missing for a replacement, of which the new document tells all. */
  describe: ((before: Doc, after: Doc) => Description) | undefined;
}

export function compileUpdate(update: Doc | Doc[], options: UpdateOptions): Update {
  const { change, describe } = compileForm(update, options);
  return {
    describe,
    apply: (doc) => change(doc, false),
    seed() {
      const made = change(seedBase(update, options), true);
      const id = Object.hasOwn(made, '_id') ? made._id : new ObjectId();
      if (isArray(id)) throw new MongoError(53, "The '_id' value cannot be of type array");
      return { _id: id, ...made };
    },
  };
}

interface Form {
  change(this: void, doc: Doc, inserting: boolean): Doc;
  describe?(this: void, before: Doc, after: Doc): Description;
}

function compileForm(update: Doc | Doc[], options: UpdateOptions): Form {
  const operators = !Array.isArray(update) && Object.keys(update)[0]?.startsWith('$');
  if (options.arrayFilters?.length && !operators) {
    throw new MongoError(9, 'arrayFilters may only be specified for updates with operators');
  }
  if (Array.isArray(update)) return pipelineForm(update, options);
  return operators ? operatorForm(update, options) : replacementForm(update);
}

const withId = (source: Doc, doc: Doc): Doc => (Object.hasOwn(source, '_id') ? { _id: source._id, ...doc } : doc);

/** No update may change the `_id`. */
function checkId(next: Doc, old: Doc, same: (a: Value, b: Value) => boolean, how?: 'path'): Doc {
  if (next !== old && Object.hasOwn(old, '_id') && !same(next._id, old._id)) {
    throw new MongoError(66, how === 'path' ? "Performing an update on the path '_id' would modify the immutable field '_id'" : `After applying the update, the (immutable) field '_id' was found to have been altered to _id: ${shellText(next._id)}`); // prettier-ignore
  }
  return next;
}

function seedBase(update: Doc | Doc[], { filter }: UpdateOptions): Doc {
  const fields = equalityFields(filter);
  if (!Array.isArray(update) && !Object.keys(update)[0]?.startsWith('$')) {
    return fields.has('_id') ? { _id: fields.get('_id') } : {};
  }
  let base: Doc = fields.has('_id') ? { _id: fields.get('_id') } : {};
  for (const [path, value] of [...fields].sort(([a], [b]) => compareText(a, b))) {
    base = changeAt(base, pathParts(path), () => value, { creates: true, doc: base, isCopy: true }) as Doc;
  }
  return base;
}

function replacementForm(replacement: Doc): Form {
  for (const key of Object.keys(replacement)) {
    if (key.startsWith('$'))
      throw new MongoError(52, `The dollar ($) prefixed field '${key}' in '${key}' is not valid for storage.`);
  }
  return {
    change: (doc) => {
      // the identifier comes first, wherever the replacement has it
      const next = Object.hasOwn(replacement, '_id')
        ? { _id: replacement._id, ...replacement }
        : withId(doc, replacement);
      return identical(next, doc) ? doc : checkId(next, doc, equalValues);
    },
  };
}

const UPDATE_STAGES = ['$addFields', '$set', '$project', '$unset', '$replaceRoot', '$replaceWith'];

function pipelineForm(stages: Doc[], options: UpdateOptions): Form {
  const run = compilePipeline(stages, options);
  for (const name of stages.flatMap((stage) => Object.keys(stage))) {
    if (!UPDATE_STAGES.includes(name)) throw new MongoError(72, `${name} is not allowed to be used within an update`);
  }
  return {
    change: (doc) => {
      const [made = {}] = run([doc]);
      const next = Object.hasOwn(made, '_id') ? { _id: made._id, ...made } : withId(doc, made);
      return identical(next, doc) ? doc : checkId(next, doc, equalValues);
    },
    describe: differenceOf,
  };
}

export function differenceOf(before: Doc, after: Doc): Description {
  const description = nothing();
  describeDifference(before, after, description);
  return description;
}

// -- operators

interface Leaf {
  path: string;
  parts: string[];
  change: Change;
  onlyInserting: boolean;
}

function operatorForm(update: Doc, options: UpdateOptions): Form {
  const leaves: Leaf[] = [];
  for (const name of Object.keys(update)) addLeaves(name, update[name], options, leaves);
  inOrder(leaves);
  const updating = leaves.some((leaf) => leaf.onlyInserting) ? leaves.filter((leaf) => !leaf.onlyInserting) : leaves;
  const activeFor = (inserting: boolean): Leaf[] => (inserting ? leaves : updating);
  const concrete = leaves.some(isDynamic) || options.arrayFilters?.length ? concreteLeavesOf(leaves, options) : undefined; // prettier-ignore
  const leavesFor = (doc: Doc, inserting: boolean): Leaf[] => concrete ? concrete(doc, activeFor(inserting), inserting) : activeFor(inserting); // prettier-ignore
  return {
    change: (doc, inserting) => checkId(applyLeaves(doc, leavesFor(doc, inserting)), doc, identical, 'path'),
    describe: (before, after) => {
      const description = nothing();
      for (const { parts, change } of leavesFor(before, false))
        describeAt(before, after, parts, change.appends === true, description);
      return description;
    },
  };
}

function addLeaves(name: string, fields: Value, options: UpdateOptions, into: Leaf[]): void {
  const operator = OPERATORS[name];
  if (name === '$rename' || operator) {
    if (!isDoc(fields)) {
      throw new MongoError(9, `Modifiers operate on fields but we found type ${bsonTypeName(fields)} instead. For example: {$mod: {<field>: ...}} not {${name}: ${JSON.stringify(fields)}}`); // prettier-ignore
    }
    for (const path of Object.keys(fields)) {
      if (name === '$rename') into.push(...renameLeaves(path, fields[path]));
      else into.push(leafOf(path, operator!(fields[path], path, options), name === '$setOnInsert'));
    }
    return;
  }
  throw new MongoError(
    9,
    `Unknown modifier: ${name}. Expected a valid update modifier or pipeline-style update specified as an array`,
  );
}

function leafOf(path: string, change: Change, onlyInserting = false): Leaf {
  return { path, parts: checkedParts(path), change, onlyInserting };
}

function checkedParts(path: string): string[] {
  const parts = pathParts(path);
  if (path === '') throw new MongoError(56, 'An empty update path is not valid.');
  if (parts.includes(''))
    throw new MongoError(56, `The update path '${path}' contains an empty field name, which is not allowed.`);
  if (/^\$(\[.*\])?$/.test(parts[0]!)) {
    throw new MongoError(2, `Cannot have positional (i.e. '$') element in the first position in path '${path}'`);
  }
  if (parts.filter((part) => part === '$').length > 1) {
    throw new MongoError(2, `Too many positional (i.e. '$') elements found in path '${path}'`);
  }
  return parts;
}

/** The target takes the value; the source's path is claimed too, so that nothing else may touch it. */
function renameLeaves(from: string, to: Value): Leaf[] {
  if (typeof to !== 'string') throw new MongoError(2, `The 'to' field for $rename must be a string: ${from}`);
  const source = checkedParts(from);
  const target = checkedParts(to);
  if ([...source, ...target].some((part) => /^\$(\[.*\])?$/.test(part))) {
    throw new MongoError(2, `The source and target field for $rename may not be dynamic: ${from}`);
  }
  if (from === to) throw new MongoError(2, `The source and target field for $rename must differ: ${from}: "${to}"`);
  return [
    { path: to, parts: target, change: renameChange(source, target), onlyInserting: false },
    { path: from, parts: source, change: { creates: false, apply: (old) => old }, onlyInserting: false },
  ];
}

/** Sorts them by their paths. @throws 40 if one of them leads to the place of another one, or below it */
function inOrder(leaves: Leaf[]): Leaf[] {
  leaves.sort((a, b) => comparePaths(a.parts, b.parts));
  for (let i = 1; i < leaves.length; i += 1) {
    const [shorter, longer] = [leaves[i - 1]!.parts, leaves[i]!.parts];
    if (shorter.every((part, at) => part === longer[at]))
      throw new MongoError(40, `Updating the path '${longer.join('.')}' would create a conflict at '${shorter.join('.')}'`); // prettier-ignore
  }
  return leaves;
}

function comparePaths(a: string[], b: string[]): number {
  for (let i = 0; i < a.length && i < b.length; i += 1) {
    const c = isIndex(a[i]!) && isIndex(b[i]!) ? Number(a[i]) - Number(b[i]) : compareText(a[i]!, b[i]!);
    if (c !== 0) return c;
  }
  return a.length - b.length;
}

const isDynamic = ({ path }: Leaf): boolean => path.includes('$');

/** For paths whose places depend on the document. */
function concreteLeavesOf(all: Leaf[], options: UpdateOptions) {
  const filters = compileArrayFilters(options.arrayFilters ?? [], all, options);
  const positional = all.some(({ parts }) => parts.includes('$'));
  const matches = positional ? compileMatcher(options.filter, options) : undefined;
  return (doc: Doc, leaves: Leaf[], inserting: boolean): Leaf[] => {
    const found: Found = {};
    if (!inserting) matches?.(doc, found);
    const concrete = leaves.flatMap((leaf) => {
      if (!isDynamic(leaf)) return [leaf];
      return concretePaths(doc, leaf.parts, found, filters).map((parts) => ({ ...leaf, parts }));
    });
    return inOrder(concrete);
  };
}

function applyLeaves(doc: Doc, leaves: Leaf[]): Doc {
  let next = doc;
  for (const { parts, change } of leaves) {
    if (change.whole) next = change.whole(next);
    else next = changeAt(next, parts, change.apply, { creates: change.creates, doc, isCopy: next !== doc }) as Doc;
  }
  return next;
}
