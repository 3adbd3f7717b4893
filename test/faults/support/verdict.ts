import { setTimeout as delay } from 'node:timers/promises';
import { tableOf, verifyInvariants } from '../../../scripts/verify/invariants';
import { PACE } from './chance';
import type { Crowd } from './crowd';
import type { Failure } from './figures';
import type { World } from './world';

const TOLD_WITHIN_MS = 30_000 * PACE;
const MOST_SHOWN = 10;

/**
 * Lets everything come to its end, and holds the books of the players and the database against each other and the promises.
 * @param options.mayHaveToAsk events could not pass between instances (Redis was away)
 */
export async function settle(world: World, crowd: Crowd, { mayHaveToAsk = false } = {}): Promise<void> {
  await crowd.rest();
  const outbox = world.connection.collection('outbox');
  for (const until = Date.now() + TOLD_WITHIN_MS; Date.now() < until; await delay(50))
    if ((await outbox.countDocuments({ deliveredAt: null })) === 0) break;
  const verdict = await verifyInvariants(world.connection, { patienceMs: 1000 });
  if (verdict.findings.total > 0) throw new Error(tableOf(verdict));
  const { failed, stoodStillMs } = crowd.figures;
  const wrong = crowd.ledger.audit().slice(0, MOST_SHOWN);
  if (wrong.length > 0)
    throw new Error(`${wrong.join('\n')}\n(the machine stood still for ${stoodStillMs} ms at most)`);
  const shown = failed.slice(0, MOST_SHOWN).map((failure) => `\n${failure.request}: ${reasonOf(failure, world.log)}`);
  if (failed.length > 0) throw new Error(`${failed.length} requests were answered 500:${shown.join('')}`);
  if (!mayHaveToAsk) expect(crowd.figures.hadToAsk).toBe(0);
  expect(crowd.figures.matches).toBeGreaterThan(0);
}

/** What the server logged about it, and where of its own code that was, in one line. */
function reasonOf({ requestId }: Failure, log: readonly string[]): string {
  const line = log.find((each) => each.includes(requestId) && each.includes('"err":'));
  if (line === undefined) return 'nothing is logged';
  const { err } = JSON.parse(line.slice(line.indexOf('{'))) as {
    err: { type: string; message: string; stack: string };
  };
  const place = /at (.*)\(.*?\/(src\/[^)]+)\)/.exec(err.stack.split('\n').find(isOurs) ?? '');
  return `${err.type}: ${err.message.slice(0, 200)} (${place ? `${place[1]}at ${place[2]}` : 'no place'})`;
}

const isOurs = (frame: string): boolean => frame.includes('/src/') && !frame.includes('node_modules');

/** For the tables of docs/reliability.md. */
export function report(what: string, figures: object): void {
  process.stdout.write(`  ${what}: ${JSON.stringify(figures)}\n`);
}

/** What a crowd went through, in one line: of times the longest. */
export const figuresOf = ({ figures }: Crowd): object => ({
  ...figures,
  failed: figures.failed.length,
  informedMs: longest(figures.informedMs),
  caughtUpMs: longest(figures.caughtUpMs),
});

/** The middle one. */
export const median = (times: readonly number[]): number => [...times].sort((a, b) => a - b)[times.length >> 1] ?? 0;

export const longest = (times: readonly number[]): number => Math.max(0, ...times);
