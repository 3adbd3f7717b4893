/**
 * Calendar arithmetic: dates in a timezone as their parts and back, ISO weeks, formats, and parsing. Timezones are offsets (`+05:30`) or names of the
 * Olson database, which Intl knows. A "local" number is milliseconds as if the timezone's clock showed UTC.
 */
import { MongoError } from '../errors';

export const DAY = 86_400_000;
export const HOUR = 3_600_000;
export const MINUTE = 60_000;

/** The offset from UTC, in milliseconds, at a moment. */
export type Zone = (utc: number) => number;
const UTC: Zone = () => 0;
const zones = new Map<string, Zone>();

export function zoneOf(name?: string): Zone {
  if (name === undefined || ['UTC', 'GMT', 'Z'].includes(name)) return UTC;
  let zone = zones.get(name);
  if (!zone) zones.set(name, (zone = offsetZone(name) ?? olsonZone(name)));
  return zone;
}

function offsetZone(name: string): Zone | undefined {
  const match = /^([+-])(\d\d):?(\d\d)?$/.exec(name);
  if (!match) return undefined;
  const offset = (Number(match[2]) * HOUR + Number(match[3] ?? 0) * MINUTE) * (match[1] === '-' ? -1 : 1);
  return () => offset;
}

function olsonZone(timeZone: string): Zone {
  let format: Intl.DateTimeFormat;
  try {
    /* prettier-ignore */
    format = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', era: 'short',
      year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' });
  } catch {
    throw new MongoError(40485, `unrecognized time zone identifier: "${timeZone}"`);
  }
  return (utc) => {
    const parts: Record<string, string> = {};
    for (const { type, value } of format.formatToParts(utc)) parts[type] = value;
    const number = (type: string): number => Number(parts[type]);
    const year = parts.era === 'BC' ? 1 - number('year') : number('year');
    return (
      localTime(year, number('month'), number('day'), number('hour'), number('minute'), number('second')) -
      Math.floor(utc / 1000) * 1000
    );
  };
}

/** Like Date.UTC, but with months from 1 and for the years 0 to 99 too; parts may lie outside their range. */
export function localTime(year: number, month = 1, day = 1, hour = 0, minute = 0, second = 0, ms = 0): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime() + hour * HOUR + minute * MINUTE + second * 1000 + ms;
}

export const toLocal = (utc: number, zone: Zone): number => utc + zone(utc);

/** A local time that a clock change skips is read with the offset from before the change. */
export function toUtc(local: number, zone: Zone): number {
  const guess = local - zone(local);
  const second = local - zone(guess);
  return zone(second) === local - second ? second : Math.max(guess, second);
}

export interface IsoWeek {
  year: number;
  week: number;
  /** Monday is 1. */
  day: number;
}

export function isoWeek(local: number): IsoWeek {
  const day = weekday(local) || 7;
  const thursday = Math.floor(local / DAY) * DAY + (4 - day) * DAY;
  const year = new Date(thursday).getUTCFullYear();
  return { year, day, week: Math.floor((thursday - localTime(year)) / (7 * DAY)) + 1 };
}

export function fromIsoWeek(year: number, week = 1, day = 1): number {
  const fourth = localTime(year, 1, 4);
  return fourth + ((week - 1) * 7 + (day - 1) - ((weekday(fourth) || 7) - 1)) * DAY;
}

/** Sunday is 0. */
export const weekday = (local: number): number => new Date(local).getUTCDay();
export const dayOfYear = (local: number): number =>
  Math.floor((local - localTime(new Date(local).getUTCFullYear())) / DAY) + 1;
/** Weeks that begin on Sunday; days before the first Sunday are in week 0. */
export const weekOfYear = (local: number): number => Math.floor((dayOfYear(local) - 1 + 7 - weekday(local)) / 7);

const MONTHS = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december']; // prettier-ignore
const capital = (s: string): string => s[0]!.toUpperCase() + s.slice(1);
const pad = (n: number, width: number): string => String(n).padStart(width, '0');

