import type { MaogaServer } from '../../src/server';
import { registerPlayer, type Player } from '../support/client';
import { addGame, connected, DUEL, pulse, search, submit, tellNews, ticketOf } from '../support/matchmaking';
import { shiftedClock, startTestServer } from '../support/server';

/** Who searches together, and who must never meet. */

describe('parties and blocks', () => {
  let server: MaogaServer;
  let gameId: string;
  beforeAll(async () => {
    server = await startTestServer({ clock: shiftedClock(), runLoops: false });
    gameId = await addGame(server, {
      duel: DUEL,
      pairs: { teams: { count: 2, size: { min: 2, max: 2 } } },
      squad: { teams: { count: 1, size: { min: 3, max: 4 } } },
    });
  });

  /** A lobby of these players. @returns its path */
  async function party(mode: string, ...[host, ...guests]: Player[]): Promise<{ path: string; lobbyId: string }> {
    const { body } = await host!.post('/api/lobbies', { gameId, mode, visibility: 'public' });
    for (const guest of guests) await guest.post(`/api/lobbies/${body.id}/join`);
    await tellNews(server);
    return { path: `/api/lobbies/${body.id}`, lobbyId: body.id };
  }

  test('a party is queued by the host of its lobby, stays together, and plays in one team', async () => {
    const { players, sockets } = await connected(server, 4);
    const [host, friend, ...others] = players as [Player, Player, Player, Player];
    const { path, lobbyId } = await party('pairs', host, friend);
    expect((await friend.post(`${path}/queue`, {})).body.code).toBe('NOT_HOST');
    expect((await others[0].post(`${path}/queue`, {})).status).not.toBe(201);
    const queued = await host.post(`${path}/queue`, {});
    expect(queued).toMatchObject({
      status: 201,
      body: { lobbyId, submittedBy: host.userId, games: [{ gameId, mode: 'pairs' }], state: 'queued' },
    });
    expect(queued.body.players).toEqual([host.userId, friend.userId]);
    expect((await friend.get('/api/matchmaking/tickets/current')).body.ticket.id).toBe(queued.body.id);
    expect((await submit(friend, gameId, 'duel')).body.code).toBe('ALREADY_QUEUED');
    for (const player of others) await search(player, gameId, 'pairs');
    await pulse(server);
    const told = await Promise.all(sockets.map((socket) => socket.next('matchmaking:matched')));
    expect(new Set(told.map((each) => each.lobbyId)).size).toBe(1);
    expect(told[0].ticketId).toBe(told[1].ticketId);
    const teams: string[][] = told[0].teams.map((team: { userId: string }[]) => team.map(({ userId }) => userId));
    expect(teams.find((team) => team.includes(host.userId))).toContain(friend.userId);
    expect((await host.post(`/api/lobbies/${told[0].lobbyId}/queue`, {})).body.code).toBe('CONFLICT');
  });

  test('a party that is too big for a team, or has somebody who searches already, is refused as a whole', async () => {
    const { players } = await connected(server, 3);
    const [host, friend, third] = players as [Player, Player, Player];
    const { path } = await party('squad', host, friend, third);
    const tooBig = await host.post(`${path}/queue`, { games: [{ gameId, mode: 'pairs' }] });
    expect([tooBig.status, tooBig.body.code]).toEqual([409, 'PARTY_TOO_BIG']);
    const own = await search(third, gameId, 'duel');
    expect((await host.post(`${path}/queue`, {})).body.code).toBe('ALREADY_QUEUED');
    expect((await host.get('/api/matchmaking/tickets/current')).body.ticket).toBeNull();
    await third.delete(`/api/matchmaking/tickets/${own.id}`);
    expect((await host.post(`${path}/queue`, {})).status).toBe(201);
    expect((await friend.delete(`${path}/queue`)).status).toBe(204);
    expect((await friend.delete(`${path}/queue`)).status).toBe(404);
  });

  test.each<[string, string, (path: string, members: Player[]) => Promise<unknown>]>([
    ['a member leaves', 'member_left', (path, [, friend]) => friend!.post(`${path}/leave`)],
    [
      'a member is removed',
      'member_kicked',
      (path, [host, friend]) => host!.post(`${path}/kick`, { userId: friend!.userId }),
    ],
    ['somebody joins', 'member_joined', async (path) => (await registerPlayer(server)).post(`${path}/join`)],
    ['the lobby is closed', 'lobby_closed', (path, [host]) => host!.post(`${path}/close`)],
  ])('when %s the search of the party ends', async (_what, reason, change) => {
    const { players, sockets } = await connected(server, 2);
    const { path } = await party('squad', ...players);
    const { body: ticket } = await players[0]!.post(`${path}/queue`, {});
    await change(path, players);
    await tellNews(server);
    // what it announced
    await tellNews(server);
    for (const socket of sockets)
      expect(await socket.next('matchmaking:cancelled')).toMatchObject({ ticketId: ticket.id, reason });
    expect(await ticketOf(players[0]!, ticket.id)).toMatchObject({ state: 'cancelled', reason });
  });

  test('news of the lobby from before the search do not end it', async () => {
    const [host, friend] = [await registerPlayer(server), await registerPlayer(server)];
    const { body: lobby } = await host.post('/api/lobbies', { gameId, mode: 'squad', visibility: 'public' });
    await friend.post(`/api/lobbies/${lobby.id}/join`);
    await friend.post(`/api/lobbies/${lobby.id}/leave`);
    await friend.post(`/api/lobbies/${lobby.id}/join`);
    // nothing of this has been told yet
    const { body: ticket } = await host.post(`/api/lobbies/${lobby.id}/queue`, {});
    await tellNews(server);
    expect(await ticketOf(friend, ticket.id)).toMatchObject({ state: 'queued' });
    await friend.delete(`/api/lobbies/${lobby.id}/queue`);
  });

  test('members who come and go while the host queues: the search is for those who are there, or there is none', async () => {
    const [host, ...guests] = await Promise.all(Array.from({ length: 4 }, () => registerPlayer(server)));
    const { path } = await party('squad', host!);
    for (let round = 0; round < 8; round++) {
      const guest = guests[round % guests.length]!;
      const coming = round % 2 === 0;
      if (!coming) {
        await guest.post(`${path}/join`);
        await tellNews(server);
      }
      const [queued] = await Promise.all([
        host!.post(`${path}/queue`, {}),
        guest.post(`${path}/${coming ? 'join' : 'leave'}`),
      ]);
      expect([201, 409]).toContain(queued.status);
      await tellNews(server);
      const { ticket } = (await host!.get('/api/matchmaking/tickets/current')).body;
      const { members } = (await host!.get(path)).body;
      if (ticket)
        expect([...ticket.players].sort()).toEqual(members.map(({ userId }: { userId: string }) => userId).sort());
      if (ticket) await host!.delete(`${path}/queue`);
      await guest.post(`${path}/leave`);
      await tellNews(server);
    }
  });

  test('who has blocked somebody never meets them, whoever waits longer; everybody else they do', async () => {
    const { players, sockets } = await connected(server, 3);
    const [one, two, third] = players as [Player, Player, Player];
    expect((await one.put(`/api/users/me/blocks/${two.userId}`)).status).toBeLessThan(300);
    const [first, second] = [await search(one, gameId, 'duel'), await search(two, gameId, 'duel')];
    await pulse(server);
    expect(await ticketOf(one, first.id)).toMatchObject({ state: 'queued' });
    expect(await ticketOf(two, second.id)).toMatchObject({ state: 'queued' });
    await search(third, gameId, 'duel');
    await pulse(server);
    const { teams } = await sockets[2]!.next('matchmaking:matched');
    expect(teams.flat().map(({ userId }: { userId: string }) => userId)).toEqual(
      expect.arrayContaining([one.userId, third.userId]),
    );
    await two.delete(`/api/matchmaking/tickets/${second.id}`);
  });

  test('a block counts also when both have been waiting for a while', async () => {
    const { players } = await connected(server, 2);
    const [one, two] = players as [Player, Player];
    const [first, second] = [await search(one, gameId, 'duel'), await search(two, gameId, 'duel')];
    await two.put(`/api/users/me/blocks/${one.userId}`);
    await pulse(server);
    await pulse(server);
    expect(await ticketOf(one, first.id)).toMatchObject({ state: 'queued' });
    await one.delete(`/api/matchmaking/tickets/${first.id}`);
    await two.delete(`/api/matchmaking/tickets/${second.id}`);
  });
});
