import mongoose, { type Connection } from 'mongoose';
import { startDatabaseProxy, type DatabaseProxy } from '../../test/faults/support/database-proxy';
import { testDatabase } from '../../test/support/database';
import { AppError } from '../core/errors';
import { asUnavailable, createTransact, OutcomeUnknown } from './transaction';

test('gives up on what a transaction of a dead process has locked, and says so', async () => {
  const connection = await testDatabase();
  const things = connection.collection<{ n: number }>('things');
  const { insertedId } = await things.insertOne({ n: 0 });
  const change = { $inc: { n: 1 } };
  const dead = await connection.startSession();
  dead.startTransaction();
  await things.updateOne({ _id: insertedId }, change, { session: dead });

  const transact = createTransact(connection, { giveUpMs: 200 });
  const blocked = transact((session) => things.updateOne({ _id: insertedId }, change, { session }));
  await expect(blocked).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    retryAfter: 2,
    message: expect.stringContaining('by somebody else'),
  });

  await dead.abortTransaction();
  await dead.endSession();
  await transact((session) => things.updateOne({ _id: insertedId }, change, { session }));
  expect(await things.findOne()).toMatchObject({ n: 1 });
});

describe('when all connections break at once', () => {
  const AT_ONCE = 4;
  let direct: Connection;
  let proxy: DatabaseProxy;
  let connection: Connection;
  beforeAll(async () => {
    direct = await testDatabase();
    proxy = await startDatabaseProxy(direct.port);
    connection = await mongoose.createConnection(proxy.uri, { monitorCommands: true }).asPromise();
  });
  afterAll(async () => {
    await connection.close();
    await proxy.close();
  });

  /** Breaks the connections when the database has so many commands of this name, and works on none. */
  const breakWithin = async (command: string) => {
    await direct.db?.admin().command({
      configureFailPoint: 'failCommand',
      mode: { times: AT_ONCE },
      data: { failCommands: [command], blockConnection: true, blockTimeMS: 500 },
    });
    let sent = 0;
    const client = connection.getClient();
    const count = ({ commandName }: { commandName: string }) => {
      if (commandName !== command || ++sent < AT_ONCE) return;
      client.off('commandStarted', count);
      // when this command, too, has left
      setImmediate(() => {
        proxy.cut();
        proxy.open();
      });
    };
    client.on('commandStarted', count);
  };

  test.each(['update', 'commitTransaction'])('transactions that were at %s are done, once', async (command) => {
    const things = connection.collection<{ _id: string; n: number }>('counted');
    await things.bulkWrite(Array.from({ length: AT_ONCE }, (_, i) => ({ insertOne: { document: { _id: `${command} ${i}`, n: 0 } } }))); // prettier-ignore
    const transact = createTransact(connection);
    await breakWithin(command);
    const done = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, i) =>
        transact(async (session) => {
          const count = { updateOne: { filter: { _id: `${command} ${i}` }, update: { $inc: { n: 1 } } } };
          await things.bulkWrite([count], { session });
          return i;
        }),
      ),
    );
    expect(done).toEqual([0, 1, 2, 3]);
    const rows = await direct.collection<{ _id: string; n: number }>('counted').find({ _id: { $regex: `^${command}` } }).toArray(); // prettier-ignore
    expect(rows.map(({ n }) => n)).toEqual([1, 1, 1, 1]);
  });

  test('what fails outside of a transaction is UNAVAILABLE, also where a bulk write wraps it', async () => {
    await breakWithin('insert');
    const things = connection.collection('many');
    const outcomes = await Promise.allSettled(
      Array.from({ length: AT_ONCE }, () => things.bulkWrite([{ insertOne: { document: {} } }])),
    );
    const errors = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason as Error);
    expect(errors.map(({ name }) => name)).toContain('MongoBulkWriteError');
    for (const error of errors) expect(asUnavailable(error)).toMatchObject({ code: 'UNAVAILABLE', retryAfter: 2 });
  });
});

test('a commit is not sent again for ever: when the database stays away, its outcome is said to be unknown, and can be looked up', async () => {
  const direct = await testDatabase();
  const proxy = await startDatabaseProxy(direct.port);
  const connection = await mongoose.createConnection(proxy.uri, { serverSelectionTimeoutMS: 50 }).asPromise();
  const transact = createTransact(connection, { commitMs: 200 });
  const insert = async (session: mongoose.ClientSession) => {
    await connection.collection<{ _id: string }>('notes').insertOne({ _id: 'note' }, { session });
  };
  try {
    // the database does it, and nobody is told
    void proxy.trap({ command: 'commitTransaction', nth: 1, when: 'after', act: () => proxy.cut() });
    await expect(transact(insert)).rejects.toThrow(OutcomeUnknown);
    expect(await direct.collection('notes').countDocuments()).toBe(1);
    proxy.open();
    await expect(transact(insert)).rejects.toMatchObject({ code: 11000 });
  } finally {
    await connection.close();
    await proxy.close();
  }
});

test('a read from a node that is no primary any more, and a second one, is UNAVAILABLE', async () => {
  const connection = await testDatabase();
  await connection.db?.admin().command({
    configureFailPoint: 'failCommand',
    mode: { times: 2 },
    data: { failCommands: ['find'], errorCode: 11602 },
  });
  const error = await connection
    .collection('things')
    .findOne()
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: 'MongoServerError', code: 11602 });
  expect(asUnavailable(error)).toMatchObject({ code: 'UNAVAILABLE', retryAfter: 2 });
});

test('errors that are not of the database being away come out as they are', () => {
  const { MongoServerError } = mongoose.mongo;
  for (const error of [
    new AppError('CONFLICT', 'no', { cause: new mongoose.mongo.MongoNetworkError('closed') }),
    new MongoServerError({ message: 'duplicate', code: 11000 }),
    new Error('other'),
    undefined,
  ])
    expect(asUnavailable(error)).toBe(error);
});
