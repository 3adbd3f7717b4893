/** Change streams: what they tell of documents and collections, where they begin, and when they end. */
import { Timestamp, type ChangeStream } from 'mongodb';
import { useDatabase, type AnyCollection, type AnyDoc } from '../testing/database';

const database = useDatabase();

/** The next `count` events, after a stream was opened and `act` has run. */
async function told(stream: ChangeStream, act: () => Promise<unknown>, count: number): Promise<AnyDoc[]> {
  // the stream is open once it has been asked
  expect(await stream.tryNext()).toBeNull();
  await act();
  const events: AnyDoc[] = [];
  while (events.length < count) events.push(await stream.next());
  await stream.close();
  return events;
}
const kinds = (events: AnyDoc[]): string[] => events.map(({ operationType }) => operationType);
const quick = { maxAwaitTimeMS: 50 };

it('inserts, updates, replacements and deletions are told in their order', async () => {
  const collection = await database.collection();
  const events = await told(collection.watch([], quick), () => work(collection), 4);
  const ns = { db: database.db.databaseName, coll: collection.collectionName };
  expect(events[0]).toMatchObject({ operationType: 'insert', ns, documentKey: { _id: 1 }, fullDocument: { _id: 1, a: { b: 1 } } }); // prettier-ignore
  expect(events[1]).toMatchObject({ operationType: 'update', ns, documentKey: { _id: 1 } });
  expect(events[1].updateDescription).toEqual({ updatedFields: { 'a.b': 2, c: { d: 1 }, 'list.1': 2 }, removedFields: ['x'], truncatedArrays: [] }); // prettier-ignore
  expect('fullDocument' in events[1]).toBe(false);
  expect(events[2]).toMatchObject({ operationType: 'replace', fullDocument: { _id: 1, r: 1 } });
  expect(Object.keys(events[3])).toEqual(['_id', 'operationType', 'clusterTime', 'wallTime', 'ns', 'documentKey']);
  expect(events[3].clusterTime).toBeInstanceOf(Timestamp);
});

async function work(collection: AnyCollection): Promise<void> {
  await collection.insertOne({ _id: 1, a: { b: 1 }, list: [1], x: 1 });
  const change: AnyDoc = { $set: { 'a.b': 2, 'c.d': 1 }, $push: { list: 2 }, $unset: { x: 1 } };
  await collection.updateOne({ _id: 1 }, change);
  await collection.replaceOne({ _id: 1 }, { r: 1 });
  await collection.deleteOne({ _id: 1 });
}

it('an update by a pipeline is told by its smallest differences', async () => {
  const collection = await database.collection([{ _id: 1, list: [1, 2, 3], a: { b: 1, c: 1 } }]);
  const change = [{ $set: { list: [1, 5], 'a.b': 2 } }];
  const [event] = await told(collection.watch([], quick), () => collection.updateOne({ _id: 1 }, change), 1);
  expect(event!.updateDescription).toEqual({ updatedFields: { 'list.1': 5, 'a.b': 2 }, removedFields: [], truncatedArrays: [{ field: 'list', newSize: 2 }] }); // prettier-ignore
});

it('updateLookup shows the document as it is at the moment, null when it is gone', async () => {
  const collection = await database.collection([{ _id: 1 }, { _id: 2 }]);
  const events = await told(
    collection.watch([{ $match: { operationType: 'update' } }], { ...quick, fullDocument: 'updateLookup' }),
    async () => {
      await collection.updateMany({}, { $set: { a: 1 } });
      await collection.updateOne({ _id: 1 }, { $set: { b: 1 } });
      await collection.deleteOne({ _id: 2 });
    },
    3,
  );
  expect(events.map(({ fullDocument }) => fullDocument)).toEqual([{ _id: 1, a: 1, b: 1 }, null, { _id: 1, a: 1, b: 1 }]); // prettier-ignore
});

