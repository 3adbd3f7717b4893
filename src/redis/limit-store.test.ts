import type { Options } from 'express-rate-limit';
import { Redis } from 'ioredis';
import { isOnPath, startRedis, type Service } from '../../scripts/cluster/services';
import { LimitStore } from './limit-store';

const withRedis = isOnPath('redis-server') ? describe : describe.skip;

withRedis('a limit store', () => {
  let service: Service;
  let redis: Redis;
  beforeAll(async () => {
    service = (await startRedis())!;
    redis = new Redis(service.uri);
  });
  afterAll(async () => {
    redis.disconnect();
    await service.child.stop();
  });

  test('whose scripts could not be loaded at the start counts by itself at first, and together with others soon after', async () => {
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
