/** What comes over a bare TCP socket from somebody who means no good: the server lives on, others are served, memory does not grow. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Long, serialize } from 'bson';
import { MongoClient } from 'mongodb';
import { startEmbeddedMongo } from '../index';
import { type AnyDoc } from '../testing/database';

const MESSAGE = 2013;
const QUERY = 2004;
const MB = 1024 * 1024;
let server: Awaited<ReturnType<typeof startEmbeddedMongo>>;
let client: MongoClient;

beforeAll(async () => {
  server = await startEmbeddedMongo();
  client = await MongoClient.connect(server.uri);
  await client.db('kept').collection('docs').insertOne({ name: 'still here' });
});
afterEach(async () => {
  expect(await client.db('kept').collection('docs').countDocuments({ name: 'still here' })).toBe(1);
});
afterAll(async () => {
  await client.close();
  await server.stop();
});

function header(length: number, opcode: number, id = 1): Buffer {
  const head = Buffer.alloc(16);
  [length, id, 0, opcode].forEach((n, i) => head.writeInt32LE(n, i * 4));
  return head;
}
const framed = (opcode: number, body: Buffer): Buffer => Buffer.concat([header(16 + body.length, opcode), body]);
const message = (document: Uint8Array): Buffer =>
  framed(MESSAGE, Buffer.concat([Buffer.from([0, 0, 0, 0, 0]), document]));
const command = (doc: AnyDoc): Buffer => Buffer.from(serialize({ $db: 'hostile', ...doc }));

async function open(): Promise<Socket> {
  const { hostname, port } = new URL(server.uri);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Sends, and resolves with what came back first, or with `closed`. */
async function send(...chunks: Buffer[]): Promise<Buffer | 'closed'> {
  const socket = await open();
  for (const chunk of chunks) socket.write(chunk);
  const answer = await Promise.race([
    once(socket, 'data').then(([data]) => data as Buffer),
    once(socket, 'close').then(() => 'closed' as const),
  ]);
  socket.destroy();
  return answer;
}

const textOf = (answer: Buffer | 'closed'): string => (answer === 'closed' ? answer : answer.toString('latin1'));

it('a query of the outdated protocol is told to upgrade', async () => {
  const query = Buffer.concat([
    Buffer.alloc(4),
    Buffer.from('test.docs\0'),
    Buffer.alloc(8),
    Buffer.from(serialize({})),
  ]);
  const answer = textOf(await send(framed(QUERY, query)));
  expect(answer).toContain('Unsupported OP_QUERY command: find. The client driver may require an upgrade.');
});

