/** The command `bulkWrite` (MongoDB 8): writes to several collections in one command, whose outcomes a cursor tells. */
import { Long, MongoClient } from 'mongodb';
import { useDatabase, type AnyDoc } from '../testing/database';

const database = useDatabase({ retryWrites: true });
const admin = (command: AnyDoc, options: AnyDoc = {}): Promise<AnyDoc> =>
  database.client.db('admin').command({ bulkWrite: 1, ...command }, options);

it('writes to several collections, and tells what became of each and of all', async () => {
  const one = await database.collection([{ _id: 1, a: 1 }, { _id: 2, a: 1 }]); // prettier-ignore
  const two = await database.collection([{ _id: 1 }]);
  const reply = await admin({
    ops: [
      { insert: 1, document: { _id: 5 } },
      { update: 0, filter: { a: 1 }, updateMods: { $inc: { a: 1 } }, multi: true },
      { update: 0, filter: { _id: 2 }, updateMods: [{ $set: { a: '$$more' } }], constants: { more: 9 } },
      { update: 1, filter: { _id: 7 }, updateMods: { $set: { b: 1 } }, upsert: true },
      { delete: 1, filter: { _id: { $lt: 6 } }, multi: true },
      { delete: 1, filter: {} },
    ],
    nsInfo: [{ ns: one.namespace }, { ns: two.namespace }],
  });
  expect(reply.cursor).toMatchObject({ ns: 'admin.$cmd.bulkWrite' });
  expect(Number(reply.cursor.id)).toBe(0);
  expect(reply.cursor.firstBatch).toMatchObject([
    { ok: 1, idx: 0, n: 1 },
    { ok: 1, idx: 1, n: 2, nModified: 2 },
    { ok: 1, idx: 2, n: 1, nModified: 1 },
    { ok: 1, idx: 3, n: 1, nModified: 0, upserted: { _id: 7 } },
    { ok: 1, idx: 4, n: 2 },
    { ok: 1, idx: 5, n: 1 },
  ]);
  expect(reply).toMatchObject({ nErrors: 0, nInserted: 1, nMatched: 3, nModified: 3, nUpserted: 1, nDeleted: 3 });
  expect(await one.find().sort({ _id: 1 }).toArray()).toEqual([{ _id: 1, a: 2 }, { _id: 2, a: 9 }]); // prettier-ignore
  expect(await two.countDocuments()).toBe(0);
});

it('ends at the first error where it is ordered, and goes on where it is not', async () => {
  const ops = [{ insert: 0, document: { _id: 1 } }, { insert: 0, document: { _id: 1 } }, { insert: 0, document: { _id: 2 } }]; // prettier-ignore
  const ordered = await database.collection();
  const first = await admin({ ops, nsInfo: [{ ns: ordered.namespace }] });
  expect(first).toMatchObject({ ok: 1, nErrors: 1, nInserted: 1 });
  const duplicate = { ok: 0, idx: 1, code: 11000, keyPattern: { _id: 1 }, keyValue: { _id: 1 }, n: 0 };
  expect(first.cursor.firstBatch).toMatchObject([{ ok: 1, idx: 0 }, duplicate]);
  const unordered = await database.collection();
  const second = await admin({ ops, nsInfo: [{ ns: unordered.namespace }], ordered: false, errorsOnly: true });
  expect(second).toMatchObject({ ok: 1, nErrors: 1, nInserted: 2 });
  expect(second.cursor.firstBatch).toMatchObject([duplicate]);
});

it('hands out what it has to tell in batches', async () => {
  const one = await database.collection();
  const ops = [1, 2, 3].map((_id) => ({ insert: 0, document: { _id } }));
  const admins = database.client.db('admin');
  const session = database.client.startSession();
  const { cursor } = await admin({ ops, nsInfo: [{ ns: one.namespace }], cursor: { batchSize: 2 } }, { session });
  expect(cursor.firstBatch).toHaveLength(2);
  const getMore = { getMore: Long.fromValue(cursor.id), collection: '$cmd.bulkWrite' };
  const { cursor: rest } = await admins.command(getMore, { session });
  await session.endSession();
  expect(rest.nextBatch).toMatchObject([{ ok: 1, idx: 2, n: 1 }]);
  expect(Number(rest.id)).toBe(0);
});

