import { setTimeout as delay } from 'node:timers/promises';
import { between, PACE, ROUNDS, random, SEED } from './support/chance';
import { gather, type Crowd } from './support/crowd';
import { figuresOf, longest, report, settle } from './support/verdict';
import { startWorld, type World } from './support/world';

/** The database is away: nothing that was answered is lost, requests are refused with 503, and everything recovers by itself. */

/** Two missed heartbeats of 5 s, and 5 s in which the next server is looked for (src/database/connect.ts). */
const REFUSED_WITHIN_MS = 20_000;

let world: World;
let crowd: Crowd;
beforeAll(async () => {
  report('seed', { FAULT_SEED: SEED, FAULT_ROUNDS: ROUNDS });
  world = await startWorld(2);
});
afterAll(() => world?.stop());
beforeEach(async () => {
  crowd = await gather(world, 24);
  crowd.play();
});
afterEach(() => crowd.leave());

async function measured(what: string, fault: () => Promise<void>): Promise<void> {
  const recoveries: number[] = [];
  for (let round = 0; round < 3 * ROUNDS; round++) {
    await crowd.nextMatch();
    await delay(random() * 500);
    await fault();
    const back = Date.now();
    recoveries.push((await crowd.nextMatch()) - back);
  }
  await settle(world, crowd);
  report(what, { ...figuresOf(crowd), recoveryMs: longest(recoveries) });
}

test('killed in mid-load, and started again on its data', () =>
  measured('database killed and started again', () => world.restartDatabase(between(0, 1500))));

test('frozen for 3 s', () =>
  measured('database frozen for 3 s', async () => {
    world.signalDatabase('SIGSTOP');
    await delay(3000);
    world.signalDatabase('SIGCONT');
  }));

test('frozen for longer than anybody waits: requests are refused, and what was under way is done or refused', async () => {
  await crowd.nextMatch();
  world.signalDatabase('SIGSTOP');
  const frozen = Date.now();
  await refused();
  const refusedMs = Date.now() - frozen;
  expect(refusedMs).toBeLessThan(REFUSED_WITHIN_MS * PACE);
  world.signalDatabase('SIGCONT');
  const back = Date.now();
  const recoveryMs = (await crowd.nextMatch()) - back;
  await settle(world, crowd);
  report('database frozen until requests were refused', { ...figuresOf(crowd), refusedMs, recoveryMs });
});

test('every connection cut, and refused for 2 s', () =>
  measured('connections to the database refused for 2 s', async () => {
    for (const { database } of world.members) database.cut();
    await refused();
    await delay(2000);
    for (const { database } of world.members) database.open();
  }));

test('the primary steps down, and for 2 s there is none', () =>
  measured('no primary for 2 s', async () => {
    for (const { database } of world.members) database.stepDown();
    await delay(2000);
    for (const { database } of world.members) database.stepUp();
  }));

test('one of two instances is cut off from the database for 12 s: the other goes on', async () => {
  const [lonely] = world.members as [World['members'][number]];
  await crowd.nextMatch();
  lonely.database.cut();
  const until = performance.now() + 12_000;
  let meanwhile = 0;
  while (performance.now() < until) {
    await crowd.nextMatch();
    meanwhile += 1;
  }
  lonely.database.open();
  await crowd.nextMatch();
  await settle(world, crowd);
  report('one of two instances cut off for 12 s', { ...figuresOf(crowd), toldMeanwhile: meanwhile });
});

/** Asks each instance for something that only the database knows. */
async function refused(): Promise<void> {
  const answers = await Promise.all(world.members.map(({ url }) => fetch(`${url}/api/games/trending`)));
  for (const answer of answers) {
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  }
}
