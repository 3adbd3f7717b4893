/**
 * How the documents for a filter are found: by `_id`, by an index whose bounds the filter gives (the one with the fewest entries between them), by the
 * union of such plans for `$or`, or by a scan. A plan yields what might match, with the record; the filter decides (query.ts). It also says of itself
 * what `explain` shows, and counts what it looked at.
 */
import { BSONRegExp } from 'bson';
import { isArray, isDoc, isString, toDouble, type Doc, type Value } from '../values/bson-types';
import { type Collation } from '../values/collation';
import { boundsFor, conditionsOf, everything, type Bounds } from './bounds';
import { type Collection } from '../storage/collection';
import { type CollectionIndex } from '../storage/collection-index';
import { MongoError, unsupported } from '../errors';
import { findIndex } from '../storage/index-spec';
import { isOperators } from '../filters/match';
import { visible, type Rec, type View } from '../storage/versions';

export interface Query {
  filter: Doc;
  collation?: Collation | undefined;
  sort?: Doc | undefined;
  /** How many are wanted, if not all. */
  limit?: number | undefined;
  hint?: Value;
  /** The keys of the hinted index at which a scan begins, and before which it ends. */
  min?: Doc | undefined;
  max?: Doc | undefined;
}

export interface Plan {
  stage: 'IDHACK' | 'IXSCAN' | 'COLLSCAN' | 'OR' | 'EOF';
  index?: CollectionIndex;
  bounds?: Bounds;
  backwards?: boolean;
  /** Yields in the order that the query's sort asks for. */
  sorted?: boolean;
  inputs?: Plan[];
  /** Looked at so far. */
  counts: { keys: number; docs: number };
  /** Offers each candidate until `visit` says that it is enough. A callback, since a scan offers very many. */
  each(view: View, visit: Visit): void;
}
export type Visit = (rec: Rec, doc: Doc) => boolean;

export function planQuery(collection: Collection | undefined, query: Query): Plan {
  const counts = { keys: 0, docs: 0 };
  if (!collection) return { stage: 'EOF', counts, each: () => undefined };
  const { filter, hint, sort } = query;
  const hinted = hint === undefined ? undefined : hintOf(collection, hint);
  if (query.min ?? query.max) return betweenKeys(hinted?.index, query);
  if (hinted) return hinted.index ? hintedPlan(hinted.index, query) : collectionScan(collection, hinted.backwards);
  const natural = isDoc(sort) && '$natural' in sort ? toDouble(sort.$natural) : undefined;
  if (natural !== undefined) return collectionScan(collection, natural < 0, true);
  return byId(collection, query) ?? byIndex(collection, query) ?? byUnion(collection, query) ?? orderOnly(collection, query) ?? collectionScan(collection, false, !sort && Object.keys(filter).length === 0); // prettier-ignore
}

/** @throws 2 for a hint that names no index */
export function hintOf(
  collection: Collection,
  hint: Value,
): { index?: CollectionIndex; backwards?: boolean } | undefined {
  if (isDoc(hint) && Object.keys(hint).length === 0) return undefined;
  if (!isString(hint) && !isDoc(hint)) throw new MongoError(9, 'Hint must be a string or an object');
  if (isDoc(hint) && '$natural' in hint) return { backwards: toDouble(hint.$natural) < 0 };
  const index = findIndex(collection.indexes, hint);
  if (!index || index.spec.hidden)
    throw new MongoError(2, 'error processing query: planner returned error :: caused by :: hint provided does not correspond to an existing index'); // prettier-ignore
  return { index };
}

function hintedPlan(index: CollectionIndex, query: Query): Plan {
  if (index.spec.isInert) throw unsupported(`a hint of a ${index.spec.kind} index`);
  const usable = boundsFor(index, conditionsOf(query.filter), query.filter, query.collation);
  const bounds = usable ?? { intervals: [everything], fields: 0, pinned: 0 };
  return indexScan(index, bounds, sortDirection(index, bounds, query));
}

