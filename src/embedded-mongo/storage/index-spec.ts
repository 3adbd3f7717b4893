/**
 * Index specifications as `createIndexes` gets them and `listIndexes` shows them: what is valid, what is refused, and when two of them are the same.
 */
import { Double, Int32 } from 'bson';
import { bsonTypeName, int, isArray, isDoc, isNumber, isString, toDouble, truthy, type Doc, type Value } from '../values/bson-types'; // prettier-ignore
import { parseCollation, type Collation } from '../values/collation';
import { describeKind, isOfKind, isOptionOf, kindOf, type IndexKind } from './index-kinds';
import { fail, unsupported } from '../errors';
import { compileFilter } from '../filters/match';
import { equalValues } from '../values/values';

export interface IndexSpec {
  name: string;
  key: Doc;
  paths: string[];
  /** Of each path, whether its greatest value comes first. */
  descending: boolean[];
  unique: boolean;
  sparse: boolean;
  hidden: boolean;
  partial: Doc | undefined;
  collation: Collation | undefined;
  expireAfterSeconds: number | undefined;
  kind: IndexKind;
  /** It has no entries, so no search can use it. */
  isInert: boolean;
  /** As `listIndexes` shows it; what is kept on disk. */
  described: Doc;
}

const OPTIONS = [
  'v', 'key', 'name', 'ns', 'unique', 'sparse', 'background', 'partialFilterExpression', 'expireAfterSeconds', 'collation', 'hidden', 'dropDups', 'comment',
]; // prettier-ignore
/** Options of other kinds of index, or of none that exists here. */
const OTHER_KINDS = [
  'weights', 'default_language', 'language_override', 'textIndexVersion', 'bits', 'min', 'max', 'bucketSize',
  'storageEngine', 'wildcardProjection', 'columnstoreProjection', 'clustered', 'prepareUnique', '2dsphereIndexVersion',
]; // prettier-ignore

/** `fallback` is the collection's own collation, which an index takes over. */
export function parseIndexSpec(spec: Value, fallback?: Collation): IndexSpec {
  if (!isDoc(spec))
    return fail(14, `The elements of the 'indexes' array must be objects, but got ${bsonTypeName(spec)}`);
  const { key, name } = spec;
  if (!('key' in spec)) fail(9, "The 'key' field is a required property of an index specification");
  if (!isDoc(key)) return fail(14, `The field 'key' must be an object, but got ${bsonTypeName(key)}`);
  if (!('name' in spec)) fail(9, "The 'name' field is a required property of an index specification");
  if (!isString(name)) return fail(14, `The field 'name' must be a string, but got ${bsonTypeName(name)}`);
  if (name === '' || name === '*') fail(67, `The index name '${name}' is not valid`);
  checkKey(key);
  for (const option of Object.keys(spec)) checkOption(option, spec);
  const isId = Object.keys(key).length === 1 && '_id' in key;
  const collation = 'collation' in spec ? collationOf(spec.collation) : fallback;
  const described: Doc = { v: int(2), key, name: isId && toDouble(key._id) === 1 ? '_id_' : name };
  if (truthy(spec.unique) && !isId) described.unique = true;
  if (truthy(spec.sparse)) described.sparse = true;
  if (truthy(spec.background)) described.background = spec.background;
  if (truthy(spec.hidden)) described.hidden = true;
  if (spec.partialFilterExpression !== undefined) described.partialFilterExpression = spec.partialFilterExpression;
  if (spec.expireAfterSeconds !== undefined) described.expireAfterSeconds = wholeSeconds(spec.expireAfterSeconds);
  if (collation) described.collation = collation.spec;
  return readDescribed(describeKind(spec, described), collation);
}