const SPECIFIERS: Record<string, (local: number, offset: number) => string> = {
  d: (t) => pad(new Date(t).getUTCDate(), 2),
  G: (t) => pad(isoWeek(t).year, 4),
  H: (t) => pad(new Date(t).getUTCHours(), 2),
  j: (t) => pad(dayOfYear(t), 3),
  L: (t) => pad(new Date(t).getUTCMilliseconds(), 3),
  m: (t) => pad(new Date(t).getUTCMonth() + 1, 2),
  M: (t) => pad(new Date(t).getUTCMinutes(), 2),
  S: (t) => pad(new Date(t).getUTCSeconds(), 2),
  w: (t) => String(weekday(t) + 1),
  u: (t) => String(isoWeek(t).day),
  U: (t) => pad(weekOfYear(t), 2),
  V: (t) => pad(isoWeek(t).week, 2),
  Y: (t) => pad(new Date(t).getUTCFullYear(), 4),
  b: (t) => capital(MONTHS[new Date(t).getUTCMonth()]!.slice(0, 3)),
  B: (t) => capital(MONTHS[new Date(t).getUTCMonth()]!),
  z: (_t, offset) =>
    `${offset < 0 ? '-' : '+'}${pad(Math.floor(Math.abs(offset) / HOUR), 2)}${pad((Math.abs(offset) % HOUR) / MINUTE, 2)}`,
  Z: (_t, offset) => `${offset < 0 ? '' : '+'}${offset / MINUTE}`,
  '%': () => '%',
};

export function formatDate(utc: number, zone: Zone, format: string): string {
  const local = toLocal(utc, zone);
  return format.replace(/%(.?)/gsu, (_all, c: string) => {
    const write = SPECIFIERS[c];
    if (!write) throw new MongoError(c === '' ? 18535 : 18536, `Invalid format character '%${c}' in format string`);
    return write(local, local - utc);
  });
}

const failure = (text: string): never => {
  throw new MongoError(241, `Error parsing date string '${text}'`);
};

const ISO =
  /^(\d{4})(?:-(\d\d?)(?:-(\d\d?))?|\/(\d\d?)\/(\d\d?)|(\d\d)(\d\d))?(?:[T ]+(\d\d?):?(\d\d)(?::?(\d\d)(?:[.,:](\d+))?)?)?\s*(Z|UTC|GMT|[+-]\d\d?:?(?:\d\d)?)?$/i;