function betweenKeys(index: CollectionIndex | undefined, query: Query): Plan {
  const { min, max } = query;
  if (!index || index.spec.isInert)
    throw new MongoError(51173, 'When using min()/max() a hint of which index to use must be provided');
  const { paths } = index.spec;
  const keyOf = (values: Doc): string => {
    const names = Object.keys(values);
    if (names.length !== paths.length || names.some((name, i) => name !== paths[i]))
      throw new MongoError(51174, 'The index chosen is not compatible with min/max');
    return index.encode(Object.values(values));
  };
  const interval = { from: min ? keyOf(min) : everything.from, to: max ? keyOf(max) : everything.to };
  if (min && max && interval.from >= interval.to)
    throw new MongoError(51175, 'The value provided for min() does not come before the value provided for max().');
  const bounds = { intervals: [interval], fields: paths.length, pinned: 0 };
  return indexScan(index, bounds, sortDirection(index, bounds, query));
}

function byId(collection: Collection, { filter, collation }: Query): Plan | undefined {
  const id = filter._id;
  if (
    id === undefined ||
    collection.timeSeries ||
    collation !== collection.collation ||
    isArray(id) ||
    id instanceof BSONRegExp
  )
    return undefined;
  const value = isOperators(id) ? (Object.keys(id).length === 1 ? id.$eq : undefined) : id;
  if (value === undefined || isArray(value) || value instanceof BSONRegExp) return undefined;
  const [index] = collection.indexes as [CollectionIndex];
  const key = index.encode([value]);
  const counts = { keys: 0, docs: 0 };
  const each: Plan['each'] = (view, visit) => {
    index.uses += 1;
    const rec = collection.records.get(key);
    const doc = rec && visible(rec, view);
    counts.keys = counts.docs = doc ? 1 : 0;
    if (doc) visit(rec, doc);
  };
  const bounds = { intervals: [{ from: key, to: key + '\0' }], fields: 1, pinned: 1 };
  // at most one document is in any order
  const stage = Object.keys(filter).length === 1 ? 'IDHACK' : 'IXSCAN';
  return { stage, index, bounds, sorted: true, counts, each };
}

interface Access {
  index: CollectionIndex;
  bounds: Bounds;
  direction: number;
}

function byIndex(collection: Collection, query: Query, conditions = conditionsOf(query.filter)): Plan | undefined {
  const usable: Access[] = [];
  for (const index of conditions.size > 0 ? collection.indexes : []) {
    if (index.spec.hidden || index.spec.isInert) continue;
    const bounds = boundsFor(index, conditions, query.filter, query.collation);
    if (bounds) usable.push({ index, bounds, direction: sortDirection(index, bounds, query) });
  }
  // where there is no choice, nothing has to be counted
  const best = usable.length > 1 ? cheapest(usable, query) : usable[0];
  return best && indexScan(best.index, best.bounds, best.direction);
}

function cheapest(usable: Access[], query: Query): Access | undefined {
  const costs = usable.map(({ index, bounds, direction }) => costOf(index, bounds, direction !== 0, query));
  return usable[costs.indexOf(Math.min(...costs))];
}

/** Entries between the bounds; what must still be sorted counts double, what comes sorted ends at the limit. */
function costOf(index: CollectionIndex, { intervals, fields }: Bounds, sorted: boolean, query: Query): number {
  let entries = 0;
  for (const { from, to } of intervals.slice(0, 100)) entries += index.entries.count(from, to);
  if (intervals.length > 100) entries = Math.ceil((entries * intervals.length) / 100);
  const needsSort = query.sort !== undefined && Object.keys(query.sort).length > 0;
  if (needsSort && !sorted) entries *= 2;
  else if (needsSort && query.limit) entries = Math.min(entries, query.limit * 10);
  // of equals, the index with more of its fields bound
  return entries + 1 / (fields + 1);
}

