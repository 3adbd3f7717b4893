import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Connection } from 'mongoose';
import { createLogger } from '../core/logger';
import { startEmbeddedMongo, type EmbeddedMongo } from '../embedded-mongo';
import { connectDatabase, type Database } from './connect';

/** The database is reached through a proxy, whose ends of the connections the test holds. */

const logger = createLogger({ level: 'silent', pretty: false });
const CHANNEL = 'net.client.socket';
let mongo: EmbeddedMongo;
let database: Database;
let connection: Connection;
/** The driver's sockets, and what they are connected to. */
const ours: Socket[] = [];
const theirs: Socket[] = [];

const proxy = createServer((client) => {
  theirs.push(client);
  const upstream = connect(Number(new URL(mongo.uri).port), '127.0.0.1');
  client.pipe(upstream).pipe(client);
  for (const [one, other] of [
    [client, upstream],
    [upstream, client],
  ] as const)
    one.on('error', () => other.destroy()).on('close', () => other.destroy());
});
const collect = (message: unknown) => void ours.push((message as { socket: Socket }).socket);

beforeAll(async () => {
  mongo = await startEmbeddedMongo();
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  subscribe(CHANNEL, collect);
  const uri = `mongodb://127.0.0.1:${(proxy.address() as AddressInfo).port}/maoga?directConnection=true`;
  const config = { uri, download: false, directory: undefined, allowEmbedded: false, migrate: false, seed: false };
  database = await connectDatabase(config, logger);
  connection = database.connection;
});
afterAll(async () => {
  unsubscribe(CHANNEL, collect);
  await database.stop();
  proxy.close();
  await mongo.stop();
});

const read = () => connection.collection('things').findOne();

test('commands that are sent while the other side hangs up are answered, or refused, and the next ones are answered', async () => {
  for (let round = 0; round < 5; round++) {
    await Promise.all([read(), read(), read()]);
    const sent: Promise<unknown>[] = [];
    for (const socket of ours.splice(0).filter(({ destroyed }) => !destroyed))
      // in this turn the socket has ended, and is not closed
      socket.once('end', () => setImmediate(() => sent.push(read().catch(() => undefined))));
    const hungUp = theirs.splice(0).filter(({ destroyed }) => !destroyed);
    await Promise.all(hungUp.map((socket) => once(socket.end(), 'close')));
    expect(sent.length).toBeGreaterThan(1);
    await Promise.all(sent);
    expect(await read()).toBeNull();
  }
});

test('a command that waits for room in its socket is refused when its connection is given up', async () => {
  await read();
  for (const socket of theirs) socket.unpipe().pause();
  const refused = expect(connection.collection('things').insertOne({ large: 'x'.repeat(15e6) })).rejects.toThrow();
  while (!ours.some((socket) => socket.listenerCount('drain') > 0)) await new Promise(setImmediate);
  await connection.close(true);
  await refused;
});
