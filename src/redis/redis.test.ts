import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import express from 'express';
import request from 'supertest';
import { freePort, type Child } from '../../scripts/cluster/child';
import { startRedis } from '../../scripts/cluster/services';
import { systemIds } from '../core/ids';
import { createLogger } from '../core/logger';
import { problemHandler } from '../http/problems';
import { createRateLimits, LIMITS } from '../http/rate-limits';
import { connectRedis } from './redis';
import { withRedis } from './testing/redis';

const { max } = LIMITS.submit;
const silent = createLogger({ level: 'silent', pretty: false });
const releases: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

async function redisAt(port: number): Promise<Child> {
  const { child } = (await startRedis(port))!;
  releases.push(() => end(child));
  return child;
}

async function end(redis: Child): Promise<void> {
  redis.signal('SIGKILL');
  await redis.exited;
}

/** One instance of the server, as far as limits go. */
async function instance(port: number, database = 0) {
  const link = await connectRedis(`redis://127.0.0.1:${port}/${database}`, silent, systemIds.uuid());
  const limits = createRateLimits(true, link.createLimitStore);
  releases.push(
    () => link.stop(),
    () => limits.stop(),
  );
  const app = express()
    .use(limits.limiters.submit as express.RequestHandler)
    .use((_request, response) => void response.send('in'))
    .use(problemHandler(silent));
  const ask = async () => (await request(app).get('/')).status;
  /** What is left of the budget, as the answer says. */
  const left = async () => Number(/r=(\d+)/.exec(String((await request(app).get('/')).headers['ratelimit']))?.[1]);
  return { left, link, burst: async (times: number) => Promise.all(Array.from({ length: times }, ask)) };
}

const refused = (statuses: number[]) => statuses.filter((status) => status === 429).length;

/** Resolves once the condition holds; tests end by their own timeout when it never does. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
}

type Instance = Awaited<ReturnType<typeof instance>>;

/** Resolves once both count together. On a busy machine an answer of Redis may come too late, and each counts by itself. */
async function untilShared(a: Instance, b: Instance): Promise<void> {
  for (;;) {
    await until(() => [a, b].every(({ link }) => link.status() === 'ready'));
    const [first, second] = [await a.left(), await b.left()];
    if (second === first - 1) return;
    expect(first + second).toBeGreaterThan(0);
  }
}

withRedis('limits in Redis', () => {
  test('are one budget for all instances', async () => {
    const port = await freePort();
    await redisAt(port);
    const [a, b] = [await instance(port), await instance(port)];
    expect(a.link.status()).toBe('ready');
    await untilShared(a, b);
  });

  test('go on in each process while Redis is frozen, without holding a request for long', async () => {
    const port = await freePort();
    const redis = await redisAt(port);
    const [{ burst }, other] = [await instance(port), await instance(port, 1)];
    const timed = async (work: () => Promise<number[]>) => {
      const begun = performance.now();
      const statuses = await work();
      return { statuses, ms: performance.now() - begun };
    };
    const usual = await timed(() => other.burst(max + 5));
    redis.signal('SIGSTOP');
    const { statuses, ms } = await timed(() => burst(max + 5));
    expect([refused(statuses), new Set(statuses)]).toEqual([5, new Set([200, 429])]);
    // one time-out, and what so many requests take on this machine just now; by itself the client would wait for more than 8 s
    expect(ms).toBeLessThan(2 * usual.ms + 2_000);
    redis.signal('SIGCONT');
  });

  test('cost one time-out while Redis is frozen, however many questions follow each other', async () => {
    const port = await freePort();
    const redis = await redisAt(port);
    const { left, link } = await instance(port);
    const inARow = async () => {
      const begun = performance.now();
      for (let i = 0; i < 8; i++) await left();
      await link.memory.remember('a', '1', 1000);
      return performance.now() - begun;
    };
    const usual = await inARow();
    redis.signal('SIGSTOP');
    // one each would be nine of 250 ms
    expect((await inARow()) - usual).toBeLessThan(1_000);
    redis.signal('SIGCONT');
  });

  test('are never open: not when Redis was away at the start, nor once it has come, nor after it has lost everything', async () => {
    const port = await freePort();
    const [a, b] = [await instance(port), await instance(port)];
    expect(a.link.status()).toBe('away');
    expect(refused(await a.burst(max + 3))).toBe(3);

    const first = await redisAt(port);
    await until(() => a.link.status() === 'ready' && b.link.status() === 'ready');
    await untilShared(a, b);

    await end(first);
    await until(() => a.link.status() === 'away' && b.link.status() === 'away');
    // what it counted by itself before still counts
    expect(await a.left()).toBe(0);
    await redisAt(port);
    await until(() => a.link.status() === 'ready' && b.link.status() === 'ready');
    // the scripts are gone with the first one, and loaded anew
    await untilShared(a, b);
  });
});

withRedis('a Redis that is frozen', () => {
  test('when the server starts holds the start up for a second, and is used once it answers', async () => {
    const port = await freePort();
    const redis = await redisAt(port);
    redis.signal('SIGSTOP');
    const { link } = await instance(port);
    expect(link.status()).toBe('away');
    redis.signal('SIGCONT');
    await until(() => link.status() === 'ready');
  });

  test('for long is connected to anew: nothing piles up for it', async () => {
    const port = await freePort();
    const redis = await redisAt(port);
    let connections = 0;
    const between = createServer((client) => {
      connections += 1;
      const upstream = connect(port, '127.0.0.1');
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const)
        one
          .on('error', () => other.destroy())
          .once('close', () => other.destroy())
          .pipe(other);
    }).listen(0, '127.0.0.1');
    await once(between, 'listening');
    releases.push(() => between.close());
    const { link } = await instance((between.address() as AddressInfo).port);
    expect(connections).toBe(2);
    redis.signal('SIGSTOP');
    await until(() => connections >= 4);
    expect(link.status()).toBe('away');
    redis.signal('SIGCONT');
    await until(() => link.status() === 'ready');
  });
});

test('without a URL there is no Redis, and nothing to wait for', async () => {
  const link = await connectRedis(undefined, silent, 'one');
  expect([link.status(), link.createLimitStore]).toEqual(['off', undefined]);
});

test('credentials in a URL are not described', async () => {
  const link = await connectRedis(`redis://user:secret@127.0.0.1:${await freePort()}`, silent, 'one');
  releases.push(() => link.stop());
  expect(link.description).toMatch(/^Redis at redis:\/\/\*\*\*@127/);
});
