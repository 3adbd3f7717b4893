/**
 * One index of a collection: the sorted entries of its records' versions, and what it refuses. Some kinds only refuse (index-kinds.ts).
 *
 * An entry stands for every version of a record that some view may still see; so whoever finds a record here looks at the version that the view sees
 * (and whether that one has the key) before believing it. With a collation the entries tell equality only, not order.
 */
import { isArray, isDoc, type Doc, type Value } from '../values/bson-types';
import { MongoError } from '../errors';
import { checkForKind, checkHashable } from './index-kinds';
import { indexKeys, pathParts } from '../values/paths';
import { type IndexSpec } from './index-spec';
import { compileFilter } from '../filters/match';
import { shellText } from '../values/shell-text';
import { SortedEntries } from './sorted-entries';
import { encodeKey, reversed } from '../values/values';
import { conflict, writeConflict, type Rec, type Writer } from './versions';

export class CollectionIndex {
  readonly entries = new SortedEntries<Rec>();
  /** The positions of the paths that have met an array in some document: with two of them, bounds on both do not hold together. */
  readonly multikey = new Set<number>();
  /** How often a query has used it, since then. */
  uses = 0;
  readonly since = new Date();
  private readonly accepts: ((doc: Doc) => boolean) | undefined;
  /** The top-level fields on which the keys depend. */
  private readonly fields: string[];
  private readonly parts: string[][];

  constructor(readonly spec: IndexSpec) {
    this.accepts = spec.partial && compileFilter(spec.partial, spec.collation ? { collation: spec.collation } : {});
    this.parts = spec.paths.map(pathParts);
    this.fields = [...new Set([...spec.paths, ...fieldsOf(spec.partial)].map((path) => pathParts(path)[0]!))];
  }

  /** Whether two versions certainly have the same keys: updates share what they do not change. */
  unchanged(a: Doc, b: Doc): boolean {
    for (const field of this.fields) if (a[field] !== b[field]) return false;
    return true;
  }

  keysOf(doc: Doc): string[] {
    if (!this.takes(doc)) return [];
    const plain = this.plainKey(doc);
    if (plain !== undefined) return [plain];
    return this.elementKeys(doc) ?? this.valuesOf(doc).map((values) => this.encode(values));
  }

  /** The only key, if no path meets an array. */
  private plainKey(doc: Doc): string | undefined {
    let key = '';
    for (let i = 0; i < this.parts.length; i += 1) {
      const value = upToArray(doc, this.parts[i]!);
      if (isArray(value)) return undefined;
      key += this.encodeAt(i, value ?? null);
    }
    return key;
  }

  encode(values: Value[]): string {
    let key = '';
    for (let i = 0; i < values.length; i += 1) key += this.encodeAt(i, values[i]);
    return key;
  }

  /** The part of a key that stands for the value at the path `i`. */
  encodeAt(i: number, value: Value): string {
    const key = encodeKey(value, this.spec.collation);
    return this.spec.descending[i] ? reversed(key) : key;
  }

  /** Whether a document has keys here at all. @throws if it may not be indexed */
  private takes(doc: Doc): boolean {
    const { sparse, isInert, kind, key, described } = this.spec;
    if (this.accepts && !this.accepts(doc)) return false;
    if (isInert) {
      checkForKind(described, doc);
      return false;
    }
    if (kind === 'hashed') checkHashable(key, doc);
    return !sparse || this.parts.some((parts) => reaches(doc, parts, 0));
  }

  private valuesOf(doc: Doc): Value[][] {
    this.parts.forEach((parts, i) => {
      if (isArray(upToArray(doc, parts))) this.multikey.add(i);
    });
    return indexKeys(doc, this.spec.paths);
  }

  /** One key for each element, if one field is an array and no other path meets one. */
  private elementKeys(doc: Doc): string[] | undefined {
    let array: Value[] | undefined;
    let at = 0;
    let [before, behind] = ['', ''];
    for (let i = 0; i < this.parts.length; i += 1) {
      const value = upToArray(doc, this.parts[i]!);
      if (isArray(value)) {
        if (array || this.parts[i]!.length > 1) return undefined;
        array = value;
        at = i;
      } else if (array) behind += this.encodeAt(i, value ?? null);
      else before += this.encodeAt(i, value ?? null);
    }
    if (!array) return undefined;
    this.multikey.add(at);
    const elements: Value[] = array.length === 0 ? [undefined] : array;
    return elements.map((element) => before + this.encodeAt(at, element) + behind);
  }

