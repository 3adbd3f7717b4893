import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../../scripts/cluster/child';
import { isOnPath, startRedis } from '../../scripts/cluster/services';
import { migrateDown } from '../../src/database/migrations';
import { createLogger } from '../../src/core/logger';
import { runScript } from '../support/command';
import { testDatabase } from '../support/database';

/** `npm run doctor` in environments that are well, and in each that is not for one reason. */

const doctor = (env: Record<string, string>) => runScript('doctor', [], env);
const withRedis = isOnPath('redis-server') ? test : test.skip;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maoga-doctor-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a new machine is well', async () => {
  const { code, output } = await doctor({ DATA_DIR: folder });
  expect([code, output]).toEqual([0, expect.stringMatching(/✓ Node .*✓ Database .*✓ Transactions .*✓ Clock /s)]);
});

test('settings that are missing or weak are all named, and nothing else is looked at', async () => {
  const { code, output } = await doctor({ NODE_ENV: 'production', JWT_SECRET: 'a'.repeat(40) });
  expect(code).toBe(1);
  for (const name of ['MONGODB_URI', 'REDIS_URL', 'JWT_SECRET', 'JWT_REFRESH_SECRET', 'PUBLIC_URL'])
    expect(output).toContain(`- ${name}: `);
  expect(output).not.toContain('Database');
});

test('a database that does not answer, and a Redis that does not, are named with what to check', async () => {
  const [database, redis] = [await freePort(), await freePort()];
  const { code, output } = await doctor({
    MONGODB_URI: `mongodb://127.0.0.1:${database}/maoga?serverSelectionTimeoutMS=200`,
    REDIS_URL: `redis://127.0.0.1:${redis}`,
  });
  expect([code, output]).toEqual([
    1,
    expect.stringMatching(/✗ Database .*Check MONGODB_URI.*✗ Redis .*Check REDIS_URL/s),
  ]);
});

test('a folder that may not be written to is named', async () => {
  const file = join(folder, 'a-file');
  await writeFile(file, '');
  const { code, output } = await doctor({ DATA_DIR: join(file, 'below') });
  expect([code, output]).toEqual([1, expect.stringMatching(/DATA_DIR/)]);
});

test('a MongoDB that keeps the locks of a killed server for long is warned of', async () => {
  const connection = await testDatabase();
  const env = { MONGODB_URI: `mongodb://${connection.host}:${connection.port}/${connection.name}` };
  const long = await doctor(env);
  expect([long.code, long.output]).toEqual([0, expect.stringMatching(/! Transactions .* for 60 s/)]);
  await connection.db?.admin().command({ setParameter: 1, transactionLifetimeLimitSeconds: 5 });
  const short = await doctor(env);
  expect([short.code, short.output]).toEqual([0, expect.stringMatching(/✓ Transactions +work$/m)]);
}, 60_000);

test('a missing index is named, and so is a migration that is pending', async () => {
  const connection = await testDatabase();
  const uri = `mongodb://${connection.host}:${connection.port}/${connection.name}?directConnection=true`;
  const env = { MONGODB_URI: uri, MIGRATE_ON_START: 'false' };
  await connection.collection('tickets').dropIndex('one_open_per_player');
  const dropped = await doctor(env);
  expect([dropped.code, dropped.output]).toEqual([1, expect.stringContaining('missing: tickets.one_open_per_player')]);
  await migrateDown(connection, createLogger({ level: 'silent', pretty: false }));
  const pending = await doctor(env);
  expect([pending.code, pending.output]).toEqual([1, expect.stringMatching(/✗ Migrations +1 pending/)]);
}, 60_000);

withRedis('a Redis that refuses to forget when it is full is warned of', async () => {
  const port = await freePort();
  const redis = await startRedis(port);
  const client = new Redis(port);
  try {
    await client.config('SET', 'maxmemory', '50mb');
    const { code, output } = await doctor({ DATA_DIR: folder, REDIS_URL: `redis://127.0.0.1:${port}` });
    expect([code, output]).toEqual([0, expect.stringMatching(/! Redis memory +bounded, and noeviction/)]);
  } finally {
    client.disconnect();
    await redis?.child.stop();
  }
});
