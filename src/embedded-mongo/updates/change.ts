/**
 * How one change of an update reaches its place: `changeAt` copies the documents and arrays on the path, and nothing else, so that the stored
 * document stays as it was.
 */
import { isArray, isDoc, type Doc, type Value } from '../values/bson-types';
import { type Collation } from '../values/collation';
import { MongoError } from '../errors';
import { child, isIndex } from '../values/paths';

export interface UpdateOptions {
  filter: Doc;
  arrayFilters?: Doc[];
  variables?: Doc;
  collation?: Collation;
  now?: Date;
  upsert?: boolean;
}

export interface Change {
  /** Whether it makes the path if there is none; others leave such a document alone. */
  creates: boolean;
  /** The new value: the same object means no change, `undefined` removes the field. `place` is for messages. */
  apply: (old: Value, place: Place) => Value;
  /** For changes that involve more than their own path. */
  whole?: (doc: Doc) => Doc;
  /** What it adds to an array comes at the end, and is told as such. */
  appends?: boolean;
}
export interface Place {
  /** The document before the update. */
  doc: Doc;
  field: string;
}

/** How messages name a document. */
export const idOf = ({ doc }: { doc: Doc }): string => `{_id: ${JSON.stringify(doc._id ?? null)}}`;

const REFERENCE = ['$ref', '$id', '$db'];
/** mongod's limit for filling an array with nulls up to a position. */
const MAX_PADDING = 1_500_000;

/**
 * A copy of `holder` with the value at `parts` changed, or `holder` itself if there is nothing to change; `isCopy`: it is a copy already, made for this
 * update, and its fields may be set.
 */
export function changeAt(
  holder: Value,
  parts: string[],
  apply: Change['apply'],
  { creates, doc, at = 0, isCopy = false }: { creates: boolean; doc: Doc; at?: number; isCopy?: boolean },
): Value {
  const part = parts[at]!;
  if (!isDoc(holder) && !(isArray(holder) && isIndex(part))) {
    if (!creates) return holder;
    throw new MongoError(28, `Cannot create field '${part}' in element {${parts[at - 1]}: ${JSON.stringify(holder)}}`);
  }
  const old = child(holder, part);
  if (old === undefined && !creates) return holder;
  if (old === undefined && part.startsWith('$') && !REFERENCE.includes(part)) {
    throw new MongoError(
      52,
      `The dollar ($) prefixed field '${part}' in '${parts.join('.')}' is not valid for storage.`,
    );
  }
  const last = at === parts.length - 1;
  const next = last
    ? apply(old, { doc, field: part })
    : changeAt(old === undefined ? {} : old, parts, apply, { creates, doc, at: at + 1 });
  if (next === old) return holder;
  if (isArray(holder)) return withElement(holder, Number(part), next);
  if (!isCopy || next === undefined) return withField(holder, part, next);
  holder[part] = next;
  return holder;
}

function withElement(array: Value[], index: number, value: Value): Value[] {
  if (index > array.length + MAX_PADDING)
    throw new MongoError(2, `can't backfill more than ${MAX_PADDING} elements in an array`);
  const copy = array.slice();
  while (copy.length < index) copy.push(null);
  // an element that is unset leaves null, so that the others keep their positions
  copy[index] = value === undefined ? null : value;
  return copy;
}

function withField(doc: Doc, field: string, value: Value): Doc {
  if (value !== undefined) return { ...doc, [field]: value };
  const { [field]: _removed, ...rest } = doc;
  return rest;
}
