/**
 * `$near`, `$nearSphere` and the stage `$geoNear`: what lies around a point, the nearest first. The search goes through what the rest of the filter
 * finds and measures each; an index is asked for, as in a mongod, and does not make it faster. On a 2d index `$near` measures on the flat.
 */
import { angle, EARTH_RADIUS, pair, pointOf, type Point } from '../values/geometry';
import { getPath } from '../values/paths';
import { isArray, isDoc, isNumber, isString, toDouble, type Doc, type Value } from '../values/bson-types';
import { withPath } from '../aggregation/stages-shape';
import { type Collection } from '../storage/collection';
import { type IndexKind } from '../storage/index-kinds';
import { MongoError, unsupported } from '../errors';

export interface Near {
  /** The filter without it. */
  rest: Doc;
  path: string;
  /** The kinds of index of which there has to be one. */
  kinds: IndexKind[];
  /** In metres; where the point was given as a pair, in radians or, on the flat, in its units; undefined for a document without a point, or out of the limits. */
  distance(this: void, doc: Doc): number | undefined;
}

const OPERATORS = ['$near', '$nearSphere'];
const LIMITS = ['$minDistance', '$maxDistance'];
const bad = (message: string, code = 2): MongoError => new MongoError(code, message);

/** What the filter says of distances; undefined if nothing. */
export function nearOf(filter: Doc): Near | undefined {
  for (const [path, condition] of Object.entries(filter)) {
    const name = isDoc(condition) ? OPERATORS.find((each) => each in condition) : undefined;
    if (!name || path.startsWith('$')) continue;
    const { [name]: arg, ...others } = condition as Doc;
    const kept = Object.fromEntries(Object.entries(others).filter(([key]) => !LIMITS.includes(key)));
    const { [path]: _near, ...rest } = filter;
    const whole = isDoc(arg) && '$geometry' in arg;
    const { $geometry, $minDistance, $maxDistance }: Doc = whole ? arg : { $geometry: arg, ...others };
    const way: Way = whole ? 'metres' : name === '$near' ? 'flat' : 'radians';
    const distance = measure(path, $geometry, way, $minDistance, $maxDistance);
    return { rest: Object.keys(kept).length > 0 ? { ...rest, [path]: kept } : rest, path, kinds: KINDS[way], distance };
  }
  return undefined;
}

type Way = 'metres' | 'radians' | 'flat';
const KINDS: Record<Way, IndexKind[]> = { metres: ['2dsphere'], radians: ['2dsphere', '2d'], flat: ['2d'] };
const MEASURES: Record<Way, (a: Point, b: Point) => number> = {
  metres: (a, b) => angle(a, b) * EARTH_RADIUS,
  radians: angle,
  flat: ([ax, ay], [bx, by]) => Math.hypot(ax - bx, ay - by),
};

function measure(path: string, centre: Value, way: Way, least: Value, most: Value): Near['distance'] {
  const from =
    (way === 'metres' ? pointOf(centre) : pair(centre)) ?? fail('invalid point in geo near query $geometry argument');
  const [min, max] = [limit(least, '$minDistance', 0), limit(most, '$maxDistance', Infinity)];
  return (doc) => {
    const distances = pointsAt(doc, path).map((point) => MEASURES[way](from, point));
    const within = distances.filter((distance) => distance >= min && distance <= max);
    return within.length > 0 ? Math.min(...within) : undefined;
  };
}

const fail = (message: string): never => {
  throw bad(message);
};

function limit(value: Value, name: string, otherwise: number): number {
  if (value === undefined) return otherwise;
  const n = isNumber(value) ? toDouble(value) : NaN;
  return n >= 0 ? n : fail(`${name} must be non-negative`);
}

