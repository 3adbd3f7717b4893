/**
 * Sorting: `compileSort` makes a comparator of a sort specification. A document sorts by its smallest key (largest, descending) as an index on the
 * same fields would give them, so an array counts by its least or greatest element, and an empty one comes before null.
 */
import { isArray, isDoc, isNumber, toDouble, type Doc, type Value } from './bson-types';
import { type Collation } from './collation';
import { MongoError } from '../errors';
import { child, indexKeys, pathParts } from './paths';
import { shellText } from './shell-text';
import { checkMeta, isMeta, scoreOf } from './score';
import { compareValues } from './values';

/** @throws unless each direction is 1 or -1 */
export function sortDirections(spec: Doc): number[] {
  return Object.entries(spec).map(([path, direction]) => {
    if (isMeta(direction)) {
      checkMeta(direction.$meta);
      return -1;
    }
    if (path === '' || path.split('.').includes(''))
      throw new MongoError(15998, 'FieldPath field names may not be empty strings.');
    if (path.startsWith('$'))
      throw new MongoError(
        16410,
        `FieldPath field names may not start with '$'. Consider using $getField or $setField.`,
      );
    if (!isNumber(direction)) throw new MongoError(15974, `Illegal key in $sort specification: ${path}: ${shellText(direction)}`); // prettier-ignore
    const n = toDouble(direction);
    if (n !== 1 && n !== -1)
      throw new MongoError(15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)');
    return n;
  });
}

/** An order of documents: their keys, made once each, and how those compare. */
export interface Order {
  keyOf(this: void, doc: Doc): Value[];
  compare(this: void, a: Value[], b: Value[]): number;
}

/**
 * `inPipeline`: the order of `$sort` stages, which put a missing field before null where no array is involved, and otherwise make the key of what `onPaths`
 * leaves.
 */
export function compileOrder(spec: Doc, collation?: Collation, inPipeline = false): Order {
  if (Object.values(spec).some(isMeta)) return orderByScore(spec, collation, inPipeline);
  const paths = Object.keys(spec);
  const directions = sortDirections(spec);
  const tree = pathTree(paths);
  const compare: Order['compare'] = (a, b) => {
    for (let i = 0; i < directions.length; i += 1) {
      const c = compareValues(a[i], b[i], collation);
      if (c !== 0) return c * directions[i]!;
    }
    return 0;
  };
  const keyOf = (doc: Doc): Value[] => {
    const plain = plainKey(doc, paths);
    if (plain) return inPipeline ? plain : plain.map((value) => value ?? null);
    return leastKey(sortKeys(inPipeline ? (onPaths(doc, tree) as Doc) : doc, paths), compare);
  };
  return { keyOf, compare };
}

/** `{$meta: 'textScore'}`, the best first, alone or among fields. */
function orderByScore(spec: Doc, collation: Collation | undefined, inPipeline: boolean): Order {
  const directions = sortDirections(spec);
  const orders = Object.entries(spec).map(([path, direction]) =>
    isMeta(direction) ? undefined : compileOrder({ [path]: direction }, collation, inPipeline),
  );
  return {
    keyOf: (doc) => orders.map((order) => (order ? order.keyOf(doc)[0] : scoreOf(doc))),
    compare: (a, b) => {
      for (const [i, direction] of directions.entries()) {
        const c = compareValues(a[i], b[i], collation);
        if (c !== 0) return c * direction;
      }
      return 0;
    },
  };
}

/** The items in order, those with equal keys as they come; or the first `limit` of them. */
export function inOrder<T>(
  items: Iterable<T>,
  docOf: (item: T) => Doc,
  { keyOf, compare }: Order,
  limit = Infinity,
): T[] {
  const sorted: { item: T; key: Value[] }[] = [];
  const few = limit <= 1000;
  for (const item of items) {
    const key = keyOf(docOf(item));
    if (!few) sorted.push({ item, key });
    else if (sorted.length < limit || compare(key, sorted[sorted.length - 1]!.key) < 0) {
      let at = sorted.length;
      while (at > 0 && compare(key, sorted[at - 1]!.key) < 0) at -= 1;
      sorted.splice(at, 0, { item, key });
      if (sorted.length > limit) sorted.pop();
    }
  }
  if (!few) sorted.sort((a, b) => compare(a.key, b.key));
  return (sorted.length > limit ? sorted.slice(0, limit) : sorted).map(({ item }) => item);
}

/** The same for arrays of documents that are sorted in place. */
export function compileSort(spec: Doc, collation?: Collation): (a: Doc, b: Doc) => number {
  const { keyOf, compare } = compileOrder(spec, collation);
  const keys = new WeakMap<Doc, Value[]>();
  const known = (doc: Doc): Value[] => {
    let key = keys.get(doc);
    if (!key) keys.set(doc, (key = keyOf(doc)));
    return key;
  };
  return (a, b) => compare(known(a), known(b));
}

const leastKey = (keys: Value[][], compare: (a: Value[], b: Value[]) => number): Value[] =>
  keys.reduce((least, key) => (compare(key, least) < 0 ? key : least));

function sortKeys(doc: Doc, paths: string[]): Value[][] {
  try {
    return indexKeys(doc, paths);
  } catch (error) {
    if (error instanceof MongoError && error.code === 171)
      throw new MongoError(2, 'cannot sort with keys that are parallel arrays');
    throw error;
  }
}

/** The names on the paths, level by level; null where a path ends. */
type PathTree = Map<string, PathTree | null>;

function pathTree(paths: string[]): PathTree {
  const root: PathTree = new Map();
  for (const path of paths) {
    const parts = pathParts(path);
    let at: PathTree = root;
    for (const [i, part] of parts.entries()) {
      const next: PathTree | null = at.get(part) ?? (i === parts.length - 1 ? null : new Map());
      at.set(part, next);
      if (!next) break;
      at = next;
    }
  }
  return root;
}

/** The document without what is not on a path: scalars in an array along the way are dropped, and shift the positions of what follows. */
function onPaths(value: Value, tree: PathTree | null): Value {
  if (!tree) return value;
  if (isArray(value)) return value.filter((item) => isDoc(item) || isArray(item)).map((item) => onPaths(item, tree));
  if (!isDoc(value)) return undefined;
  const out: Doc = {};
  for (const [name, below] of tree) if (Object.hasOwn(value, name)) out[name] = onPaths(value[name], below);
  return out;
}

/** The values at the paths, if none of them meets an array. */
function plainKey(doc: Doc, paths: string[]): Value[] | undefined {
  const key: Value[] = [];
  for (const path of paths) {
    let value: Value = doc;
    for (const part of pathParts(path)) {
      value = child(value, part);
      if (isArray(value)) return undefined;
    }
    key.push(value);
  }
  return key;
}
