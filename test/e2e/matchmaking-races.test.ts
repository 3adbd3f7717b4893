import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Types } from 'mongoose';
import type { MaogaServer } from '../../src/server';
import { playerOf, registerPlayer, type Answer, type Player } from '../support/client';
import { addGame, connected, databaseOf, DUEL, pulse, search, tellNews } from '../support/matchmaking';
import { startTestServer } from '../support/server';

/** What happens in the same moment as a match is committed, or around a restart. */

const LONG = { ACCESS_TOKEN_SECONDS: '86400' };

/** Lets the event loop go round this often: how much of a head start somebody gets. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
}

describe('races with the commit', () => {
  let server: MaogaServer;
  let gameId: string;
  beforeAll(async () => {
    server = await startTestServer({ runLoops: false, env: LONG });
    gameId = await addGame(server, { duel: DUEL });
  });

  const endMatches = async (players: readonly Player[]) => {
    await Promise.all(
      players.map(async (player) => {
        for (const { id } of (await player.get('/api/lobbies')).body.items)
          await player.post(`/api/lobbies/${id}/leave`);
      }),
    );
    await tellNews(server);
  };

  test('200 cancels race the commit: answered 204 it is never matched, and a lost race is answered 409', async () => {
    const players = await Promise.all(Array.from({ length: 20 }, () => registerPlayer(server)));
    const half = players.slice(0, 10);
    const tickets = (await databaseOf(server)).collection('tickets');
    const matches = (await databaseOf(server)).collection('matches');
    const count = { 204: 0, 409: 0 };
    for (let round = 0; round < 20; round++) {
      const mine = new Map(
        await Promise.all(players.map(async (p) => [p, (await search(p, gameId, 'duel')).id as string] as const)),
      );
      // cancels get from no to a long head start before the round, so that some come first, some last and some in between
      const cancels = half.map(async (player, i) => {
        await turns(i);
        return player.delete(`/api/matchmaking/tickets/${mine.get(player)}`);
      });
      await turns(round * 3);
      const [answers] = await Promise.all([Promise.all(cancels), pulse(server)]);
      await pulse(server);

      for (const [i, { status, body }] of answers.entries()) {
        const id = mine.get(half[i]!)!;
        expect([204, 409]).toContain(status);
        count[status as 204 | 409] += 1;
        if (status === 409) expect(body.code).toBe('ALREADY_MATCHED');
        const row = (await tickets.findOne({ _id: new Types.ObjectId(id) }))!;
        expect([status, row['state']]).toEqual([status, status === 204 ? 'cancelled' : 'matched']);
        expect(await matches.countDocuments({ 'tickets.ticketId': row._id })).toBe(status === 204 ? 0 : 1);
      }
      await Promise.all(
        players.slice(10).map((player) => player.delete(`/api/matchmaking/tickets/${mine.get(player)}`)),
      );
      await endMatches(players);
    }
    expect(count[204] + count[409]).toBe(200);
    // a race that always ends alike is none
    expect(Math.min(count[204], count[409])).toBeGreaterThan(0);
    const perPlayer = await matches.aggregate([{ $match: { live: true } }, { $unwind: '$livePlayers' }]).toArray();
    expect(perPlayer).toEqual([]);
  });

  test('a change in the moment of the commit either comes first and counts, or is answered that it is too late', async () => {
    const { players } = await connected(server, 8);
    for (let round = 0; round < 10; round++) {
      const ids = await Promise.all(
        players.map(async (player) => (await search(player, gameId, 'duel', { regions: ['EU'] })).id as string),
      );
      const changing = players.map(async (player, i): Promise<Answer> => {
        await turns(i * 2);
        return player.patch(`/api/matchmaking/tickets/${ids[i]}`, {
          regions: [i % 2 ? 'NA' : 'EU'],
          regionPreference: 'strict',
        });
      });
      await turns(round * 2);
      const [answers] = await Promise.all([Promise.all(changing), pulse(server)]);
      for (const { status, body } of answers)
        if (status !== 200) expect([status, body.code]).toEqual([409, 'ALREADY_MATCHED']);
      await pulse(server);
      const changed = new Set(players.filter((_player, i) => answers[i]!.status === 200).map(({ userId }) => userId));
      for (const player of players) {
        const { items } = (await player.get('/api/matchmaking/matches?limit=1')).body;
        const { ticket } = (await player.get('/api/matchmaking/tickets/current')).body;
        if (ticket) continue;
        const [one, two] = items[0].teams.flat().map(({ userId }: { userId: string }) => userId) as [string, string];
        const regionOf = (userId: string) => players.findIndex((each) => each.userId === userId) % 2;
        // both had insisted on their region before: then it is the same one
        if (changed.has(one) && changed.has(two)) expect(regionOf(one)).toBe(regionOf(two));
      }
      await Promise.all(players.map((player, i) => player.delete(`/api/matchmaking/tickets/${ids[i]}`)));
      await endMatches(players);
    }
  });
});

test('a restart in the middle of the queue: everybody is still searching, and everybody gets matched', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'maoga-restart-'));
  const env = { ...LONG, DATA_DIR: directory };
  const before = await startTestServer({ runLoops: false, env });
  const gameId = await addGame(before, { duel: DUEL, squad: { teams: { count: 1, size: { min: 4, max: 4 } } } });
  const accounts = await Promise.all(Array.from({ length: 8 }, () => registerPlayer(before)));
  const tickets: { id: string; queuedAt: string }[] = [];
  for (const [i, player] of accounts.entries()) tickets.push(await search(player, gameId, i < 4 ? 'squad' : 'duel'));
  await before.stop();

  const after = await startTestServer({ env });
  const players = accounts.map((account) => playerOf(after, account));
  const sockets = await Promise.all(players.map((player) => player.connect()));
  const told = await Promise.all(
    sockets.map(async (socket, i) =>
      // told on the way, or in the greeting where it happened before the connection was there
      socket.snapshot.match
        ? { matchId: socket.snapshot.match.id, ticketId: tickets[i]!.id }
        : socket.next('matchmaking:matched'),
    ),
  );
  expect(told.map(({ ticketId }) => ticketId)).toEqual(tickets.map(({ id }) => id));
  expect(new Set(told.slice(0, 4).map(({ matchId }) => matchId)).size).toBe(1);
  expect(new Set(told.map(({ matchId }) => matchId)).size).toBe(3);
  for (const [i, player] of players.entries())
    expect((await player.get(`/api/matchmaking/tickets/${tickets[i]!.id}`)).body).toMatchObject({
      state: 'matched',
      queuedAt: tickets[i]!.queuedAt,
    });
  await after.stop();
  await rm(directory, { recursive: true });
});
