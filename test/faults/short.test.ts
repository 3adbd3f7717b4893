import { gather } from './support/crowd';
import { settle } from './support/verdict';
import { startWorld, TTL_MS, type World } from './support/world';

/** The short form of the fault suite: see `npm run test:faults` and docs/reliability.md for all of it. */

let world: World;
beforeAll(async () => (world = await startWorld(2, 'none')), 60_000);
afterAll(() => world?.stop(), 60_000);

test('the leader is killed when a match is committed and nobody knows yet: nothing is lost or doubled', async () => {
  const crowd = await gather(world, 12);
  crowd.play();
  await crowd.nextMatch();
  await world.killAt({ command: 'commitTransaction', nth: 5, when: 'after' });
  const killed = Date.now();
  await crowd.nextMatch();
  expect(Date.now() - killed).toBeLessThan(10 * TTL_MS);
  await settle(world, crowd);
  crowd.leave();
}, 60_000);
