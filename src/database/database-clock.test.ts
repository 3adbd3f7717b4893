import type { Connection } from 'mongoose';
import { createLogger } from '../core/logger';
import { createDatabaseClock } from './database-clock';

/** A database whose clock goes `ahead` of this one, and whose replies take as long as they are told to. */
function database() {
  const way = { ms: 1, ahead: 3_600_000 };
  jest.useFakeTimers({ now: 0 });
  const command = async () => {
    jest.advanceTimersByTime(way.ms / 2);
    const localTime = new Date(Math.round(performance.now()) + way.ahead);
    jest.advanceTimersByTime(way.ms / 2);
    return { localTime };
  };
  return { way, connection: { db: { admin: () => ({ command }) } } as unknown as Connection };
}
afterEach(() => jest.useRealTimers());

const logger = createLogger({ level: 'silent', pretty: false });

test('goes by the time of the database, and never back', async () => {
  const { way, connection } = database();
  const clock = await createDatabaseClock(connection, logger);
  expect(clock.now()).toBeCloseTo(performance.now() + way.ahead, -1);
  const before = clock.now();
  way.ahead -= 60_000;
  await clock.loop.tick();
  expect(clock.now()).toBe(before);
  jest.advanceTimersByTime(61_000);
  expect(clock.now()).toBeCloseTo(performance.now() + way.ahead, -1);
});

test('does not believe a reply that was long on its way, unless they all are from now on', async () => {
  const { way, connection } = database();
  const clock = await createDatabaseClock(connection, logger);
  const first = way.ahead;
  Object.assign(way, { ms: 40, ahead: first + 5_000 });
  await clock.loop.tick();
  expect(clock.now() - performance.now()).toBeCloseTo(first, -2);
  for (let minute = 0; minute < 5; minute++) await clock.loop.tick();
  expect(clock.now() - performance.now()).toBeCloseTo(first + 5_000, -2);
});