describe('bad frames close the connection or are answered with an error', () => {
  const ping = command({ ping: 1 });
  const withLength = (document: Buffer, length: number): Buffer => {
    const copy = Buffer.from(document);
    copy.writeInt32LE(length, 0);
    return copy;
  };
  it.each<[string, Buffer]>([
    ['a length of 0', header(0, MESSAGE)],
    ['a length below the header', header(15, MESSAGE)],
    ['a negative length', header(-1, MESSAGE)],
    ['a length above 48 MB', header(48_000_001, MESSAGE)],
    ['the greatest length', header(0x7fffffff, MESSAGE)],
    ['an unknown opcode', framed(9999, Buffer.alloc(8))],
    ['a compressed message', framed(2012, Buffer.alloc(16))],
    ['an empty message', framed(MESSAGE, Buffer.alloc(0))],
    ['flags and no section', framed(MESSAGE, Buffer.alloc(4))],
    ['an unknown section', framed(MESSAGE, Buffer.from([0, 0, 0, 0, 7, 1, 2, 3]))],
    ['required flags that mean nothing', framed(MESSAGE, Buffer.concat([Buffer.from([8, 0, 0, 0, 0]), ping]))],
    ['a document that claims more than the frame holds', message(withLength(ping, ping.length + 100))],
    ['a document that claims less', message(withLength(ping, 5))],
    ['a document cut in the middle', message(ping.subarray(0, 10))],
    ['a document with a negative length', message(withLength(ping, -5))],
    ['a document of an unknown BSON type', message(Buffer.from([8, 0, 0, 0, 0x42, 0x61, 0, 0]))],
    ['a string that claims more than the document', message(Buffer.from([16, 0, 0, 0, 2, 0x61, 0, 255, 255, 255, 127, 0x62, 0, 0, 0, 0]))],
    ['two bodies', framed(MESSAGE, Buffer.concat([Buffer.from([0, 0, 0, 0, 0]), ping, Buffer.from([0]), ping]))],
    ['a sequence with a wrong size', framed(MESSAGE, Buffer.concat([Buffer.from([0, 0, 0, 0, 0]), ping, Buffer.from([1, 255, 255, 255, 127, 0x61, 0])]))],
    ['an old query cut short', framed(QUERY, Buffer.from([0, 0, 0, 0, 0x61, 0x2e]))],
    ['an old query of a collection', framed(QUERY, Buffer.concat([Buffer.alloc(4), Buffer.from('a.b\0'), Buffer.alloc(8), ping]))],
    ['text that is no MongoDB', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
  ])('%s', async (_case, frame) => {
    const answer = await send(frame);
    if (answer !== 'closed') expect(answer.toString('latin1')).toContain('errmsg');
  }); // prettier-ignore
});

it('a message in single bytes, and two in one chunk, are answered as whole ones', async () => {
  const frame = message(command({ ping: 1 }));
  expect(textOf(await send(...Array.from(frame, (byte) => Buffer.from([byte]))))).toContain('ok');
  const socket = await open();
  socket.write(Buffer.concat([frame, frame]));
  let received = 0;
  while (received < 2 * 38) received += ((await once(socket, 'data')) as [Buffer])[0].length;
  socket.destroy();
});

it('fifty claims of 48 MB that are never sent cost no memory', async () => {
  global.gc?.();
  const before = process.memoryUsage().rss;
  const sockets = await Promise.all(Array.from({ length: 50 }, open));
  for (const socket of sockets) socket.write(Buffer.concat([header(48_000_000, MESSAGE), Buffer.alloc(1000)]));
  await client.db('kept').command({ ping: 1 });
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * MB);
  for (const socket of sockets) socket.destroy();
});

it('thousands of broken frames leave no memory behind', async () => {
  const junk = Buffer.concat([header(5 * MB, MESSAGE), Buffer.alloc(64 * 1024, 0xff)]);
  const rounds = async (n: number) => {
    for (let i = 0; i < n; i += 1) {
      const socket = await open();
      socket.write(junk);
      socket.resetAndDestroy();
    }
    await client.db('kept').command({ ping: 1 });
  };
  await rounds(300);
  const before = process.memoryUsage().rss;
  await rounds(1500);
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * MB);
});

describe('deep nesting', () => {
  /** `depth` documents in each other, written by hand: a serializer would give up first. */
  function nested(depth: number, name: string): Buffer {
    const outer = command({ insert: 'c', documents: [] });
    const inner = Buffer.alloc(depth * 8 + 5);
    for (let i = 0; i < depth; i += 1) {
      inner.writeInt32LE(depth * 8 + 5 - i * 8, i * 7);
      inner.set([3, 0x61, 0], i * 7 + 4);
    }
    inner.writeInt32LE(5, depth * 7);
    const element = Buffer.concat([Buffer.from([3]), Buffer.from(`${name}\0`), inner]);
    const whole = Buffer.concat([outer.subarray(0, -1), element, Buffer.from([0])]);
    whole.writeInt32LE(whole.length, 0);
    return whole;
  }

  it.each([200, 5_000, 500_000])('of %i levels is refused', async (depth) => {
    expect(textOf(await send(message(nested(depth, 'x'))))).toMatch(/errmsg|closed/);
  });

  it('in a filter, an update and a pipeline is refused or done, and nothing breaks', async () => {
    const collection = client.db('hostile').collection('deep');
    const deep = (step: (inner: AnyDoc) => AnyDoc, start: AnyDoc): AnyDoc =>
      Array.from({ length: 150 }).reduce(step, start);
    const settled = await Promise.allSettled([
      collection.findOne(deep((inner) => ({ $and: [inner] }), { a: 1 })),
      collection.updateOne({}, { $set: deep((inner) => ({ a: inner }), { b: 1 }) }, { upsert: true }),
      collection.aggregate([{ $project: { a: deep((inner) => ({ $add: [inner, 1] }), 1) } }]).toArray(),
    ]);
    expect(settled).toHaveLength(3);
  });
});

