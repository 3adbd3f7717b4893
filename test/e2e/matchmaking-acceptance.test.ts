import type { MaogaServer } from '../../src/server';
import { registerPlayer, type Player, type PlayerSocket } from '../support/client';
import { addGame, connected, DUEL, pulse, search, submit, tellNews, ticketOf } from '../support/matchmaking';
import { shiftedClock, startTestServer } from '../support/server';

/** Where the rule set asks everybody to accept. */

describe('acceptance', () => {
  const clock = shiftedClock();
  let server: MaogaServer;
  let gameId: string;
  beforeAll(async () => {
    server = await startTestServer({ clock, runLoops: false, env: { ACCESS_TOKEN_SECONDS: '86400' } });
    gameId = await addGame(server, {
      duel: { ...DUEL, acceptance: { seconds: 10 } },
      trio: { teams: { count: 1, size: { min: 3, max: 3 } }, acceptance: { seconds: 10 } },
    });
  });

  /** Players with a proposal that they all have been told of. */
  async function proposed(count: number, mode: string) {
    const { players, sockets } = await connected(server, count);
    const tickets = [];
    for (const player of players) tickets.push(await search(player, gameId, mode));
    await pulse(server);
    const told = await Promise.all(sockets.map((socket) => socket.next('matchmaking:proposed')));
    expect(new Set(told.map(({ matchId }) => matchId)).size).toBe(1);
    expect(told.map(({ ticketId }) => ticketId)).toEqual(tickets.map(({ id }) => id));
    const path = `/api/matchmaking/matches/${told[0].matchId}`;
    return { players, sockets, tickets, matchId: told[0].matchId as string, acceptBy: told[0].acceptBy, path };
  }

  const notMatched = (sockets: PlayerSocket[]) =>
    expect(sockets.flatMap(({ heard }) => heard).filter(({ name }) => name === 'matchmaking:matched')).toEqual([]);

  test('all accept, by REST or by socket, once or twice, and all are matched', async () => {
    const { players, sockets, tickets, matchId, acceptBy, path } = await proposed(2, 'duel');
    const [one, two] = players as [Player, Player];
    expect(Date.parse(acceptBy) - clock.now()).toBeGreaterThan(5_000);
    expect((await one.connect()).snapshot).toMatchObject({
      ticket: { id: tickets[0].id, state: 'proposed' },
      match: { id: matchId, state: 'proposed', teams: [], acceptedCount: 0, youAccepted: false },
    });
    for (let i = 0; i < 2; i++)
      expect(await one.post(`${path}/accept`)).toMatchObject({
        status: 200,
        body: { state: 'proposed', acceptedCount: 1, youAccepted: true, teams: [], lobbyId: null },
      });
    expect((await two.get(path)).body).toMatchObject({ acceptedCount: 1, youAccepted: false });
    expect((await two.patch(`/api/matchmaking/tickets/${tickets[1].id}`, { regions: ['EU'] })).body.code).toBe(
      'CONFLICT',
    );
    expect(await sockets[1]!.send('matchmaking:accept', { matchId })).toMatchObject({
      ok: true,
      data: { match: { id: matchId, state: 'live', lobbyId: expect.any(String) } },
    });
    await tellNews(server);
    const told = await Promise.all(sockets.map((socket) => socket.next('matchmaking:matched')));
    expect(told.map((each) => [each.matchId, each.lobbyId])).toEqual(told.map(() => [matchId, told[0].lobbyId]));
    expect((await one.post(`${path}/decline`)).body.code).toBe('ALREADY_MATCHED');
    expect((await one.delete(`/api/matchmaking/tickets/${tickets[0].id}`)).body.code).toBe('ALREADY_MATCHED');
  });

  test('all accept at the same moment: one match, one lobby', async () => {
    const { players, sockets, path } = await proposed(3, 'trio');
    const answers = await Promise.all(players.map((player) => player.post(`${path}/accept`)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    await tellNews(server);
    const told = await Promise.all(sockets.map((socket) => socket.next('matchmaking:matched')));
    expect(new Set(told.map(({ lobbyId }) => lobbyId)).size).toBe(1);
    expect((await players[0]!.get('/api/lobbies')).body.items).toHaveLength(1);
  });

  test('one declines: that search ends, the others search on with the time they have waited', async () => {
    const { players, sockets, tickets, path } = await proposed(3, 'trio');
    const [eager, undecided, decliner] = players as [Player, Player, Player];
    await eager.post(`${path}/accept`);
    expect((await decliner.post(`${path}/decline`)).body).toMatchObject({ state: 'fellThrough' });
    await tellNews(server);
    expect(await sockets[2]!.next('matchmaking:cancelled')).toMatchObject({
      ticketId: tickets[2].id,
      reason: 'declined',
    });
    for (const socket of sockets.slice(0, 2))
      expect(await socket.next('matchmaking:status')).toMatchObject({ state: 'queued', poolDepth: 2 });
    // who had accepted gets half a minute on top
    expect(await ticketOf(eager, tickets[0].id)).toMatchObject({
      state: 'queued',
      queuedAt: new Date(Date.parse(tickets[0].queuedAt) - 30_000).toISOString(),
    });
    expect(await ticketOf(undecided, tickets[1].id)).toMatchObject({ state: 'queued', queuedAt: tickets[1].queuedAt });
    expect(await ticketOf(decliner, tickets[2].id)).toMatchObject({ state: 'cancelled', reason: 'declined' });
    expect((await undecided.post(`${path}/accept`)).body.code).toBe('MATCH_CLOSED');
    notMatched(sockets);

    const third = await registerPlayer(server);
    await search(third, gameId, 'trio');
    await pulse(server);
    const again = await Promise.all(sockets.slice(0, 2).map((socket) => socket.next('matchmaking:proposed')));
    for (const player of [eager, undecided, third])
      await player.post(`/api/matchmaking/matches/${again[0].matchId}/accept`);
    await tellNews(server);
    await Promise.all(sockets.slice(0, 2).map((socket) => socket.next('matchmaking:matched')));
  });

  test('two decline: both searches end, whoever was faster', async () => {
    const { players, sockets, tickets, path } = await proposed(3, 'trio');
    const [one, two, three] = players as [Player, Player, Player];
    const answers = await Promise.all([one, two].map((player) => player.post(`${path}/decline`)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    await tellNews(server);
    for (const [i, player] of [one, two].entries()) {
      expect(await ticketOf(player, tickets[i].id)).toMatchObject({ state: 'cancelled', reason: 'declined' });
      await sockets[i]!.next('matchmaking:cancelled');
      // a second time changes nothing
      expect((await player.post(`${path}/decline`)).status).toBe(200);
    }
    expect(await ticketOf(three, tickets[2].id)).toMatchObject({ state: 'queued' });
    await three.delete(`/api/matchmaking/tickets/${tickets[2].id}`);
  });

  test('time runs out: who did not answer is out, the others search on, and it is too late to accept', async () => {
    const { players, sockets, tickets, path } = await proposed(2, 'duel');
    const [there, away] = players as [Player, Player];
    await there.post(`${path}/accept`);
    clock.advance(10_001);
    expect((await away.post(`${path}/accept`)).body.code).toBe('MATCH_CLOSED');
    await pulse(server);
    expect(await sockets[1]!.next('matchmaking:cancelled')).toMatchObject({ reason: 'not_accepted' });
    expect(await ticketOf(away, tickets[1].id)).toMatchObject({ state: 'cancelled' });
    expect(await ticketOf(there, tickets[0].id)).toMatchObject({
      state: 'queued',
      queuedAt: new Date(Date.parse(tickets[0].queuedAt) - 30_000).toISOString(),
    });
    expect((await away.post(`${path}/accept`)).body.code).toBe('MATCH_CLOSED');
    notMatched(sockets);
    await there.delete(`/api/matchmaking/tickets/${tickets[0].id}`);
  });

  test('cancelling a ticket that is proposed declines', async () => {
    const { players, tickets, path } = await proposed(2, 'duel');
    const [one, two] = players as [Player, Player];
    expect((await one.delete(`/api/matchmaking/tickets/${tickets[0].id}`)).status).toBe(204);
    expect((await one.get(path)).body.state).toBe('fellThrough');
    expect(await ticketOf(two, tickets[1].id)).toMatchObject({ state: 'queued' });
    await two.delete(`/api/matchmaking/tickets/${tickets[1].id}`);
  });

  test('a proposed ticket does not expire under the proposal, but after it', async () => {
    const { players, sockets } = await connected(server, 2);
    const tickets = [];
    for (const player of players) tickets.push(await search(player, gameId, 'duel', { expiresInSeconds: 30 }));
    clock.advance(25_000);
    await pulse(server);
    const { matchId } = await sockets[0]!.next('matchmaking:proposed');
    clock.advance(6_000);
    await pulse(server);
    expect(await ticketOf(players[0]!, tickets[0].id)).toMatchObject({ state: 'proposed' });
    await players[1]!.post(`/api/matchmaking/matches/${matchId}/decline`);
    await pulse(server);
    expect(await sockets[0]!.next('matchmaking:expired')).toMatchObject({ ticketId: tickets[0].id });
    expect((await submit(players[0]!, gameId, 'duel')).status).toBe(201);
  });
});