it('documents as they were before and after are kept for a collection that asks for it', async () => {
  const collection = await database.db.createCollection<AnyDoc>('images', { changeStreamPreAndPostImages: { enabled: true } }); // prettier-ignore
  await collection.insertOne({ _id: 1, n: 1 } as AnyDoc);
  const options = { ...quick, fullDocument: 'required', fullDocumentBeforeChange: 'required' };
  const [event] = await told(collection.watch([], options), () => collection.updateOne({ _id: 1 }, { $inc: { n: 1 } }), 1); // prettier-ignore
  expect(event).toMatchObject({ fullDocument: { n: 2 }, fullDocumentBeforeChange: { n: 1 } });
});

it('a transaction is told when it commits, with its number; one that aborts is not', async () => {
  const collection = await database.collection();
  const transact = (end: 'commitTransaction' | 'abortTransaction', _id: number) =>
    database.client.withSession(async (session) => {
      session.startTransaction();
      await collection.insertOne({ _id }, { session });
      await session[end]();
    });
  const act = async (): Promise<void> => {
    await transact('abortTransaction', 1);
    await transact('commitTransaction', 2);
  };
  const [event] = await told(collection.watch([], quick), act, 1);
  expect(event).toMatchObject({ documentKey: { _id: 2 }, lsid: { id: {} } });
  expect(Number(event!.txnNumber)).toBeGreaterThan(0);
});

it('a stream goes on behind the event whose token it is given, or from a time on', async () => {
  const collection = await database.collection();
  const [first] = await told(collection.watch([], quick), () => collection.insertMany([{ _id: 1 }, { _id: 2 }]), 2);
  for (const options of [{ resumeAfter: first!._id }, { startAfter: first!._id }]) {
    const stream = collection.watch([], { ...quick, ...options });
    expect(await stream.next()).toMatchObject({ documentKey: { _id: 2 } });
    await stream.close();
  }
  const stream = collection.watch([], { ...quick, startAtOperationTime: first!.clusterTime });
  expect(await stream.next()).toMatchObject({ documentKey: { _id: 1 } });
  await stream.close();
});

it('a time that is too long ago, and what is no token, are refused: codes 286 and 260', async () => {
  const collection = await database.collection();
  const old = collection.watch([], { startAtOperationTime: new Timestamp({ t: 1, i: 1 }) });
  await expect(old.tryNext()).rejects.toMatchObject({ code: 286 });
  const wrong = collection.watch([], { resumeAfter: { _data: 'zz' } });
  await expect(wrong.tryNext()).rejects.toMatchObject({ code: 260 });
});

it('the pipeline chooses and shapes events, but has to leave their tokens', async () => {
  const collection = await database.collection();
  const pipeline = [{ $match: { 'fullDocument.n': { $gt: 1 } } }, { $project: { 'fullDocument.n': 1 } }];
  const [event] = await told(collection.watch(pipeline, quick), () => collection.insertMany([{ n: 1 }, { n: 2 }]), 1);
  expect(event).toEqual({ _id: event!._id, fullDocument: { n: 2 } });
  const { collectionName: name } = collection;
  const aggregate = { aggregate: name, pipeline: [{ $changeStream: {} }, { $project: { _id: 0 } }], cursor: {} };
  const { cursor } = await database.db.command(aggregate);
  await collection.insertOne({ n: 3 });
  const more = database.db.command({ getMore: cursor.id, collection: name, maxTimeMS: 50 });
  await expect(more).rejects.toMatchObject({ code: 280 });
});

it('a database and the whole server may be watched', async () => {
  const [one, two] = [await database.collection(), await database.collection()];
  const act = async (): Promise<void> => {
    await one.insertOne({ _id: 1 });
    await two.insertOne({ _id: 1 });
  };
  const names = [one.collectionName, two.collectionName];
  for (const watched of [database.db, database.client]) {
    const match = [{ $match: { 'ns.coll': { $in: names }, operationType: 'insert' } }];
    const events = await told(watched.watch(match, quick), act, 2);
    expect(events.map(({ ns }) => ns.coll)).toEqual(names);
    await Promise.all([one.deleteMany({}), two.deleteMany({})]);
  }
});

