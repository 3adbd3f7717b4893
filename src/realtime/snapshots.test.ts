import type { ClientSession, Connection } from 'mongoose';
import { testDatabase } from '../../test/support/database';
import { systemClock } from '../core/clock';
import { createTransact } from '../database/transaction';
import { createFeed, type Feed } from './feed';
import { createSnapshots, type SnapshotSource } from './snapshots';

const [ANN, BOB] = ['a'.repeat(24), 'b'.repeat(24)];
const NOTHING = { ticket: null, match: null, lobbies: [], unread: 0 };

let connection: Connection;
let feed: Feed;
beforeAll(async () => {
  connection = await testDatabase();
  feed = createFeed(connection, () => undefined);
});
afterEach(() => Promise.all(['feeds', 'tickets'].map((name) => connection.collection(name).deleteMany({}))));

const snapshotsOf = (source: SnapshotSource) =>
  createSnapshots({ transact: createTransact(connection), feed, source, clock: systemClock });

test('those who ask together are read together, each once, and get their own', async () => {
  const rounds: string[][] = [];
  const snapshotOf = snapshotsOf(async (_session, userIds) => {
    rounds.push([...userIds]);
    return (userId) => ({ ...NOTHING, unread: userId === ANN ? 1 : 2 });
  });
  await feed.tell('e', [BOB], 'notification:count', { unread: 2 });
  const [ann, bob, again] = await Promise.all([ANN, BOB, ANN].map(snapshotOf));
  expect(rounds).toEqual([[ANN, BOB]]);
  expect(ann).toMatchObject({ userId: ANN, unread: 1, seq: 0 });
  expect(bob).toMatchObject({ userId: BOB, unread: 2, seq: 1 });
  expect(again).toEqual(ann);
});

test('a snapshot is of one moment: what comes about while it is read is not in it, and is told with a newer number', async () => {
  const ticketsOf = (session: ClientSession) => connection.collection('tickets').countDocuments({}, { session });
  const seen: number[] = [];
  const snapshotOf = snapshotsOf(async (session) => {
    seen.push(await ticketsOf(session));
    await connection.collection('tickets').insertOne({ of: ANN });
    await feed.tell('e', [ANN], 'notification:count', { unread: 1 });
    seen.push(await ticketsOf(session));
    return () => NOTHING;
  });
  const before = await snapshotOf(ANN);
  expect([before.seq, seen]).toEqual([0, [0, 0]]);
  expect((await snapshotOf(ANN)).seq).toBe(1);
  expect(seen.slice(2)).toEqual([1, 1]);
});
