/** A directory: what is in it after a stop, a kill and a restart, and that one process alone has it. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Decimal128, Long, MongoClient, type Db } from 'mongodb';
import { startEmbeddedMongo } from '../index';
import { type AnyDoc } from '../testing/database';
import { RAW } from '../testing/replay';
import { runCli, startServerProcess } from '../testing/server-process';

const directories: string[] = [];
afterAll(async () => {
  for (const directory of directories) await rm(directory, { recursive: true, force: true });
});

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'embedded-mongo-'));
  directories.push(directory);
  return directory;
}

async function on<T>(uri: string, run: (db: Db) => Promise<T>): Promise<T> {
  const client = await MongoClient.connect(uri);
  try {
    return await run(client.db('kept'));
  } finally {
    await client.close();
  }
}

async function during<T>(directory: string, run: (db: Db) => Promise<T>): Promise<T> {
  const server = await startEmbeddedMongo({ directory });
  try {
    return await on(server.uri, run);
  } finally {
    await server.stop();
  }
}

it('documents, indexes and empty collections come back as they were', async () => {
  const directory = await newDirectory();
  const before = await during(directory, async (db) => {
    await db.collection('docs').insertMany([
      { _id: 1 as never, long: Long.fromNumber(1), decimal: new Decimal128('1.10'), bytes: Buffer.from([1, 2]), z: 1, a: { c: [1, null] } },
      { _id: 'two' as never, at: new Date(0) },
      { _id: { compound: 1, key: 'x' } as never },
    ]); // prettier-ignore
    await db
      .collection('docs')
      .createIndex({ email: 1 }, { unique: true, partialFilterExpression: { email: { $exists: true } } });
    await db.collection('docs').createIndex({ name: 1 }, { name: 'folded', collation: { locale: 'en', strength: 2 } });
    await db.createCollection('empty');
    await db.collection('docs').insertOne({ _id: 4 as never, email: 'x', name: 'Ada' });
    await db.collection('docs').deleteOne({ _id: 'two' as never });
    return {
      docs: await db.collection('docs').find({}, RAW).sort({ _id: 1 }).toArray(),
      indexes: await db.collection('docs').indexes(),
    };
  });
  await during(directory, async (db) => {
    expect(await db.collection('docs').find({}, RAW).sort({ _id: 1 }).toArray()).toEqual(before.docs);
    expect(await db.collection('docs').indexes()).toEqual(before.indexes);
    expect((await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name).sort()).toEqual([
      'docs',
      'empty',
    ]);
    await expect(db.collection('docs').insertOne({ email: 'x' })).rejects.toMatchObject({ code: 11000 });
    expect(
      await db.collection('docs').countDocuments({ name: 'ADA' }, { collation: { locale: 'en', strength: 2 } }),
    ).toBe(1);
  });
});

describe.each(['a stop', 'SIGKILL'] as const)('after %s', (end) => {
  /** A server on the directory, in a process of its own, that ends that way. */
  async function once<T>(directory: string, run: (db: Db) => Promise<T>): Promise<T> {
    const server = await startServerProcess(['--dir', directory]);
    try {
      return await on(server.uri, run);
    } finally {
      await server.end(end === 'SIGKILL' ? 'SIGKILL' : 'SIGTERM');
    }
  }
  const ids = async (db: Db, name: string, filter: AnyDoc = {}): Promise<unknown[]> =>
    (await db.collection(name).find(filter).toArray()).map(({ _id }) => _id);

  it('views show what they showed, and may be used and dropped', async () => {
    const directory = await newDirectory();
    await once(directory, async (db) => {
      await db.collection<AnyDoc>('docs').insertMany([{ _id: 1, a: 1 }, { _id: 2, a: 5 }]); // prettier-ignore
      await db.createCollection('large', { viewOn: 'docs', pipeline: [{ $match: { a: { $gt: 3 } } }] });
      await db.createCollection('gone', { viewOn: 'docs', pipeline: [] });
      await db.dropCollection('gone');
    });
    await once(directory, async (db) => {
      await db.collection<AnyDoc>('docs').insertOne({ _id: 3, a: 9 });
      expect(await ids(db, 'large')).toEqual([2, 3]);
      const views = await db.listCollections({ type: 'view' }).toArray();
      expect(views.map(({ name }) => name)).toEqual(['large']);
      await db.dropCollection('large');
    });
    await once(directory, async (db) => expect(await db.listCollections({ name: 'large' }).toArray()).toEqual([]));
  });

  it('a capped collection has its order, and how much it holds', async () => {
    const directory = await newDirectory();
    await once(directory, async (db) => {
      const capped = await db.createCollection<AnyDoc>('capped', { capped: true, size: 4096, max: 3 });
      for (const _id of [9, 7, 8, 1]) await capped.insertOne({ _id });
    });
    await once(directory, async (db) => {
      expect(await ids(db, 'capped')).toEqual([7, 8, 1]);
      await db.collection<AnyDoc>('capped').insertMany([{ _id: 5 }, { _id: 9 }]);
      expect(await ids(db, 'capped')).toEqual([1, 5, 9]);
      const tail = db.collection('capped').find({}, { tailable: true });
      expect([(await tail.next())?._id, (await tail.next())?._id]).toEqual([1, 5]);
      await tail.close();
    });
    await once(directory, async (db) => expect(await ids(db, 'capped')).toEqual([1, 5, 9]));
  });

  it('clustered collections and time series are what they were', async () => {
    const directory = await newDirectory();
    await once(directory, async (db) => {
      const clusteredIndex = { key: { _id: 1 }, unique: true };
      await (await db.createCollection<AnyDoc>('clustered', { clusteredIndex })).insertMany([{ _id: 2 }, { _id: 1 }]);
      const series = await db.createCollection<AnyDoc>('series', { timeseries: { timeField: 't', metaField: 'm' } });
      await series.insertMany([1, 2].map((n) => ({ _id: 7, t: new Date(n), m: n })));
    });
    await once(directory, async (db) => {
      expect(await ids(db, 'clustered')).toEqual([1, 2]);
      await expect(db.collection<AnyDoc>('clustered').insertOne({ _id: 1 })).rejects.toMatchObject({ code: 11000 });
      await db.collection<AnyDoc>('series').insertOne({ _id: 7, t: new Date(3), m: 3 });
      expect(await ids(db, 'series', { m: { $gt: 1 } })).toEqual([7, 7]);
      expect(await db.collection('series').indexes()).toHaveLength(1);
    });
  });

  it('indexes by place and by text find and refuse', async () => {
    const directory = await newDirectory();
    await once(directory, async (db) => {
      const places = db.collection<AnyDoc>('places');
      await places.createIndex({ at: '2dsphere' });
      await places.createIndex({ name: 'text' });
      await places.createIndex({ key: 'hashed' });
      const point = (x: number, y: number): AnyDoc => ({ type: 'Point', coordinates: [x, y] });
      await places.insertMany([{ _id: 1, at: point(10, 50), name: 'coffee house', key: 'a' }, { _id: 2, at: point(0, 0), name: 'tea', key: 'b' }]); // prettier-ignore
    });
    await once(directory, async (db) => {
      const $geometry = { type: 'Point', coordinates: [1, 1] };
      expect(await ids(db, 'places', { at: { $near: { $geometry } } })).toEqual([2, 1]);
      expect(await ids(db, 'places', { $text: { $search: 'coffee' } })).toEqual([1]);
      expect(await ids(db, 'places', { key: 'b' })).toEqual([2]);
      const wrong = db.collection<AnyDoc>('places').insertOne({ at: { type: 'Point', coordinates: [500, 0] } });
      await expect(wrong).rejects.toMatchObject({ code: 16755 });
      expect(await db.collection('places').indexes()).toHaveLength(4);
    });
  });
});