it('a stream ends when its collection is dropped or renamed', async () => {
  const dropped = await database.collection([{ _id: 1 }]);
  expect(kinds(await told(dropped.watch([], quick), () => dropped.drop(), 2))).toEqual(['drop', 'invalidate']);
  const renamed = await database.collection([{ _id: 1 }]);
  const events = await told(renamed.watch([], quick), () => renamed.rename('renamed'), 2);
  expect(kinds(events)).toEqual(['rename', 'invalidate']);
  expect(events[0]!.to).toEqual({ db: database.db.databaseName, coll: 'renamed' });
});

it('a client that waits is told at once, and learns where to go on', async () => {
  const collection = await database.collection();
  const { collectionName: name } = collection;
  const { cursor } = await database.db.command({ aggregate: name, pipeline: [{ $changeStream: {} }], cursor: {} });
  expect(cursor.postBatchResumeToken).toEqual({ _data: expect.any(String) });
  const more = database.db.command({ getMore: cursor.id, collection: name, maxTimeMS: 20_000 });
  await collection.insertOne({ _id: 1 });
  const { nextBatch, postBatchResumeToken } = (await more).cursor;
  expect(nextBatch).toHaveLength(1);
  expect(postBatchResumeToken._data >= nextBatch[0]._id._data).toBe(true);
  await database.db.command({ killCursors: name, cursors: [cursor.id] });
});

it('a stream that begins at a time to come tells nothing of what happens before', async () => {
  const collection = await database.collection();
  const { operationTime } = await database.db.command({ ping: 1 });
  const soon = new Timestamp({ t: operationTime.getHighBits() + 1, i: 1 });
  const stream = collection.watch([], { ...quick, startAtOperationTime: soon });
  expect(await stream.tryNext()).toBeNull();
  let last = 0;
  const insert = async () => {
    last += 1;
    return database.db.command({ insert: collection.collectionName, documents: [{ _id: last }] });
  };
  // as long as the second lasts; a reply may say a later time than that of its write, so that one more has to follow
  for (let now = operationTime; now.lessThan(soon);) now = (await insert()).operationTime;
  await insert();
  const event: AnyDoc = await stream.next();
  await stream.close();
  expect(event.clusterTime.greaterThanOrEqual(soon)).toBe(true);
  expect(event.documentKey._id).toBeGreaterThanOrEqual(last - 1);
});

it('the place to go on from is the last event of a full batch, and stays where it is while nothing happens', async () => {
  const { collectionName } = await database.collection();
  const open = (options: AnyDoc = {}, batchSize = 1) =>
    database.db.command({ aggregate: collectionName, pipeline: [{ $changeStream: options }], cursor: { batchSize } });
  const { cursor: first } = await open();
  await database.db.command({ insert: collectionName, documents: [{ _id: 1 }, { _id: 2 }] });
  const more = async (): Promise<AnyDoc> =>
    (await database.db.command({ getMore: first.id, collection: collectionName, batchSize: 1, maxTimeMS: 20 })).cursor;
  const [one, two, none] = [await more(), await more(), await more()];
  expect(one.postBatchResumeToken).toEqual(one.nextBatch[0]._id);
  expect(two.postBatchResumeToken).toEqual(two.nextBatch[0]._id);
  expect(none).toMatchObject({ nextBatch: [], postBatchResumeToken: two.postBatchResumeToken });
  // what has happened since is told at once
  const { cursor: resumed } = await open({ resumeAfter: one.postBatchResumeToken }, 10);
  expect(resumed.firstBatch.map(({ documentKey }: AnyDoc) => documentKey)).toEqual([{ _id: 2 }]);
  await database.db.command({ killCursors: collectionName, cursors: [first.id, resumed.id] });
});

