import { setTimeout as delay } from 'node:timers/promises';
import { between, chanceOf, ROUNDS, random, SEED } from './support/chance';
import { gather, type Crowd } from './support/crowd';
import { figuresOf, longest, median, report, settle } from './support/verdict';
import { startWorld, TTL_MS, type World } from './support/world';

/** The instance that forms the matches dies, or sleeps, at every point of what it does. */

/** Every command on the way of a match, from the tickets' being read to its having been told. */
const PATH = [
  'insert tickets',
  'find tickets',
  'update fences',
  'update tickets',
  'insert matches',
  'insert lobbies',
  'insert outbox',
  'commitTransaction',
  'update outbox',
  'update feeds',
];
const POINTS = PATH.flatMap((command) => [
  { command, when: 'before' as const },
  { command, when: 'after' as const },
]);

let world: World;
let crowd: Crowd;
beforeAll(async () => {
  report('seed', { FAULT_SEED: SEED, FAULT_ROUNDS: ROUNDS });
  world = await startWorld(3);
});
afterAll(() => world?.stop());
beforeEach(async () => {
  await Promise.all(world.members.map((member) => member.start()));
  await play();
});
afterEach(() => crowd.leave());

/** How many play: fewer leave more of the machine to servers that start. */
const PLAYERS = Number(process.env['FAULT_PLAYERS'] ?? 24);

const play = async () => {
  crowd = await gather(world, PLAYERS);
  crowd.play();
};

/** Until the next match is told of, ms. */
const recovery = async (): Promise<number> => {
  const begun = Date.now();
  return (await crowd.nextMatch()) - begun;
};

/** The believer itself looks every quarter of a minute, and finds out. */
const TAKEN_WITHIN_MS = 6_000;

const isLate = (ms: number): boolean => ms > 2 * TTL_MS;

/** Runs over all points; each has a seed of its own, and is judged by itself. */
const SEEDS = Number(process.env['FAULT_SEEDS'] ?? 2);

test(`killed at ${POINTS.length} points by ${SEEDS} seeds: nothing is lost or doubled, and matches go on within 2 leases`, async () => {
  const recoveries: number[] = [];
  let slowest = { ms: 0, point: '' };
  for (let seed = SEED; seed < SEED + SEEDS; seed++) {
    if (seed > SEED) {
      // others play each seed: nobody has a thousand notifications from before
      crowd.leave();
      await play();
    }
    const nth = chanceOf(seed - SEED);
    for (const { command, when } of POINTS) {
      const victim = await world.killAt({ command, when, nth: nth(1, 8) }).catch((error: Error) => {
        throw new Error(`${error.message}: ${crowd.ledger.audit().slice(0, 10).join('; ')}`);
      });
      const [ms] = await Promise.all([recovery(), victim.start()]);
      expect(world.members.filter(({ instance }) => instance?.child.running)).toHaveLength(world.members.length);
      recoveries.push(ms);
      if (ms > slowest.ms) slowest = { ms, point: `${when} ${command}` };
    }
    await settle(world, crowd);
    report(`killed at ${recoveries.length} points of the path`, {
      seed,
      ...figuresOf(crowd),
      recoveryMs: { median: median(recoveries), longest: slowest, late: recoveries.filter(isLate).length },
    });
  }
  expect(median(recoveries)).toBeLessThan(2 * TTL_MS);
  expect(recoveries.filter(isLate).length / recoveries.length).toBeLessThan(0.1);
});

test('killed at random moments', async () => {
  const recoveries: number[] = [];
  for (let round = 0; round < 5 * ROUNDS; round++) {
    await delay(200 + random() * 800);
    const member = world.members[between(0, 2)] as World['members'][number];
    const ended = member.instance?.child.exited;
    member.signal('SIGKILL');
    const [ms] = await Promise.all([recovery(), ended?.then(() => member.start())]);
    recoveries.push(ms);
  }
  await settle(world, crowd);
  report(`killed at ${recoveries.length} random moments`, {
    ...figuresOf(crowd),
    recoveryMs: longest(recoveries),
  });
});

test('asleep for 3 leases: what it wakes up with is not committed, and its pools have moved on', async () => {
  const epochs = async () =>
    (await world.connection.collection('leases').find().toArray()).map((lease) => Number(lease['epoch']));
  const before = await epochs();
  for (let round = 0; round < 3 * ROUNDS; round++)
    for (const member of world.members) {
      await crowd.nextMatch();
      member.signal('SIGSTOP');
      await delay(3 * TTL_MS);
      member.signal('SIGCONT');
    }
  const after = await epochs();
  await settle(world, crowd);
  const moved = after.filter((epoch, i) => epoch > (before[i] ?? 0)).length;
  expect(moved).toBe(after.length);
  report('each of three asleep for 3 leases, 3 times', {
    ...figuresOf(crowd),
    leasesMoved: moved,
  });
});

test('one that goes on believing in leases that others have taken commits nothing', async () => {
  crowd.leave();
  // to the other it is dead after a second without a beat, and it believes in its leases for a minute
  const divided = await startWorld(2, {
    settingsOf: (i): Record<string, string> => (i === 0 ? { LEASE_TTL_MS: '60000' } : {}),
  });
  try {
    const [believer, other] = divided.members as [World['members'][number], World['members'][number]];
    const owners = async () => (await divided.connection.collection('leases').distinct('owner')).map(String);
    for (const member of [other, believer]) await member.stop();
    await believer.start();
    const [itself] = await owners();
    expect(await owners()).toEqual([expect.any(String)]);
    await other.start();
    for (
      const until = performance.now() + TAKEN_WITHIN_MS;
      (await owners()).includes(itself as string);
      await delay(100)
    )
      if (performance.now() > until) throw new Error('nobody has taken its leases over');
    const seen = { tried: 0, written: 0 };
    believer.database.onCommand = (command) => {
      if (command === 'update fences') seen.tried += 1;
      if (command === 'insert matches') seen.written += 1;
    };
    const others = await gather(divided, 24);
    others.play();
    for (let matches = 0; matches < 10; matches++) await others.nextMatch();
    believer.database.onCommand = undefined;
    await settle(divided, others);
    report('two believe that they lead', { ...figuresOf(others), ...seen });
    expect(seen.tried).toBeGreaterThan(0);
    expect(seen.written).toBe(0);
  } finally {
    await divided.stop();
  }
});
