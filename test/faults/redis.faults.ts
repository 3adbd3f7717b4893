import { setTimeout as delay } from 'node:timers/promises';
import { gather, type Crowd } from './support/crowd';
import { figuresOf, longest, median, report, settle } from './support/verdict';
import { REDIS_IS_HERE, startWorld, type World } from './support/world';

/** Redis is away: matches go on, requests are answered, the server says that it is degraded, and recovers by itself. */

const AWAY_MS = 30_000;
const EXTRA_MS = 500;
/** Those that run into its going are among the requests of this time. */
const FIRST_MS = 1_000;
/** Counted like in production, with more room: all players come from one address. */
const LIMITS = {
  RATE_LIMITS: 'true',
  RATE_LIMIT_CHANGES: ['general', 'search', 'submit', 'credentials', 'strangers', 'pages']
    .map((name) => `${name}=100000/60`)
    .join(),
};
let world: World;
let crowd: Crowd;

const status = async (): Promise<string[]> =>
  Promise.all(
    world.members.map(async ({ url }) => ((await (await fetch(`${url}/readyz`)).json()) as { status: string }).status),
  );

async function untilStatus(wanted: string): Promise<void> {
  for (const until = Date.now() + 10_000; Date.now() < until; await delay(100))
    if ((await status()).every((each) => each === wanted)) return;
  throw new Error(`the instances did not become ${wanted}: ${(await status()).join(', ')}`);
}

/** How long requests take while Redis is away, ms, in order of size; each is counted against a limit. */
async function times(forMs: number): Promise<number[]> {
  const taken: number[] = [];
  for (const until = Date.now() + forMs; Date.now() < until; await delay(50)) {
    const begun = performance.now();
    expect((await fetch(`${world.url}/api/games`)).status).toBe(200);
    taken.push(Math.round(performance.now() - begun));
  }
  return taken.sort((a, b) => a - b);
}

/** The promise is about what Redis adds: the few slowest of a busy machine are nobody's. */
const nearlyAll = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length * 0.95)] ?? 0;

const figuresOfRequests = (usual: readonly number[], first: readonly number[], meanwhile: readonly number[]) => ({
  usual: { median: median(usual), longest: longest(usual) },
  first: { longest: longest(first) },
  meanwhile: { median: median(meanwhile), p95: nearlyAll(meanwhile) },
});

async function begin(redis: 'now' | 'later', instances = 2) {
  world = await startWorld(instances, { redis, settingsOf: () => LIMITS });
  crowd = await gather(world, 16);
  crowd.play();
}

afterEach(async () => {
  crowd?.leave();
  await world?.stop();
});

const withRedis = REDIS_IS_HERE ? test : test.skip;
if (!REDIS_IS_HERE) report('skipped', { reason: 'redis-server is not installed' });

withRedis('killed, and back again', async () => {
  await begin('now');
  await untilStatus('ok');
  const usual = await times(3_000);
  await world.redis.kill();
  const first = await times(FIRST_MS);
  const meanwhile = await times(AWAY_MS - FIRST_MS);
  await untilStatus('degraded');
  await crowd.nextMatch();
  await world.redis.start();
  await untilStatus('ok');
  await settle(world, crowd, { mayHaveToAsk: true });
  report('Redis killed for 30 s', {
    ...figuresOf(crowd),
    requestMs: figuresOfRequests(usual, first, meanwhile),
  });
  expect(longest(first) - longest(usual)).toBeLessThan(EXTRA_MS);
  expect(nearlyAll(meanwhile) - nearlyAll(usual)).toBeLessThan(EXTRA_MS);
});

withRedis('frozen, and back again', async () => {
  await begin('now');
  await untilStatus('ok');
  const usual = await times(3_000);
  world.redis.signal('SIGSTOP');
  const first = await times(FIRST_MS);
  const meanwhile = await times(AWAY_MS - FIRST_MS);
  await untilStatus('degraded');
  await crowd.nextMatch();
  world.redis.signal('SIGCONT');
  await untilStatus('ok');
  await settle(world, crowd, { mayHaveToAsk: true });
  report('Redis frozen for 30 s', {
    ...figuresOf(crowd),
    requestMs: figuresOfRequests(usual, first, meanwhile),
  });
  expect(longest(first) - longest(usual)).toBeLessThan(EXTRA_MS);
  expect(nearlyAll(meanwhile) - nearlyAll(usual)).toBeLessThan(EXTRA_MS);
});

withRedis('killed, then frozen, beside one instance: its own sockets are told, and nobody has to ask', async () => {
  await begin('now', 1);
  await untilStatus('ok');
  await world.redis.kill();
  await untilStatus('degraded');
  for (let matches = 0; matches < 50; matches++) await crowd.nextMatch();
  await world.redis.start();
  await untilStatus('ok');
  world.redis.signal('SIGSTOP');
  for (let matches = 0; matches < 50; matches++) await crowd.nextMatch();
  await settle(world, crowd);
  world.redis.signal('SIGCONT');
  report('Redis away, one instance', figuresOf(crowd));
});

withRedis('down when the servers start, then up', async () => {
  await begin('later');
  await untilStatus('degraded');
  await world.redis.start();
  await untilStatus('ok');
  await crowd.nextMatch();
  await settle(world, crowd, { mayHaveToAsk: true });
  report('Redis down at the start', figuresOf(crowd));
});
