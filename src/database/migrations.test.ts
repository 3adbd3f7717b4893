import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Document } from 'mongodb';
import mongoose, { type Connection, type ConnectOptions } from 'mongoose';
import { createLogger } from '../core/logger';
import { startEmbeddedMongo } from '../embedded-mongo';
import { withDatabase } from './connect';
import { migrateDown, migrateUp, migrationStatus } from './migrations';

const logger = createLogger({ level: 'silent', pretty: false });
const FILES = readdirSync(join(__dirname, '../../migrations'))
  .filter((name) => name.endsWith('.js'))
  .sort();
/** What the tool itself keeps. */
const BOOKKEEPING = ['migrationLocks', 'migrations'];

describe('migrations', () => {
  let server: Awaited<ReturnType<typeof startEmbeddedMongo>>;
  const connections: Connection[] = [];

  beforeEach(async () => {
    server = await startEmbeddedMongo({});
  });
  afterEach(async () => {
    await Promise.all(connections.splice(0).map((connection) => connection.close()));
    await server.stop();
  });

  async function connect(options: ConnectOptions = {}): Promise<Connection> {
    const connection = await mongoose
      .createConnection(withDatabase(server.uri), { autoIndex: false, autoCreate: false, ...options })
      .asPromise();
    connections.push(connection);
    return connection;
  }

  /** The database's clock is what its greeting says. */
  function shiftClock(connection: Connection, ms: number): void {
    const admin = database(connection).admin();
    const ask = admin.command.bind(admin);
    jest.spyOn(database(connection), 'admin').mockReturnValue(
      Object.assign(admin, {
        command: async (command: Document) => {
          const reply = await ask(command);
          return { ...reply, localTime: new Date((reply['localTime'] as Date).getTime() + ms) };
        },
      }),
    );
  }

  const database = (connection: Connection) => connection.db ?? fail('not connected');
  const fail = (message: string): never => {
    throw new Error(message);
  };
  const collectionsOf = async (connection: Connection) =>
    (await database(connection).listCollections().toArray())
      .map(({ name }) => name)
      .filter((name) => !BOOKKEEPING.includes(name))
      .sort();
  /** Collections and their indexes. */
  async function shapeOf(connection: Connection) {
    const names = await collectionsOf(connection);
    const indexes = await Promise.all(names.map((name) => database(connection).collection(name).indexes()));
    return Object.fromEntries(names.map((name, i) => [name, indexes[i]]));
  }

  it('are all applied to an empty database, in order, and then there is nothing left to do', async () => {
    const connection = await connect();
    expect(await migrateUp(connection, logger)).toEqual(FILES);
    expect(await migrateUp(connection, logger)).toEqual([]);
    expect(await collectionsOf(connection)).toEqual(
      expect.arrayContaining(['lobbies', 'matches', 'messages', 'outbox', 'tickets']),
    );
  });

  it('tell which are pending and since when the others hold', async () => {
    const connection = await connect();
    const before = await migrationStatus(connection);
    expect(before).toEqual(FILES.map((fileName) => ({ fileName, appliedAt: null })));
    const begun = Date.now();
    await migrateUp(connection, logger);
    for (const { appliedAt } of await migrationStatus(connection)) {
      const at = Date.parse(appliedAt ?? '');
      expect(at).toBeGreaterThanOrEqual(begun);
      expect(at).toBeLessThanOrEqual(Date.now());
    }
  });

  it('go down one by one, the newest first, until nothing is left; and up again to the same', async () => {
    const connection = await connect();
    await migrateUp(connection, logger);
    const shape = await shapeOf(connection);
    for (const file of [...FILES].reverse()) expect(await migrateDown(connection, logger)).toEqual([file]);
    expect(await migrateDown(connection, logger)).toEqual([]);
    expect(await collectionsOf(connection)).toEqual([]);
    expect(await migrateUp(connection, logger)).toEqual(FILES);
    expect(await shapeOf(connection)).toEqual(shape);
  });

  it('may run again over a populated database, as after a crash before they were noted, and change nothing', async () => {
    const connection = await connect();
    await migrateUp(connection, logger);
    const shape = await shapeOf(connection);
    for (const name of Object.keys(shape)) await database(connection).collection(name).insertOne({ kept: name });
    await database(connection).collection('migrations').deleteMany({});
    expect(await migrateUp(connection, logger)).toEqual(FILES);
    expect(await shapeOf(connection)).toEqual(shape);
    for (const name of Object.keys(shape))
      expect(await database(connection).collection(name).countDocuments({ kept: name })).toBe(1);
  });

  it('go down and up again on a populated database, which keeps what it holds', async () => {
    const connection = await connect();
    await migrateUp(connection, logger);
    const shape = await shapeOf(connection);
    for (const name of Object.keys(shape)) await database(connection).collection(name).insertOne({ kept: name });
    for (const file of [...FILES].reverse()) expect(await migrateDown(connection, logger)).toEqual([file]);
    expect(await migrateUp(connection, logger)).toEqual(FILES);
    expect(await shapeOf(connection)).toEqual(shape);
    for (const name of Object.keys(shape))
      expect(await database(connection).collection(name).countDocuments({ kept: name })).toBe(1);
  });

  it('are applied once when several instances start together', async () => {
    const [a, b, c] = await Promise.all([connect(), connect(), connect()]);
    const applied = await Promise.all([a, b, c].map((connection) => migrateUp(connection, logger)));
    expect(applied.flat().sort()).toEqual(FILES);
    const noted = await database(a).collection('migrations').find().toArray();
    expect(noted.map((row) => row['fileName'] as string).sort()).toEqual(FILES);
    expect(await database(a).collection('migrationLocks').countDocuments()).toBe(0);
  });

  it('wait for an instance that is at it, and do not wait for one that died', async () => {
    const connection = await connect();
    const locks = database(connection).collection<{ _id: string; owner: string; until: Date }>('migrationLocks');
    const until = new Date(Date.now() + 250);
    await locks.insertOne({ _id: 'migrate', owner: 'somebody who does not come back', until });
    expect(await migrateUp(connection, logger)).toEqual(FILES);
    expect(Date.now()).toBeGreaterThanOrEqual(until.getTime());
  });

  it.each([
    ['an hour behind', -3_600_000],
    ['an hour ahead of', 3_600_000],
  ])("take and keep their lock by the database's clock, also where that is %s this machine's", async (_, shift) => {
    const connection = await connect({ monitorCommands: true });
    shiftClock(connection, shift);
    const now = () => Date.now() + shift;
    const until = now() + 250;
    const locks = database(connection).collection<{ _id: string; until: Date }>('migrationLocks');
    await locks.insertOne({ _id: 'migrate', until: new Date(until) });
    const kept: number[] = [];
    connection.getClient().on('commandStarted', ({ command }) => {
      if (command['update'] === 'migrationLocks') kept.push(command['updates'][0].u.$set.until.getTime());
    });
    expect(await migrateUp(connection, logger)).toEqual(FILES);
    expect(now()).toBeGreaterThanOrEqual(until);
    expect(kept.length).toBeGreaterThan(1);
    expect(Math.min(...kept)).toBeGreaterThan(until);
    expect(Math.max(...kept)).toBeLessThan(now() + 60_000);
  });

  it('give their lock back when one of them fails, and say which it was', async () => {
    const connection = await connect();
    // in the way of a unique index
    await database(connection)
      .collection('tickets')
      .insertMany([
        { open: true, players: ['same'] },
        { open: true, players: ['same'] },
      ]);
    await expect(migrateUp(connection, logger)).rejects.toThrow(/matchmaking.*E11000/s);
    expect(await database(connection).collection('migrationLocks').countDocuments()).toBe(0);
    await database(connection).collection('tickets').deleteMany({});
    expect(await migrateUp(connection, logger)).toEqual(
      FILES.slice(FILES.findIndex((file) => /matchmaking/.test(file))),
    );
  });
});
