import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Types, type mongo } from 'mongoose';
import type { MaogaServer } from '../../src/server';
import { playerOf, registerPlayer, type Answer } from '../support/client';
import { addGame, databaseOf, DUEL, search } from '../support/matchmaking';
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
  let tickets: mongo.Collection;
  let matches: mongo.Collection;
  beforeAll(async () => {
    server = await startTestServer({ runLoops: false, env: LONG });
    const database = await databaseOf(server);
    [tickets, matches] = [database.collection('tickets'), database.collection('matches')];
    gameId = await addGame(server, { duel: DUEL });
  });

  /** Frees everybody for the next round of a test; as nobody watches, in the database. */
  const endMatches = () =>
    matches.updateMany({ live: true }, { $set: { live: false, livePlayers: [], state: 'abandoned' } });

  test('200 cancels race the commit: answered 204 it is never matched, and a lost race is answered 409', async () => {
    const players = await Promise.all(Array.from({ length: 20 }, () => registerPlayer(server)));
    const round = server.loops.get('matchmaking')!;
    const count = { 204: 0, 409: 0 };
    for (let n = 0; n < 10; n++) {
      const ids = await Promise.all(players.map(async (player) => (await search(player, gameId, 'duel')).id as string));
      // cancels get from no to a long head start before the round, so that some come first, some last and some in between
      const cancels = players.map(async (player, i) => {
        await turns(i * 5);
        return player.delete(`/api/matchmaking/tickets/${ids[i]}`);
      });
      await turns(n * 5);
      const [answers] = await Promise.all([Promise.all(cancels), round.tick()]);
      await round.tick();

      const rows = await tickets.find({ _id: { $in: ids.map((id) => new Types.ObjectId(id)) } }).toArray();
      const states = new Map(rows.map((row) => [String(row['_id']), row['state']]));
      const played = await matches.find({ live: true }).toArray();
      const matched = new Set(played.flatMap((match) => match['tickets']).map(({ ticketId }) => String(ticketId)));
      for (const [i, { status, body }] of answers.entries()) {
        count[status as 204 | 409] += 1;
        expect([status, body.code]).toEqual(status === 204 ? [204, undefined] : [409, 'ALREADY_MATCHED']);
        expect([status, states.get(ids[i]!)]).toEqual([status, status === 204 ? 'cancelled' : 'matched']);
        expect(matched.has(ids[i]!)).toBe(status === 409);
      }
      expect(matched.size).toBe(2 * played.length);
      await endMatches();
    }
    expect(count[204] + count[409]).toBe(200);
    // a race that always ends alike is none
    expect(Math.min(count[204], count[409])).toBeGreaterThan(0);
  }, 60_000);

  test('a change in the moment of the commit either comes first and counts, or is answered that it is too late', async () => {
    const players = await Promise.all(Array.from({ length: 8 }, () => registerPlayer(server)));
    const matchmaking = server.loops.get('matchmaking')!;
    for (let round = 0; round < 6; round++) {
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
      const [answers] = await Promise.all([Promise.all(changing), matchmaking.tick()]);
      for (const { status, body } of answers)
        if (status !== 200) expect([status, body.code]).toEqual([409, 'ALREADY_MATCHED']);
      await matchmaking.tick();
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
      await endMatches();
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
