import type { Connection } from 'mongoose';
import { testDatabase } from '../../test/support/database';
import { systemClock } from '../core/clock';
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
afterEach(() => connection.collection('feeds').deleteMany({}));

const snapshotsOf = (source: SnapshotSource) => createSnapshots({ feed, source, clock: systemClock });

test('those who ask together are read together, each once, and get their own', async () => {
  const rounds: string[][] = [];
  const snapshotOf = snapshotsOf(async (userIds) => {
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

test('what is told while the state is read has a newer number than it', async () => {
  const snapshotOf = snapshotsOf(async () => {
    await feed.tell('e', [ANN], 'notification:count', { unread: 1 });
    return () => NOTHING;
  });
  expect((await snapshotOf(ANN)).seq).toBe(0);
  expect((await snapshotOf(ANN)).seq).toBe(1);
});
