/**
 * Sorting: `compileSort` makes a comparator of a sort specification. A document sorts by its smallest key (largest, descending) as an index on the
 * same fields would give them, so an array counts by its least or greatest element, and an empty one comes before null.
 */
import { isDoc, isNumber, toDouble, type Doc, type Value } from './bson-types';
import { type Collation } from './collation';
import { MongoError, unsupported } from './errors';
import { indexKeys } from './keys';
import { compareValues } from './values';

/** Throws 2 (or the code given, for `$sort` stages) unless each direction is 1 or -1. */
export function sortDirections(spec: Doc, code = 2): number[] {
  return Object.entries(spec).map(([path, direction]) => {
    if (isDoc(direction) && '$meta' in direction) throw unsupported('$meta in sorts');
    if (path === '' || path.split('.').includes(''))
      throw new MongoError(code, 'FieldPath field names may not be empty strings.');
    if (path.startsWith('$')) throw new MongoError(code, 'FieldPath field names may not start with $.');
    const n = isNumber(direction) ? toDouble(direction) : NaN;
    if (n !== 1 && n !== -1) throw new MongoError(code, `bad sort specification for '${path}'`);
    return n;
  });
}

export function compileSort(spec: Doc, collation?: Collation): (a: Doc, b: Doc) => number {
  const paths = Object.keys(spec);
  const directions = sortDirections(spec);
  const compareKeys = (a: Value[], b: Value[]): number => {
    for (let i = 0; i < directions.length; i += 1) {
      const c = compareValues(a[i], b[i], collation);
      if (c !== 0) return c * directions[i]!;
    }
    return 0;
  };
  // a document's key is made once, however often it is compared
  const keys = new WeakMap<Doc, Value[]>();
  const keyOf = (doc: Doc): Value[] => {
    let key = keys.get(doc);
    if (!key) keys.set(doc, (key = leastKey(indexKeys(doc, paths), compareKeys)));
    return key;
  };
  return (a, b) => compareKeys(keyOf(a), keyOf(b));
}

const leastKey = (keys: Value[][], compare: (a: Value[], b: Value[]) => number): Value[] =>
  keys.reduce((least, key) => (compare(key, least) < 0 ? key : least));
