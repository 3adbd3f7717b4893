/**
 * `$densify`: puts documents where a field's values have gaps. It goes through the documents in the field's order and knows of each partition the last
 * value that was on a step; the bounds say where a partition begins and ends.
 */
import { isArray, isDate, isDoc, isNullish, isNumber, isString, bsonTypeName, toDouble, toInteger, type Doc, type Value } from '../values/bson-types'; // prettier-ignore
import { zoneOf } from '../values/dates';
import { fail } from '../errors';
import { add, subtract } from '../expressions/arithmetic';
import { addUnits, unitOf } from '../expressions/dates';
import { getPath } from '../values/paths';
import { remainderNumbers } from '../values/numbers';
import { compileOrder, inOrder } from '../values/sort';
import { compareValues, encodeKey } from '../values/values';
import { fieldsOf, textsOf } from './stages-window';
import { withPath } from './stages-shape';
import { type StageMaker } from './stage-types';

const MOST = 500_000;

interface Plan {
  field: string;
  partitions: string[];
  bounds: 'full' | 'partition' | [Value, Value];
  unit: string | undefined;
  /** So many steps on, or back. */
  move(value: Value, steps: 1 | -1): Value;
}

function rangeOf(spec: Value): Pick<Plan, 'bounds' | 'unit' | 'move'> {
  const { step, bounds, unit: unitSpec } = fieldsOf(spec, '$densify.range', ['step', 'bounds', 'unit'], ['step', 'bounds']); // prettier-ignore
  if (!isNumber(step)) return fail(14, "BSON field '$densify.range.step' is the wrong type, expected a number");
  if (!(toDouble(step) > 0)) fail(5733401, 'The step parameter in a range statement must be a strictly positive numeric value'); // prettier-ignore
  const unit = unitSpec === undefined ? undefined : unitOf(unitSpec);
  if (unit && toInteger(step) === undefined) fail(6586400, 'The step parameter in a range statement must be a whole number when densifying a date range'); // prettier-ignore
  const move = (value: Value, steps: 1 | -1): Value => {
    if (isDate(value)) return new Date(addUnits(value.getTime(), unit!, steps * toDouble(step), zoneOf()));
    return steps === 1 ? add([value, step]) : subtract([value, step]);
  };
  return { bounds: boundsOf(bounds, step, unit), unit, move };
}

function boundsOf(bounds: Value, step: Value, unit: string | undefined): Plan['bounds'] {
  if (isString(bounds)) {
    if (bounds === 'full' || bounds === 'partition') return bounds;
    return fail(5946802, "Bounds string must either be 'full' or 'partition'");
  }
  if (!isArray(bounds)) return fail(5733404, "The bounds in a range statement must be the string 'full', 'partition', or an ascending array of two numbers or two dates"); // prettier-ignore
  if (bounds.length !== 2) fail(5733403, 'A bounding array in a range statement must have exactly two elements');
  const [low, high] = bounds;
  if (compareValues(low, high) > 0) fail(5733402, 'A bounding array must be an ascending array of either two dates or two numbers'); // prettier-ignore
  if (isNumber(low)) {
    if (unit) fail(5733409, 'Numeric bounds may not have unit parameter');
    if (!isNumber(high)) fail(5733406, 'A bounding array must contain either both dates or both numeric types');
    if ([high, step].some((v) => bsonTypeName(v) !== bsonTypeName(low))) fail(5876900, 'Upper bound, lower bound, and step must all have the same type'); // prettier-ignore
  } else if (isDate(low)) {
    if (!isDate(high)) fail(5733405, 'A bounding array must contain either both dates or both numeric types');
    if (!unit) fail(5733410, 'A bounding array of dates must specify a unit');
  } else fail(5946800, 'Explicit bounds must be numeric or dates');
  return [low, high];
}

const densify: StageMaker = (spec, { collation }) => {
  const known = ['field', 'partitionByFields', 'range'];
  const { field, partitionByFields, range } = fieldsOf(spec, '$densify', known, ['field', 'range']);
  if (!isString(field)) return fail(14, "BSON field '$densify.field' is the wrong type, expected type 'string'");
  const partitions = partitionByFields === undefined ? [] : textsOf(partitionByFields, '$densify');
  for (const path of [field, ...partitions]) if (path.startsWith('$')) fail(16410, `FieldPath field names may not start with '$': '${path}'`); // prettier-ignore
  const plan: Plan = { field, partitions, ...rangeOf(range) };
  if (plan.bounds === 'partition' && partitions.length === 0) fail(5733408, "One cannot specify the bounds as 'partition' without specifying a non-empty array of partitionByFields. You may have meant to specify 'full' bounds."); // prettier-ignore
  const paths = plan.bounds === 'full' ? [field] : [...partitions, field];
  const order = compileOrder(Object.fromEntries(paths.map((path) => [path, 1])), collation, true);
  return function* (docs) {
    const filler = new Filler(plan, (doc) => encodeKey(doc, collation));
    for (const doc of inOrder(docs, (each) => each, order)) yield* filler.take(doc);
    yield* filler.finish();
  };
};

class Filler {
  /** The last value on a step, of the partition at hand. */
  private current: Value;
  private readonly last = new Map<string, { shown: Doc; value: Value }>();
  private least: Value;
  private most: Value;
  private generated = 0;
  private isDone = false;
  /** Explicit bounds: whether the last document lay below them, or there was none. */
  private isBelow = true;

  constructor(
    private readonly plan: Plan,
    private readonly keyOf: (partition: Doc) => string,
  ) {}

  private get isPartitioned(): boolean {
    return this.plan.partitions.length > 0;
  }

