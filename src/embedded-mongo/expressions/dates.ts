/** Date operators of expressions, over the calendar of dates.ts. They take dates, and whatever holds one: timestamps and object identifiers. */
import { ObjectId, Timestamp } from 'bson';
import {
  bsonTypeName,
  int,
  isArray,
  isDate,
  isDoc,
  isNullish,
  isString,
  long,
  toInteger,
  truthy,
  type Value,
} from '../values/bson-types';
import { DAY, dayOfYear, formatDate, fromIsoWeek, HOUR, isoWeek, localTime, MINUTE, parseDate, parseDateBy, toLocal, toUtc, weekday, weekOfYear, zoneOf } from '../values/dates'; // prettier-ignore
import { fail, MongoError } from '../errors';
import { ISO_FORMAT } from './convert';
import { named, namedSpecs, unary, type Expression, type Operator, type Scope } from './expression-types';

function millis(v: Value): number {
  if (isDate(v)) return v.getTime();
  if (v instanceof Timestamp) return v.t * 1000;
  if (v instanceof ObjectId) return v.getTimestamp().getTime();
  return fail(16006, `can't convert from BSON type ${bsonTypeName(v)} to Date`);
}

/** Undefined if the timezone is null, which makes the result null. */
function timezone(v: Value, given: boolean): string | undefined | null {
  if (!given) return undefined;
  if (isNullish(v)) return null;
  return isString(v) ? v : fail(40517, `timezone must evaluate to a string, found ${bsonTypeName(v)}`);
}

/** A part of a date: `{$year: date}` or `{$year: {date, timezone}}`. */
function part(read: (local: number) => Value): Operator {
  return (arg, compiler, name) => {
    const spec = isArray(arg) ? (arg.length === 1 ? arg[0] : fail(40536, `${name} accepts exactly one argument if given an array, but was given ${arg.length}`)) : arg; // prettier-ignore
    const withZone = isDoc(spec) && !Object.keys(spec)[0]?.startsWith('$');
    const fields = withZone ? namedSpecs(spec, name, ['date', 'timezone?']) : { date: spec };
    const date = compiler.compile(fields.date);
    const zone: Expression | undefined = 'timezone' in fields ? compiler.compile(fields.timezone) : undefined;
    return (scope: Scope) => {
      const at = date(scope);
      const place = timezone(zone?.(scope), zone !== undefined);
      if (isNullish(at) || place === null) return null;
      return read(toLocal(millis(at), zoneOf(place)));
    };
  };
}
const utc = (read: (date: Date) => number): Operator => part((local) => int(read(new Date(local))));

const dateToString = named(['date?', 'format?', 'timezone?', 'onNull?'], (v, given, { now }) => {
  const zone = timezone(v.timezone, given('timezone'));
  const date = given('date') ? v.date : (now ?? new Date());
  if (isNullish(date)) return given('onNull') ? v.onNull : null;
  if (zone === null || (given('format') && isNullish(v.format))) return null;
  const format = given('format') ? v.format : ISO_FORMAT;
  if (!isString(format))
    return fail(18533, `$dateToString requires that 'format' be a string, found: ${bsonTypeName(format)}`);
  return formatDate(millis(date), zoneOf(zone), format);
});

const dateFromString = named(['dateString', 'format?', 'timezone?', 'onError?', 'onNull?'], (v, given) => {
  const zone = timezone(v.timezone, given('timezone'));
  if (isNullish(v.dateString)) return given('onNull') ? v.onNull : null;
  if (zone === null || (given('format') && isNullish(v.format))) return null;
  try {
    if (!isString(v.dateString))
      return fail(241, `$dateFromString requires that 'dateString' be a string, found: ${bsonTypeName(v.dateString)}`);
    if (given('format') && !isString(v.format))
      return fail(40684, "$dateFromString requires that 'format' be a string");
    return new Date(
      given('format') ? parseDateBy(v.dateString, v.format as string, zone) : parseDate(v.dateString, zone),
    );
  } catch (error) {
    if (given('onError') && error instanceof MongoError && error.code === 241) return v.onError;
    throw error;
  }
});

const dateToParts = named(['date', 'timezone?', 'iso8601?'], (v, given) => {
  const zone = timezone(v.timezone, given('timezone'));
  if (isNullish(v.date) || zone === null || (given('iso8601') && isNullish(v.iso8601))) return null;
  const local = toLocal(millis(v.date), zoneOf(zone));
  const date = new Date(local);
  const time = {
    hour: int(date.getUTCHours()),
    minute: int(date.getUTCMinutes()),
    second: int(date.getUTCSeconds()),
    millisecond: int(date.getUTCMilliseconds()),
  };
  if (given('iso8601') && truthy(v.iso8601)) {
    const { year, week, day } = isoWeek(local);
    return { isoWeekYear: int(year), isoWeek: int(week), isoDayOfWeek: int(day), ...time };
  }
  return { year: int(date.getUTCFullYear()), month: int(date.getUTCMonth() + 1), day: int(date.getUTCDate()), ...time };
});