/** The same, of what was kept on disk. */
export function readDescribed(described: Doc, collation = parseCollation(described.collation as Doc)): IndexSpec {
  const key = described.key as Doc;
  const kind = kindOf(key);
  return {
    name: described.name as string,
    key,
    kind,
    isInert: kind !== 'ordinary' && kind !== 'hashed',
    paths: Object.keys(key),
    descending: Object.values(key).map((direction) => isNumber(direction) && toDouble(direction) < 0),
    unique: described.unique === true || described.name === '_id_',
    sparse: described.sparse === true,
    hidden: described.hidden === true,
    partial: described.partialFilterExpression as Doc | undefined,
    collation,
    expireAfterSeconds: described.expireAfterSeconds === undefined ? undefined : toDouble(described.expireAfterSeconds),
    described,
  };
}

function collationOf(spec: Value): Collation | undefined {
  if (!isDoc(spec)) return fail(14, `The field 'collation' must be an object, but got ${bsonTypeName(spec)}`);
  if (!('locale' in spec)) fail(4, "failed to add collation information to index spec: Missing expected field \"locale\""); // prettier-ignore
  return parseCollation(spec);
}

const wholeSeconds = (seconds: Value): Value =>
  seconds instanceof Double && Number.isInteger(seconds.value) && Math.abs(seconds.value) < 2 ** 31 ? new Int32(seconds.value) : seconds; // prettier-ignore

function checkKey(key: Doc): void {
  const paths = Object.keys(key);
  if (paths.length === 0) fail(67, 'Index keys cannot be empty.');
  if (paths.length > 32) fail(13103, 'too many compound keys');
  for (const path of paths) {
    const direction = key[path];
    if (path === '' || path.split('.').includes('')) fail(67, 'Index keys cannot contain an empty field.');
    if (isOfKind(path, direction)) continue;
    if (path.split('.').some((part) => part.startsWith('$') && !['$id', '$ref', '$db'].includes(part)))
      fail(67, `Index key contains an illegal field name: field name starts with '$'.`);
    if (!isNumber(direction)) fail(67, `Values in v:2 index key pattern cannot be of type ${bsonTypeName(direction)}. Only numbers > 0, numbers < 0, and strings are allowed.`); // prettier-ignore
    const n = toDouble(direction);
    if (n === 0 || Number.isNaN(n)) fail(67, 'Values in the index key pattern cannot be 0.');
  }
}

const BOOLEANS = ['unique', 'sparse', 'hidden', 'background', 'dropDups'];

function checkOption(option: string, spec: Doc): void {
  const value = spec[option];
  const type = bsonTypeName(value);
  if (isOptionOf(option, spec.key as Doc)) return;
  if (OTHER_KINDS.includes(option)) throw unsupported(`the index option '${option}'`);
  if (!OPTIONS.includes(option)) fail(197, `The field '${option}' is not valid for an index specification.`);
  if (BOOLEANS.includes(option) && typeof value !== 'boolean' && !isNumber(value))
    fail(14, `The field '${option}' has value ${option}: ${type}, which is not convertible to bool`);
  const onId = Object.keys(spec.key as Doc).length === 1 && '_id' in (spec.key as Doc);
  if (onId && ['sparse', 'partialFilterExpression', 'expireAfterSeconds', 'hidden'].includes(option) && value !== false)
    fail(option === 'hidden' ? 2 : option === 'sparse' ? 197 : 67, `The field '${option}' is not valid for an _id index specification.`); // prettier-ignore
  if (option === 'v' && toDouble(value) !== 2) {
    if (toDouble(value) === 1) throw unsupported('index version 1');
    fail(67, `Invalid index specification: cannot create an index with version ${toDouble(value)}`);
  }
  if (option === 'expireAfterSeconds') checkExpiry(value, spec.key as Doc);
  if (option === 'partialFilterExpression') checkPartial(value, truthy(spec.sparse));
}