it('a stage that nobody knows is refused as such: code 40324', async () => {
  const collection = await database.collection();
  const stage: AnyDoc = { $unknown: {} };
  await expect(collection.watch([stage]).tryNext()).rejects.toMatchObject({ code: 40324 });
});

it('tells with showExpandedEvents what is done to collections and their indexes, and which collection it was', async () => {
  const { db } = database;
  const stream = db.watch([], { showExpandedEvents: true });
  const events = async (n: number): Promise<AnyDoc[]> => {
    const heard: AnyDoc[] = [];
    while (heard.length < n) heard.push(await stream.next());
    return heard;
  };
  const first = stream.tryNext();
  await first;
  const made = await db.createCollection<AnyDoc>('expanded');
  await made.createIndex({ x: 1 }, { expireAfterSeconds: 60 });
  await db.command({ collMod: 'expanded', index: { name: 'x_1', expireAfterSeconds: 90 } });
  await made.insertOne({ _id: 1, a: 1 });
  await made.updateOne({ _id: 1 }, { $set: { a: 2 } });
  await made.dropIndex('x_1');
  await made.rename('expanded2');
  await db.dropCollection('expanded2');
  const heard = await events(8);
  await stream.close();
  expect(heard.map(({ operationType }) => operationType)).toEqual(['create', 'createIndexes', 'modify', 'insert', 'update', 'dropIndexes', 'rename', 'drop']); // prettier-ignore
  const [create, createIndexes, modify, insert, update, dropIndexes, rename] = heard;
  const index = { v: 2, key: { x: 1 }, name: 'x_1' };
  expect(create.operationDescription).toMatchObject({ idIndex: { v: 2, key: { _id: 1 }, name: '_id_' } });
  expect(createIndexes.operationDescription.indexes).toMatchObject([{ ...index, expireAfterSeconds: 60 }]);
  expect(modify.operationDescription).toMatchObject({ index: { name: 'x_1', expireAfterSeconds: 90 } });
  expect(update.updateDescription.disambiguatedPaths).toEqual({});
  expect(dropIndexes.operationDescription.indexes).toMatchObject([index]);
  expect(rename.operationDescription).toMatchObject({ to: { db: db.databaseName, coll: 'expanded2' } });
  const uuids = new Set([create, createIndexes, insert, rename].map(({ collectionUUID }) => String(collectionUUID)));
  expect([...uuids]).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
});

it('tells an event that is too large in fragments where it is asked to, and goes on behind one of them', async () => {
  const { db } = database;
  const large = await db.createCollection<AnyDoc>('large', { changeStreamPreAndPostImages: { enabled: true } });
  const text = (letter: string): string => letter.repeat(9 * 1024 * 1024);
  await large.insertOne({ _id: 1, text: text('a') });
  const options = { fullDocument: 'required', fullDocumentBeforeChange: 'required' };
  const stages = [{ $changeStreamSplitLargeEvent: {} }];
  const stream = large.watch(stages, options);
  await stream.tryNext();
  await large.updateOne({ _id: 1 }, { $set: { small: 1 } });
  const first: AnyDoc = await stream.next();
  const second: AnyDoc = await stream.next();
  await stream.close();
  expect([first.splitEvent, second.splitEvent]).toEqual([{ fragment: 1, of: 2 }, { fragment: 2, of: 2 }]); // prettier-ignore
  expect(first).toMatchObject({ operationType: 'update', documentKey: { _id: 1 } });
  expect(Object.keys({ ...first, ...second })).toEqual(expect.arrayContaining(['fullDocument', 'fullDocumentBeforeChange'])); // prettier-ignore
  const resumed = large.watch(stages, { ...options, resumeAfter: first._id });
  expect(await resumed.next()).toMatchObject({ _id: second._id, splitEvent: { fragment: 2, of: 2 } });
  await resumed.close();
  await expect(large.watch([...stages, { $match: {} }]).next()).rejects.toThrow('last stage');
  await expect(large.aggregate(stages).toArray()).rejects.toThrow('$changeStreamSplitLargeEvent');
});
