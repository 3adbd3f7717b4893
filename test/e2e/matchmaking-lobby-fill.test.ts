import type { MaogaServer } from '../../src/server';
import { tableOf, verifyInvariants } from '../../scripts/verify/invariants';
import { registerPlayer, type Player, type PlayerSocket } from '../support/client';
import { addGame, connected, databaseOf, pulse, search, submit, tellNews, ticketOf } from '../support/matchmaking';
import { shiftedClock, startTestServer } from '../support/server';

/** A lobby that a player has made looks for others to come into it. */

describe('a lobby that seeks players', () => {
  let server: MaogaServer;
  let gameId: string;
  const clock = shiftedClock();
  beforeAll(async () => {
    server = await startTestServer({ clock, runLoops: false });
    gameId = await addGame(server, {
      squad: { teams: { count: 1, size: { min: 2, max: 4 } }, backfill: true, acceptance: { seconds: 20 } },
      pairs: { teams: { count: 2, size: { min: 2, max: 2 } }, backfill: true },
      roles: { teams: { count: 1, size: { min: 3, max: 3 } }, roles: { tank: 1, healer: 2 }, backfill: true },
      closed: { teams: { count: 1, size: { min: 2, max: 4 } } },
    });
  });

  const currentOf = async (player: Player) => (await player.get('/api/matchmaking/tickets/current')).body.ticket;
  const lobbyOf = async (player: Player, lobbyId: string) => (await player.get(`/api/lobbies/${lobbyId}`)).body;
  const idsOf = (members: readonly { userId: string }[]) => members.map(({ userId }) => userId).sort();

  interface Group {
    players: Player[];
    sockets: PlayerSocket[];
    lobbyId: string;
    path: string;
  }
  /** A lobby with its host and guests; nothing of it is left to be told. */
  async function lobby(mode: string, count: number, settings: object = {}): Promise<Group> {
    const { players, sockets } = await connected(server, count);
    const { status, body } = await players[0]!.post('/api/lobbies', {
      gameId,
      mode,
      visibility: 'public',
      ...settings,
    });
    expect(status).toBe(201);
    const path = `/api/lobbies/${body.id}`;
    for (const guest of players.slice(1)) expect((await guest.post(`${path}/join`)).status).toBe(200);
    await tellNews(server);
    return { players, sockets, lobbyId: body.id, path };
  }
  async function seek({ players, path }: Group, wishes: object = {}) {
    const { status, body } = await players[0]!.post(`${path}/backfill`, wishes);
    if (status !== 201) throw new Error(`the search was not accepted: ${JSON.stringify(body)}`);
    return body;
  }
  const end = async ({ players, path }: Group) => {
    await players[0]!.post(`${path}/close`);
    await tellNews(server);
  };

  test('whoever suits comes into the lobby, and plays a match there with those who were in it', async () => {
    const group = await lobby('squad', 2);
    const [host, friend] = group.players as [Player, Player];
    const ticket = await seek(group);
    expect(ticket).toMatchObject({
      state: 'queued',
      fillsLobby: true,
      backfillOf: null,
      lobbyId: group.lobbyId,
      players: [host.userId, friend.userId],
      groupSize: { min: 2, max: 4 },
    });
    expect((await currentOf(friend)).id).toBe(ticket.id);
    expect((await submit(friend, gameId, 'squad')).body.code).toBe('ALREADY_QUEUED');
    await pulse(server);
    expect((await ticketOf(host, ticket.id)).state).toBe('queued');

    const { players, sockets } = await connected(server, 1);
    const [zoe] = players as [Player];
    const mine = await search(zoe, gameId, 'squad');
    await pulse(server);
    // without acceptance, as into any lobby
    const told = await sockets[0]!.next('matchmaking:matched');
    expect(told).toMatchObject({ ticketId: mine.id, lobbyId: group.lobbyId });
    expect(await group.sockets[1]!.next('matchmaking:matched')).toMatchObject({
      ticketId: ticket.id,
      matchId: told.matchId,
    });
    expect(await group.sockets[0]!.next('lobby:member:joined', ({ userId }) => userId === zoe.userId)).toBeDefined();
    const filled = await lobbyOf(zoe, group.lobbyId);
    expect(filled).toMatchObject({
      origin: 'match',
      matchId: told.matchId,
      visibility: 'private',
      hostId: host.userId,
    });
    expect(idsOf(filled.members)).toEqual(idsOf([host, friend, zoe]));
    const { body: match } = await zoe.get(`/api/matchmaking/matches/${told.matchId}`);
    expect(match).toMatchObject({ state: 'live', lobbyId: group.lobbyId, playerCount: 3 });
    expect((await submit(host, gameId, 'squad')).body.code).toBe('IN_LIVE_MATCH');

    // one seat is free: the match goes on searching, until that is taken too
    expect(await currentOf(host)).toMatchObject({ backfillOf: told.matchId, fillsLobby: false });
    const last = await registerPlayer(server);
    await search(last, gameId, 'squad');
    await pulse(server);
    expect(idsOf((await lobbyOf(last, group.lobbyId)).members)).toEqual(idsOf([host, friend, zoe, last]));
    expect(await currentOf(host)).toBeNull();
    for (const player of [host, friend, zoe])
      await player.post(`/api/matchmaking/matches/${told.matchId}/result`, { completed: true });
    await tellNews(server);
    expect((await zoe.get(`/api/matchmaking/matches/${told.matchId}`)).body.state).toBe('completed');
    expect((await zoe.get('/api/lobbies')).body.items).toEqual([]);
  });

  test('no more come than the host has seats for', async () => {
    const group = await lobby('squad', 1, { capacity: 2 });
    await seek(group);
    const others = (await connected(server, 2)).players as [Player, Player];
    const tickets = [];
    for (const player of others) tickets.push(await search(player, gameId, 'squad', { groupSize: { min: 2, max: 2 } }));
    await pulse(server);
    await pulse(server);
    expect((await lobbyOf(group.players[0]!, group.lobbyId)).members).toHaveLength(2);
    expect(await currentOf(group.players[0]!)).toBeNull();
    for (const [i, player] of others.entries()) await player.delete(`/api/matchmaking/tickets/${tickets[i].id}`);
    await end(group);
  });

  test('the search goes on with whoever comes by invitation and goes, since it began, and ends when the lobby is full', async () => {
    const group = await lobby('squad', 2, { capacity: 3 });
    const [host, friend] = group.players as [Player, Player];
    const ticket = await seek(group);
    clock.advance(5_000);
    await friend.post(`${group.path}/leave`);
    await tellNews(server);
    expect(await currentOf(friend)).toBeNull();
    expect(await currentOf(host)).toMatchObject({ id: ticket.id, players: [host.userId], queuedAt: ticket.queuedAt });
    await friend.post(`${group.path}/join`);
    await tellNews(server);
    expect(await currentOf(friend)).toMatchObject({ id: ticket.id, players: [host.userId, friend.userId] });
    await (await registerPlayer(server)).post(`${group.path}/join`);
    await tellNews(server);
    // what it announced
    await tellNews(server);
    expect(await ticketOf(host, ticket.id)).toMatchObject({ state: 'cancelled', reason: 'lobby_full' });
    expect(await group.sockets[1]!.next('matchmaking:cancelled')).toMatchObject({ reason: 'lobby_full' });
    await end(group);
  });

  test.each<[string, string, (group: Group) => Promise<unknown>]>([
    ['the host closes the lobby', 'lobby_closed', ({ players, path }) => players[0]!.post(`${path}/close`)],
    ['any of them ends it', 'cancelled_by_player', ({ players, path }) => players[1]!.delete(`${path}/queue`)],
    ['the host has fewer seats in mind', 'lobby_full', ({ players, path }) => players[0]!.patch(path, { capacity: 2 })],
    [
      'they start without others',
      'lobby_started',
      async ({ players, path }) => {
        for (const player of players) await player.post(`${path}/ready`, { ready: true });
        expect((await players[0]!.patch(path, { state: 'active' })).status).toBe(200);
      },
    ],
    [
      'somebody comes in who searches already',
      'member_searches',
      async ({ path }) => {
        const busy = await registerPlayer(server);
        const own = await search(busy, gameId, 'closed');
        await busy.post(`${path}/join`);
        await tellNews(server);
        await busy.delete(`/api/matchmaking/tickets/${own.id}`);
      },
    ],
  ])('when %s the search ends', async (_what, reason, change) => {
    const group = await lobby('squad', 2);
    const ticket = await seek(group);
    await change(group);
    await tellNews(server);
    expect(await ticketOf(group.players[0]!, ticket.id)).toMatchObject({ state: 'cancelled', reason });
    // and nobody comes
    const late = await registerPlayer(server);
    const own = await search(late, gameId, 'squad');
    await pulse(server);
    expect((await ticketOf(late, own.id)).state).toBe('queued');
    await late.delete(`/api/matchmaking/tickets/${own.id}`);
    await end(group);
  });

  test('friends sit in one team as long as there is room, and three seek the fourth', async () => {
    const group = await lobby('pairs', 3);
    const [host, friend, third] = group.players as [Player, Player, Player];
    // as a party they would have to fit into one team
    expect((await host.post(`${group.path}/queue`, {})).body.code).toBe('PARTY_TOO_BIG');
    await seek(group);
    const fourth = await registerPlayer(server);
    await search(fourth, gameId, 'pairs');
    await pulse(server);
    const [match] = (await fourth.get('/api/matchmaking/matches')).body.items;
    expect(match.teams.map(idsOf)).toEqual([idsOf([host, friend]), idsOf([third, fourth])]);
    await end(group);
  });

  test('what the host asks for holds for who comes, and so do roles, blocks and whom the host removed', async () => {
    const group = await lobby('roles', 2);
    const [host, removed] = group.players as [Player, Player];
    await host.post(`${group.path}/kick`, { userId: removed.userId });
    await tellNews(server);
    await seek(group, { languages: ['de'], languagePreference: 'strict', roles: ['tank'] });
    const [tank, foreign, blocked, one, two] = (await connected(server, 5)).players;
    await host.put(`/api/users/me/blocks/${blocked!.userId}`);
    const welcome = { languages: ['de'], roles: ['healer'] };
    const kept: [Player, { id: string }][] = [
      [removed, await search(removed, gameId, 'roles', welcome)],
      [tank!, await search(tank!, gameId, 'roles', { ...welcome, roles: ['tank'] })],
      [foreign!, await search(foreign!, gameId, 'roles', { ...welcome, languages: ['fr'] })],
      [blocked!, await search(blocked!, gameId, 'roles', welcome)],
    ];
    await search(one!, gameId, 'roles', welcome);
    await pulse(server);
    expect(await currentOf(host)).toMatchObject({ state: 'queued' });
    for (const [player, ticket] of kept) await player.delete(`/api/matchmaking/tickets/${ticket.id}`);
    await search(two!, gameId, 'roles', welcome);
    await pulse(server);
    const [match] = (await host.get('/api/matchmaking/matches')).body.items;
    expect(match.teams[0]).toEqual(
      expect.arrayContaining([
        { userId: host.userId, role: 'tank' },
        { userId: one!.userId, role: 'healer' },
        { userId: two!.userId, role: 'healer' },
      ]),
    );
    await end(group);
  });

  test('two lobbies that seek players never take them from each other', async () => {
    const [one, other] = [await lobby('squad', 1), await lobby('squad', 1)];
    await seek(one);
    await seek(other);
    await pulse(server);
    for (const { players, lobbyId } of [one, other])
      expect(await currentOf(players[0]!)).toMatchObject({ state: 'queued', fillsLobby: true, lobbyId });
    for (const group of [one, other]) await end(group);
  });

  test('only the host begins it, only where the mode allows it, and only with seats that are free', async () => {
    const group = await lobby('squad', 2, { capacity: 2 });
    const [host, friend] = group.players as [Player, Player];
    expect((await friend.post(`${group.path}/backfill`, {})).body.code).toBe('NOT_HOST');
    expect((await host.post(`${group.path}/backfill`, {})).body.code).toBe('LOBBY_FULL');
    expect((await host.post(`${group.path}/backfill`, { groupSize: { min: 2, max: 3 } })).status).toBe(400);
    await end(group);
    expect((await host.post(`${group.path}/backfill`, {})).body.code).toBe('LOBBY_CLOSED');
    const closed = await lobby('closed', 1);
    expect((await closed.players[0]!.post(`${closed.path}/backfill`, {})).body.code).toBe('CONFLICT');
    await end(closed);
    const small = await lobby('pairs', 1, { capacity: 3 });
    expect((await small.players[0]!.post(`${small.path}/backfill`, {})).body).toMatchObject({
      code: 'CONFLICT',
      detail: expect.stringContaining('is played by 4'),
    });
    await end(small);
  });

  test('somebody who comes or goes in the moment of the commit keeps it from standing, and the newcomer waits on', async () => {
    const group = await lobby('squad', 2);
    const [host, friend] = group.players as [Player, Player];
    const ticket = await seek(group);
    const newcomer = await registerPlayer(server);
    const mine = await search(newcomer, gameId, 'squad');
    // gone from the lobby, and the news of it not told yet
    await friend.post(`${group.path}/leave`);
    await server.loops.get('matchmaking')!.tick();
    expect((await ticketOf(newcomer, mine.id)).state).toBe('queued');
    await tellNews(server);
    await pulse(server);
    expect((await ticketOf(newcomer, mine.id)).state).toBe('matched');
    expect(await ticketOf(host, ticket.id)).toMatchObject({ state: 'matched', players: [host.userId] });
    await end(group);
  });

  test('after all of that everything promised holds', async () => {
    await tellNews(server);
    const verdict = await verifyInvariants(await databaseOf(server), { patienceMs: null });
    expect(tableOf(verdict)).toContain('Everything holds.');
  });
});
