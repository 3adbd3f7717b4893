import type { Connection } from 'mongoose';
import { testDatabase } from '../../test/support/database';
import { createFeed, type Feed } from './feed';

const [ANN, BOB] = ['a'.repeat(24), 'b'.repeat(24)];

let connection: Connection;
beforeAll(async () => {
  connection = await testDatabase();
});
afterEach(() => connection.collection('feeds').deleteMany({}));

function recordedFeed() {
  const sent: { userId: string; name: string; body: Record<string, unknown> }[] = [];
  const own = connection.useDb(connection.name);
  const feed = createFeed(own, (userId, name, body) => sent.push({ userId, name, body: body as never }));
  const to = (userId: string) => sent.filter((each) => each.userId === userId);
  const counting = jest.spyOn(own.model('Feed').collection, 'bulkWrite');
  return { feed, sent, to, counting };
}

const positions = async (feed: Feed, ...userIds: string[]) => Object.fromEntries(await feed.positions(userIds));

const left = (userId: string) => ({ lobbyId: 'c'.repeat(24), userId });

describe('the feed of a player', () => {
  test('numbers what each player is told from 1 on, without a gap, in the order of telling', async () => {
    const { feed, to } = recordedFeed();
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        feed.tell(`e${i}`, i % 2 === 0 ? [ANN, BOB] : [ANN], 'lobby:member:left', left(ANN)),
      ),
    );
    expect(to(ANN).map(({ body }) => body.seq)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    expect(to(ANN).map(({ body }) => body.eventId)).toEqual(Array.from({ length: 50 }, (_, i) => `e${i}`));
    expect(to(BOB).map(({ body }) => body.seq)).toEqual(Array.from({ length: 25 }, (_, i) => i + 1));
    expect(await positions(feed, ANN, BOB)).toEqual({ [ANN]: 50, [BOB]: 25 });
  });

  test('is counted in one go, however many things a crowd of players is told at about the same time', async () => {
    const { feed, to, counting } = recordedFeed();
    await Promise.all([
      feed.tell('e1', [ANN, BOB], 'lobby:member:left', left(ANN)),
      feed.tell('e2', [BOB], 'notification:count', { unread: 1 }),
      feed.tell('e3', [ANN], 'notification:count', { unread: 1 }),
    ]);
    expect(counting).toHaveBeenCalledTimes(1);
    expect([ANN, BOB].map((userId) => to(userId).map(({ body }) => body.seq))).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  test('goes on counting after a restart, and over two instances at once', async () => {
    const first = recordedFeed();
    await first.feed.tell('e1', [ANN], 'lobby:member:left', left(BOB));
    const again = [recordedFeed(), recordedFeed()];
    await Promise.all(again.map(({ feed }, i) => feed.tell(`f${i}`, [ANN], 'lobby:member:left', left(BOB))));
    const numbers = again.flatMap(({ sent }) => sent.map(({ body }) => body.seq)).sort();
    expect(numbers).toEqual([2, 3]);
  });

  test('makes the payload for each player where it is not the same for all', async () => {
    const { feed, to } = recordedFeed();
    await feed.tell('e', [ANN, BOB], 'notification:count', (userId) => ({ unread: userId === ANN ? 1 : 2 }));
    expect(to(ANN)[0]?.body).toEqual({ eventId: 'e', unread: 1, seq: 1 });
    expect(to(BOB)[0]?.body).toEqual({ eventId: 'e', unread: 2, seq: 1 });
  });

  test('telling nobody is done at once; who was never told anything stands nowhere', async () => {
    const { feed, sent } = recordedFeed();
    await feed.tell('e', [], 'notification:count', { unread: 0 });
    expect(sent).toEqual([]);
    expect(await positions(feed, BOB)).toEqual({});
  });

  test('a fact that cannot be numbered fails for its teller, and the next one is told', async () => {
    const { feed, to } = recordedFeed();
    await expect(feed.tell('e1', ['not an id'], 'notification:count', { unread: 1 })).rejects.toThrow();
    await feed.tell('e2', [ANN], 'notification:count', { unread: 1 });
    expect(to(ANN)).toHaveLength(1);
  });
});