describe('poison', () => {
  const collection = () => client.db('hostile').collection<AnyDoc>('c');
  const proto = (): AnyDoc => JSON.parse('{"__proto__": {"polluted": true}}');

  it('a name with a null byte that an expression makes is refused, and nothing of it stays', async () => {
    await collection().insertOne({ _id: 'whole' as never });
    const $arrayToObject = [[['a\0b', 1]]];
    await expect(collection().updateOne({}, [{ $set: { x: { $arrayToObject } } }])).rejects.toMatchObject({ code: 2 });
    await expect(
      collection()
        .aggregate([{ $set: { x: { $arrayToObject } } }])
        .toArray(),
    ).rejects.toMatchObject({ code: 2 });
    expect(await collection().findOne({ _id: 'whole' })).toEqual({ _id: 'whole' });
  });

  it('a key __proto__ anywhere is refused, and no prototype changes', async () => {
    await collection().insertOne({ plain: true });
    const wrong = [
      () => collection().insertOne(proto()),
      () => collection().insertOne({ a: [{ b: proto() }] }),
      () => collection().updateOne({}, { $set: { a: proto() } }, { upsert: true }),
      () => collection().updateOne({}, { $set: { '__proto__.polluted': true } }, { upsert: true }),
      () => collection().updateOne({}, { $set: { 'a.__proto__.polluted': true } }, { upsert: true }),
      () => collection().aggregate([{ $set: { '__proto__.polluted': true } }]).toArray(),
      () => collection().aggregate([{ $project: { x: proto() } }]).toArray(),
      () => collection().findOne({ '__proto__.polluted': true }),
      ...['__proto__', '_bsontype', 'toBSON'].flatMap((name) => [
        () => collection().updateOne({}, { $rename: { plain: name } }),
        () => collection().aggregate([{ $count: name }]).toArray(),
        () => collection().aggregate([{ $unwind: { path: '$plain', includeArrayIndex: name } }]).toArray(),
        () => collection().aggregate([{ $project: { x: { $arrayToObject: [[{ k: name, v: 1 }]] } } }]).toArray(),
        () => collection().aggregate([{ $project: { x: { $setField: { field: name, input: {}, value: 1 } } } }]).toArray(),
        () => collection().aggregate([{ $lookup: { from: 'c', localField: '_id', foreignField: '_id', as: name } }]).toArray(),
      ]),
    ]; // prettier-ignore
    for (const write of wrong) await expect(write()).rejects.toThrow();
    expect(({} as AnyDoc).polluted).toBeUndefined();
    expect(await collection().countDocuments({ polluted: true })).toBe(0);
  });

  it('fields named constructor and prototype are data like any other', async () => {
    await collection().updateOne({ _id: 'c' }, { $set: { 'constructor.prototype.polluted': true } }, { upsert: true });
    expect(await collection().findOne({ _id: 'c' })).toMatchObject({ constructor: { prototype: { polluted: true } } });
    expect(({} as AnyDoc).polluted).toBeUndefined();
  });

  it('what every JavaScript object has is no stage, accumulator, operator, unit or command', async () => {
    await collection().insertOne({ at: new Date() });
    const dateDiff = (unit: string) => ({ $dateDiff: { startDate: new Date(0), endDate: new Date(1), unit } });
    for (const name of ['constructor', 'valueOf', 'hasOwnProperty']) {
      const wrong = [
        () => collection().aggregate([{ [name]: 1 }]).toArray(),
        () => collection().aggregate([{ $group: { _id: 1, a: { [name]: 1 } } }]).toArray(),
        () => collection().aggregate([{ $project: { a: { [`$${name}`]: 1 } } }]).toArray(),
        () => collection().aggregate([{ $project: { a: dateDiff(name) } }]).toArray(),
        () => collection().aggregate([{ $project: { a: { $convert: { input: 1, to: name } } } }]).toArray(),
        () => collection().findOne({ a: { [`$${name}`]: 1 } }),
        () => collection().updateOne({}, { [`$${name}`]: { a: 1 } }),
        () => client.db('hostile').command({ [name]: 1 }),
      ]; // prettier-ignore
      for (const run of wrong) {
        const code = await run().then(() => 'accepted', (error: AnyDoc) => error.code); // prettier-ignore
        // the client's fault, never an internal error (1)
        expect([name, code]).toEqual([name, expect.any(Number)]);
        expect(code).not.toBe(1);
      }
    }
  });

  it('no code runs: $where, $function, $accumulator and mapReduce are refused by name', async () => {
    const refusal = /EmbeddedMongo does not support/;
    const body = { body: 'function() { return true }', args: [], lang: 'js' };
    await expect(collection().findOne({ $where: 'true' })).rejects.toThrow(refusal);
    await expect(collection().findOne({ $expr: { $function: body } })).rejects.toThrow(refusal);
    const accumulator = { init: 'f', accumulate: 'f', accumulateArgs: [], merge: 'f', lang: 'js' };
    await expect(
      collection()
        .aggregate([{ $group: { _id: 1, n: { $accumulator: accumulator } } }])
        .toArray(),
    ).rejects.toThrow(refusal);
    await expect(client.db('hostile').command({ mapReduce: 'c', map: 'f', reduce: 'f', out: 'x' })).rejects.toThrow(
      refusal,
    );
  });

  it('credentials are refused rather than ignored', async () => {
    const withPassword = new MongoClient(server.uri.replace('//', '//user:secret@'), {
      serverSelectionTimeoutMS: 3000,
    });
    await expect(withPassword.connect()).rejects.toThrow();
    await withPassword.close();
  });

  it('names that are no names are refused', async () => {
    const db = client.db('hostile');
    for (const insert of ['', 'a\0b', '.a', 7, null, {}, '$cmd']) {
      await expect(db.command({ insert, documents: [{ a: 1 }] })).rejects.toThrow();
    }
    await expect(db.command({ insert: 'c', documents: 'x' })).rejects.toThrow();
    await expect(db.command({ insert: 'c', documents: [1] })).rejects.toThrow();
    await expect(db.command({ find: 'c', filter: 'x' })).rejects.toThrow();
    await expect(db.command({ find: 'c', limit: 'x' })).rejects.toThrow();
    await expect(db.command({ aggregate: 'c', pipeline: {}, cursor: {} })).rejects.toThrow();
    await expect(db.command({ nope: 1 })).rejects.toMatchObject({ code: 59 });
    await expect(db.command({ getMore: Long.fromNumber(77), collection: 'c' })).rejects.toMatchObject({ code: 43 });
  });
});

it('what is not supported is refused by a message that says so', async () => {
  const db = client.db('refused');
  for (const name of [
    'grantRolesToUser',
    'createUser',
    'dbHash',
    'compact',
    'reIndex',
    'getLastError',
    'mapReduce',
    'killOp',
  ])
    await expect(db.command({ [name]: 1 })).rejects.toThrow(`EmbeddedMongo does not support the command ${name}`);
  const refusal = /EmbeddedMongo does not support/;
  await expect(db.collection('c').createIndex({ at: 'geoHaystack' })).rejects.toThrow(refusal);
  await expect(db.collection('c').createIndex({ at: 'text' }, { default_language: 'spanish' })).rejects.toThrow(refusal); // prettier-ignore
});
