import type { Options } from 'express-rate-limit';
import type { Redis } from 'ioredis';
import { LimitStore } from './limit-store';
import { redisForTests, withRedis } from './testing/redis';

withRedis('a limit store', () => {
  const server = redisForTests();

  test('whose scripts could not be loaded at the start counts by itself at first, and together with others soon after', async () => {
    const redis = await server.connect();
    const call: (...args: never[]) => Promise<unknown> = redis.call.bind(redis);
    let slow = true;
    redis.call = ((...args: never[]) =>
      slow ? Promise.reject(new Error('Command timed out')) : call(...args)) as Redis['call'];
    const store = new LimitStore(redis, (question) => question(redis), 'submit');
    store.init({ windowMs: 60_000 } as Options);
    expect((await store.increment('a')).totalHits).toBe(1);
    slow = false;
    // still with the failure of the start, which is the reason to load them again
    expect((await store.increment('a')).totalHits).toBe(2);
    expect((await store.increment('a')).totalHits).toBe(1);
    expect(await redis.get(`${store.prefix}a`)).toBe('1');
    store.shutdown();
  });
});
