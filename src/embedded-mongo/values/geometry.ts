/**
 * Points on the earth, as GeoJSON or as pairs of longitude and latitude, and the areas that a point may lie in. The earth is the sphere that MongoDB takes it
 * for; the edges of a polygon are arcs of great circles. Of other geometries this server knows the form only.
 */
import { isArray, isDoc, isNumber, isString, toDouble, type Doc, type Value } from './bson-types';
import { MongoError, unsupported } from '../errors';

/** Longitude and latitude in degrees, or x and y. */
export type Point = readonly [number, number];
type Vector = readonly [number, number, number];

/** In metres. */
export const EARTH_RADIUS = 6_378_100;
const TYPES = ['Point', 'LineString', 'Polygon', 'MultiPoint', 'MultiLineString', 'MultiPolygon', 'GeometryCollection'];

const bad = (message: string): MongoError => new MongoError(2, message);
const radians = (degrees: number): number => (degrees * Math.PI) / 180;

export function pair(value: Value): Point | undefined {
  const items = isArray(value) ? value : isDoc(value) ? Object.values(value) : [];
  const [x, y] = items;
  return items.length >= 2 && isNumber(x) && isNumber(y) ? [toDouble(x), toDouble(y)] : undefined;
}

const isOnEarth = ([x, y]: Point): boolean => Math.abs(x) <= 180 && Math.abs(y) <= 90;

/** The point that a stored value or an argument is. @returns undefined for what is none */
export function pointOf(value: Value): Point | undefined {
  if (isDoc(value) && isString(value.type)) return value.type === 'Point' ? pair(value.coordinates) : undefined;
  return pair(value);
}

/** A value that a 2dsphere index may hold. @throws 16755 */
export function checkIndexable(value: Value): void {
  if (value === undefined || value === null) return;
  if (isDoc(value) && isString(value.type)) {
    if (!TYPES.includes(value.type)) throw unindexable(`unknown GeoJSON type: ${value.type}`);
    if (value.type !== 'Point') return;
  }
  const point = pointOf(value);
  if (!point && isArray(value) && !value.some(isNumber)) {
    value.forEach(checkIndexable);
    return;
  }
  if (!point) throw unindexable('Point must only contain numeric elements');
  if (!isOnEarth(point)) throw unindexable(`longitude/latitude is out of bounds, lng: ${point[0]} lat: ${point[1]}`);
}

/** @throws for what a 2d index refuses: it takes pairs of numbers, and arrays of those */
export function checkFlatPoint(value: Value): void {
  if (value === undefined || value === null) return;
  if (isArray(value) && value.length > 0 && value.every((item) => isArray(item) || isDoc(item))) return value.forEach(checkFlatPoint); // prettier-ignore
  const point = pair(value);
  if (!point) throw new MongoError(13654, 'location object expected, location array not in correct format');
  if (point.some((n) => n < -180 || n > 180)) throw new MongoError(13027, 'point not in interval of [ -180, 180 ]');
}

const unindexable = (why: string): MongoError => new MongoError(16755, `Can't extract geo keys: ${why}`);

// -- on the sphere

function vector([longitude, latitude]: Point): Vector {
  const [l, b] = [radians(longitude), radians(latitude)];
  return [Math.cos(b) * Math.cos(l), Math.cos(b) * Math.sin(l), Math.sin(b)];
}
const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
const length = (a: Vector): number => Math.sqrt(dot(a, a));

/** The angle between two points, in radians. */
export function angle(a: Point, b: Point): number {
  const [u, v] = [vector(a), vector(b)];
  return Math.atan2(length(cross(u, v)), dot(u, v));
}

export type Area = (point: Point) => boolean;

/** The area of a Polygon or MultiPolygon. @throws BadValue; refuses what is as large as half of the earth */
export function geoJsonArea(geometry: Value): Area {
  if (!isDoc(geometry)) throw bad('$geometry must be an object');
  const { type, coordinates, crs } = geometry;
  if (crs !== undefined) throw unsupported('other coordinate systems than the default one');
  if (type === 'Polygon') return polygon(coordinates);
  if (type !== 'MultiPolygon' || !isArray(coordinates)) throw unsupported(`queries by a ${String(isString(type) ? type : 'geometry')}`); // prettier-ignore
  const parts = coordinates.map(polygon);
  return (point) => parts.some((part) => part(point));
}

