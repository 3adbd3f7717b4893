import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../demo/options';
import { REGIONS } from '../src/modules/matchmaking/engine';
import type { Arrival, Source } from './arrivals';
import { faultsOf } from './faults';

/**
 * A trace: one ticket a line, as JSON. `at` is when it came, in seconds from any beginning or as an ISO date; all the rest has the
 * meaning and the names of the API's tickets. Of a recording of the server's engine the lines `{"op": "add", "key", "ticket"}` count.
 */

const preference = z.enum(['strict', 'preferred', 'any']);
const seconds = z.number().min(0).max(31_536_000_000);
const players = z
  .array(
    z.strictObject({
      userId: z.string().min(1).optional(),
      mu: z.number().min(-100).max(200).default(25),
      sigma: z
        .number()
        .positive()
        .max(100)
        .default(25 / 3),
      roles: z.array(z.string()).default([]),
      skill: z.number().min(-100).max(200).optional(),
    }),
  )
  .min(1)
  .max(200);
const wishes = {
  groupSize: z
    .object({ min: z.number().int().min(1), max: z.number().int().min(1) })
    .nullable()
    .default(null),
  regions: z.array(z.enum(REGIONS)).default([]),
  regionPreference: preference.default('preferred'),
  languages: z.array(z.string().min(1)).default([]),
  languagePreference: preference.default('any'),
  skillPreference: z.enum(['similar', 'any']).default('similar'),
  latencies: z.partialRecord(z.enum(REGIONS), z.number().min(0)).default({}),
  blocked: z.array(z.string()).default([]),
};

const lineSchema = z.strictObject({
  at: z.union([seconds, z.iso.datetime({ offset: true }).transform((text) => Date.parse(text) / 1000)], {
    error: 'must be seconds (a number) or an ISO date such as "2026-01-31T20:15:00Z"',
  }),
  id: z.string().min(1).optional(),
  players,
  patienceSeconds: seconds.optional(),
  leavesForGood: z.boolean().default(false),
  ...wishes,
});

const recordedSchema = z.object({
  op: z.literal('add'),
  key: z.string(),
  ticket: z.object({ id: z.string().min(1), players, waitingSince: z.number().min(0), ...wishes }),
});

type Line = z.output<typeof lineSchema>;

/** @throws UsageError that names the file, the line and the fault */
export function readTrace(path: string, pool: string | undefined): Source {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`The trace ${path} cannot be read: ${(error as Error).message}.`);
  }
  return traceOf(text, basename(path), pool);
}

/** @throws UsageError */
export function traceOf(text: string, name: string, pool: string | undefined): Source {
  const lines = new Map<string, Line>();
  const pools = new Set<string>();
  const leaving = followLeaving(lines);
  for (const [i, raw] of text.split('\n').entries()) {
    if (raw.trim() === '') continue;
    const where = `${name}, line ${i + 1}`;
    const parsed = parsedLine(raw, where, pool, pools);
    if (!parsed) {
      leaving(raw);
      continue;
    }
    const id = parsed.id ?? `line ${i + 1}`;
    const isRecorded = pools.size > 0;
    if (!isRecorded && lines.has(id)) throw new UsageError(`${where}: there is a ticket "${id}" already.`);
    // a ticket that a recording adds again waits on since it came
    const { patienceSeconds: _, ...known } = lines.get(id) ?? parsed;
    lines.set(id, isRecorded ? { ...known, id } : { ...parsed, id });
  }
  if (pool === undefined && pools.size > 1)
    throw new UsageError(`${name} records several pools; choose one by --pool: ${[...pools].join(', ')}.`);
  if (lines.size === 0)
    throw new UsageError(
      pools.size > 0
        ? `${name} has no tickets in the pool "${pool}"; it has ${[...pools].join(', ')}.`
        : `${name} holds no tickets: it must have one on each line, such as {"at": 0, "players": [{"mu": 25}]}.`,
    );
  return toSource([...lines.values()], name);
}

/** Whoever was removed from a recorded engine, in no match and not added again, had lost patience by then. */
function followLeaving(lines: Map<string, Line>): (raw: string) => void {
  const matched = new Set<string>();
  let now: number | null = null;
  return (raw) => {
    const line = JSON.parse(raw) as { op?: string; now?: number; id?: string; match?: { ticketIds: string[] } };
    if (line.op === 'pass') now = line.now ?? now;
    for (const id of line.match?.ticketIds ?? []) matched.add(id);
    const known = line.op === 'remove' ? lines.get(line.id ?? '') : undefined;
    if (!known || matched.has(line.id ?? '')) return;
    const patienceSeconds = Math.max(0, (now ?? 0) / 1000 - known.at);
    lines.set(line.id ?? '', { ...known, patienceSeconds });
  };
}

/** Null for a line that is no ticket of this pool. */
function parsedLine(raw: string, where: string, pool: string | undefined, pools: Set<string>): Line | null {
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch (error) {
    throw new UsageError(`${where}: not JSON (${(error as Error).message}).`);
  }
  const op = typeof value === 'object' && value !== null && 'op' in value ? value.op : undefined;
  if (op !== undefined && op !== 'add') return null;
  const parsed = (op === 'add' ? recordedSchema : lineSchema).safeParse(value);
  if (!parsed.success) throw new UsageError(`${where}:\n${faultsOf(parsed.error)}`);
  if (!('op' in parsed.data)) return parsed.data;
  const { key, ticket } = parsed.data;
  pools.add(key);
  if (pool !== undefined && key !== pool) return null;
  const { waitingSince, ...rest } = ticket;
  return { ...rest, at: waitingSince / 1000, leavesForGood: false };
}

function toSource(lines: Line[], name: string): Source {
  lines.sort((a, b) => a.at - b.at);
  const startMs = Math.floor((lines[0]?.at ?? 0) * 1000);
  const endMs = Math.floor((lines.at(-1)?.at ?? 0) * 1000) + 1;
  const people = lines.reduce((sum, line) => sum + line.players.length, 0);
  return {
    title: `${lines.length} tickets of ${name}`,
    facts: [
      ['Trace', name],
      ['Tickets', lines.length.toLocaleString('en')],
      ['Players in them', people.toLocaleString('en')],
    ],
    startMs,
    endMs,
    count: lines.length,
    arrivals: () => lines.map(toArrival),
  };
}

function toArrival(line: Line): Arrival {
  const { at, players, patienceSeconds, leavesForGood, blocked, id = '', ...rest } = line;
  return {
    ticket: {
      ...rest,
      id,
      players: players.map(({ userId, mu, sigma, roles }, i) => ({ userId: userId ?? `${id}.${i}`, mu, sigma, roles })),
      waitingSince: Math.floor(at * 1000),
      blocked: new Set(blocked),
      avoided: new Set(),
      weight: 5,
      favourite: 5,
      backfill: null,
    },
    skills: players.map(({ skill, mu }) => skill ?? mu),
    patienceMs: patienceSeconds === undefined ? Infinity : patienceSeconds * 1000,
    leavesForGood,
  };
}
