import { rate } from 'openskill';
import type { MaogaServer } from '../../src/server';
import { type Player } from '../support/client';
import { addGame, connected, databaseOf, DUEL, matchUp, pulse, search, submit, tellNews } from '../support/matchmaking';
import { shiftedClock, startTestServer } from '../support/server';

/** What came of a match: results, ratings, history, and ends without a result. */

const NEWCOMER = { mu: 25, sigma: 25 / 3 };

describe('results', () => {
  const clock = shiftedClock();
  let server: MaogaServer;
  let gameId: string;
  beforeAll(async () => {
    server = await startTestServer({ clock, runLoops: false, env: { ACCESS_TOKEN_SECONDS: '86400' } });
    gameId = await addGame(server, {
      duel: DUEL,
      hosted: { ...DUEL, results: { agreement: 'host' } },
      pairs: { teams: { count: 2, size: { min: 2, max: 2 } } },
      three: { teams: { count: 3, size: { min: 1, max: 1 } } },
      coop: { teams: { count: 1, size: { min: 2, max: 2 } } },
    });
  });

  /** Players in a live match: `teams[t][p]` as told, `of` the player of a user id. */
  async function live(mode: string, count: number) {
    const { players, sockets } = await connected(server, count);
    const [told] = await matchUp(server, gameId, mode, { players, sockets });
    const of = (userId: string) => players.find((player) => player.userId === userId) as Player;
    const teams: Player[][] = told.teams.map((team: { userId: string }[]) => team.map(({ userId }) => of(userId)));
    const path = `/api/matchmaking/matches/${told.matchId}`;
    return { players, sockets, teams, matchId: told.matchId as string, lobbyId: told.lobbyId as string, path };
  }
  const report = (player: Player, path: string, result: object) => player.post(`${path}/result`, result);
  const ratingsOf = async (matchPath: string, player: Player) =>
    new Map(
      (await player.get(matchPath)).body.ratings.map((rating: { userId: string; after: object }) => [
        rating.userId,
        rating,
      ]),
    );

  test('a majority agrees: ratings move by openskill, the lobby closes, everybody is free again', async () => {
    const { players, sockets, teams, path, lobbyId } = await live('pairs', 4);
    const [winners, losers] = teams as [[Player, Player], [Player, Player]];
    expect((await report(winners[0], path, { winner: 0 })).body).toMatchObject({ state: 'live', outcome: null });
    expect((await report(losers[0], path, { winner: 1 })).body).toMatchObject({ state: 'live' });
    expect((await report(winners[1], path, { winner: 0 })).body).toMatchObject({ state: 'live' });
    expect((await submit(winners[0], gameId, 'duel')).body.code).toBe('IN_LIVE_MATCH');
    // whoever was wrong may correct it: three of four agree now
    expect((await report(losers[0], path, { winner: 0 })).body).toMatchObject({
      state: 'completed',
      outcome: { ranks: [1, 2], completed: null },
      endReason: 'reported',
    });
    const newcomers = [NEWCOMER, NEWCOMER];
    const expected = rate([newcomers, newcomers], { rank: [1, 2] });
    const ratings = await ratingsOf(path, players[0]!);
    for (const [t, team] of teams.entries())
      for (const [p, player] of team.entries())
        expect(ratings.get(player.userId)).toEqual({
          userId: player.userId,
          before: NEWCOMER,
          after: { mu: expected[t]![p]!.mu, sigma: expected[t]![p]!.sigma },
        });
    // late, but of the same opinion, is fine; another opinion is too late
    expect((await report(losers[1], path, { winner: 0 })).body.state).toBe('completed');
    expect((await report(losers[1], path, { winner: 'draw' })).body.code).toBe('MATCH_CLOSED');
    await tellNews(server);
    for (const socket of sockets) expect((await socket.next('lobby:closed')).lobbyId).toBe(lobbyId);
    expect((await players[0]!.connect()).snapshot).toMatchObject({ match: null, lobbies: [] });
  });

  test('everybody reports at the same moment: it counts exactly once', async () => {
    const { teams, players, path, matchId } = await live('pairs', 4);
    const answers = await Promise.all(teams.flat().map((player) => report(player, path, { winner: 1 })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const database = await databaseOf(server);
    const rows = await database.collection('ratings').find({ mode: 'pairs' }).toArray();
    const mine = rows.filter((row) => players.some(({ userId }) => userId === String(row['userId'])));
    expect(mine.map((row) => row['matches'])).toEqual([1, 1, 1, 1]);
    const facts = await database.collection('outbox').find({ type: 'match.completed', key: matchId }).toArray();
    expect(facts).toHaveLength(1);
  });

  test('the next match starts from the ratings of the last', async () => {
    const { players, sockets, teams, path } = await live('duel', 2);
    for (const player of players) await report(player, path, { winner: 0 });
    await tellNews(server);
    const [again] = await matchUp(server, gameId, 'duel', { players, sockets });
    const next = `/api/matchmaking/matches/${again.matchId}`;
    for (const player of players) await report(player, next, { winner: 'draw' });
    const [first, second] = [await ratingsOf(path, players[0]!), await ratingsOf(next, players[0]!)];
    for (const [player] of teams as [[Player], [Player]])
      expect((second.get(player.userId) as { before: object }).before).toEqual(
        (first.get(player.userId) as { after: object }).after,
      );
  });

  test('where the host decides, only the host does', async () => {
    const { players, lobbyId, path } = await live('hosted', 2);
    const { hostId } = (await players[0]!.get(`/api/lobbies/${lobbyId}`)).body;
    const host = players.find(({ userId }) => userId === hostId) as Player;
    const guest = players.find(({ userId }) => userId !== hostId) as Player;
    expect((await report(guest, path, { winner: 1 })).body).toMatchObject({ state: 'live', reports: [{}] });
    expect((await report(host, path, { winner: 'draw' })).body).toMatchObject({
      state: 'completed',
      outcome: { ranks: [1, 1] },
    });
  });

  test('three teams are placed; a co-op group makes it or not, and is not rated', async () => {
    const three = await live('three', 3);
    const placement = [2, 3, 1];
    for (const player of three.players) await report(player, three.path, { placement });
    const ratings = await ratingsOf(three.path, three.players[0]!);
    const mus = three.teams.map(([player]) => (ratings.get(player!.userId) as { after: { mu: number } }).after.mu);
    expect(mus[2]!).toBeGreaterThan(mus[0]!);
    expect(mus[0]!).toBeGreaterThan(mus[1]!);

    const coop = await live('coop', 2);
    for (const player of coop.players) await report(player, coop.path, { completed: true });
    expect((await coop.players[0]!.get(coop.path)).body).toMatchObject({
      state: 'completed',
      outcome: { ranks: null, completed: true },
      ratings: [],
    });
  });

  test('a result that the match cannot have is refused', async () => {
    const { players, path } = await live('duel', 2);
    for (const result of [
      { winner: 2 },
      { winner: -1 },
      { winner: 'me' },
      { placement: [1] },
      { placement: [1, 2, 3] },
      { completed: true },
      { winner: 0, completed: true },
      {},
    ])
      expect([result, (await report(players[0]!, path, result)).status]).toEqual([result, 400]);
    expect((await players[0]!.get(path)).body).toMatchObject({ state: 'live', reports: [] });
  });

  test('who leaves the lobby has left the match; the last one ends it without a result', async () => {
    const { players, lobbyId, path } = await live('duel', 2);
    const [first, last] = players as [Player, Player];
    await first.post(`/api/lobbies/${lobbyId}/leave`);
    await tellNews(server);
    expect((await submit(last, gameId, 'duel')).body.code).toBe('IN_LIVE_MATCH');
    const { id } = await search(first, gameId, 'duel');
    await first.delete(`/api/matchmaking/tickets/${id}`);
    await last.post(`/api/lobbies/${lobbyId}/leave`);
    await tellNews(server);
    expect((await last.get(path)).body).toMatchObject({ state: 'abandoned', ratings: [] });
    expect((await report(last, path, { winner: 0 })).body.code).toBe('MATCH_CLOSED');
    const again = await search(last, gameId, 'duel');
    await last.delete(`/api/matchmaking/tickets/${again.id}`);
  });

  test('a loser who leaves does not keep the result from counting, whether it was reported before or after', async () => {
    for (const when of ['before', 'after']) {
      const { teams, path, lobbyId } = await live('duel', 2);
      const [[winner], [loser]] = teams as [[Player], [Player]];
      if (when === 'before') await report(winner, path, { winner: 0 });
      await loser.post(`/api/lobbies/${lobbyId}/leave`);
      await tellNews(server);
      if (when === 'after') await report(winner, path, { winner: 0 });
      const { state, ratings } = (await winner.get(path)).body;
      expect(state).toBe('completed');
      expect(ratings.map((rating: { userId: string }) => rating.userId).sort()).toEqual(
        [winner.userId, loser.userId].sort(),
      );
      await tellNews(server);
    }
  });

  test('who has reported before they leave has a say, and so has everybody of a team of which somebody is left', async () => {
    const duel = await live('duel', 2);
    const [[one], [two]] = duel.teams as [[Player], [Player]];
    await report(one, duel.path, { winner: 0 });
    await one.post(`/api/lobbies/${duel.lobbyId}/leave`);
    await tellNews(server);
    expect((await report(two, duel.path, { winner: 1 })).body.state).toBe('live');
    expect((await report(two, duel.path, { winner: 0 })).body.state).toBe('completed');
    await tellNews(server);

    const pairs = await live('pairs', 4);
    const [[ann, bob], [cid]] = pairs.teams as [[Player, Player], [Player, Player]];
    await cid.post(`/api/lobbies/${pairs.lobbyId}/leave`);
    await tellNews(server);
    for (const player of [ann, bob]) await report(player, pairs.path, { winner: 0 });
    expect((await ann.get(pairs.path)).body.state).toBe('live');
  });

  test('a match that nobody reports ends by itself, with its lobby', async () => {
    const { players, sockets, path, lobbyId } = await live('duel', 2);
    clock.advance(6 * 3_600_000 + 1000);
    await pulse(server);
    expect((await players[0]!.get(path)).body).toMatchObject({ state: 'abandoned', endReason: 'not_reported' });
    expect((await sockets[0]!.next('lobby:closed')).lobbyId).toBe(lobbyId);
  });

  test('my history holds the matches I played, newest first, page by page', async () => {
    const { players, sockets } = await connected(server, 2);
    const played: string[] = [];
    for (let i = 0; i < 3; i++) {
      const [told] = await matchUp(server, gameId, 'duel', { players, sockets });
      await Promise.all(sockets.slice(1).map((socket) => socket.next('lobby:created')));
      for (const player of players) await report(player, `/api/matchmaking/matches/${told.matchId}`, { winner: i % 2 });
      await tellNews(server);
      played.unshift(told.matchId);
      clock.advance(1000);
    }
    const [player] = players as [Player];
    const first = (await player.get('/api/matchmaking/matches?limit=2')).body;
    expect(first.items.map(({ id }: { id: string }) => id)).toEqual(played.slice(0, 2));
    const rest = (await player.get(`/api/matchmaking/matches?limit=2&cursor=${first.nextCursor}`)).body;
    expect(rest.items.map(({ id }: { id: string }) => id)).toEqual(played.slice(2));
    expect(rest.nextCursor).toBeNull();
    expect(first.items[0]).toMatchObject({ gameId, gameName: expect.any(String), mode: 'duel', state: 'completed' });
    expect((await player.get('/api/matchmaking/matches?cursor=nonsense')).body.code).toBe('BAD_CURSOR');
  });
});
