import type { MaogaServer } from '../../src/server';
import { tableOf, verifyInvariants } from '../../scripts/verify/invariants';
import { type Player, type PlayerSocket } from '../support/client';
import {
  addGame,
  connected,
  databaseOf,
  matchUp,
  pulse,
  search,
  submit,
  tellNews,
  ticketOf,
} from '../support/matchmaking';
import { shiftedClock, startTestServer } from '../support/server';

/** Others come in place of those who left a match that has begun. */

describe('backfill', () => {
  let server: MaogaServer;
  let gameId: string;
  const clock = shiftedClock();
  beforeAll(async () => {
    server = await startTestServer({ clock, runLoops: false });
    gameId = await addGame(server, {
      pairs: { teams: { count: 2, size: { min: 2, max: 2 } }, backfill: true, acceptance: { seconds: 20 } },
      trio: {
        teams: { count: 1, size: { min: 2, max: 3 } },
        hold: { fillTarget: 3, holdSeconds: 60 },
        backfill: true,
      },
      fixed: { teams: { count: 1, size: { min: 3, max: 3 } }, backfill: true },
      roles: { teams: { count: 1, size: { min: 2, max: 2 } }, roles: { tank: 1, healer: 1 }, backfill: true },
      closed: { teams: { count: 1, size: { min: 3, max: 3 } } },
    });
  });

  const currentOf = async (player: Player) => (await player.get('/api/matchmaking/tickets/current')).body.ticket;
  const matchOf = async (player: Player, matchId: string) =>
    (await player.get(`/api/matchmaking/matches/${matchId}`)).body;
  const leave = async (player: Player, lobbyId: string) => {
    expect((await player.post(`/api/lobbies/${lobbyId}/leave`)).status).toBe(204);
    await tellNews(server);
  };
  /** A match of three. */
  async function trio(mode = 'fixed') {
    const group = await connected(server, 3);
    const [told] = await matchUp(server, gameId, mode, group);
    return { ...told, ...group } as { matchId: string; lobbyId: string; players: Player[]; sockets: PlayerSocket[] };
  }

  test('whoever is left of a match searches for somebody in place of who left, and plays on in the same lobby', async () => {
    const { players, sockets, matchId, lobbyId } = await trio();
    const [ann, bob, eve] = players as [Player, Player, Player];
    expect(await currentOf(ann)).toBeNull();
    await leave(eve, lobbyId);
    const filed = await currentOf(ann);
    expect(filed).toMatchObject({ state: 'queued', backfillOf: matchId, lobbyId, players: [ann.userId, bob.userId] });
    expect((await currentOf(bob)).id).toBe(filed.id);
    // who left is free, and does not come back here
    const again = await search(eve, gameId, 'fixed');
    await pulse(server);
    expect((await ticketOf(eve, again.id)).state).toBe('queued');

    const { players: others, sockets: theirs } = await connected(server, 1);
    const zoe = others[0]!;
    const mine = await search(zoe, gameId, 'fixed');
    await pulse(server);
    expect(await theirs[0]!.next('matchmaking:matched')).toMatchObject({ ticketId: mine.id, matchId, lobbyId });
    expect(await sockets[0]!.next('lobby:member:joined', ({ userId }) => userId === zoe.userId)).toBeDefined();
    expect(await ticketOf(ann, filed.id)).toMatchObject({ state: 'matched', matchId });
    expect(await ticketOf(zoe, mine.id)).toMatchObject({ state: 'matched', matchId });
    expect(await currentOf(ann)).toBeNull();
    const match = await matchOf(zoe, matchId);
    expect(match).toMatchObject({ state: 'live', playerCount: 3 });
    expect(
      match.teams
        .flat()
        .map((seat: { userId: string }) => seat.userId)
        .sort(),
    ).toEqual([ann, bob, zoe].map(({ userId }) => userId).sort());
    const { body: lobby } = await zoe.get(`/api/lobbies/${lobbyId}`);
    expect(lobby).toMatchObject({ capacity: 3, members: [ann, bob, zoe].map(({ userId }) => ({ userId })) });
    const { body: inbox } = await zoe.get('/api/notifications');
    expect(inbox.items).toEqual(expect.arrayContaining([expect.objectContaining({ type: 'matchFormed' })]));
    await eve.delete(`/api/matchmaking/tickets/${again.id}`);
  });

  test('seats stay as they were: a newcomer takes the place and the team of who left, without acceptance', async () => {
    const { players, sockets } = await connected(server, 4);
    for (const player of players) await search(player, gameId, 'pairs');
    await pulse(server);
    const [{ matchId }] = await Promise.all(sockets.map((socket) => socket.next('matchmaking:proposed')));
    for (const player of players) await player.post(`/api/matchmaking/matches/${matchId}/accept`);
    await tellNews(server);
    const before = await matchOf(players[0]!, matchId);
    await leave(players[3]!, before.lobbyId);
    const [newcomer] = (await connected(server, 1)).players as [Player];
    await search(newcomer, gameId, 'pairs');
    await pulse(server);
    const after = await matchOf(newcomer, matchId);
    expect(after.state).toBe('live');
    const swapped = before.teams.map((team: { userId: string }[]) =>
      team.map(({ userId }) => (userId === players[3]!.userId ? newcomer.userId : userId)).sort(),
    );
    expect(after.teams.map((team: { userId: string }[]) => team.map(({ userId }) => userId).sort())).toEqual(swapped);
    // the result is up to those who play it now: three of four
    for (const player of [players[0]!, players[1]!, newcomer])
      await player.post(`/api/matchmaking/matches/${matchId}/result`, { winner: 0 });
    const over = await matchOf(newcomer, matchId);
    expect(over.state).toBe('completed');
    // who left loses with their team all the same, and does not win with it; for who came it is the other way round
    const lost = before.teams[1].some(({ userId }: { userId: string }) => userId === players[3]!.userId);
    const rated = over.ratings.map(({ userId }: { userId: string }) => userId);
    expect(rated.includes(players[3]!.userId)).toBe(lost);
    expect(rated.includes(newcomer.userId)).toBe(!lost);
    expect((await matchOf(players[3]!, matchId)).state).toBe('completed');
  });

  test('only somebody who would play the role that is missing comes', async () => {
    const { players, sockets } = await connected(server, 2);
    await search(players[0]!, gameId, 'roles', { roles: ['tank'] });
    await search(players[1]!, gameId, 'roles', { roles: ['healer'] });
    await pulse(server);
    const { matchId, lobbyId } = await sockets[0]!.next('matchmaking:matched');
    await leave(players[1]!, lobbyId);
    const [tank, healer] = (await connected(server, 2)).players as [Player, Player];
    const waiting = await search(tank, gameId, 'roles', { roles: ['tank'] });
    await pulse(server);
    expect((await ticketOf(tank, waiting.id)).state).toBe('queued');
    await tank.delete(`/api/matchmaking/tickets/${waiting.id}`);
    await search(healer, gameId, 'roles', { roles: ['healer'] });
    await pulse(server);
    const [team] = (await matchOf(healer, matchId)).teams;
    expect(team).toEqual(
      expect.arrayContaining([
        { userId: players[0]!.userId, role: 'tank' },
        { userId: healer.userId, role: 'healer' },
      ]),
    );
  });

  test('what those who are left asked for holds for newcomers, and blocks do', async () => {
    const { players, sockets } = await connected(server, 3);
    for (const player of players)
      await search(player, gameId, 'fixed', { languages: ['de'], languagePreference: 'strict' });
    await pulse(server);
    const { lobbyId } = await sockets[0]!.next('matchmaking:matched');
    await leave(players[2]!, lobbyId);
    const [foreign, blocked, welcome] = (await connected(server, 3)).players as [Player, Player, Player];
    await players[0]!.put(`/api/users/me/blocks/${blocked.userId}`);
    const waits = [
      await search(foreign, gameId, 'fixed', { languages: ['fr'] }),
      await search(blocked, gameId, 'fixed', { languages: ['de'] }),
    ];
    await pulse(server);
    expect((await ticketOf(foreign, waits[0].id)).state).toBe('queued');
    expect((await ticketOf(blocked, waits[1].id)).state).toBe('queued');
    const mine = await search(welcome, gameId, 'fixed', { languages: ['de'] });
    await pulse(server);
    expect((await ticketOf(welcome, mine.id)).state).toBe('matched');
    await foreign.delete(`/api/matchmaking/tickets/${waits[0].id}`);
    await blocked.delete(`/api/matchmaking/tickets/${waits[1].id}`);
  });

  test('two matches that miss somebody never take players from each other', async () => {
    const [one, other] = [await trio(), await trio()];
    await leave(one.players[2]!, one.lobbyId);
    await leave(other.players[2]!, other.lobbyId);
    await leave(other.players[1]!, other.lobbyId);
    await pulse(server);
    expect(await currentOf(one.players[0]!)).toMatchObject({ state: 'queued', backfillOf: one.matchId });
    // of those who are left, one more has gone: the search is for two now, and waits on since it began
    expect(await currentOf(other.players[0]!)).toMatchObject({
      state: 'queued',
      backfillOf: other.matchId,
      players: [other.players[0]!.userId],
    });
    expect(await currentOf(other.players[1]!)).toBeNull();
    for (const { players, lobbyId } of [one, other]) await players[0]!.post(`/api/lobbies/${lobbyId}/close`);
    await tellNews(server);
  });

  test('the search ends with the match, at once', async () => {
    const { players, matchId, lobbyId } = await trio();
    await leave(players[2]!, lobbyId);
    const filed = await currentOf(players[0]!);
    for (const player of players.slice(0, 2))
      await player.post(`/api/matchmaking/matches/${matchId}/result`, { completed: true });
    expect(await ticketOf(players[0]!, filed.id)).toMatchObject({ state: 'cancelled', reason: 'match_over' });
    expect((await submit(players[0]!, gameId, 'fixed')).status).toBe(201);
    await players[0]!.delete(`/api/matchmaking/tickets/${(await currentOf(players[0]!)).id}`);

    const second = await trio();
    for (const player of [...second.players].reverse()) await leave(player, second.lobbyId);
    for (const player of second.players) expect(await currentOf(player)).toBeNull();
    const free = await search(second.players[0]!, gameId, 'closed');
    await second.players[0]!.delete(`/api/matchmaking/tickets/${free.id}`);
  });

  test('any of them ends the search, the host begins it again, nobody changes what it asks for', async () => {
    const { players, matchId, lobbyId } = await trio();
    const [host, friend, gone] = players as [Player, Player, Player];
    await leave(gone, lobbyId);
    const { id } = await currentOf(host);
    expect((await host.patch(`/api/matchmaking/tickets/${id}`, { regions: ['EU'] })).body.code).toBe('CONFLICT');
    expect((await friend.delete(`/api/lobbies/${lobbyId}/queue`)).status).toBe(204);
    await pulse(server);
    expect(await currentOf(host)).toBeNull();
    expect((await friend.post(`/api/lobbies/${lobbyId}/backfill`, {})).body.code).toBe('NOT_HOST');
    expect(await host.post(`/api/lobbies/${lobbyId}/backfill`, {})).toMatchObject({
      status: 201,
      body: { state: 'queued', backfillOf: matchId },
    });
    await host.post(`/api/lobbies/${lobbyId}/close`);
    await tellNews(server);
    expect(await currentOf(host)).toBeNull();
  });

  test('a group that began with fewer than it may have is filled up when its host asks for it', async () => {
    const { players, sockets } = await connected(server, 2);
    for (const player of players) await search(player, gameId, 'trio', { groupSize: { min: 2, max: 3 } });
    clock.advance(61_000);
    await pulse(server);
    const { matchId, lobbyId } = await sockets[0]!.next('matchmaking:matched');
    const { body: lobby } = await players[0]!.get(`/api/lobbies/${lobbyId}`);
    const host = players.find(({ userId }) => userId === lobby.hostId)!;
    expect((await host.post(`/api/lobbies/${lobbyId}/backfill`, {})).status).toBe(201);
    const [third] = (await connected(server, 1)).players as [Player];
    await search(third, gameId, 'trio');
    await pulse(server);
    expect((await matchOf(third, matchId)).playerCount).toBe(3);
    expect((await host.get(`/api/lobbies/${lobbyId}`)).body).toMatchObject({ capacity: 3 });
    expect((await host.post(`/api/lobbies/${lobbyId}/backfill`, {})).body.code).toBe('CONFLICT');
  });

  test('where the mode does not allow it, nobody comes', async () => {
    const { players, lobbyId } = await trio('closed');
    await leave(players[2]!, lobbyId);
    expect(await currentOf(players[0]!)).toBeNull();
    expect((await players[0]!.post(`/api/lobbies/${lobbyId}/backfill`, {})).body.code).toBe('CONFLICT');
  });

  test('somebody who leaves in the moment of the commit keeps it from standing, and the newcomer waits on', async () => {
    const { players, lobbyId } = await trio();
    await leave(players[2]!, lobbyId);
    const [newcomer] = (await connected(server, 1)).players as [Player];
    const mine = await search(newcomer, gameId, 'fixed');
    // gone from the lobby, and the news of it not told yet
    expect((await players[1]!.post(`/api/lobbies/${lobbyId}/leave`)).status).toBe(204);
    await server.loops.get('matchmaking')!.tick();
    expect((await ticketOf(newcomer, mine.id)).state).toBe('queued');
    await tellNews(server);
    expect(await currentOf(players[0]!)).toMatchObject({ players: [players[0]!.userId] });
    await newcomer.delete(`/api/matchmaking/tickets/${mine.id}`);
  });

  test('after all of that everything promised holds', async () => {
    await tellNews(server);
    const verdict = await verifyInvariants(await databaseOf(server), { patienceMs: null });
    expect(tableOf(verdict)).toContain('Everything holds.');
  });
});
