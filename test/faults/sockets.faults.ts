import { setTimeout as delay } from 'node:timers/promises';
import { LOOK_EVERY_MS } from '../../src/realtime/presence';
import { FORGOTTEN_AFTER_MS } from '../../src/redis/presence-directory';
import { registerPlayer } from '../support/client';
import { PACE, random, ROUNDS, SEED } from './support/chance';
import { gather, type Crowd } from './support/crowd';
import { gatherFleet } from './support/fleet';
import { figuresOf, longest, report, settle } from './support/verdict';
import { startWorld, type World } from './support/world';

/** Connections end in the worst moment, and instances leave in order: everybody is told, and no request fails. */

const INFORMED_WITHIN_MS = 5_000;

/** From when a match is being written down until its players have been told. */
const AROUND_MS = 200;
const CUTS = 8;
const PLAYERS = 500;

let world: World;
let crowd: Crowd;
beforeAll(async () => {
  report('seed', { FAULT_SEED: SEED, FAULT_ROUNDS: ROUNDS });
  world = await startWorld(3);
});
afterAll(() => world?.stop());
afterEach(() => crowd?.leave());

/** Ends every socket, each at a moment of its own. */
async function cutOneByOne(): Promise<void> {
  for (let left = CUTS; left > 0; left--) {
    world.balancer.cutSockets(() => random() < 1 / left);
    await delay(AROUND_MS / CUTS);
  }
}

test(`the sockets of ${PLAYERS} players are cut in the 200 ms around their matches: all are told within 5 s of coming back`, async () => {
  crowd = await gather(world, PLAYERS);
  crowd.play();
  for (let round = 0; round < 3 * ROUNDS; round++) {
    await crowd.nextMatch();
    await world.passing('insert matches');
    await cutOneByOne();
    await delay(2000 * PACE);
  }
  await settle(world, crowd);
  const { reconnected, caughtUpMs } = crowd.figures;
  report(`${reconnected} sockets cut around matches`, figuresOf(crowd));
  expect(reconnected).toBeGreaterThanOrEqual(PLAYERS);
  expect(longest(caughtUpMs)).toBeLessThan(INFORMED_WITHIN_MS * PACE);
});

test('three instances are restarted one after the other under load: no request fails', async () => {
  crowd = await gather(world, 60);
  crowd.play();
  await crowd.nextMatch();
  const before = crowd.figures.repeated;
  for (const member of world.members) {
    await member.stop();
    await member.start();
    await crowd.nextMatch();
  }
  await settle(world, crowd);
  report('rolling restart of three', figuresOf(crowd));
  expect(crowd.figures.repeated - before).toBe(0);
});

test('one of three with 1,000 sockets ends in order: no request fails, and its clients come back spread over time', async () => {
  crowd = await gather(world, 24);
  crowd.play();
  const fleet = await gatherFleet(world.balancer.url, { players: 100, socketsEach: 10 });
  await fleet.connect();
  const repeated = crowd.figures.repeated;
  const [leaving] = world.members as [World['members'][number]];
  await crowd.nextMatch();
  const begun = Date.now();
  await leaving.stop();
  await fleet.allGreeted();
  await leaving.start();
  await crowd.nextMatch();
  await settle(world, crowd);
  const { moved, busiest, backMs } = fleet.returned(begun);
  report(`SIGTERM of one of three, ${fleet.size} sockets`, { ...figuresOf(crowd), moved, busiest, backMs });
  fleet.leave();
  expect(crowd.figures.repeated - repeated).toBe(0);
  expect(moved).toBeGreaterThan(fleet.size / 5);
  expect(fleet.dismissed).toBe(0);
  // all in the same moment would be all of them
  expect(busiest).toBeLessThan(moved / 2);
});

test('a player whose instance dies is offline to those on other instances once its entries expire', async () => {
  const [watcher, friend] = [await registerPlayer(world.members[0]!), await registerPlayer(world.members[1]!)];
  const [atWatcher, atFriend] = [await watcher.connect(), await friend.connect()];
  const { data } = await atWatcher.send('presence:subscribe', { userIds: [friend.userId] });
  expect(data.statuses).toEqual([{ userId: friend.userId, status: 'online' }]);
  const begun = Date.now();
  const ended = world.members[1]!.instance?.child.exited;
  world.members[1]!.signal('SIGKILL');
  await ended;
  const patienceMs = FORGOTTEN_AFTER_MS + LOOK_EVERY_MS + 5_000 * PACE;
  const news = await atWatcher.next('presence:update', ({ userId }) => userId === friend.userId, patienceMs);
  expect(news).toEqual({ userId: friend.userId, status: 'offline' });
  report('presence after a crash', { offlineAfterMs: Date.now() - begun });
  for (const { close } of [atWatcher, atFriend]) close();
  await world.members[1]!.start();
});
