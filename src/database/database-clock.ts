import { performance } from 'node:perf_hooks';
import type { Connection } from 'mongoose';
import type { Clock } from '../core/clock';
import type { Logger } from '../core/logger';
import { createLoop, type Loop } from '../core/loop';

/**
 * The database's time, carried on by this process's monotonic clock: instances whose own clocks differ by an hour still agree on how
 * long a ticket has waited. Sampled at start and every minute, at the middle of a round trip; it never goes back.
 */
export interface DatabaseClock extends Clock {
  readonly loop: Loop;
}

const SAMPLE_EVERY_MS = 60_000;
/** A sample is worth half its round trip: one that took so many times as long as expected is not used. */
const WORST_ROUND_TRIP = 4;
/** So many times as long is expected of the next one then: the database may have moved farther away, and stay there. */
const FORGIVING = 2;

export async function createDatabaseClock(connection: Connection, logger: Logger): Promise<DatabaseClock> {
  let offset = 0;
  let expected = Infinity;
  let last = 0;

  const sample = async () => {
    const sent = performance.now();
    const reply = await connection.db?.admin().command({ hello: 1 });
    const received = performance.now();
    const roundTrip = received - sent;
    const time: unknown = reply?.['localTime'];
    if (!(time instanceof Date)) return;
    const isSlow = roundTrip > Math.max(1, expected) * WORST_ROUND_TRIP;
    expected = isSlow ? Math.max(1, expected) * FORGIVING : Math.min(expected, roundTrip);
    if (isSlow) return;
    offset = time.getTime() - (sent + received) / 2;
  };

  await sample();
  return {
    now: () => (last = Math.max(last, Math.round(performance.now() + offset))),
    loop: createLoop({
      name: 'clock',
      everyMs: SAMPLE_EVERY_MS,
      tick: sample,
      onError: (err) => logger.warn({ err }, "the database's time could not be read"),
    }),
  };
}