  private partitionOf(doc: Doc): Doc {
    const values = this.plan.partitions.map((path) => [path, getPath(doc, path)] as const);
    return values.reduce((made, [path, value]) => (value === undefined ? made : withPath(made, path, value)), {});
  }

  private note(doc: Doc, value: Value): void {
    const shown = this.partitionOf(doc);
    if (this.isPartitioned) this.last.set(this.keyOf(shown), { shown, value });
  }

  /** What the document has in the field; undefined if it is passed on as it is. */
  private valueOf(doc: Doc): Value {
    const value = getPath(doc, this.plan.field);
    if (isNullish(value)) return undefined;
    if (!isNumber(value) && !isDate(value)) fail(5733201, 'Densify field type must be numeric or a date');
    if (isDate(value) && !this.plan.unit) fail(6053600, 'Encountered non-numeric value in collection when unit was not specified'); // prettier-ignore
    if (isNumber(value) && this.plan.unit) fail(6053600, 'Encountered numeric densify value in collection when step has a date unit.'); // prettier-ignore
    return value;
  }

  *take(doc: Doc): Iterable<Doc> {
    const value = this.isDone ? undefined : this.valueOf(doc);
    if (value === undefined) yield doc;
    else if (isArray(this.plan.bounds)) yield* this.withinBounds(doc, value, this.plan.bounds);
    else yield* this.betweenDocuments(doc, value);
  }

  private *betweenDocuments(doc: Doc, value: Value): Iterable<Doc> {
    this.most = value;
    if (this.isPartitioned) this.current = this.last.get(this.keyOf(this.partitionOf(doc)))?.value;
    if (this.current === undefined) {
      this.note(doc, value);
      this.current = value;
      // a partition that begins later than the first one has a gap up to its first value
      if (this.plan.bounds === 'full' && this.least !== undefined) this.current = this.plan.move(this.least, -1);
      this.least ??= value;
    }
    yield* this.upTo(doc, value);
  }

  /** The document, and before it those that are missing up to `end`. */
  private *upTo(doc: Doc, value: Value, end = value): Iterable<Doc> {
    const next = this.plan.move(this.current, 1);
    if (compareValues(value, next) > 0) yield* this.fill(next, end, this.partitionOf(doc));
    if (compareValues(value, this.plan.move(this.current, 1)) === 0) {
      this.current = value;
      this.note(doc, value);
    }
    yield doc;
  }

  private *fill(from: Value, end: Value, partition: Doc): Iterable<Doc> {
    for (let value = from; compareValues(value, end) < 0; value = this.plan.move(value, 1)) {
      this.generated += 1;
      if (this.generated > MOST) fail(5897900, `Generated ${this.generated} documents in $densify, which is over the limit of ${MOST}.`); // prettier-ignore
      this.current = value;
      this.note(partition, value);
      yield this.made(partition, value);
    }
  }

  private made(partition: Doc, value: Value): Doc {
    const parts = this.plan.field.split('.');
    for (let i = 1; i < parts.length; i += 1) {
      const holder = getPath(partition, parts.slice(0, i).join('.'));
      if (isArray(holder)) fail(5733307, '$densify cannot generate fields nested inside arrays');
      if (holder !== undefined && !isDoc(holder)) fail(5733308, '$densify cannot overwrite non-object values with objects'); // prettier-ignore
    }
    return withPath(partition, this.plan.field, value);
  }

  private *withinBounds(doc: Doc, value: Value, [low, high]: [Value, Value]): Iterable<Doc> {
    if (isDate(value) !== isDate(low)) fail(5733201, 'Densify bounds and values must be of one type');
    if (this.isPartitioned) {
      const known = this.last.get(this.keyOf(this.partitionOf(doc)));
      if (!known || compareValues(known.value, low) < 0) this.isBelow = true;
      this.current = this.isBelow ? undefined : known!.value;
    }
    const place = compareValues(value, low);
    if (place < 0) this.isBelow = true;
    else {
      this.current = this.isBelow ? this.plan.move(low, -1) : this.current;
      this.isBelow = false;
    }
    if (place > 0) yield* this.upTo(doc, value, compareValues(value, high) < 0 ? value : high);
    else {
      if (place === 0) this.current = value;
      this.note(doc, value);
      yield doc;
    }
    if (compareValues(value, high) < 0) return;
    if (this.isPartitioned) this.note(doc, value);
    else this.isDone = true;
  }

  *finish(): Iterable<Doc> {
    const { bounds } = this.plan;
    if (this.isDone || bounds === 'partition') return;
    if (this.last.size === 0) {
      if (isArray(bounds)) yield* this.fill(this.isBelow ? bounds[0] : this.plan.move(this.current, 1), bounds[1], {});
      return;
    }
    const end = isArray(bounds) ? bounds[1] : this.endOfAll();
    for (const { shown, value } of [...this.last.values()]) {
      const next = this.plan.move(value, 1);
      const isLow = isArray(bounds) && compareValues(next, bounds[0]) < 0;
      yield* this.fill(isLow ? bounds[0] : next, end, shown);
    }
  }

  /** Behind the greatest value if that is on a step, else that. */
  private endOfAll(): Value {
    const { most, current, plan } = this;
    return onStep(most, current, plan) ? plan.move(most, 1) : most;
  }
}

function onStep(value: Value, from: Value, plan: Plan): boolean {
  let at = from;
  if (isDate(value)) {
    while (compareValues(at, value) < 0) at = plan.move(at, 1);
    return compareValues(at, value) === 0;
  }
  const step = subtract([plan.move(from, 1), from]);
  return toDouble(remainderNumbers(subtract([value, from]), step)) === 0;
}

export const DENSIFY: Record<string, StageMaker> = { $densify: densify };
