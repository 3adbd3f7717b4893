import type { MaogaServer } from '../../src/server';
import { registerPlayer, type Player } from '../support/client';
import { addGame, connected, databaseOf, DUEL, pulse, search, submit, ticketOf } from '../support/matchmaking';
import { shiftedClock, startTestServer } from '../support/server';

/** Tickets from outside: what is accepted, what becomes of it, and who sees it. Rounds are run by hand. */

const HOUR_MS = 3_600_000;

describe('matchmaking', () => {
  const clock = shiftedClock();
  let server: MaogaServer;
  let gameId: string;
  beforeAll(async () => {
    server = await startTestServer({ clock, runLoops: false, env: { ACCESS_TOKEN_SECONDS: '86400' } });
    gameId = await addGame(server, {
      duel: DUEL,
      other: DUEL,
      trio: { teams: { count: 1, size: { min: 3, max: 3 } } },
      healers: { teams: { count: 1, size: { min: 2, max: 2 } }, roles: { healer: 1, tank: 1 } },
      regional: { ...DUEL, regions: { relaxAfterSeconds: 60 } },
    });
  });

  test('two compatible players are both told of the same lobby, and exactly one lobby exists', async () => {
    const { players, sockets } = await connected(server, 2);
    const tickets = [];
    for (const player of players) tickets.push(await search(player, gameId, 'duel'));
    expect(tickets.map(({ state }) => state)).toEqual(['queued', 'queued']);
    await pulse(server);
    const told = await Promise.all(sockets.map((socket) => socket.next('matchmaking:matched')));
    const [first, second] = told;
    expect(told.map(({ ticketId }) => ticketId)).toEqual(tickets.map(({ id }) => id));
    expect(first).toMatchObject({ matchId: second.matchId, lobbyId: second.lobbyId, teams: second.teams });
    expect(first.teams.flat().map(({ userId }: { userId: string }) => userId)).toEqual(
      expect.arrayContaining(players.map(({ userId }) => userId)),
    );
    for (const socket of sockets) expect((await socket.next('lobby:created')).lobby.id).toBe(first.lobbyId);

    const lobbies = (await databaseOf(server)).collection('lobbies');
    expect(await lobbies.countDocuments({ origin: 'match' })).toBe(1);
    for (const [i, player] of players.entries()) {
      expect((await player.get('/api/lobbies')).body.items.map(({ id }: { id: string }) => id)).toEqual([
        first.lobbyId,
      ]);
      expect(await ticketOf(player, tickets[i].id)).toMatchObject({ state: 'matched', matchId: first.matchId });
      expect((await player.get('/api/matchmaking/tickets/current')).body).toEqual({ ticket: null, pools: [] });
      // whoever was away learns of it from the snapshot
      expect((await player.connect()).snapshot).toMatchObject({
        ticket: null,
        match: { id: first.matchId, lobbyId: first.lobbyId, state: 'live' },
        lobbies: [{ id: first.lobbyId }],
      });
      expect((await submit(player, gameId, 'duel')).body.code).toBe('IN_LIVE_MATCH');
    }
    await pulse(server);
    expect(sockets.flatMap(({ heard }) => heard).filter(({ name }) => name === 'matchmaking:matched')).toHaveLength(2);
  });

  test('of 20 parallel tickets of one player one is accepted, and 19 are told that there is one', async () => {
    const player = await registerPlayer(server);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => submit(player, gameId, i % 2 ? 'trio' : 'other')),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const refused = answers.filter(({ status }) => status !== 201);
    expect(refused.map(({ status, body }) => [status, body.code])).toEqual(refused.map(() => [409, 'ALREADY_QUEUED']));
    const mine = answers.find(({ status }) => status === 201)!.body;
    expect((await player.get('/api/matchmaking/tickets/current')).body.ticket.id).toBe(mine.id);
    expect((await player.delete(`/api/matchmaking/tickets/${mine.id}`)).status).toBe(204);
  });

  test('a cancelled search is over for everybody, may be cancelled again, and another one may begin', async () => {
    const { players, sockets } = await connected(server, 1);
    const [player, socket] = [players[0]!, sockets[0]!];
    const { id } = await search(player, gameId, 'duel');
    for (let i = 0; i < 2; i++) expect((await player.delete(`/api/matchmaking/tickets/${id}`)).status).toBe(204);
    await pulse(server);
    expect(await socket.next('matchmaking:cancelled')).toMatchObject({ ticketId: id, reason: 'cancelled_by_player' });
    expect(await ticketOf(player, id)).toMatchObject({ state: 'cancelled', matchId: null });
    const again = await search(player, gameId, 'duel');
    expect((await player.patch(`/api/matchmaking/tickets/${id}`, { regions: ['EU'] })).body.code).toBe('TICKET_CLOSED');
    expect((await player.delete(`/api/matchmaking/tickets/${again.id}`)).status).toBe(204);
    await pulse(server);
    await socket.next('matchmaking:cancelled', ({ ticketId }) => ticketId === again.id);
    expect(socket.heard.filter(({ name }) => name === 'matchmaking:cancelled')).toHaveLength(2);
  });

  test('a search that finds nobody in its time expires, is told so, and is never matched later', async () => {
    const { players, sockets } = await connected(server, 2);
    const [early, late] = players as [Player, Player];
    const { id } = await search(early, gameId, 'duel', { expiresInSeconds: 30 });
    clock.advance(31_000);
    const next = await search(late, gameId, 'duel');
    await pulse(server);
    expect(await sockets[0]!.next('matchmaking:expired')).toMatchObject({ ticketId: id });
    expect(await ticketOf(early, id)).toMatchObject({ state: 'expired', matchId: null });
    expect(await ticketOf(late, next.id)).toMatchObject({ state: 'queued' });
    await late.delete(`/api/matchmaking/tickets/${next.id}`);
  });

  test('a change keeps the waiting time, and counts from the next round on', async () => {
    const { players, sockets } = await connected(server, 2);
    const [patient, other] = players as [Player, Player];
    const before = await search(patient, gameId, 'duel', { regions: ['EU'], regionPreference: 'strict' });
    await search(other, gameId, 'duel', { regions: ['NA'], regionPreference: 'strict' });
    clock.advance(40_000);
    await pulse(server);
    const changed = await patient.patch(`/api/matchmaking/tickets/${before.id}`, { regions: ['NA', 'EU'] });
    expect(changed).toMatchObject({
      status: 200,
      body: { id: before.id, queuedAt: before.queuedAt, regions: ['NA', 'EU'], revision: before.revision + 1 },
    });
    expect(changed.body.waitedMs).toBeGreaterThanOrEqual(40_000);
    expect((await other.patch(`/api/matchmaking/tickets/${before.id}`, { regions: [] })).status).toBe(404);
    await pulse(server);
    await Promise.all(sockets.map((socket) => socket.next('matchmaking:matched')));
    expect((await patient.patch(`/api/matchmaking/tickets/${before.id}`, { regions: [] })).body.code).toBe(
      'ALREADY_MATCHED',
    );
  });

  test('a preference yields with waiting, a strict wish never does', async () => {
    const { players } = await connected(server, 2);
    const [strict, flexible] = players as [Player, Player];
    const european = await search(strict, gameId, 'regional', { regions: ['EU'], regionPreference: 'strict' });
    const other = await search(flexible, gameId, 'regional', { regions: ['NA'], regionPreference: 'preferred' });
    clock.advance(61_000);
    await pulse(server);
    expect(await ticketOf(strict, european.id)).toMatchObject({ state: 'queued' });
    await strict.patch(`/api/matchmaking/tickets/${european.id}`, { regionPreference: 'preferred' });
    await pulse(server);
    expect(await ticketOf(flexible, other.id)).toMatchObject({ state: 'matched' });
  });

  test('a scheduled search begins when its time has come, and not before', async () => {
    const { players, sockets } = await connected(server, 2);
    const [planner, other] = players as [Player, Player];
    const at = new Date(clock.now() + HOUR_MS).toISOString();
    const planned = await search(planner, gameId, 'other', { scheduledFor: at });
    expect(planned).toMatchObject({ state: 'scheduled', scheduledFor: at, queuedAt: null, waitedMs: 0 });
    await search(other, gameId, 'other', { expiresInSeconds: 7200 });
    await pulse(server);
    expect(await ticketOf(planner, planned.id)).toMatchObject({ state: 'scheduled' });
    clock.advance(HOUR_MS + 1000);
    await pulse(server);
    expect(await sockets[0]!.next('matchmaking:matched')).toMatchObject({ ticketId: planned.id });
    const tooFar = new Date(clock.now() + 8 * 24 * HOUR_MS).toISOString();
    for (const scheduledFor of [tooFar, new Date(clock.now() - HOUR_MS).toISOString()])
      expect((await submit(await registerPlayer(server), gameId, 'other', { scheduledFor })).body).toMatchObject({
        code: 'VALIDATION_FAILED',
        errors: [{ path: 'body.scheduledFor' }],
      });
  });

  test('pools say how many wait, and how long those waited who were matched', async () => {
    const game = await addGame(server, { duel: DUEL });
    const { players } = await connected(server, 3);
    const pools = async () => (await players[0]!.get(`/api/matchmaking/pools?gameId=${game}`)).body.items;
    expect(await pools()).toEqual([]);
    const first = await search(players[0]!, game, 'duel', { regions: ['EU'], regionPreference: 'strict' });
    expect(first.estimatedWaitMs).toBeNull();
    clock.advance(20_000);
    await search(players[1]!, game, 'duel', { regions: ['EU'], regionPreference: 'strict' });
    expect(await pools()).toEqual([{ gameId: game, mode: 'duel', depth: 2, players: 2, waitMs: null }]);
    await pulse(server);
    const [figures] = await pools();
    expect(figures).toMatchObject({ depth: 0, players: 0, waitMs: { sample: 2 } });
    expect(figures.waitMs.p50).toBeLessThan(20_000);
    expect(figures.waitMs.p95).toBeGreaterThanOrEqual(20_000);
    const last = await search(players[2]!, game, 'duel');
    expect(last.estimatedWaitMs).toBeGreaterThanOrEqual(0);
    const current = (await players[2]!.get('/api/matchmaking/tickets/current')).body;
    expect(current).toMatchObject({ ticket: { id: last.id }, pools: [{ gameId: game, mode: 'duel', depth: 1 }] });
    clock.advance(HOUR_MS);
    await players[2]!.delete(`/api/matchmaking/tickets/${last.id}`);
    expect(await pools()).toEqual([]);
  });

  test('who watches a ticket is shown how the search goes, and why it still waits', async () => {
    const { players, sockets } = await connected(server, 1);
    const [player, socket] = [players[0]!, sockets[0]!];
    const { id } = await search(player, gameId, 'trio');
    const subscribed = await socket.send('matchmaking:subscribe', { ticketId: id });
    expect(subscribed).toMatchObject({ ok: true, data: { ticket: { id }, status: { state: 'queued', poolDepth: 1 } } });
    clock.advance(5_000);
    await pulse(server);
    const status = await socket.next('matchmaking:status', ({ ticketId }) => ticketId === id);
    expect(status.waitedMs).toBeGreaterThanOrEqual(5_000);
    const why = await player.get(`/api/matchmaking/tickets/${id}/explanation`);
    expect(why).toMatchObject({
      status: 200,
      body: { ticketId: id, pools: [{ gameId, mode: 'trio', players: { min: 3, max: 3 } }] },
    });
    await player.delete(`/api/matchmaking/tickets/${id}`);
  });

  test('a stranger sees, hears and changes nothing of a ticket or a match', async () => {
    const { players, sockets } = await connected(server, 3);
    const [one, two, stranger] = players as [Player, Player, Player];
    const mine = await search(one, gameId, 'duel');
    await search(two, gameId, 'duel');
    const path = `/api/matchmaking/tickets/${mine.id}`;
    const tries = [
      await stranger.get(path),
      await stranger.get(`${path}/explanation`),
      await stranger.patch(path, { regions: ['EU'] }),
      await stranger.delete(path),
    ];
    expect(tries.map(({ status, body }) => [status, body.code])).toEqual(tries.map(() => [404, 'NOT_FOUND']));
    const atStranger = sockets[2]!;
    expect(await atStranger.send('matchmaking:subscribe', { ticketId: mine.id })).toMatchObject({
      ok: false,
      error: { code: 'NOT_FOUND' },
    });
    expect(await ticketOf(one, mine.id)).toMatchObject({ state: 'queued', revision: mine.revision });

    await pulse(server);
    const { matchId, lobbyId } = await sockets[0]!.next('matchmaking:matched');
    const match = `/api/matchmaking/matches/${matchId}`;
    const more = [
      await stranger.get(match),
      await stranger.post(`${match}/accept`),
      await stranger.post(`${match}/decline`),
      await stranger.post(`${match}/result`, { winner: 0 }),
      await stranger.get(`/api/lobbies/${lobbyId}`),
    ];
    expect(more.map(({ status }) => status)).toEqual(more.map(() => 404));
    for (const event of ['matchmaking:accept', 'matchmaking:decline'])
      expect(await atStranger.send(event, { matchId })).toMatchObject({ ok: false, error: { code: 'NOT_FOUND' } });
    expect((await stranger.get('/api/matchmaking/matches')).body).toEqual({ items: [], nextCursor: null });
    expect((await one.get(match)).body).toMatchObject({ state: 'live', reports: [] });
    expect(atStranger.heard.map(({ name }) => name)).toEqual(['connected']);
  });

  describe('what cannot be is refused, with the reason', () => {
    let player: Player;
    beforeAll(async () => {
      player = await registerPlayer(server);
    });
    const ask = (body: object) => player.post('/api/matchmaking/tickets', body);
    const duel = () => ({ gameId, mode: 'duel' });

    test.each<[string, () => object, string]>([
      ['no game', () => ({ games: [] }), 'body.games'],
      ['six games', () => ({ games: Array.from({ length: 6 }, duel) }), 'body.games'],
      ['one mode twice', () => ({ games: [duel(), duel()] }), 'body.games'],
      ['a weight of 11', () => ({ games: [{ ...duel(), weight: 11 }] }), 'body.games.0.weight'],
      ['an operator', () => ({ games: [{ gameId: { $ne: null }, mode: 'duel' }] }), 'body.games.0.gameId'],
      ['players', () => ({ games: [duel()], players: ['f'.repeat(24)] }), 'body'],
      ['an unknown region', () => ({ games: [duel()], regions: ['XX'] }), 'body.regions.0'],
      ['no language tag', () => ({ games: [duel()], languages: ['$where'] }), 'body.languages.0'],
      ['too short an expiry', () => ({ games: [duel()], expiresInSeconds: 5 }), 'body.expiresInSeconds'],
      ['max below min', () => ({ games: [duel()], groupSize: { min: 5, max: 2 } }), 'body.groupSize.max'],
      ['a size nobody plays', () => ({ games: [duel()], groupSize: { min: 3, max: 4 } }), 'body.groupSize'],
      ['a role nobody has', () => ({ games: [{ gameId, mode: 'healers' }], roles: ['bard'] }), 'body.roles'],
    ])('%s', async (_what, body, path) => {
      const { status, body: problem } = await ask(body());
      expect([status, problem.code]).toEqual([400, 'VALIDATION_FAILED']);
      expect(problem.errors.map((error: { path: string }) => error.path)).toContain(path);
      expect((await player.get('/api/matchmaking/tickets/current')).body.ticket).toBeNull();
    });

    test('an unknown mode or game', async () => {
      for (const game of [
        { gameId, mode: 'nope' },
        { gameId: 'f'.repeat(24), mode: 'duel' },
      ])
        expect((await ask({ games: [game] })).body.code).toBe('NOT_FOUND');
      expect((await player.get('/api/matchmaking/tickets/nonsense')).status).toBe(400);
    });
  });
});