/** The first ring is the outline, the others are holes in it. */
function polygon(rings: Value): Area {
  if (!isArray(rings) || rings.length === 0) throw bad('Polygon coordinates must be an array of loops');
  const [outline, ...holes] = rings.map(ring) as [Area, ...Area[]];
  return (point) => outline(point) && !holes.some((hole) => hole(point));
}

function ring(value: Value): Area {
  const points = (isArray(value) ? value : []).map((each) => pair(each) ?? fail('Point must be an array or object'));
  const [first, last] = [points[0], points.at(-1)];
  if (points.length < 4) throw bad('Loop must have at least 3 different vertices');
  if (first![0] !== last![0] || first![1] !== last![1]) throw bad('GeoJSON Polygon loop is not closed');
  if (!points.every(isOnEarth)) throw bad('longitude/latitude is out of bounds');
  const vertices = points.map(vector);
  const sum = vertices.reduce<Vector>((a, b) => [a[0] + b[0], a[1] + b[1], a[2] + b[2]], [0, 0, 0]);
  if (vertices.some((vertex) => dot(vertex, sum) <= 0)) throw unsupported('polygons as large as half of the earth');
  return (point) => surrounds(vertices, sum, vector(point));
}

const fail = (message: string): never => {
  throw bad(message);
};

/** Whether the vertices go once around the point; those that do so around the opposite point are on the other side of the earth. */
function surrounds(vertices: Vector[], middle: Vector, point: Vector): boolean {
  if (dot(point, middle) <= 0) return false;
  let turned = 0;
  for (let i = 1; i < vertices.length; i += 1) {
    const [a, b] = [cross(point, vertices[i - 1]!), cross(point, vertices[i]!)];
    turned += Math.atan2(dot(point, cross(a, b)), dot(a, b));
  }
  return Math.abs(turned) > Math.PI;
}

// -- the shapes of $geoWithin besides $geometry

const numbers = (value: Value, name: string): [Point, number] => {
  const [centre, radius] = isArray(value) ? value : [];
  const at = pair(centre);
  if (!at || !isNumber(radius) || toDouble(radius) < 0) throw bad(`${name} needs a point and a radius of at least 0`);
  return [at, toDouble(radius)];
};

function flatPolygon(points: Point[]): Area {
  return ([x, y]) => {
    let inside = false;
    for (const [i, [ax, ay]] of points.entries()) {
      const [bx, by] = points[(i + 1) % points.length]!;
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
    }
    return inside;
  };
}

const SHAPES: Record<string, (arg: Value) => Area> = {
  $geometry: geoJsonArea,
  $centerSphere: (arg) => {
    const [centre, radius] = numbers(arg, '$centerSphere');
    return (point) => angle(centre, point) <= radius;
  },
  $center: (arg) => {
    const [[x, y], radius] = numbers(arg, '$center');
    return ([a, b]) => Math.hypot(a - x, b - y) <= radius;
  },
  $box: (arg) => {
    const [one, other] = (isArray(arg) ? arg : []).map(pair);
    if (!one || !other) throw bad('$box needs two points');
    const [[left, right], [low, high]] = [0, 1].map((i) => [Math.min(one[i]!, other[i]!), Math.max(one[i]!, other[i]!)]) as [[number, number], [number, number]]; // prettier-ignore
    return ([x, y]) => x >= left && x <= right && y >= low && y <= high;
  },
  $polygon: (arg) => {
    const points = (isArray(arg) ? arg : []).map(pair);
    if (points.length < 3 || points.includes(undefined)) throw bad('Polygon must have at least 3 points');
    return flatPolygon(points as Point[]);
  },
};

/** The area that the argument of `$geoWithin` describes. */
export function areaOf(arg: Value): Area {
  const [name, ...others] = isDoc(arg) ? Object.keys(arg) : [];
  const make = name !== undefined && Object.hasOwn(SHAPES, name) ? SHAPES[name] : undefined;
  if (!make || others.length > 0) throw bad(`unknown geo specifier: ${JSON.stringify(arg)}`);
  return make((arg as Doc)[name!]);
}

/** A test of stored values: whether the point is in the area. @throws for a stored geometry that is no point */
export function liesIn(area: Area, operator: string): (value: Value) => boolean {
  return (value) => {
    const point = pointOf(value);
    if (point) return area(point);
    if (isDoc(value) && isString(value.type) && TYPES.includes(value.type))
      throw unsupported(`${operator} on documents with a ${value.type}`);
    return false;
  };
}
