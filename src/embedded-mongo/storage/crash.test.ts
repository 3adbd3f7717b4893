/**
 * What is left after the process is killed in the middle of writing: every acknowledged write, and of every other command all or nothing. More rounds than
 * the few of a test run: `CRASH_ROUNDS=100 npx jest embedded-crash`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient, type Db } from 'mongodb';
import { startServerProcess, type ServerProcess } from '../testing/server-process';

/* eslint-disable-next-line no-restricted-properties -- a setting of this test alone */
const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 3);
/** Acknowledged writes before the kill, so that rounds differ in what they interrupt. */
const WRITES_BEFORE_KILL = 150;
const BATCH = 10;

interface Acknowledged {
  single: string[];
  batches: string[];
  transfers: string[];
  /** The last acknowledged value of the counter. */
  counter: number;
}

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'embedded-mongo-crash-'));
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

const connect = (uri: string): Promise<MongoClient> =>
  MongoClient.connect(uri, { serverSelectionTimeoutMS: 500, retryWrites: false });

/** Repeats a write until the server is gone. */
async function untilItFails(write: (i: number) => Promise<void>): Promise<void> {
  for (let i = 0; ; i += 1) {
    try {
      await write(i);
    } catch {
      return;
    }
  }
}

function writers(client: MongoClient, db: Db, round: number, done: Acknowledged, wrote: () => void): Promise<void>[] {
  const c = (name: string) => db.collection<{ _id: string }>(name);
  return [
    untilItFails(async (i) => {
      await c('single').insertOne({ _id: `${round}-${i}` });
      done.single.push(`${round}-${i}`);
      wrote();
    }),
    untilItFails(async (i) => {
      const batch = `${round}-${i}`;
      await c('batches').insertMany(Array.from({ length: BATCH }, (_, n) => ({ _id: `${batch}-${n}`, batch })));
      done.batches.push(batch);
      wrote();
    }),
    untilItFails(async (i) => {
      const _id = `${round}-${i}`;
      await client.withSession(async (session) => {
        session.startTransaction();
        await c('left').insertOne({ _id }, { session });
        await c('right').insertOne({ _id }, { session });
        await session.commitTransaction();
      });
      done.transfers.push(_id);
      wrote();
    }),
    untilItFails(async () => {
      const options = { upsert: true, returnDocument: 'after' } as const;
      const doc = await db.collection('counter').findOneAndUpdate({ name: 'n' }, { $inc: { n: 1 } }, options);
      done.counter = Number(doc?.n);
      wrote();
    }),
  ];
}

async function check(db: Db, done: Acknowledged): Promise<void> {
  const ids = async (name: string) => new Set((await db.collection(name).distinct('_id')).map(String));
  const missing = (all: string[], kept: Set<string>): string[] => all.filter((id) => !kept.has(id));
  expect(missing(done.single, await ids('single'))).toEqual([]);
  const sizes = await db
    .collection('batches')
    .aggregate([{ $sortByCount: '$batch' }])
    .toArray();
  expect(sizes.filter(({ count }) => count !== BATCH)).toEqual([]);
  expect(missing(done.batches, new Set(sizes.map(({ _id }) => String(_id))))).toEqual([]);
  const left = await ids('left');
  expect([...(await ids('right'))].sort()).toEqual([...left].sort());
  expect(missing(done.transfers, left)).toEqual([]);
  const counter = await db.collection('counter').findOne({ name: 'n' });
  expect(counter?.n).toBeGreaterThanOrEqual(done.counter);
}

it(
  `keeps every acknowledged write and no half command over ${ROUNDS} rounds of SIGKILL`,
  async () => {
    const done: Acknowledged = { single: [], batches: [], transfers: [], counter: 0 };
    for (let round = 0; round < ROUNDS; round += 1) {
      await withServer(async (client, server) => {
        if (round === 0) await client.db('crash').collection('counter').createIndex({ name: 1 }, { unique: true });
        else await check(client.db('crash'), done);
        await killWhileWriting(client, round, done, server);
      });
    }
    await withServer(async (client, server) => {
      await check(client.db('crash'), done);
      const indexes = await client.db('crash').collection('counter').indexes();
      expect(indexes.map(({ name }) => String(name))).toEqual(['_id_', 'name_1']);
      expect(await server.end('SIGTERM')).toBe(0);
    });
  },
  60_000 + ROUNDS * 20_000,
);

/** Starts the server on the directory; nothing of it is left running, however this ends. */
async function withServer(run: (client: MongoClient, server: ServerProcess) => Promise<void>): Promise<void> {
  const server = await startServerProcess(['--dir', directory]);
  const client = await connect(server.uri);
  try {
    await run(client, server);
  } finally {
    await client.close(true);
    await server.end('SIGKILL');
  }
}

async function killWhileWriting(client: MongoClient, round: number, done: Acknowledged, server: ServerProcess) {
  let left = WRITES_BEFORE_KILL + round * 37;
  const wrote = (): void => {
    left -= 1;
    if (left === 0) void server.end('SIGKILL');
  };
  await Promise.all(writers(client, client.db('crash'), round, done, wrote));
}
