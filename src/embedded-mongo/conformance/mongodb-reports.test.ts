/** What a server tells of itself: the stages and commands that report on it, plans asked for in the older way, and the Stable API. */
import { MongoClient, UUID } from 'mongodb';
import { useDatabase, type AnyDoc } from '../testing/database';

const database = useDatabase({ appName: 'reports' });

it('$indexStats counts how often an index was used', async () => {
  const collection = await database.collection([{ _id: 1, a: 1 }]);
  await collection.createIndex({ a: 1 });
  await collection.find({ a: 1 }).toArray();
  await collection.find({ a: 2 }).toArray();
  const stats: AnyDoc[] = await collection.aggregate([{ $indexStats: {} }, { $sort: { name: 1 } }]).toArray();
  expect(stats.map(({ name, key }) => ({ name, key }))).toEqual([{ name: '_id_', key: { _id: 1 } }, { name: 'a_1', key: { a: 1 } }]); // prettier-ignore
  expect(stats[1].accesses).toMatchObject({ ops: 2, since: expect.any(Date) });
});

it('$collStats counts and measures a collection', async () => {
  const collection = await database.collection([{ _id: 1 }, { _id: 2 }]);
  const [stats] = await collection.aggregate([{ $collStats: { count: {}, storageStats: {} } }]).toArray();
  expect(stats).toMatchObject({ ns: collection.namespace, count: 2, storageStats: { count: 2, nindexes: 1, capped: false } }); // prettier-ignore
});

it('the operation that asks for the running ones is among them, with the name of its client', async () => {
  const admin = database.client.db('admin');
  const [op] = await admin.aggregate([{ $currentOp: {} }, { $match: { 'command.aggregate': 1 } }]).toArray();
  expect(op).toMatchObject({ active: true, appName: 'reports', command: { pipeline: [{ $currentOp: {} }, expect.anything()] } }); // prettier-ignore
  const { inprog } = await admin.command({ currentOp: 1, appName: 'reports' });
  expect(inprog).not.toHaveLength(0);
  expect((await admin.command({ currentOp: 1, appName: 'others' })).inprog).toEqual([]);
});

it('$listLocalSessions knows the session that asks', async () => {
  const session = database.client.startSession();
  const sessions = await database.client.db('admin').aggregate([{ $listLocalSessions: {} }], { session }).toArray(); // prettier-ignore
  expect(sessions.map(({ _id }) => _id.id.toString())).toContain(new UUID(session.id!.id.buffer).toString());
  await session.endSession();
});

it('such stages come first, on what they are for', async () => {
  const collection = await database.collection();
  await expect(collection.aggregate([{ $match: {} }, { $indexStats: {} }]).toArray()).rejects.toMatchObject({ code: 40602 }); // prettier-ignore
  await expect(collection.aggregate([{ $currentOp: {} }]).toArray()).rejects.toMatchObject({ code: 73 });
  await expect(database.db.aggregate([{ $indexStats: {} }]).toArray()).rejects.toMatchObject({ code: 73 });
});

it('an aggregate with explain shows its plan and writes nothing', async () => {
  const collection = await database.collection([{ _id: 1, a: 1 }]);
  await collection.createIndex({ a: 1 });
  const command = { aggregate: collection.collectionName, explain: true, cursor: {} };
  const plan = await database.db.command({ ...command, pipeline: [{ $match: { a: 1 } }] });
  expect(JSON.stringify(plan.queryPlanner.winningPlan)).toContain('IXSCAN');
  await database.db.command({ ...command, pipeline: [{ $match: { a: 1 } }, { $out: 'elsewhere' }] });
  expect(await database.db.listCollections({ name: 'elsewhere' }).toArray()).toEqual([]);
});

it('a client that is strict about its API version may use what is in it, and nothing else: code 323', async () => {
  const serverApi = { version: '1', strict: true } as const;
  const client = await MongoClient.connect(database.uri, { serverApi });
  const strict = client.db(database.db.databaseName).collection<AnyDoc>('strict');
  await strict.insertOne({ _id: 1 });
  expect(await strict.find().toArray()).toEqual([{ _id: 1 }]);
  await expect(strict.distinct('_id')).rejects.toMatchObject({ code: 323 });
  await expect(strict.aggregate([{ $indexStats: {} }]).toArray()).rejects.toMatchObject({ code: 323 });
  await client.close();
});
