import type { Redis } from 'ioredis';
import { createPresenceDirectory, FORGOTTEN_AFTER_MS } from './presence-directory';
import { redisForTests, withRedis } from './testing/redis';

withRedis('presence in Redis', () => {
  const server = redisForTests();
  let redis: Redis;
  let away = false;
  const instance = (name: string) =>
    createPresenceDirectory(async (question) => {
      if (away) throw new Error('away');
      return question(redis);
    }, name);
  const everybody = ['ada', 'bob', 'cyd'];

  beforeAll(async () => {
    redis = await server.connect();
  });
  beforeEach(() => redis.flushall());

  test('names those whom another instance has, until they leave it', async () => {
    const [one, two] = [instance('one'), instance('two')];
    await Promise.all([one.add('ada'), two.add('bob')]);
    expect(await one.elsewhere(everybody)).toEqual(new Set(['bob']));
    await two.remove('bob');
    expect(await one.elsewhere(everybody)).toEqual(new Set());
  });

  test('forgets an instance that does not say again whom it has', async () => {
    const [one, two] = [instance('one'), instance('two')];
    await two.add('bob');
    expect(await redis.pttl('maoga:presence:two')).toBeLessThanOrEqual(FORGOTTEN_AFTER_MS);
    await redis.pexpire('maoga:presence:two', 1);
    while ((await redis.exists('maoga:presence:two')) === 1);
    expect(await one.elsewhere(everybody)).toEqual(new Set());
    await one.renew(() => []);
    expect(await redis.smembers('maoga:presence')).not.toContain('two');
  });

  test('an instance that is forgotten while it lives says again whom it has', async () => {
    const [one, two] = [instance('one'), instance('two')];
    await two.add('bob');
    await two.renew(() => ['bob']);
    await redis.flushall();
    await two.renew(() => ['bob', 'cyd']);
    expect(await one.elsewhere(everybody)).toEqual(new Set(['bob', 'cyd']));
  });

  test('what could not be said while Redis was away is said afterwards', async () => {
    const [one, two] = [instance('one'), instance('two')];
    await two.add('bob');
    await two.renew(() => ['bob']);
    away = true;
    await two.remove('bob');
    await two.add('ada');
    await expect(one.elsewhere(everybody)).rejects.toThrow('away');
    away = false;
    await two.renew(() => ['ada']);
    expect(await one.elsewhere(everybody)).toEqual(new Set(['ada']));
  });
});
