import { setTimeout as delay } from 'node:timers/promises';
import { gather } from './support/crowd';
import { settle } from './support/verdict';
import { startWorld, TTL_MS, type World } from './support/world';

/** The short form of the fault suite: see `npm run test:faults` and docs/reliability.md for all of it. */

let world: World;
beforeAll(async () => (world = await startWorld(2, 'none')), 30_000);
afterAll(() => world?.stop(), 30_000);

test('the leader is killed when a match is committed and nobody knows yet: nothing is lost or doubled', async () => {
  const crowd = await gather(world, 12);
  crowd.play();
  await crowd.nextMatch();
  const sprung = world.members.map(({ database, signal }) =>
    database.trap({ command: 'commitTransaction', nth: 5, when: 'after', act: () => signal('SIGKILL') }),
  );
  await Promise.race(sprung);
  for (const { database } of world.members) database.disarm();
  const killed = Date.now();
  await delay(1); // what was under way when it was killed
  await crowd.nextMatch();
  expect(Date.now() - killed).toBeLessThan(10 * TTL_MS);
  await settle(world, crowd);
  crowd.leave();
}, 60_000);