const FROM_PARTS = [
  'year',
  'month',
  'day',
  'isoWeekYear',
  'isoWeek',
  'isoDayOfWeek',
  'hour',
  'minute',
  'second',
  'millisecond',
];

const dateFromPartsOperator: Operator = (arg, compiler, name) => {
  const given = Object.keys(
    namedSpecs(
      arg,
      name,
      [...FROM_PARTS, 'timezone'].map((key) => `${key}?`),
    ),
  );
  const has = (key: string): boolean => given.includes(key);
  if (!has('year') && !has('isoWeekYear'))
    fail(40516, "$dateFromParts requires either 'year' or 'isoWeekYear' to be present");
  if (has('year') ? has('isoWeekYear') || has('isoWeek') || has('isoDayOfWeek') : has('month') || has('day')) {
    fail(40489, '$dateFromParts does not allow mixing natural dates with ISO dates');
  }
  return dateFromParts(arg, compiler, name);
};

const dateFromParts = named(
  [...FROM_PARTS, 'timezone'].map((key) => `${key}?`),
  (v, given) => {
    const zone = timezone(v.timezone, given('timezone'));
    if (zone === null || FROM_PARTS.some((key) => given(key) && isNullish(v[key]))) return null;
    const number = (key: string, otherwise: number): number => {
      const n = given(key) ? toInteger(v[key]) : otherwise;
      if (n === undefined) return fail(40515, `'${key}' must evaluate to an integer, found ${bsonTypeName(v[key])}`);
      const limit =
        key === 'year' || key === 'isoWeekYear'
          ? n < 1 || n > 9999
          : Math.abs(n) > 32767 && key !== 'second' && key !== 'millisecond';
      return limit ? fail(40523, `'${key}' is out of range: ${n}`) : n;
    };
    const date = given('isoWeekYear')
      ? fromIsoWeek(number('isoWeekYear', 1970), number('isoWeek', 1), number('isoDayOfWeek', 1))
      : localTime(number('year', 1970), number('month', 1), number('day', 1));
    const time =
      number('hour', 0) * HOUR + number('minute', 0) * MINUTE + number('second', 0) * 1000 + number('millisecond', 0);
    return new Date(toUtc(date + time, zoneOf(zone)));
  },
);

// -- steps by units

/** In milliseconds. */
export const FIXED: Record<string, number> = {
  week: 7 * DAY,
  day: DAY,
  hour: HOUR,
  minute: MINUTE,
  second: 1000,
  millisecond: 1,
};
const MONTHS: Record<string, number> = { year: 12, quarter: 3, month: 1 };

export function unitOf(v: Value): string {
  if (!isString(v)) return fail(5439013, `requires 'unit' to be a string, but got ${bsonTypeName(v)}`);
  return Object.hasOwn(FIXED, v) || Object.hasOwn(MONTHS, v) ? v : fail(9, `unknown time unit value: ${v}`);
}

/** Months keep the day, or end on the month's last; days and longer follow the timezone's clock. */
export function addUnits(at: number, unit: string, amount: number, zone: (ms: number) => number): number {
  if (!(unit in MONTHS)) {
    const step = FIXED[unit]! * amount;
    return FIXED[unit]! < DAY ? at + step : toUtc(toLocal(at, zone) + step, zone);
  }
  const local = toLocal(at, zone);
  const date = new Date(local);
  const months = date.getUTCFullYear() * 12 + date.getUTCMonth() + amount * MONTHS[unit]!;
  const [year, month] = [Math.floor(months / 12), (((months % 12) + 12) % 12) + 1];
  const lastDay = new Date(localTime(year, month + 1, 0)).getUTCDate();
  const timeOfDay = local - Math.floor(local / DAY) * DAY;
  return toUtc(localTime(year, month, Math.min(date.getUTCDate(), lastDay)) + timeOfDay, zone);
}

const shift = (sign: 1 | -1): Operator =>
  named(['startDate', 'unit', 'amount', 'timezone?'], ({ startDate, unit, amount, timezone: place }, given) => {
    const zone = timezone(place, given('timezone'));
    if (isNullish(startDate) || isNullish(unit) || isNullish(amount) || zone === null) return null;
    const n = toInteger(amount) ?? fail(5166405, "expected integer 'amount'");
    return new Date(addUnits(millis(startDate), unitOf(unit), sign * n, zoneOf(zone)));
  });