const NAMED =
  /^(?:(\d\d?)(?:st|nd|rd|th)?[ -]([a-z]{3,9})\.?,?[ -](\d{4})|([a-z]{3,9})\.? (\d\d?)(?:st|nd|rd|th)?,? (\d{4}))(?:,?[T ]+(\d\d?):(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?\s*(Z|UTC|GMT|[+-]\d\d:?(?:\d\d)?)?$/i;

/** ISO 8601 and its near relatives, and dates with the month's name; a timezone may stand in the text or be given, not both. */
export function parseDate(text: string, zone?: string): number {
  const iso = ISO.exec(text.trim());
  if (iso) {
    const [, year, m1, d1, m2, d2, m3, d3, ...time] = iso;
    return assemble(text, [Number(year), Number(m1 ?? m2 ?? m3 ?? 1), Number(d1 ?? d2 ?? d3 ?? 1)], time, zone);
  }
  const words = NAMED.exec(text.trim());
  if (!words) return failure(text);
  const [, d1, m1, y1, m2, d2, y2, ...time] = words;
  const month = MONTHS.findIndex((name) => name.startsWith((m1 ?? m2)!.toLowerCase())) + 1;
  return assemble(text, [Number(y1 ?? y2), month, Number(d1 ?? d2)], time, zone);
}

function assemble(
  text: string,
  [year, month, day]: [number, number, number],
  time: (string | undefined)[],
  zone?: string,
): number {
  const [hour, minute, second, fraction, offset] = time;
  const clock = [hour, minute, second].map((n) => Number(n ?? 0)) as [number, number, number];
  if (month < 1 || month > 12 || day < 1 || day > 31 || clock[0] > 24 || clock[1] > 59 || clock[2] > 59) failure(text);
  if (offset && zone !== undefined) failure(text);
  const ms = Number((fraction ?? '').slice(0, 3).padEnd(3, '0'));
  const local = localTime(year, month, day, ...clock, ms);
  return toUtc(local, zoneOf(offset ? offset.toUpperCase().replace(/^([+-])(\d)(?=:|$)/, '$10$2') : zone));
}

const PARSERS: Record<string, [string, (parts: Record<string, number | string>, text: string) => void]> = {
  Y: ['\\d{4}', (p, s) => void (p.year = Number(s))],
  m: ['\\d{1,2}', (p, s) => void (p.month = Number(s))],
  d: ['\\d{1,2}', (p, s) => void (p.day = Number(s))],
  H: ['\\d{1,2}', (p, s) => void (p.hour = Number(s))],
  M: ['\\d{1,2}', (p, s) => void (p.minute = Number(s))],
  S: ['\\d{1,2}', (p, s) => void (p.second = Number(s))],
  L: ['\\d{1,3}', (p, s) => void (p.ms = Number(s.padEnd(3, '0')))],
  j: ['\\d{1,3}', (p, s) => void (p.dayOfYear = Number(s))],
  G: ['\\d{4}', (p, s) => void (p.isoYear = Number(s))],
  V: ['\\d{1,2}', (p, s) => void (p.isoWeek = Number(s))],
  u: ['\\d', (p, s) => void (p.isoDay = Number(s))],
  z: ['Z|UTC|GMT|[+-]\\d\\d:?(?:\\d\\d)?', (p, s) => void (p.zone = s)],
  Z: ['[+-]?\\d+', (p, s) => void (p.offset = Number(s))],
  b: ['[A-Za-z]{3}', (p, s) => void (p.month = MONTHS.findIndex((name) => name.startsWith(s.toLowerCase())) + 1)],
  B: ['[A-Za-z]+', (p, s) => void (p.month = MONTHS.indexOf(s.toLowerCase()) + 1)],
  '%': ['%', () => undefined],
};

/** Parses by a format of `%` specifiers: all of the text must fit. */
export function parseDateBy(text: string, format: string, zone?: string): number {
  const used: ((parts: Record<string, number | string>, text: string) => void)[] = [];
  const source = format.replace(/%(.?)|[^%]+/gsu, (plain, c: string | undefined) => {
    if (c === undefined) return plain.replace(/[\^$\\.*+?()[\]{}|/]/g, '\\$&');
    const parser = PARSERS[c];
    if (!parser) throw new MongoError(18536, `Invalid format character '%${c}' in format string`);
    used.push(parser[1]);
    return `(${parser[0]})`;
  });
  const match = new RegExp(`^${source}$`, 'u').exec(text);
  if (!match) return failure(text);
  const parts: Record<string, number | string> = {};
  used.forEach((read, i) => read(parts, match[i + 1]!));
  return fromParsed(parts as Record<string, number>, text, zone);
}

function fromParsed(p: Record<string, number | undefined>, text: string, zone?: string): number {
  const iso = p.isoYear !== undefined || p.isoWeek !== undefined || p.isoDay !== undefined;
  if (iso ? p.year !== undefined || p.isoYear === undefined : p.year === undefined) failure(text);
  const { month = 1, day = 1 } = p;
  if (
    month < 1 ||
    month > 12 ||
    day < 1 ||
    day > 31 ||
    (p.hour ?? 0) > 24 ||
    (p.minute ?? 0) > 59 ||
    (p.second ?? 0) > 59
  )
    failure(text);
  const clock = localTime(1970, 1, 1, p.hour, p.minute, p.second, p.ms);
  const date = iso ? fromIsoWeek(p.isoYear!, p.isoWeek, p.isoDay) : p.dayOfYear !== undefined ? localTime(p.year!, 1, p.dayOfYear) : localTime(p.year!, month, day); // prettier-ignore
  if ((p.zone ?? p.offset) !== undefined && zone !== undefined) failure(text);
  if (p.offset !== undefined) return date + clock - p.offset * MINUTE;
  return toUtc(date + clock, zoneOf((p.zone as unknown as string | undefined) ?? zone));
}
