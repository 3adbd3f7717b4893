import { setTimeout as delay } from 'node:timers/promises';
import { ROUNDS, SEED } from './support/chance';
import { gather, type Crowd } from './support/crowd';
import { longest, report, settle } from './support/verdict';
import { startWorld, type World } from './support/world';

/** Connections end in the worst moment, and instances leave in order: everybody is told, and no request fails. */

const INFORMED_WITHIN_MS = 5_000;

let world: World;
let crowd: Crowd;
beforeAll(async () => {
  report('seed', { FAULT_SEED: SEED, FAULT_ROUNDS: ROUNDS });
  world = await startWorld(3);
});
afterAll(() => world?.stop());
beforeEach(async () => {
  crowd = await gather(world, 60);
});
afterEach(() => crowd.leave());

test('every socket is cut in the moment of a match: all are told within 5 s', async () => {
  crowd.play();
  for (let round = 0; round < 5 * ROUNDS; round++) {
    await crowd.nextMatch();
    world.balancer.cutSockets();
    await delay(1000);
  }
  await settle(world, crowd);
  const informedMs = longest(crowd.figures.informedMs);
  report(`${crowd.figures.reconnected} sockets cut`, { ...crowd.figures, informedMs });
  expect(informedMs).toBeLessThan(INFORMED_WITHIN_MS);
});

test('three instances are restarted one after the other under load: no request fails', async () => {
  crowd.play();
  await crowd.nextMatch();
  const before = crowd.figures.repeated;
  for (const member of world.members) {
    await member.stop();
    await member.start();
    await crowd.nextMatch();
  }
  await settle(world, crowd);
  report('rolling restart of three', { ...crowd.figures, informedMs: longest(crowd.figures.informedMs) });
  expect(crowd.figures.repeated - before).toBe(0);
});