const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const NAMES = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

function startOfWeek(v: Value): number {
  if (isNullish(v)) return 0;
  const name = isString(v) ? v.toLowerCase() : '';
  const index = Math.max(WEEKDAYS.indexOf(name), NAMES.indexOf(name));
  return index >= 0 ? index : fail(9, `unknown day of week value: ${name}`);
}

/** How many boundaries of the unit lie before a local time. */
function boundaries(local: number, unit: string, firstDay: number): number {
  const date = new Date(local);
  if (unit in MONTHS) return Math.floor((date.getUTCFullYear() * 12 + date.getUTCMonth()) / MONTHS[unit]!);
  // the first day of 1970 was a Thursday
  if (unit === 'week') return Math.floor((Math.floor(local / DAY) + 4 - firstDay) / 7);
  return Math.floor(local / FIXED[unit]!);
}

const dateDiff = named(['startDate', 'endDate', 'unit', 'timezone?', 'startOfWeek?'], (v, given) => {
  const zone = timezone(v.timezone, given('timezone'));
  if (isNullish(v.startDate) || isNullish(v.endDate) || isNullish(v.unit) || zone === null) return null;
  const unit = unitOf(v.unit);
  const first = unit === 'week' ? startOfWeek(v.startOfWeek) : 0;
  const exact = unit in FIXED && FIXED[unit]! < DAY;
  const at = (date: Value): number =>
    boundaries(exact ? millis(date) : toLocal(millis(date), zoneOf(zone)), unit, first);
  return long(BigInt(at(v.endDate) - at(v.startDate)));
});

/** Bins are counted from the beginning of the year 2000, weeks from its first `startOfWeek`. */
const dateTrunc = named(['date', 'unit', 'binSize?', 'timezone?', 'startOfWeek?'], (v, given) => {
  const zone = timezone(v.timezone, given('timezone'));
  if (isNullish(v.date) || isNullish(v.unit) || zone === null || (given('binSize') && isNullish(v.binSize)))
    return null;
  const unit = unitOf(v.unit);
  const size = given('binSize')
    ? (toInteger(v.binSize) ?? fail(5439017, "requires 'binSize' to be a 64-bit integer"))
    : 1;
  if (size <= 0) fail(5439018, "requires 'binSize' to be greater than 0");
  const place = zoneOf(zone);
  const local = toLocal(millis(v.date), place);
  if (unit in MONTHS) {
    const date = new Date(local);
    const bin = MONTHS[unit]! * size;
    const months = Math.floor(((date.getUTCFullYear() - 2000) * 12 + date.getUTCMonth()) / bin) * bin;
    return new Date(toUtc(localTime(2000 + Math.floor(months / 12), (((months % 12) + 12) % 12) + 1), place));
  }
  const start = localTime(2000);
  const origin = unit === 'week' ? start + ((startOfWeek(v.startOfWeek) - weekday(start) + 7) % 7) * DAY : start;
  const bin = FIXED[unit]! * size;
  return new Date(toUtc(origin + Math.floor((local - origin) / bin) * bin, place));
});

export const DATES: Record<string, Operator> = {
  $year: utc((date) => date.getUTCFullYear()),
  $month: utc((date) => date.getUTCMonth() + 1),
  $dayOfMonth: utc((date) => date.getUTCDate()),
  $hour: utc((date) => date.getUTCHours()),
  $minute: utc((date) => date.getUTCMinutes()),
  $second: utc((date) => date.getUTCSeconds()),
  $millisecond: utc((date) => date.getUTCMilliseconds()),
  $dayOfWeek: part((local) => int(weekday(local) + 1)),
  $dayOfYear: part((local) => int(dayOfYear(local))),
  $week: part((local) => int(weekOfYear(local))),
  $isoDayOfWeek: part((local) => int(isoWeek(local).day)),
  $isoWeek: part((local) => int(isoWeek(local).week)),
  $isoWeekYear: part((local) => long(BigInt(isoWeek(local).year))),
  $dateToString: dateToString,
  $dateFromString: dateFromString,
  $dateToParts: dateToParts,
  $dateFromParts: dateFromPartsOperator,
  $dateAdd: shift(1),
  $dateSubtract: shift(-1),
  $dateDiff: dateDiff,
  $dateTrunc: dateTrunc,
  $tsSecond: unary((v) =>
    v instanceof Timestamp ? long(BigInt(v.t)) : isNullish(v) ? null : fail(5687301, '$tsSecond takes a timestamp'),
  ),
  $tsIncrement: unary((v) =>
    v instanceof Timestamp ? long(BigInt(v.i)) : isNullish(v) ? null : fail(5687302, '$tsIncrement takes a timestamp'),
  ),
};
