/**
 * Paths through documents: splitting them, reading a field, and the keys that a document has in an index or a sort.
 *
 * `indexKeys` follows mongod's key generator: an array gives one key for each element (and an empty one the key `undefined`), several paths
 * through the same array go through it together, two different arrays are refused, a missing field is null.
 */
import { isArray, isDoc, type Doc, type Value } from './bson-types';
import { MongoError } from '../errors';
import { checkFieldName } from './field-names';

const split = new Map<string, string[]>();

/** The parts of a dotted path; remembered, since a few paths come again and again. */
export function pathParts(path: string): string[] {
  let parts = split.get(path);
  if (!parts) {
    if (split.size > 10_000) split.clear();
    checkFieldName(path);
    parts = path.split('.');
    split.set(path, parts);
  }
  return parts;
}

export const isIndex = (part: string): boolean => /^(0|[1-9]\d{0,9})$/.test(part);

/** A field of a document or an element of an array; never something inherited. */
export function child(holder: Value, part: string): Value {
  if (isArray(holder)) return isIndex(part) ? holder[Number(part)] : undefined;
  return isDoc(holder) && Object.hasOwn(holder, part) ? holder[part] : undefined;
}

/** The value at a path through documents only: for paths that cannot meet arrays, and for `_id`. */
export function getPath(doc: Doc, path: string): Value {
  return pathParts(path).reduce<Value>(child, doc);
}

interface Field {
  /** How many parts of the path have been followed. */
  at: number;
  parts: string[];
  value: Value;
  done: boolean;
}

export function indexKeys(doc: Doc, paths: string[]): Value[][] {
  const fields = paths.map((path) => ({ at: 0, parts: pathParts(path), value: undefined, done: false }));
  return expand(fields, doc);
}

function expand(fields: Field[], holder: Value): Value[][] {
  let array: Value[] | undefined;
  const next = fields.map((field) => {
    if (field.done) return field;
    const reached = follow(field, holder);
    if (!isArray(reached.value)) return { ...reached, value: reached.value ?? null, done: true };
    if (array && array !== reached.value) throw new MongoError(171, 'cannot index parallel arrays');
    array = reached.value;
    return reached;
  });
  if (!array) return [next.map((field) => field.value)];
  const elements: Value[] = array.length === 0 ? [undefined] : array;
  return elements.flatMap((element) =>
    expand(
      next.map((field) => intoElement(field, element)),
      element,
    ),
  );
}

/** Follows a path through documents (and a numeric part into an array) as far as the next array. */
function follow(field: Field, holder: Value): Field {
  let { at } = field;
  let value: Value = holder;
  while (at < field.parts.length) {
    value = isDoc(value) ? child(value, field.parts[at]!) : undefined;
    at += 1;
    while (isArray(value) && at < field.parts.length && isPosition(value, field.parts[at]!)) {
      value = value[Number(field.parts[at])];
      at += 1;
    }
    if (isArray(value)) break;
  }
  return { ...field, at, value };
}

/** A numeric part means a position unless an element has a field of that name. */
const isPosition = (array: Value[], part: string): boolean =>
  isIndex(part) && !array.some((element) => isDoc(element) && Object.hasOwn(element, part));

function intoElement(field: Field, element: Value): Field {
  if (field.done) return field;
  return field.at === field.parts.length ? { ...field, value: element, done: true } : field;
}
