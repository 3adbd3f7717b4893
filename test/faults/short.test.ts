import { gather } from './support/crowd';
import { settle } from './support/verdict';
import { REDIS_IS_HERE, startWorld, TTL_MS, type World } from './support/world';

/** The short form of the fault suite: see `npm run test:faults` and docs/reliability.md for all of it. */

let world: World;
// without Redis, events do not pass between instances
const withRedis = REDIS_IS_HERE ? test : test.skip;

beforeAll(async () => (world = await startWorld(2)), 60_000);
afterAll(() => world?.stop(), 60_000);

withRedis(
  'the leader is killed when a match is committed and nobody knows yet: nothing is lost or doubled',
  async () => {
    const crowd = await gather(world, 12);
    crowd.play();
    await crowd.nextMatch();
    await world.killAt({ command: 'commitTransaction', nth: 5, when: 'after' });
    const killed = Date.now();
    await crowd.nextMatch();
    expect(Date.now() - killed).toBeLessThan(10 * TTL_MS);
    await settle(world, crowd);
    crowd.leave();
  },
  60_000,
);
