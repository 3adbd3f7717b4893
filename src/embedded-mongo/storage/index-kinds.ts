/**
 * The kinds of index besides the ordinary one. A hashed index is an ordinary one that knows equality only. The others are kept, shown and asked for
 * as by a mongod, and refuse what cannot be indexed, but have no entries: no search is faster by them.
 */
import { bsonTypeName, int, isArray, isDoc, isNumber, isString, toDouble, type Doc, type Value } from '../values/bson-types'; // prettier-ignore
import { fail, unsupported } from '../errors';
import { checkFlatPoint, checkIndexable } from '../values/geometry';
import { getPath } from '../values/paths';
import { shellText } from '../values/shell-text';

export type IndexKind = 'ordinary' | 'hashed' | '2dsphere' | '2d' | 'text' | 'wildcard';

const PLUGINS = ['text', '2d', '2dsphere', 'geoHaystack', 'hashed', 'columnstore', 'wildcard'];
const OPTIONS: Partial<Record<IndexKind, string[]>> = {
  '2d': ['bits', 'min', 'max'],
  '2dsphere': ['2dsphereIndexVersion'],
  text: ['weights', 'default_language', 'language_override', 'textIndexVersion'],
  wildcard: ['wildcardProjection'],
};
const LANGUAGES = ['english', 'en', 'none'];

const isWildcard = (path: string): boolean => path === '$**' || path.endsWith('.$**');

export function kindOf(key: Doc): IndexKind {
  const special = Object.values(key).find(isString);
  if (special !== undefined) return special as IndexKind;
  return Object.keys(key).some(isWildcard) ? 'wildcard' : 'ordinary';
}

/** Whether a path of a key is right for a kind that gives it a meaning of its own. @throws for a kind that is not here */
export function isOfKind(path: string, direction: Value): boolean {
  if (isString(direction)) {
    if (!PLUGINS.includes(direction)) fail(67, `Unknown index plugin '${direction}'`);
    if (direction === 'geoHaystack' || direction === 'columnstore') throw unsupported(`${direction} indexes`);
    return true;
  }
  return isWildcard(path);
}

/** Whether an option belongs to the kind of the index. */
export const isOptionOf = (option: string, key: Doc): boolean => OPTIONS[kindOf(key)]?.includes(option) ?? false;

/** What an index of a kind shows besides what all show. */
export function describeKind(spec: Doc, described: Doc): Doc {
  const key = described.key as Doc;
  const kind = kindOf(key);
  if (kind === 'ordinary') return described;
  if (described.unique && kind === 'hashed') fail(16764, 'Currently hashed indexes cannot guarantee uniqueness. Use a regular index.'); // prettier-ignore
  if (described.unique || (described.expireAfterSeconds !== undefined && kind !== 'hashed'))
    fail(67, `Index type '${kind}' does not support the unique and expireAfterSeconds options`);
  if ((kind === 'text' || kind === '2d') && described.collation)
    fail(67, `Index type '${kind}' does not support collation: ${shellText(described.collation)}`);
  if (kind === '2dsphere') return { ...described, '2dsphereIndexVersion': int(3) };
  if (kind === 'text') return describeText(spec, described);
  const given = (OPTIONS[kind] ?? []).filter((option) => spec[option] !== undefined);
  return { ...described, ...Object.fromEntries(given.map((option) => [option, spec[option]])) };
}

/** The fields that have text become one, with their weights beside it. */
function describeText(spec: Doc, described: Doc): Doc {
  const key: Doc = {};
  const weights: Doc = {};
  for (const [path, direction] of Object.entries(described.key as Doc)) {
    if (direction === 'text' && path !== '_fts') weights[path] = int(1);
    if (direction === 'text') Object.assign(key, { _fts: 'text', _ftsx: int(1) });
    else if (path !== '_ftsx') key[path] = direction;
  }
  if (spec.weights !== undefined && !isDoc(spec.weights))
    fail(67, `text index option 'weights' must be an object, and not ${bsonTypeName(spec.weights)}`);
  for (const [path, weight] of Object.entries(spec.weights ?? {})) {
    if (!isNumber(weight) || !(toDouble(weight) >= 1 && toDouble(weight) < 99_999)) fail(67, 'text index weight must be in the exclusive interval (0,99999)'); // prettier-ignore
    weights[path] = weight;
  }
  const { default_language = 'english', language_override = 'language' } = spec;
  checkLanguage(default_language);
  const sorted = Object.fromEntries(Object.entries(weights).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { ...described, key, weights: sorted, default_language, language_override, textIndexVersion: int(3) };
}

export function checkLanguage(language: Value): void {
  if (!isString(language)) return fail(14, `a language has to be a string, and not ${bsonTypeName(language)}`);
  if (!LANGUAGES.includes(language)) throw unsupported(`text in the language '${language}'`);
}

/** @throws for a document that an index of a kind without entries refuses */
export function checkForKind({ key, language_override: override, min, max }: Doc, doc: Doc): void {
  for (const [path, kind] of Object.entries(key as Doc)) {
    if (kind === '2dsphere') checkIndexable(getPath(doc, path));
    if (kind === '2d') checkFlatPoint(getPath(doc, path), min === undefined ? min : toDouble(min), max === undefined ? max : toDouble(max)); // prettier-ignore
    if (kind === 'text' && isString(doc[override as string])) checkLanguage(doc[override as string]);
  }
}

/** @throws for a document that a hashed index refuses */
export function checkHashable(key: Doc, doc: Doc): void {
  for (const [path, kind] of Object.entries(key))
    if (kind === 'hashed' && isArray(getPath(doc, path)))
      fail(16766, `Error: hashed indexes do not currently support array values. Found array at path: ${path}`);
}
