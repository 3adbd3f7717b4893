import { access, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient, ObjectId } from 'mongodb';
import { startEmbeddedMongo } from '../../src/embedded-mongo';
import { ofWholeInstance } from '../../scripts/backup/mongodump';
import { runScript } from '../support/command';

/**
 * Backups by MongoDB's own tools. Here stand-ins take their place, which speak the same command line; CI runs the whole with the
 * real ones on a real replica set (`npm run backup -- --with mongodump`).
 */

const SECRET = 'hunter2hunter2';
const STAND_INS = join(__dirname, 'stand-in');

let folder: string;
const stops: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maoga-mongodump-'));
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});
afterAll(() => rm(folder, { recursive: true }));

/** An instance that looks like a member of a replica set: it has an oplog to read. */
async function instance() {
  const server = await startEmbeddedMongo({});
  const client = await new MongoClient(server.uri).connect();
  stops.push(
    () => server.stop(),
    () => client.close(),
  );
  await client.db('local').collection('oplog.rs').insertOne({ op: 'n' });
  const uri = new URL(server.uri);
  uri.pathname = '/maoga';
  uri.searchParams.set('appName', SECRET); // stands for a password, which the embedded server does not ask for
  return { client, uri: uri.href };
}

const rows = Array.from({ length: 50 }, (_, i) => ({ _id: new ObjectId(), name: `player ${i}` }));
const place = () => join(folder, new ObjectId().toHexString());
const run = (script: string, args: string[], uri: string, env: Record<string, string> = {}) =>
  runScript(script, args, {
    MONGODB_URI: uri,
    MONGODB_TOOLS_DIR: STAND_INS,
    BACKUP_PASSPHRASE: 'correct horse battery staple',
    ...env,
  });

test('where mongodump can be used it is; what it writes is encrypted, and restored by mongorestore into another instance', async () => {
  const [source, target, kept] = [await instance(), await instance(), place()];
  const log = join(folder, 'calls.log');
  await source.client.db('maoga').collection<{ _id: ObjectId }>('people').insertMany(rows);
  await source.client.db('admin').collection('mine').insertOne({ of: 'the source' });

  const taken = await run('backup', ['--to', kept], source.uri, { STAND_IN_LOG: log });
  expect(taken).toEqual({ code: 0, output: expect.stringMatching(/with mongodump version: 100.*encrypted\)/s) });
  const [name = ''] = (await readdir(kept)).filter((file) => file.endsWith('.backup'));
  expect((await readFile(join(kept, name))).includes('player 7')).toBe(false);

  const restored = await run('restore', [kept], target.uri, { STAND_IN_LOG: log });
  expect([restored.code, restored.output]).toEqual([0, expect.stringContaining('Everything holds.')]);
  expect(await target.client.db('maoga').collection('people').find().sort({ _id: 1 }).toArray()).toEqual(rows);
  expect(await target.client.db('admin').collection('mine').countDocuments()).toBe(0);

  const calls = (await readFile(log, 'utf8')).trim().split('\n');
  for (const call of calls.map((line) => JSON.parse(line))) {
    expect(call.args.join(' ')).not.toContain(SECRET);
    expect(call).toMatchObject({ mode: '600', uri: expect.stringMatching(/^mongodb:\/\/[^/]+\/\?.*hunter2/) });
    await expect(access(call.file)).rejects.toThrow('ENOENT');
  }
  expect(calls).toHaveLength(2);
}, 120_000);

test('a tool that fails half-way leaves no backup, and its words are shown without the address', async () => {
  const { client, uri } = await instance();
  await client.db('maoga').collection<{ _id: ObjectId }>('people').insertMany(rows);
  const kept = place();
  const taken = await run('backup', ['--to', kept], uri, { STAND_IN_FAULT: 'dump' });
  expect([taken.code, taken.output]).toEqual([1, expect.stringContaining('connection to *** was closed')]);
  expect(taken.output).not.toContain(SECRET);
  expect(await readdir(kept)).toEqual([]);

  await run('backup', ['--to', kept], uri);
  const over = await run('restore', [kept, '--replace'], uri, { STAND_IN_FAULT: 'restore' });
  expect([over.code, over.output]).toEqual([1, expect.stringContaining('not authorized on admin')]);
}, 120_000);

test('an archive is not restored without the tool, under another name, in a drill, or over what is there', async () => {
  const { client, uri } = await instance();
  await client.db('maoga').collection<{ _id: ObjectId }>('people').insertMany(rows);
  const kept = place();
  expect((await run('backup', ['--to', kept], uri)).code).toBe(0);
  const refused = async (args: string[], at: string, env: Record<string, string>, words: string) => {
    expect(await run('restore', [kept, ...args], at, env)).toEqual({ code: 2, output: expect.stringContaining(words) });
  };
  await refused(['--replace'], uri, { MONGODB_TOOLS_DIR: folder }, 'it needs mongorestore');
  await refused(['--replace'], uri.replace('/maoga', '/other'), {}, 'must name that, not other');
  await refused(['--drill'], uri, {}, 'Rehearse in an empty MongoDB');
  await refused([], uri, {}, 'The database is not empty.');
  expect(await client.db('maoga').collection('people').countDocuments()).toBe(rows.length);
}, 120_000);

test('where it cannot be used the driver does it and says why, unless mongodump is asked for', async () => {
  const { client, uri } = await instance();
  await client.db('maoga').collection<{ _id: ObjectId }>('people').insertMany(rows);
  const says = async (words: string, env: Record<string, string> = {}, args: string[] = []) => {
    const { code, output } = await run('backup', ['--to', place(), ...args], uri, env);
    expect([code, output]).toEqual([0, expect.stringContaining(`with the driver (${words}`)]);
  };
  await says('as asked for', {}, ['--with', 'driver']);
  await says(`there is no mongodump in ${folder}`, { MONGODB_TOOLS_DIR: folder });
  await client.db('another').collection('things').insertOne({});
  await says('the instance also holds other databases (another)');
  await client.db('another').dropDatabase();
  await client.db('local').collection('oplog.rs').deleteMany({});
  await says('the database keeps no oplog');
  const asked = await run('backup', ['--to', place(), '--with', 'mongodump'], uri);
  expect(asked).toEqual({ code: 1, output: 'mongodump cannot be used: the database keeps no oplog.\n' });
}, 120_000);

test.each([
  ['mongodb://h1:1,h2:2/maoga?replicaSet=rs0', 'mongodb://h1:1,h2:2/?replicaSet=rs0'],
  ['mongodb://u:%40@h/maoga', 'mongodb://u:%40@h/?authSource=maoga'],
  ['mongodb://u:p@h/maoga?authSource=admin', 'mongodb://u:p@h/?authSource=admin'],
  ['mongodb+srv://u:p@h/maoga?w=majority', 'mongodb+srv://u:p@h/?w=majority'],
  ['mongodb://u:p@h', 'mongodb://u:p@h/'],
])('%s without its database is %s, and its user is looked up where it was', (uri, whole) => {
  expect(ofWholeInstance(uri)).toBe(whole);
});
