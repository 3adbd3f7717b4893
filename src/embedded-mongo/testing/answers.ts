/**
 * Reads the recorded answers of a real mongod (their README tells what they are) and compares replies with them, by the rules given there.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { EJSON, ObjectId } from 'bson';

/* eslint-disable-next-line @typescript-eslint/no-explicit-any -- commands and replies of any shape */
type Json = any;
export interface Step {
  as?: string;
  begin?: boolean;
  command: Json;
  reply: Json;
}
export interface Case {
  id: string;
  steps: Step[];
}
export interface Area {
  area: string;
  each: 'shared' | 'missing' | 'empty';
  setup: Step[];
  cases: Case[];
}
export type Outcome = 'equal' | 'refused' | 'different';

const FOLDER = join(__dirname, 'mongod-answers');

export function areaNames(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.jsonl.gz'))
    .map((file) => file.replace('.jsonl.gz', ''));
}

export function readArea(name: string, folder = FOLDER): Area {
  const lines = gunzipSync(readFileSync(join(folder, `${name}.jsonl.gz`)))
    .toString()
    .trim()
    .split('\n');
  const [head, ...cases] = lines.map((line) => EJSON.parse(line, { relaxed: false }));
  return { ...head, cases };
}

/** The identifiers that a case's commands name; all others in replies were made by the server. */
export function namedIds(steps: Step[]): Set<string> {
  const ids = new Set<string>();
  const visit = (value: unknown): void => {
    if (value instanceof ObjectId) ids.add(value.toHexString());
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(visit);
  };
  for (const { command } of steps) visit(command);
  return ids;
}

const LEFT_OUT = ['$clusterTime', 'operationTime', 'electionId', 'opTime', 'commitQuorum', 'errmsg', 'codeName'];
const isObject = (v: Json): boolean => typeof v === 'object' && v !== null;

/** A reply in the form in which the answers were recorded: one text for equal replies. */
function normal(reply: Json, ids: Set<string>): string {
  const generated = (value: Json): Json => {
    if (value instanceof ObjectId) return ids.has(value.toHexString()) ? value : 'generated';
    if (Array.isArray(value)) return value.map(generated);
    if (!isObject(value) || value._bsontype || value instanceof Date) return value;
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, generated(v)]));
  };
  const top = Object.entries(reply).filter(([key]) => !LEFT_OUT.includes(key));
  const out = Object.fromEntries(top.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, v]) => [key, generated(v)]));
  const cursor = out.cursor;
  if (cursor && typeof cursor.id !== 'string') cursor.id = String(cursor.id) === '0' ? 'closed' : 'open';
  return EJSON.stringify(sortedListIndexes(out, cursor), { relaxed: false });
}

/** The order of an index's options, and the namespace, do not count. */
function sortedListIndexes(reply: Json, cursor: Json): Json {
  const batch = cursor?.firstBatch;
  const sorted = (doc: Json): Json => Object.fromEntries(Object.entries(doc).sort(([a], [b]) => (a < b ? -1 : 1)));
  if (batch?.length > 0 && batch.every((doc: Json) => doc.v && doc.key && doc.name)) {
    return { ...reply, cursor: { id: cursor.id, firstBatch: batch.map(sorted) } };
  }
  if (cursor) reply.cursor = sorted(cursor);
  return reply;
}

const codeOf = (error: Json): number => Number(error.code);
const sameCode = (a: number, b: number): boolean => a === b || [a, b].some((code) => code >= 10_000 && code !== 11_000);

function sameError(expected: Json, actual: Json): boolean {
  const text = (v: Json): string => EJSON.stringify(v ?? null, { relaxed: false });
  const same = (key: string): boolean => text(expected[key]) === text(actual[key]);
  return (
    sameCode(codeOf(expected), codeOf(actual)) &&
    same('keyPattern') &&
    same('errorLabels') &&
    (!expected.keyValue || same('keyValue'))
  );
}

const failed = (reply: Json): boolean => Number(reply.ok) !== 1;
export const refused = (reply: Json): boolean =>
  [reply, ...(reply.writeErrors ?? [])].some((error: Json) =>
    String(error.errmsg).startsWith('EmbeddedMongo does not support'),
  );

export function compareReplies(expected: Json, actual: Json, ids: Set<string>): Outcome {
  if (refused(actual)) return 'refused';
  if (failed(expected) || failed(actual)) {
    return failed(expected) && failed(actual) && sameError(expected, actual) ? 'equal' : 'different';
  }
  const wanted = expected.writeErrors ?? [];
  const got = actual.writeErrors ?? [];
  const sameErrors =
    wanted.length === got.length &&
    wanted.every((error: Json, i: number) => Number(error.index) === Number(got[i].index) && sameError(error, got[i]));
  const without = ({ writeErrors: _left, ...rest }: Json): Json => rest;
  return sameErrors && normal(without(expected), ids) === normal(without(actual), ids) ? 'equal' : 'different';
}