function checkExpiry(seconds: Value, key: Doc): void {
  if (!isNumber(seconds)) fail(67, `TTL index 'expireAfterSeconds' option must be numeric, but received a type of ${bsonTypeName(seconds)}`); // prettier-ignore
  const n = toDouble(seconds);
  if (!(n >= 0 && n <= 2147483647)) fail(67, `TTL index 'expireAfterSeconds' option must be within an acceptable range, try a different number than ${n}`); // prettier-ignore
  if (Object.keys(key).length > 1)
    fail(67, 'TTL indexes are single-field indexes, compound indexes do not support TTL.');
}

const PARTIAL_OPERATORS = ['$eq', '$in', '$lt', '$lte', '$gt', '$gte', '$exists', '$type'];

function checkPartial(filter: Value, sparse: boolean): void {
  if (!isDoc(filter))
    return fail(14, `The field 'partialFilterExpression' must be an object, but got ${bsonTypeName(filter)}`);
  if (sparse) fail(67, 'cannot mix "partialFilterExpression" and "sparse" options');
  compileFilter(filter);
  checkPartialFilter(filter);
}

function checkPartialFilter(filter: Doc): void {
  for (const [name, arg] of Object.entries(filter)) {
    if (name === '$and' || name === '$or') for (const each of arg as Doc[]) checkPartialFilter(each);
    else if (name.startsWith('$')) fail(67, `unsupported expression in partial index: ${name}`);
    else if (isDoc(arg) && Object.keys(arg)[0]?.startsWith('$')) {
      for (const operator of Object.keys(arg)) {
        if (!PARTIAL_OPERATORS.includes(operator) || (operator === '$exists' && !truthy(arg[operator])))
          fail(67, `unsupported expression in partial index: ${operator}`);
      }
    }
  }
}

const sameOptional = (a: Value, b: Value): boolean => equalValues(a, b);

/** How a new specification stands to one that exists; those of the same identity would hold the same entries. */
export function compareSpecs(a: IndexSpec, b: IndexSpec): 'different' | 'equivalent' | 'identical' {
  const identity =
    equalValues(a.key, b.key) &&
    sameOptional(a.collation?.spec, b.collation?.spec) &&
    sameOptional(a.partial, b.partial) &&
    sameOptional(a.described.weights, b.described.weights) &&
    a.unique === b.unique &&
    a.sparse === b.sparse;
  if (!identity) return 'different';
  return a.expireAfterSeconds === b.expireAfterSeconds ? 'identical' : 'equivalent';
}

/** The existing index that makes building `spec` unnecessary. @throws 85 or 86 for one in its way */
export function existingIndex(spec: IndexSpec, existing: IndexSpec[]): IndexSpec | undefined {
  for (const other of existing) {
    const comparison = compareSpecs(spec, other);
    if (other.name === spec.name) {
      if (comparison === 'identical') return other;
      if (comparison === 'different')
        fail(86, `An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. Requested index: ${spec.name}, existing index: ${other.name}`); // prettier-ignore
      fail(85, `An equivalent index already exists with the same name but different options. Requested index: ${spec.name}, existing index: ${other.name}`); // prettier-ignore
    }
  }
  const text = existing.find(({ kind }) => kind === 'text' && spec.kind === 'text');
  if (text) fail(67, `only one text index per collection allowed, found existing text index "${text.name}"`);
  for (const other of existing) {
    const comparison = compareSpecs(spec, other);
    if (comparison === 'different') continue;
    if (other.name === '_id_') return other;
    fail(85, `Index already exists with a different name${comparison === 'equivalent' ? ' and different options' : ''}: ${other.name}`); // prettier-ignore
  }
  return undefined;
}

/** By name, or by key. */
export function findIndex<I extends { spec: IndexSpec }>(indexes: I[], hint: Value): I | undefined {
  if (isString(hint)) return indexes.find(({ spec }) => spec.name === hint);
  return isDoc(hint) && !isArray(hint) ? indexes.find(({ spec }) => equalValues(spec.key, hint)) : undefined;
}