it.each([
  ['no operations', { ops: [] }, 16],
  ['a batch of less than nothing', { ops: [{ insert: 0, document: {} }], cursor: { batchSize: -1 } }, 51024],
  ['a namespace that is not there', { ops: [{ insert: 1, document: {} }] }, 2],
  ['a namespace without a collection', { ops: [{ insert: 0, document: {} }], nsInfo: [{ ns: 'only' }] }, 73],
  ['a field that is none', { ops: [{ insert: 0, document: {}, x: 1 }] }, 40415],
  ['an update without a filter', { ops: [{ update: 0, updateMods: { a: 1 } }] }, 40414],
])('refuses %s', async (_what, command, code) => {
  await expect(admin({ nsInfo: [{ ns: 'bulk.none' }], ...command })).rejects.toMatchObject({ code });
});

it('is for the database admin only', async () => {
  const command = { bulkWrite: 1, ops: [{ insert: 0, document: {} }], nsInfo: [{ ns: 'bulk.none' }] };
  await expect(database.db.command(command)).rejects.toMatchObject({ code: 13 });
});

it('that is sent again under the same number is done once, and is not done for many documents', async () => {
  const one = await database.collection();
  // a client of its own, whose session no other write has used
  const client = await MongoClient.connect(database.uri);
  const session = client.startSession();
  const send = (command: AnyDoc) => client.db('admin').command({ bulkWrite: 1, ...command }, { session });
  const ops = [{ insert: 0, document: { a: 1 } }];
  const nsInfo = [{ ns: one.namespace }];
  const again = { ops, nsInfo, txnNumber: Long.fromNumber(5) };
  await send(again);
  expect(await send(again)).toMatchObject({ ok: 1, nInserted: 1 });
  expect(await one.countDocuments()).toBe(1);
  const many = { ops: [{ delete: 0, filter: {}, multi: true }], nsInfo, txnNumber: Long.fromNumber(6) };
  const refused = await send(many);
  expect(refused).toMatchObject({ ok: 1, nErrors: 1, nDeleted: 0 });
  expect(refused.cursor.firstBatch).toMatchObject([{ ok: 0, idx: 0, code: 72 }]);
  await client.close();
});

describe("the driver's bulkWrite of a client", () => {
  it('counts, and gives the outcome of each where it is asked for', async () => {
    const one = await database.collection([{ _id: 1 }]);
    const namespace = one.namespace;
    const result = await database.client.bulkWrite(
      [
        { namespace, name: 'insertOne', document: { _id: 2 } as AnyDoc },
        { namespace, name: 'updateOne', filter: {}, update: { $set: { a: 1 } }, sort: { _id: -1 } },
        { namespace, name: 'replaceOne', filter: { _id: 3 } as AnyDoc, replacement: { b: 1 }, upsert: true },
        { namespace, name: 'deleteOne', filter: { _id: 1 } as AnyDoc },
      ],
      { verboseResults: true },
    );
    expect(result).toMatchObject({ insertedCount: 1, matchedCount: 1, modifiedCount: 1, upsertedCount: 1, deletedCount: 1 }); // prettier-ignore
    expect(result.insertResults?.get(0)).toEqual({ insertedId: 2 });
    expect(result.updateResults?.get(2)).toMatchObject({ matchedCount: 1, upsertedId: 3 });
    expect(await one.find().sort({ _id: 1 }).toArray()).toEqual([{ _id: 2, a: 1 }, { _id: 3, b: 1 }]); // prettier-ignore
  });

  it('belongs to a transaction, which an error ends', async () => {
    const one = await database.collection();
    const session = database.client.startSession();
    const insert = (_id: number): AnyDoc => ({ namespace: one.namespace, name: 'insertOne', document: { _id } });
    session.startTransaction();
    await database.client.bulkWrite([insert(1), insert(2)], { session });
    expect(await one.countDocuments()).toBe(0);
    await session.commitTransaction();
    expect(await one.countDocuments()).toBe(2);
    session.startTransaction();
    await expect(database.client.bulkWrite([insert(3), insert(1)], { session })).rejects.toThrow();
    await expect(session.commitTransaction()).rejects.toMatchObject({ code: 251 });
    await session.endSession();
    expect(await one.countDocuments()).toBe(2);
  });
});