/** `$or` whose every branch has an index. */
function byUnion(collection: Collection, query: Query): Plan | undefined {
  const { $or: branches, ...rest } = query.filter;
  if (!isArray(branches) || branches.length === 0) return undefined;
  const inputs: Plan[] = [];
  for (const branch of branches as Doc[]) {
    const filter = Object.keys(rest).length > 0 ? { $and: [rest, branch] } : branch;
    const plan = byId(collection, { ...query, filter }) ?? byIndex(collection, { filter, collation: query.collation });
    if (!plan) return undefined;
    inputs.push(plan);
  }
  const counts = { keys: 0, docs: 0 };
  const each: Plan['each'] = (view, visit) => {
    const seen = new Set<Rec>();
    let enough = false;
    for (const input of inputs) {
      if (enough) return;
      input.each(view, (rec, doc) => {
        if (seen.has(rec)) return false;
        seen.add(rec);
        return (enough = visit(rec, doc));
      });
    }
  };
  return { stage: 'OR', inputs, counts, each };
}

/** No bounds, but an index that has the order asked for. */
function orderOnly(collection: Collection, query: Query): Plan | undefined {
  if (!query.sort) return undefined;
  for (const index of collection.indexes) {
    if (index.spec.hidden || index.spec.sparse || index.spec.partial || index.spec.isInert) continue;
    const bounds = { intervals: [everything], fields: 0, pinned: 0 };
    const direction = sortDirection(index, bounds, query);
    if (direction !== 0) return indexScan(index, bounds, direction);
  }
  return undefined;
}

/** 1 or -1 if the index, gone through that way, gives the order that the query asks for; 0 if not. */
function sortDirection(index: CollectionIndex, { pinned }: Bounds, { sort, collation }: Query): number {
  const wanted = Object.entries(sort ?? {});
  if (wanted.length === 0 || index.multikey.size > 0 || index.spec.collation || collation || index.spec.kind === 'hashed') return 0; // prettier-ignore
  const { paths, descending } = index.spec;
  const fixed = paths.slice(0, pinned);
  let at = pinned;
  let direction = 0;
  for (const [path, way] of wanted) {
    if (fixed.includes(path)) continue;
    const n = toDouble(way) * (descending[at] ? -1 : 1);
    // behind the _id nothing needs an order any more
    if (at > 0 && paths[at - 1] === '_id') break;
    if (paths[at] !== path || (direction !== 0 && n !== direction)) return 0;
    direction = n;
    at += 1;
  }
  return direction || 1;
}

function indexScan(index: CollectionIndex, bounds: Bounds, direction: number): Plan {
  const counts = { keys: 0, docs: 0 };
  const backwards = direction < 0;
  const each: Plan['each'] = (view, visit) => {
    index.uses += 1;
    // only through arrays has a document several keys
    const seen = index.multikey.size > 0 ? new Set<Rec>() : undefined;
    const offer = (key: string, rec: Rec): boolean => {
      counts.keys += 1;
      if (seen?.has(rec)) return false;
      const doc = visible(rec, view);
      if (!doc) return false;
      // the entry may be that of another version
      if (rec.head!.previous && !index.keysOf(doc).includes(key)) return false;
      seen?.add(rec);
      counts.docs += 1;
      return visit(rec, doc);
    };
    for (const { from, to } of backwards ? bounds.intervals.toReversed() : bounds.intervals)
      if (index.entries.each(from, to, offer, backwards)) return;
  };
  return { stage: 'IXSCAN', index, bounds, backwards, sorted: direction !== 0, counts, each };
}

/** The records in natural order. */
function inPlace(collection: Collection, backwards: boolean): Iterable<Rec> {
  if (!collection.isClustered) return backwards ? [...collection.records.values()].reverse() : collection.records.values(); // prettier-ignore
  return collection.indexes[0]!.entries.between(everything.from, everything.to, backwards).map(([, rec]) => rec);
}

function collectionScan(collection: Collection, backwards = false, sorted = false): Plan {
  const counts = { keys: 0, docs: 0 };
  const each: Plan['each'] = (view, visit) => {
    for (const rec of inPlace(collection, backwards)) {
      const doc = visible(rec, view);
      if (!doc) continue;
      counts.docs += 1;
      if (visit(rec, doc)) return;
    }
  };
  return { stage: 'COLLSCAN', backwards, sorted, counts, each };
}
