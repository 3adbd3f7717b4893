import { MongoClient, type Document, type MongoServerError } from 'mongodb';
import { startEmbeddedMongo, type EmbeddedMongo } from '../index';

let server: EmbeddedMongo;
let client: MongoClient;

beforeAll(async () => {
  server = await startEmbeddedMongo();
  client = await MongoClient.connect(server.uri);
});
afterEach(() => failing('off'));
afterAll(async () => {
  await client.close();
  await server.stop();
});

const failing = (mode: unknown, data: Document = {}, point = 'failCommand'): Promise<unknown> =>
  client.db('admin').command({ configureFailPoint: point, mode, data });
const collection = () => client.db('test').collection<{ _id: number }>('c');
const errorOf = (promise: Promise<unknown>): Promise<MongoServerError> =>
  promise.then(
    () => {
      throw new Error('expected an error');
    },
    (error: MongoServerError) => error,
  );

it('a command that is to fail twice fails twice', async () => {
  await failing({ times: 2 }, { failCommands: ['ping'], errorCode: 8 });
  const ping = () => client.db().command({ ping: 1 });
  expect((await errorOf(ping())).code).toBe(8);
  expect((await errorOf(ping())).code).toBe(8);
  expect(await ping()).toMatchObject({ ok: 1 });
});

it('a write that meets a node in trouble says that it may be sent again, and the driver does so', async () => {
  await failing({ times: 1 }, { failCommands: ['insert'], errorCode: 91 });
  await collection().insertOne({ _id: 1 });
  await failing({ times: 2 }, { failCommands: ['insert'], errorCode: 91 });
  expect((await errorOf(collection().insertOne({ _id: 2 }))).errorLabels).toContain('RetryableWriteError');
  expect(await collection().distinct('_id')).toEqual([1]);
});

it('an answer that is lost after the write was done: sent again, the write is not done twice', async () => {
  await failing({ times: 1 }, {}, 'onPrimaryTransactionalWrite');
  await collection().updateOne({ _id: 7 }, { $inc: { n: 1 } }, { upsert: true });
  await failing({ times: 1 }, {}, 'onPrimaryTransactionalWrite');
  await collection().updateOne({ _id: 7 }, { $inc: { n: 1 } });
  expect(await collection().findOne({ _id: 7 })).toEqual({ _id: 7, n: 2 });
});

it('a fault in a transaction begins it anew, and withTransaction comes through', async () => {
  await failing({ times: 1 }, { failCommands: ['commitTransaction'], errorCode: 112 });
  let tries = 0;
  await client.withSession((session) =>
    session.withTransaction(async () => {
      tries += 1;
      await collection().insertOne({ _id: 9 }, { session });
    }),
  );
  expect([tries, await collection().countDocuments({ _id: 9 })]).toEqual([2, 1]);
});

it('a change stream whose getMore fails is opened again by the driver, and misses nothing', async () => {
  const stream = collection().watch([], { maxAwaitTimeMS: 50 });
  expect(await stream.tryNext()).toBeNull();
  await failing({ times: 1 }, { errorCode: 6 }, 'failGetMoreAfterCursorCheckout');
  await collection().insertOne({ _id: 21 });
  expect(await stream.next()).toMatchObject({ documentKey: { _id: 21 } });
  await stream.close();
});

it('a fail point that this server does not have is refused', async () => {
  const error = await errorOf(failing('alwaysOn', {}, 'maxTimeAlwaysTimeOut'));
  expect(error.message).toBe('EmbeddedMongo does not support the fail point maxTimeAlwaysTimeOut');
});