it('what was dropped stays away', async () => {
  const directory = await newDirectory();
  await during(directory, async (db) => {
    await db.collection('dropped').insertOne({});
    await db.collection('kept').insertOne({ a: 1 });
    await db.collection('kept').createIndex({ a: 1 });
    await db.collection('kept').dropIndex('a_1');
    await db.collection('dropped').drop();
  });
  await during(directory, async (db) => {
    expect(await db.collection('dropped').countDocuments()).toBe(0);
    expect((await db.collection('kept').indexes()).map(({ name }) => String(name))).toEqual(['_id_']);
    await db.dropDatabase();
  });
  await during(directory, async (db) => expect(await db.listCollections().toArray()).toEqual([]));
});

it('an aborted or unfinished transaction, and a failed insert of many, leave nothing on disk', async () => {
  const directory = await newDirectory();
  await during(directory, async (db) => {
    await db.collection('docs').insertOne({ _id: 1 as never });
    for (const finish of ['abortTransaction', undefined] as const) {
      const session = db.client.startSession();
      session.startTransaction();
      await db.collection('docs').insertOne({ _id: 2 as never }, { session });
      await db.collection('docs').deleteOne({ _id: 1 as never }, { session });
      if (finish) await session[finish]();
    }
  });
  await during(directory, async (db) => expect(await db.collection('docs').distinct('_id')).toHaveLength(1));
});

