import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventContext } from '../../src/realtime/client-event';
import type { MaogaServer } from '../../src/server';
import { registerPlayer, playerOf, type Player } from '../support/client';
import { shiftedClock, startTestServer } from '../support/server';

interface Mode {
  gameId: string;
  mode: string;
}

const DAY_TOKENS = { ACCESS_TOKEN_SECONDS: '86400', SEED_ON_START: 'true' };

/** A mode of the shipped catalogue with room for at least four. */
async function someMode(player: Player): Promise<Mode> {
  const { body } = await player.get('/api/games?limit=100');
  for (const game of body.items)
    for (const mode of (await player.get(`/api/games/${game.id}`)).body.modes)
      if (mode.ruleSet.teams.count * mode.ruleSet.teams.size.max >= 8) return { gameId: game.id, mode: mode.key };
  throw new Error('the catalogue has no mode for eight');
}

const players = (server: MaogaServer, count: number): Promise<Player[]> =>
  Promise.all(Array.from({ length: count }, () => registerPlayer(server)));

async function openLobby(host: Player, mode: Mode, more: object = {}): Promise<string> {
  const { status, body } = await host.post('/api/lobbies', { ...mode, visibility: 'public', ...more });
  expect(status).toBe(201);
  return body.id;
}

describe('lobbies', () => {
  let server: MaogaServer;
  let mode: Mode;
  const clock = shiftedClock();
  beforeAll(async () => {
    server = await startTestServer({ env: DAY_TOKENS, clock });
    mode = await someMode(await registerPlayer(server));
  });

  test('from forming over ready and active to closed, and everybody in it hears every step', async () => {
    const [host, friend, stranger] = (await players(server, 3)) as [Player, Player, Player];
    const sockets = await Promise.all([host.connect(), friend.connect(), stranger.connect()]);
    const [atHost, atFriend, atStranger] = sockets;

    const created = await host.post('/api/lobbies', { ...mode, capacity: 4 });
    expect(created).toMatchObject({
      status: 201,
      body: {
        ...mode,
        state: 'forming',
        origin: 'player',
        matchId: null,
        visibility: 'private',
        capacity: 4,
        hostId: host.userId,
        members: [{ userId: host.userId, username: host.username, ready: false, host: true }],
        version: 1,
      },
    });
    const lobbyId = created.body.id;
    expect((await atHost.next('lobby:created')).lobby.id).toBe(lobbyId);

    expect((await friend.post(`/api/lobbies/${lobbyId}/join`)).status).toBe(404);
    expect((await host.post(`/api/lobbies/${lobbyId}/invites`, { userId: friend.userId })).body.invited).toEqual([
      friend.userId,
    ]);
    expect((await friend.get(`/api/lobbies/${lobbyId}`)).status).toBe(200);
    expect((await friend.post(`/api/lobbies/${lobbyId}/join`)).body.members).toHaveLength(2);
    for (const socket of [atHost, atFriend]) {
      const joined = await socket.next('lobby:member:joined');
      expect(joined).toMatchObject({ lobbyId, userId: friend.userId, username: friend.username });
      await socket.next('lobby:update', ({ lobby }) => lobby.members.length === 2);
    }

    expect((await host.post(`/api/lobbies/${lobbyId}/ready`, { ready: true })).body.state).toBe('forming');
    const acknowledged = await atFriend.send('lobby:ready', { lobbyId, ready: true });
    expect(acknowledged).toMatchObject({ ok: true, data: { lobby: { state: 'ready' } } });
    for (const socket of [atHost, atFriend]) {
      await socket.next('lobby:member:ready', ({ userId, ready }) => userId === friend.userId && ready);
      await socket.next('lobby:update', ({ lobby }) => lobby.state === 'ready');
    }

    expect((await friend.patch(`/api/lobbies/${lobbyId}`, { state: 'active' })).body.code).toBe('NOT_HOST');
    expect((await host.patch(`/api/lobbies/${lobbyId}`, { state: 'active' })).body.state).toBe('active');
    await atFriend.next('lobby:update', ({ lobby }) => lobby.state === 'active');
    expect((await friend.get('/api/lobbies')).body.items.map(({ id }: { id: string }) => id)).toEqual([lobbyId]);

    expect((await host.post(`/api/lobbies/${lobbyId}/close`)).body.state).toBe('closed');
    for (const socket of [atHost, atFriend]) expect((await socket.next('lobby:closed')).lobbyId).toBe(lobbyId);
    expect((await friend.get('/api/lobbies')).body.items).toEqual([]);
    expect((await friend.post(`/api/lobbies/${lobbyId}/ready`, { ready: true })).body.code).toBe('LOBBY_CLOSED');
    expect(atStranger.heard.map(({ name }) => name)).toEqual(['connected']);
    expect(atFriend.heard.filter(({ payload }) => 'seq' in payload).map(({ payload }) => payload.seq)).toEqual(
      atFriend.heard.filter(({ payload }) => 'seq' in payload).map((_event, i) => i),
    );
  });

  test('twenty join four seats at once: three get in, the others are told that it is full', async () => {
    const [host, ...crowd] = (await players(server, 21)) as [Player, ...Player[]];
    const lobbyId = await openLobby(host, mode, { capacity: 4 });
    const answers = await Promise.all(crowd.map((player) => player.post(`/api/lobbies/${lobbyId}/join`)));
    const full = answers.filter(({ status }) => status !== 200);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
    expect(new Set(full.map(({ body }) => body.code))).toEqual(new Set(['LOBBY_FULL']));
    const { body } = await host.get(`/api/lobbies/${lobbyId}`);
    expect(new Set(body.members.map(({ userId }: { userId: string }) => userId)).size).toBe(4);
    expect(body.version).toBe(4);
  });

  test('the same player joining ten times at once takes one seat', async () => {
    const [host, guest] = (await players(server, 2)) as [Player, Player];
    const lobbyId = await openLobby(host, mode, { capacity: 4 });
    const answers = await Promise.all(Array.from({ length: 10 }, () => guest.post(`/api/lobbies/${lobbyId}/join`)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect((await host.get(`/api/lobbies/${lobbyId}`)).body.members).toHaveLength(2);
  });

  test('a stranger sees, hears and changes nothing of a private lobby', async () => {
    const [host, friend, stranger] = (await players(server, 3)) as [Player, Player, Player];
    const lobbyId = await openLobby(host, mode, { visibility: 'private' });
    await host.post(`/api/lobbies/${lobbyId}/invites`, { userId: friend.userId });
    await friend.post(`/api/lobbies/${lobbyId}/join`);
    const before = (await host.get(`/api/lobbies/${lobbyId}`)).body;
    const [atFriend, atStranger] = await Promise.all([friend.connect(), stranger.connect()]);

    const path = `/api/lobbies/${lobbyId}`;
    const tries = await Promise.all([
      stranger.get(path),
      stranger.patch(path, { capacity: 2 }),
      stranger.patch(path, { state: 'active' }),
      ...['join', 'leave', 'close'].map((action) => stranger.post(`${path}/${action}`)),
      stranger.post(`${path}/ready`, { ready: true }),
      ...['kick', 'host', 'invites'].map((action) => stranger.post(`${path}/${action}`, { userId: stranger.userId })),
      stranger.get(`${path}/messages`),
      stranger.post(`${path}/messages`, { content: 'let me in' }),
    ]);
    expect(tries.map(({ status, body }) => [status, body.code])).toEqual(tries.map(() => [404, 'NOT_FOUND']));
    for (const [name, payload] of [
      ['lobby:subscribe', { lobbyId }],
      ['lobby:ready', { lobbyId, ready: true }],
      ['chat:send', { lobbyId, content: 'let me in' }],
      ['chat:typing', { lobbyId, typing: true }],
    ] as const)
      expect(await atStranger.send(name, payload)).toMatchObject({ ok: false, error: { code: 'NOT_FOUND' } });

    await host.post(`${path}/messages`, { content: 'only for us' });
    await atFriend.next('chat:message');
    expect((await host.get(path)).body).toEqual(before);
    expect(atStranger.heard.map(({ name }) => name)).toEqual(['connected']);
    expect((await stranger.get('/api/lobbies')).body.items).toEqual([]);
    const open = await stranger.get(`/api/lobbies/open?gameId=${mode.gameId}&mode=${mode.mode}`);
    expect(JSON.stringify(open.body)).not.toContain(lobbyId);
  });

  test('who is invited but not in it may look, and not act', async () => {
    const [host, guest] = (await players(server, 2)) as [Player, Player];
    const lobbyId = await openLobby(host, mode, { visibility: 'private' });
    await host.post(`/api/lobbies/${lobbyId}/invites`, { userId: guest.userId });
    expect((await guest.get(`/api/lobbies/${lobbyId}`)).body.invited).toEqual([guest.userId]);
    for (const [action, body] of [
      ['leave', undefined],
      ['close', undefined],
      ['ready', { ready: true }],
      ['messages', { content: 'hi' }],
    ] as const)
      expect((await guest.post(`/api/lobbies/${lobbyId}/${action}`, body)).body.code).toBe('FORBIDDEN');
  });

  test('the host leaves and the next member hosts; the last one leaves and it closes', async () => {
    const [host, second, third] = (await players(server, 3)) as [Player, Player, Player];
    const lobbyId = await openLobby(host, mode);
    await second.post(`/api/lobbies/${lobbyId}/join`);
    await third.post(`/api/lobbies/${lobbyId}/join`);
    const atThird = await third.connect();
    expect((await host.post(`/api/lobbies/${lobbyId}/leave`)).status).toBe(204);
    expect(await atThird.next('lobby:member:left')).toMatchObject({ lobbyId, userId: host.userId });
    expect(await atThird.next('lobby:host:changed')).toMatchObject({ lobbyId, hostId: second.userId });
    expect((await second.post(`/api/lobbies/${lobbyId}/leave`)).status).toBe(204);
    expect((await atThird.next('lobby:host:changed')).hostId).toBe(third.userId);
    expect((await third.post(`/api/lobbies/${lobbyId}/leave`)).status).toBe(204);
    expect((await atThird.next('lobby:closed')).lobbyId).toBe(lobbyId);
    expect((await third.get(`/api/lobbies/${lobbyId}`)).status).toBe(404);
  });

  test('whoever is kicked in the very moment of subscribing hears nothing of the lobby', async () => {
    const [host, guest] = [await registerPlayer(server), await registerPlayer(server)];
    const lobbyId = await openLobby(host, mode);
    await guest.post(`/api/lobbies/${lobbyId}/join`);
    const event = server.clientEvents.find(({ name }) => name === 'lobby:subscribe');
    const rooms = new Set<string>();
    const context = {
      player: { userId: guest.userId },
      join: async (room: string) => {
        await host.post(`/api/lobbies/${lobbyId}/kick`, { userId: guest.userId });
        rooms.add(room);
      },
      leave: (room: string) => void rooms.delete(room),
    };
    await expect(event!.handler(context as unknown as EventContext, { lobbyId })).rejects.toThrow();
    expect(rooms.size).toBe(0);
  });

  test('the host hands over, kicks and lets back in', async () => {
    const [host, heir, rude] = (await players(server, 3)) as [Player, Player, Player];
    const lobbyId = await openLobby(host, mode);
    await heir.post(`/api/lobbies/${lobbyId}/join`);
    await rude.post(`/api/lobbies/${lobbyId}/join`);
    const atRude = await rude.connect();
    expect((await rude.post(`/api/lobbies/${lobbyId}/kick`, { userId: heir.userId })).body.code).toBe('NOT_HOST');
    expect((await host.post(`/api/lobbies/${lobbyId}/host`, { userId: heir.userId })).body.hostId).toBe(heir.userId);
    expect((await host.post(`/api/lobbies/${lobbyId}/kick`, { userId: rude.userId })).body.code).toBe('NOT_HOST');
    expect((await heir.post(`/api/lobbies/${lobbyId}/kick`, { userId: rude.userId })).body.members).toHaveLength(2);
    expect(await atRude.next('lobby:member:kicked')).toMatchObject({ lobbyId, userId: rude.userId });
    expect((await rude.post(`/api/lobbies/${lobbyId}/join`)).body.code).toBe('FORBIDDEN');
    await heir.post(`/api/lobbies/${lobbyId}/invites`, { userId: rude.userId });
    expect((await rude.post(`/api/lobbies/${lobbyId}/join`)).body.members).toHaveLength(3);
  });

  test('the list of open lobbies shows free public seats of the mode, newest first and page by page', async () => {
    const [host, looker] = (await players(server, 2)) as [Player, Player];
    const other = (await looker.get('/api/games?limit=100')).body.items.find(
      ({ id }: { id: string }) => id !== mode.gameId,
    );
    const otherMode = { gameId: other.id, mode: (await looker.get(`/api/games/${other.id}`)).body.modes[0].key };
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.unshift(await openLobby(host, otherMode));
    await openLobby(host, otherMode, { visibility: 'private' });
    await openLobby(host, mode);
    const full = await openLobby(host, otherMode, { capacity: 2 });
    await (await registerPlayer(server)).post(`/api/lobbies/${full}/join`);

    const path = `/api/lobbies/open?gameId=${otherMode.gameId}&mode=${otherMode.mode}&limit=2`;
    const first = (await looker.get(path)).body;
    expect(first.items.map(({ id }: { id: string }) => id)).toEqual(ids.slice(0, 2));
    const second = (await looker.get(`${path}&cursor=${first.nextCursor}`)).body;
    expect(second.items.map(({ id }: { id: string }) => id)).toEqual(ids.slice(2));
    expect(second.nextCursor).toBeNull();
  });

  test('chat: heard by the members, kept, and read back page by page, newest first', async () => {
    const [host, guest] = (await players(server, 2)) as [Player, Player];
    const lobbyId = await openLobby(host, mode);
    await guest.post(`/api/lobbies/${lobbyId}/join`);
    const atGuest = await guest.connect();
    const sent = await host.post(`/api/lobbies/${lobbyId}/messages`, { content: '  line 0 ' });
    expect(sent).toMatchObject({
      status: 201,
      body: { lobbyId, userId: host.userId, username: host.username, content: 'line 0', kind: 'text' },
    });
    expect((await atGuest.next('chat:message', ({ message }) => message.kind === 'text')).message).toEqual(sent.body);
    for (let i = 1; i < 5; i++)
      expect(await atGuest.send('chat:send', { lobbyId, content: `line ${i}` })).toMatchObject({
        ok: true,
        data: { message: { content: `line ${i}`, userId: guest.userId } },
      });

    const lines: string[] = [];
    let before = '';
    do {
      const { body } = await guest.get(`/api/lobbies/${lobbyId}/messages?limit=2${before && `&before=${before}`}`);
      lines.push(...body.items.map(({ content }: { content: string }) => content));
      before = body.nextCursor ?? '';
    } while (before !== '');
    expect(lines).toEqual(['line 4', 'line 3', 'line 2', 'line 1', 'line 0', `${guest.username} joined`]);

    await host.post(`/api/lobbies/${lobbyId}/close`);
    expect((await guest.post(`/api/lobbies/${lobbyId}/messages`, { content: 'late' })).body.code).toBe('LOBBY_CLOSED');
    expect((await guest.get(`/api/lobbies/${lobbyId}/messages`)).body.items).toHaveLength(6);
  });

  test('typing is seen by the others in the lobby only', async () => {
    const [host, guest, stranger] = (await players(server, 3)) as [Player, Player, Player];
    const lobbyId = await openLobby(host, mode);
    const [atHost, atGuest, atStranger] = await Promise.all([host.connect(), guest.connect(), stranger.connect()]);
    await guest.post(`/api/lobbies/${lobbyId}/join`);
    await atGuest.next('lobby:member:joined');
    expect(await atHost.send('chat:typing', { lobbyId, typing: true })).toEqual({ ok: true, data: {} });
    expect(await atGuest.next('chat:typing')).toEqual({ lobbyId, userId: host.userId, typing: true });
    await guest.post(`/api/lobbies/${lobbyId}/leave`);
    await atGuest.next('lobby:member:left');
    await atHost.send('chat:typing', { lobbyId, typing: false });
    // a round trip of both: whatever they were to hear has arrived
    await Promise.all([atGuest.send('sync', {}), atStranger.send('sync', {}), atHost.send('sync', {})]);
    for (const { heard } of [atHost, atStranger]) expect(heard.map(({ name }) => name)).not.toContain('chat:typing');
    expect(atGuest.heard.filter(({ name }) => name === 'chat:typing')).toHaveLength(1);
  });

  test('a lobby in which nothing happens closes; one in which somebody talks does not', async () => {
    const [host, talker] = (await players(server, 2)) as [Player, Player];
    const [idle, busy] = [await openLobby(host, mode), await openLobby(talker, mode)];
    const atHost = await host.connect();
    clock.advance(29 * 60_000);
    await talker.post(`/api/lobbies/${busy}/messages`, { content: 'still here' });
    await server.loops.get('lobbies')!.tick();
    expect((await host.get(`/api/lobbies/${idle}`)).body.state).toBe('forming');
    clock.advance(60_000);
    await server.loops.get('lobbies')!.tick();
    expect((await atHost.next('lobby:closed')).lobbyId).toBe(idle);
    expect((await host.get(`/api/lobbies/${idle}`)).body.state).toBe('closed');
    expect((await talker.get(`/api/lobbies/${busy}`)).body.state).toBe('forming');
  });

  test('a repeated create with the same key opens one lobby', async () => {
    const host = await registerPlayer(server);
    const key = { 'idempotency-key': 'one-lobby' };
    const [first, second] = [await host.post('/api/lobbies', mode, key), await host.post('/api/lobbies', mode, key)];
    expect(second.body.id).toBe(first.body.id);
    expect((await host.get('/api/lobbies')).body.items).toHaveLength(1);
  });

  test('nobody can be in more than twenty lobbies', async () => {
    const host = await registerPlayer(server);
    for (let i = 0; i < 20; i++) await openLobby(host, mode, { visibility: 'private' });
    expect((await host.post('/api/lobbies', mode)).body.code).toBe('CONFLICT');
  });

  describe('bad input changes nothing', () => {
    test.each([
      ['no fields', {}, 400],
      ['an unknown field', { more: 1 }, 400],
      ['a capacity of one', { capacity: 1 }, 400],
      ['more seats than the mode has', { capacity: 200 }, 400],
      ['a fractional capacity', { capacity: 2.5 }, 400],
      ['an operator for a game', { gameId: { $ne: null } }, 400],
      ['a game id that is none', { gameId: 'zzz' }, 400],
      ['an unknown game', { gameId: 'f'.repeat(24) }, 404],
      ['an unknown mode', { mode: 'no-such-mode' }, 404],
      ['a visibility that is none', { visibility: 'secret' }, 400],
    ])('create with %s', async (what, fields, status) => {
      const host = await registerPlayer(server);
      const answer = await host.post('/api/lobbies', what === 'no fields' ? {} : { ...mode, ...fields });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        status,
        expect.stringContaining('application/problem+json'),
      ]);
      expect((await host.get('/api/lobbies')).body.items).toEqual([]);
    });

    test.each([
      ['get', '/zzz', undefined, 400, 'VALIDATION_FAILED'],
      ['get', `/${'f'.repeat(24)}`, undefined, 404, 'NOT_FOUND'],
      ['get', '?cursor=zzz', undefined, 400, 'BAD_CURSOR'],
      ['get', `?cursor=${Buffer.from('["$where"]').toString('base64url')}`, undefined, 400, 'BAD_CURSOR'],
      ['get', '?limit=0', undefined, 400, 'VALIDATION_FAILED'],
      ['get', '?limit=101', undefined, 400, 'VALIDATION_FAILED'],
      ['get', '?more=1', undefined, 400, 'VALIDATION_FAILED'],
      ['get', '/open', undefined, 400, 'VALIDATION_FAILED'],
      ['get', '/:id/messages?before=x', undefined, 400, 'VALIDATION_FAILED'],
      ['get', `/:id/messages?before=${'f'.repeat(24)}`, undefined, 400, 'BAD_CURSOR'],
      ['post', '/:id/messages', { content: '' }, 400, 'VALIDATION_FAILED'],
      ['post', '/:id/messages', { content: '   ' }, 400, 'VALIDATION_FAILED'],
      ['post', '/:id/messages', { content: 'x'.repeat(1001) }, 400, 'VALIDATION_FAILED'],
      ['post', '/:id/messages', { content: ['x'] }, 400, 'VALIDATION_FAILED'],
      ['post', '/:id/messages', { content: 'a\u0000b' }, 400, 'VALIDATION_FAILED'],
      ['post', '/:id/ready', { ready: 'yes' }, 400, 'VALIDATION_FAILED'],
      ['post', '/:id/kick', { userId: { $gt: '' } }, 400, 'VALIDATION_FAILED'],
      ['post', '/:id/kick', { userId: 'f'.repeat(24) }, 404, 'NOT_FOUND'],
      ['post', '/:id/invites', { userId: 'f'.repeat(24) }, 404, 'NOT_FOUND'],
      ['patch', '/:id', {}, 400, 'VALIDATION_FAILED'],
      ['patch', '/:id', { state: 'closed' }, 400, 'VALIDATION_FAILED'],
      ['patch', '/:id', { state: 'active', capacity: 3 }, 400, 'VALIDATION_FAILED'],
      ['patch', '/:id', { capacity: 200 }, 400, 'VALIDATION_FAILED'],
      ['patch', '/:id', { hostId: 'f'.repeat(24) }, 400, 'VALIDATION_FAILED'],
    ] as const)('%s %s %j', async (method, path, body, status, code) => {
      const host = await registerPlayer(server);
      const lobbyId = await openLobby(host, mode);
      const answer = await host[method](`/api/lobbies${path.replace(':id', lobbyId)}`, body);
      expect([answer.status, answer.body.code]).toEqual([status, code]);
      expect((await host.get(`/api/lobbies/${lobbyId}`)).body.version).toBe(1);
    });
  });
});

test('lobbies and their chat are there again after a restart', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'maoga-lobbies-'));
  try {
    const env = { ...DAY_TOKENS, DATA_DIR: directory };
    const first = await startTestServer({ env });
    const [host, guest] = (await players(first, 2)) as [Player, Player];
    const lobbyId = await openLobby(host, await someMode(host));
    await guest.post(`/api/lobbies/${lobbyId}/join`);
    await host.post(`/api/lobbies/${lobbyId}/messages`, { content: 'before' });
    const before = (await host.get(`/api/lobbies/${lobbyId}`)).body;
    await first.stop();

    const again = await startTestServer({ env });
    const [hostAgain, guestAgain] = [playerOf(again, host), playerOf(again, guest)];
    expect((await hostAgain.get(`/api/lobbies/${lobbyId}`)).body).toEqual(before);
    expect((await guestAgain.connect()).snapshot.lobbies).toEqual([before]);
    const history = await guestAgain.get(`/api/lobbies/${lobbyId}/messages`);
    expect(history.body.items[0].content).toBe('before');
    expect((await guestAgain.post(`/api/lobbies/${lobbyId}/ready`, { ready: true })).status).toBe(200);
    await again.stop();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