  add(rec: Rec, keys: string[]): void {
    for (const key of keys) this.entries.add(key, rec);
  }

  /** Takes out the keys of a version that is gone, except those that the record's other versions have. */
  remove(rec: Rec, doc: Doc, others: Doc[]): void {
    for (const other of others) if (this.unchanged(doc, other)) return;
    const keys = this.keysOf(doc);
    if (keys.length === 0) return;
    const kept = new Set(others.flatMap((other) => this.keysOf(other)));
    for (const key of keys) if (!kept.has(key)) this.entries.delete(key, rec);
  }

  /** @throws DuplicateKey if another record has one of the `keys` of `doc`, WriteConflict or Blocked if that is yet undecided */
  checkUnique(rec: Rec | undefined, doc: Doc, keys: string[], writer: Writer, namespace: string): void {
    if (!this.spec.unique) return;
    for (const key of keys) {
      this.entries.each(key, key + '\0', (_key, other) => {
        if (other !== rec) this.checkHolder(other, key, doc, writer, namespace);
        return false;
      });
    }
  }

  /** @throws unless `other`, which has or had the key, leaves it free for `writer` */
  checkHolder(other: Rec, key: string, doc: Doc, writer: Writer, namespace: string): void {
    const has = (found: Doc | undefined): boolean => found !== undefined && this.keysOf(found).includes(key);
    const { head } = other;
    if (!head) return;
    if (head.writer && head.writer !== writer) {
      let version: typeof head | undefined = head;
      // the versions that decide: the pending ones, and the committed one below them
      for (; version; version = version.writer ? version.previous : undefined)
        if (has(version.doc)) throw conflict(writer, head.writer);
      return;
    }
    if (has(head.doc)) {
      if (!head.writer && head.time > writer.time) throw writeConflict();
      throw duplicateKey(this, key, doc, namespace);
    }
    if (!head.writer && head.time > writer.time) throw writeConflict();
  }

  duplicateValues(doc: Doc, key: string): Value[] {
    return this.valuesOf(doc).find((values) => this.encode(values) === key) ?? [];
  }
}

export function duplicateKey(index: CollectionIndex, key: string, doc: Doc, namespace: string): MongoError {
  const { key: keyPattern, paths, name } = index.spec;
  const values = index.duplicateValues(doc, key);
  const keyValue = Object.fromEntries(paths.map((path, i) => [path, values[i] ?? null]));
  const text = `E11000 duplicate key error collection: ${namespace} index: ${name} dup key: ${shellText(keyValue)}`;
  return new MongoError(11000, text, { keyPattern, keyValue });
}

/** What the path leads to through documents only, or the first array that it meets. */
function upToArray(doc: Doc, parts: string[]): Value {
  let value: Value = doc;
  for (const part of parts) {
    value = isDoc(value) && Object.hasOwn(value, part) ? value[part] : undefined;
    if (isArray(value)) break;
  }
  return value;
}

/** Whether the path leads to a value at all, through arrays too: what a sparse index asks. */
function reaches(value: Value, parts: string[], at: number): boolean {
  if (at === parts.length) return value !== undefined;
  if (isArray(value)) return value.some((item) => isDoc(item) && reaches(item, parts, at)) || (/^\d+$/.test(parts[at]!) && reaches(value[Number(parts[at])], parts, at + 1)); // prettier-ignore
  return isDoc(value) && Object.hasOwn(value, parts[at]!) && reaches(value[parts[at]!], parts, at + 1);
}

function fieldsOf(filter: Doc | undefined): string[] {
  return Object.entries(filter ?? {}).flatMap(([name, arg]) =>
    name.startsWith('$') ? (arg as Doc[]).flatMap(fieldsOf) : [name],
  );
}
