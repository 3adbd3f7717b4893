import { createSharedMemory } from './shared-memory';
import { redisForTests, withRedis } from './testing/redis';

/** In this process, and over a real redis-server where there is one on the PATH. */

describe('alone', () => {
  it('keeps a note until its end', async () => {
    let time = 1;
    const memory = createSharedMemory(undefined, () => time);
    await memory.remember('a', 'noted', 100);
    time += 100;
    expect(await memory.recall('a')).toBe('noted');
    time += 1;
    expect(await memory.recall('a')).toBeUndefined();
  });

  it('keeps no more than it may: what was not asked for the longest goes', async () => {
    const memory = createSharedMemory(undefined, () => 1, 2);
    await memory.remember('a', '1', 100);
    await memory.remember('b', '2', 100);
    await memory.recall('a');
    await memory.remember('c', '3', 100);
    expect([await memory.recall('a'), await memory.recall('b'), await memory.recall('c')]).toEqual([
      '1',
      undefined,
      '3',
    ]);
  });

  it('gives one turn in its time, and says how long to wait', async () => {
    let time = 1;
    const memory = createSharedMemory(undefined, () => time);
    const ask = () => memory.turn('t', 250);
    expect([await ask(), await ask()]).toEqual([0, 250]);
    time += 249;
    expect([await ask(), await memory.turn('another', 250)]).toEqual([1, 0]);
    time += 1;
    expect([await ask(), await ask()]).toEqual([0, 250]);
  });
});

withRedis('with Redis', () => {
  const server = redisForTests();
  const instance = async () => {
    const link = await server.connect();
    return createSharedMemory((question) => question(link));
  };

  it('shares notes with other instances', async () => {
    const [one, two] = [await instance(), await instance()];
    await one.remember('shared', 'noted', 60_000);
    expect([await two.recall('shared'), await two.recall('unknown')]).toEqual(['noted', undefined]);
  });

  it('gives each turn to one of all instances', async () => {
    const instances = await Promise.all(Array.from({ length: 5 }, instance));
    const waits = await Promise.all(instances.map((memory) => memory.turn('shared turn', 60_000)));
    expect(waits.filter((wait) => wait === 0)).toHaveLength(1);
    expect(Math.min(...waits.filter((wait) => wait > 0))).toBeGreaterThan(50_000);
  });

  it('goes by its own notes and turns while Redis is away', async () => {
    const memory = await instance();
    await server.kill();
    await memory.remember('own', 'noted', 60_000);
    expect(await memory.recall('own')).toBe('noted');
    expect([await memory.turn('own turn', 60_000), (await memory.turn('own turn', 60_000)) > 0]).toEqual([0, true]);
  });
});