/** One point, or the points in an array. */
function pointsAt(doc: Doc, path: string): Point[] {
  const value = getPath(doc, path);
  const one = pointOf(value);
  if (one) return [one];
  if (isDoc(value) && isString(value.type)) throw unsupported(`distances to a ${value.type}`);
  return (isArray(value) ? value : []).map(pointOf).filter((point) => point !== undefined);
}

/** @throws 291 unless there is an index for it */
export function checkNearIndex(collection: Collection, { path, kinds }: Pick<Near, 'path' | 'kinds'>): void {
  if (!collection.indexes.some(({ spec }) => !spec.hidden && kinds.includes(spec.key[path] as IndexKind)))
    throw bad('error processing query: planner returned error :: caused by :: unable to find index for $geoNear query', 291); // prettier-ignore
}

/** The nearest first, of what has a distance. */
export function byDistance<T extends { doc: Doc }>(found: T[], { distance }: Near): T[] {
  const measured = found.flatMap((item) => {
    const away = distance(item.doc);
    return away === undefined ? [] : [{ item, away }];
  });
  return measured.sort((a, b) => a.away - b.away).map(({ item }) => item);
}

// -- $geoNear

const OPTIONS = ['near', 'distanceField', 'spherical', 'minDistance', 'maxDistance', 'query', 'includeLocs', 'key', 'distanceMultiplier']; // prettier-ignore

/** The stage as a filter, and what it adds to each document that the filter finds. */
export function geoNear(spec: Value, collection: Collection | undefined): { filter: Doc; shown: (doc: Doc) => Doc } {
  if (!isDoc(spec)) throw bad('$geoNear requires an object', 10065);
  const unknown = Object.keys(spec).find((key) => !OPTIONS.includes(key));
  if (unknown) throw bad(`Unknown argument to $geoNear: ${unknown}`, 40415);
  const { near, distanceField, minDistance, maxDistance, query = {}, includeLocs, distanceMultiplier = 1 } = spec;
  if (!isDoc(query)) throw bad('query must be an object');
  if (distanceField !== undefined && !isString(distanceField)) throw bad('$geoNear requires that the distanceField option is a String', 16606); // prettier-ignore
  const path = spec.key === undefined ? onlyGeoPath(collection) : isString(spec.key) ? spec.key : fail('$geoNear.key must be a string'); // prettier-ignore
  const limits = { ...(minDistance === undefined ? {} : { $minDistance: minDistance }), ...(maxDistance === undefined ? {} : { $maxDistance: maxDistance }) }; // prettier-ignore
  const isFlat = spec.spherical !== true && collection?.indexes.some((index) => index.spec.key[path] === '2d');
  const condition = isDoc(near) ? { $nearSphere: { $geometry: near, ...limits } } : { [isFlat ? '$near' : '$nearSphere']: near, ...limits }; // prettier-ignore
  const filter = path in query ? { $and: [query], [path]: condition } : { ...query, [path]: condition };
  const { distance } = nearOf(filter)!;
  const factor = isNumber(distanceMultiplier) ? toDouble(distanceMultiplier) : fail('distanceMultiplier must be a number'); // prettier-ignore
  const shown = (doc: Doc): Doc => {
    const measured = isString(distanceField) ? withPath(doc, distanceField, distance(doc)! * factor) : doc;
    return isString(includeLocs) ? withPath(measured, includeLocs, getPath(doc, path)) : measured;
  };
  return { filter, shown };
}

function onlyGeoPath(collection: Collection | undefined): string {
  const paths = (collection?.indexes ?? []).flatMap(({ spec }) =>
    spec.paths.filter((path) => ['2dsphere', '2d'].includes(spec.key[path] as string)),
  );
  if (new Set(paths).size > 1)
    throw bad('There is more than one 2d or 2dsphere index; unclear which to use for $geoNear', 27);
  if (paths.length === 0 && collection) throw bad('$geoNear requires a 2d or 2dsphere index, but none were found', 27);
  // of a collection that does not exist nothing is found, whatever the path
  return paths[0] ?? '_';
}