it('$merge and $out are as durable as other writes', async () => {
  const directory = await newDirectory();
  await during(directory, async (db) => {
    await db.collection('source').insertMany([{ a: 1 }, { a: 2 }]);
    await db
      .collection('source')
      .aggregate([{ $out: 'out' }])
      .toArray();
    await db
      .collection('source')
      .aggregate([{ $merge: 'merged' }])
      .toArray();
  });
  await during(directory, async (db) => {
    expect([await db.collection('out').countDocuments(), await db.collection('merged').countDocuments()]).toEqual([
      2, 2,
    ]);
  });
});

it('two servers in one process are two worlds, and without a directory nothing is kept', async () => {
  const [one, two] = [await startEmbeddedMongo(), await startEmbeddedMongo()];
  await on(one.uri, (db) => db.collection('docs').insertOne({}));
  expect(await on(two.uri, (db) => db.collection('docs').countDocuments())).toBe(0);
  await one.stop();
  await two.stop();
  await one.stop();
});

it('serves on the port asked for, on 127.0.0.1 only, and says so where it is taken', async () => {
  const first = await startEmbeddedMongo();
  const { hostname, port } = new URL(first.uri);
  expect(hostname).toBe('127.0.0.1');
  await expect(startEmbeddedMongo({ port: Number(port) })).rejects.toThrow(port);
  await first.stop();
  const again = await startEmbeddedMongo({ port: Number(port) });
  expect(new URL(again.uri).port).toBe(port);
  await again.stop();
});

describe('the owner of a directory', () => {
  it('is named to whoever comes second, in the same process or in another', async () => {
    const directory = await newDirectory();
    const server = await startEmbeddedMongo({ directory });
    await expect(startEmbeddedMongo({ directory })).rejects.toThrow(String(process.pid));
    const { code, text } = await runCli(['--dir', directory]);
    expect([code, text]).toEqual([1, expect.stringContaining(String(process.pid))]);
    expect(text).toContain(directory);
    await on(server.uri, (db) => db.collection('docs').insertOne({}));
    await server.stop();
    await during(directory, async (db) => expect(await db.collection('docs').countDocuments()).toBe(1));
  });

  it('that was killed is replaced at once', async () => {
    const directory = await newDirectory();
    const killed = await startServerProcess(['--dir', directory]);
    await on(killed.uri, (db) => db.collection('docs').insertOne({}));
    await killed.end('SIGKILL');
    await during(directory, async (db) => expect(await db.collection('docs').countDocuments()).toBe(1));
  });

  it('is not mistaken for another process that has its number now', async () => {
    const directory = await newDirectory();
    const killed = await startServerProcess(['--dir', directory]);
    await killed.end('SIGKILL');
    const file = await ownerFile(directory, killed.pid);
    // the number of a living process that started at another time
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll(String(killed.pid), String(process.ppid)));
    await during(directory, async (db) => expect(await db.collection('docs').countDocuments()).toBe(0));
  });
});

async function ownerFile(directory: string, pid: number): Promise<string> {
  for (const name of await readdir(directory)) {
    if (name.startsWith('owner') && (await readFile(join(directory, name), 'utf8')).includes(String(pid)))
      return join(directory, name);
  }
  throw new Error('there is no owner record');
}

describe('the command line', () => {
  it('prints the URI, serves, and stops by SIGTERM with 0', async () => {
    const server = await startServerProcess([]);
    expect(await on(server.uri, (db) => db.command({ ping: 1 }))).toMatchObject({ ok: expect.anything() });
    expect(await server.end('SIGTERM')).toBe(0);
  });

  it('says what is wrong with its arguments, and how to use it', async () => {
    const { code, text } = await runCli(['--port', 'many']);
    expect([code, text]).toEqual([2, expect.stringMatching(/--port takes a number[\s\S]*Usage/)]);
  });
});
