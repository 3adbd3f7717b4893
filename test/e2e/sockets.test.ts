import { io, type Socket } from 'socket.io-client';
import { Types } from 'mongoose';
import { withDatabase } from '../../src/database/connect';
import { startEmbeddedMongo } from '../../src/embedded-mongo';
import { FLOOD } from '../../src/realtime/floods';
import type { MaogaServer } from '../../src/server';
import {
  connectSocket,
  ended,
  type Player,
  playerOf,
  type PlayerSocket,
  registerPlayer,
  request,
} from '../support/client';
import { connected, inDatabaseOf } from '../support/matchmaking';
import { shiftedClock, startTestServer } from '../support/server';

const ORIGIN = 'https://app.example.test';
const SEEDED = { SEED_ON_START: 'true' };

const opened: Socket[] = [];
afterAll(() => opened.forEach((socket) => socket.disconnect()));

/** The next event of this name, as its arguments. */
const once = (socket: Socket, name: string) =>
  new Promise<unknown[]>((resolve) => socket.once(name, (...args: unknown[]) => resolve(args)));

/** A socket before anything is known of its fate. */
function bareSocket(server: MaogaServer, options: object): Socket {
  const socket = io(server.url, { transports: ['websocket'], forceNew: true, reconnection: false, ...options });
  opened.push(socket);
  return socket;
}

/** What a handshake is refused with. */
async function refusal(server: MaogaServer, auth: object, extraHeaders = {}): Promise<{ code?: string } | undefined> {
  const socket = bareSocket(server, { auth, extraHeaders });
  const [error] = (await Promise.race([
    once(socket, 'connect_error'),
    once(socket, 'connect').then(() => {
      throw new Error('was let in');
    }),
  ])) as [Error & { data?: { code: string } }];
  return error.data;
}

async function publicLobby(host: Player): Promise<string> {
  const game = (await host.get('/api/games?limit=1')).body.items[0];
  const mode = (await host.get(`/api/games/${game.id}`)).body.modes[0].key;
  return (await host.post('/api/lobbies', { gameId: game.id, mode, visibility: 'public' })).body.id;
}

describe('sockets', () => {
  let server: MaogaServer;
  beforeAll(async () => {
    server = await startTestServer({ env: { ...SEEDED, CORS_ORIGINS: ORIGIN } });
  });

  describe('the handshake', () => {
    test.each([
      ['no token', {}, 'UNAUTHENTICATED'],
      ['an empty token', { token: '' }, 'UNAUTHENTICATED'],
      ['a token that is none', { token: 'x.y.z' }, 'UNAUTHENTICATED'],
      ['a token that is no string', { token: { $ne: '' } }, 'UNAUTHENTICATED'],
      ['an over-long token', { token: 'x'.repeat(5000) }, 'UNAUTHENTICATED'],
    ])('refuses %s', async (_what, auth, code) => {
      expect(await refusal(server, auth)).toMatchObject({ code });
    });

    test('refuses a tampered token, and a refresh token in its place', async () => {
      const { accessToken, refreshToken } = await registerPlayer(server);
      const [head, body, signature] = accessToken.split('.') as [string, string, string];
      const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
      const forged = Buffer.from(JSON.stringify({ ...claims, role: 'admin', exp: claims.exp + 1 })).toString(
        'base64url',
      );
      expect(await refusal(server, { token: `${head}.${forged}.${signature}` })).toMatchObject({
        code: 'UNAUTHENTICATED',
      });
      expect(await refusal(server, { token: refreshToken })).toMatchObject({ code: 'UNAUTHENTICATED' });
    });

    test('takes browsers of the listed origins only', async () => {
      const { accessToken: token } = await registerPlayer(server);
      await expect(refusal(server, { token }, { origin: ORIGIN })).rejects.toThrow('was let in');
      await expect(refusal(server, { token }, { origin: 'https://evil.example.test' })).resolves.toBeUndefined();
      await expect(refusal(server, { token }, { origin: `${ORIGIN}.evil.test` })).resolves.toBeUndefined();
    });

    test('long polling is switched off', async () => {
      expect((await request(server, 'GET', '/socket.io/?EIO=4&transport=polling')).status).toBe(400);
    });
  });

  test('`connected` and `sync` hold everything to draw the screen again', async () => {
    const player = await registerPlayer(server);
    const lobbyId = await publicLobby(player);
    const { snapshot, send } = await player.connect();
    expect(snapshot).toMatchObject({
      userId: player.userId,
      ticket: null,
      match: null,
      lobbies: [{ id: lobbyId }],
      unread: 0,
      seq: expect.any(Number),
      serverTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
    const { ok, data } = await send('sync', {});
    expect(ok).toBe(true);
    expect({ ...data, serverTime: 0, seq: 0 }).toEqual({ ...snapshot, serverTime: 0, seq: 0 });
  });

  test('facts are numbered without a gap, on every device alike, and the snapshot says where the count stands', async () => {
    const player = await registerPlayer(server);
    const [phone, tablet] = [await player.connect(), await player.connect()];
    const lobbyId = await publicLobby(player);
    for (let i = 0; i < 10; i++) await player.post(`/api/lobbies/${lobbyId}/messages`, { content: `${i}` });
    const facts = async (socket: PlayerSocket) => {
      await socket.next('chat:message', ({ message }) => message.content === '9');
      return socket.heard.filter(({ payload }) => payload.seq !== undefined && payload.eventId !== undefined);
    };
    const heard = await facts(phone);
    expect(heard.map(({ payload }) => payload.seq)).toEqual(heard.map((_fact, i) => phone.snapshot.seq + 1 + i));
    expect(new Set(heard.map(({ payload }) => payload.eventId)).size).toBe(heard.length);
    expect(await facts(tablet)).toEqual(heard);
    const last = heard.at(-1)!.payload.seq;
    expect((await phone.send('sync', {})).data.seq).toBe(last);
    expect((await player.connect()).snapshot.seq).toBe(last);
  });

  test('a stranger hears nothing of a lobby, subscribed or not, while its members hear everything', async () => {
    const [host, guest, stranger] = await Promise.all([1, 2, 3].map(() => registerPlayer(server)));
    const lobbyId = await publicLobby(host!);
    await guest!.post(`/api/lobbies/${lobbyId}/join`);
    const [atGuest, atStranger] = await Promise.all([guest!.connect(), stranger!.connect()]);
    expect(await atGuest.send('lobby:subscribe', { lobbyId })).toMatchObject({
      ok: true,
      data: { lobby: { id: lobbyId } },
    });
    for (const name of ['lobby:subscribe', 'chat:send'])
      expect(
        await atStranger.send(name, { lobbyId, ...(name === 'chat:send' ? { content: 'hi' } : {}) }),
      ).toMatchObject({
        ok: false,
        error: { code: 'FORBIDDEN' },
      });
    await host!.post(`/api/lobbies/${lobbyId}/messages`, { content: 'for members' });
    const spoken = await atGuest.next('chat:message', ({ message }) => message.kind === 'text');
    expect(spoken.message.content).toBe('for members');
    expect((await atStranger.send('sync', {})).ok).toBe(true);
    expect(atStranger.heard.map(({ name }) => name)).toEqual(['connected']);
    expect((await host!.get(`/api/lobbies/${lobbyId}/messages`)).body.items[0].content).toBe('for members');
  });

  describe('whatever a client sends', () => {
    let player: Player;
    let socket: PlayerSocket;
    let witness: PlayerSocket;
    beforeAll(async () => {
      player = await registerPlayer(server);
      [socket, witness] = [await player.connect(), await (await registerPlayer(server)).connect()];
    });

    test.each([
      ['chat:send', 'nothing', undefined],
      ['chat:send', 'null', null],
      ['chat:send', 'a text', 'text'],
      ['chat:send', 'a list', []],
      ['chat:send', 'an operator', { lobbyId: { $ne: null }, content: 'x' }],
      ['chat:send', 'too long a line', { lobbyId: 'f'.repeat(24), content: 'x'.repeat(1001) }],
      ['lobby:ready', 'a wrong type', { lobbyId: 'f'.repeat(24), ready: 'yes' }],
      ['lobby:subscribe', 'a path as the id', { lobbyId: '../../etc' }],
      ['presence:subscribe', 'too many users', { userIds: Array.from({ length: 101 }, () => 'f'.repeat(24)) }],
      ['auth:refresh', 'a missing field', {}],
      ['sync', 'an unknown field', { more: true }],
    ])('%s with %s is answered by VALIDATION_FAILED', async (name, _what, payload) => {
      expect(await socket.send(name, payload)).toMatchObject({
        ok: false,
        error: { code: 'VALIDATION_FAILED', errors: expect.arrayContaining([expect.anything()]) },
      });
    });

    test('an unknown event is answered, and one without an acknowledgement does no harm', async () => {
      expect(await socket.send('chat:sned', {})).toMatchObject({ ok: false, error: { code: 'UNKNOWN_EVENT' } });
      for (const name of ['chat:sned', 'chat:send', 'lobby:ready', 'sync', 'error', 'auth:refresh'])
        socket.socket.emit(name, { bad: 'payload' });
      expect((await socket.send('sync', {})).ok).toBe(true);
    });

    test.each([
      ['the name of an event of the library itself', '2["disconnect"]'],
      ['a packet that is no JSON', '2["chat:send",{'],
      ['a packet of an unknown type', '9'],
      ['a binary packet that never comes', '51-["x",{"_placeholder":true,"num":9}]'],
    ])('%s closes at most that one connection', async (_what, packet) => {
      const rude = await player.connect();
      (rude.socket.io as unknown as { engine: { write(packet: string): void } }).engine.write(packet);
      rude.socket.emit('sync', {});
      expect((await witness.send('sync', {})).ok).toBe(true);
      rude.close();
    });

    test('a message over 64 KB ends that connection, and no other', async () => {
      const rude = await player.connect();
      const end = ended(rude);
      rude.socket.emit('chat:send', { lobbyId: 'f'.repeat(24), content: 'x'.repeat(70_000) });
      await end;
      expect((await witness.send('sync', {})).ok).toBe(true);
    });

    test('a flood of events ends that connection, and no other', async () => {
      const flooding = await (await registerPlayer(server)).connect();
      const end = ended(flooding);
      for (let i = 0; i <= FLOOD.packets; i++) flooding.socket.emit('sync', {});
      await end;
      expect((await witness.send('sync', {})).ok).toBe(true);
    });

    test('more than the budget is refused, on all sockets of the player together', async () => {
      const busy = await registerPlayer(server);
      const sockets = [await busy.connect(), await busy.connect()];
      const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => sockets[i % 2]!.send('sync', {})));
      expect(answers.filter(({ ok }) => ok)).toHaveLength(10);
      expect(answers.filter(({ ok }) => !ok).map(({ error }) => error.code)).toEqual(['RATE_LIMITED', 'RATE_LIMITED']);
      expect((await witness.send('sync', {})).ok).toBe(true);
    });
  });

  test('presence: whoever hides or is blocked is offline to me, and stays so', async () => {
    const { players, sockets } = await connected(server, 4);
    const [watcher, hidden, enemy, open] = players as [Player, Player, Player, Player];
    const [atWatcher] = sockets as [PlayerSocket];
    await hidden.patch('/api/users/me', { visibility: 'private' });
    await enemy.put(`/api/users/me/blocks/${watcher.userId}`);
    const userIds = [hidden, enemy, open, watcher].map(({ userId }) => userId);
    const ask = async () =>
      (await atWatcher.send('presence:subscribe', { userIds })).data.statuses.map(
        ({ status }: { status: string }) => status,
      );
    expect(await ask()).toEqual(['offline', 'offline', 'online', 'online']);

    // hiding while somebody watches looks like leaving
    await open.patch('/api/users/me', { visibility: 'private' });
    expect(await atWatcher.next('presence:update')).toEqual({ userId: open.userId, status: 'offline' });
    for (const socket of sockets.slice(1)) socket.close();
    expect(await ask()).toEqual(['offline', 'offline', 'offline', 'online']);
    expect(atWatcher.heard.filter(({ name }) => name === 'presence:update')).toHaveLength(1);
  });

  test('presence: a block while I watch ends the news for both', async () => {
    const { players, sockets } = await connected(server, 3);
    const [watcher, other, marker] = players as [Player, Player, Player];
    const [atWatcher, atOther, atMarker] = sockets as [PlayerSocket, PlayerSocket, PlayerSocket];
    await atWatcher.send('presence:subscribe', { userIds: [other.userId, marker.userId] });
    await atOther.send('presence:subscribe', { userIds: [watcher.userId] });
    await other.put(`/api/users/me/blocks/${watcher.userId}`);
    atOther.close();
    await other.get('/api/users/me');
    atMarker.close();
    expect(await atWatcher.next('presence:update')).toEqual({ userId: marker.userId, status: 'offline' });
    expect(atWatcher.heard.filter(({ payload }) => payload?.userId === other.userId)).toEqual([]);
  });

  test('presence: who is online, and the news when that changes', async () => {
    const [watcher, friend] = [await registerPlayer(server), await registerPlayer(server)];
    const atWatcher = await watcher.connect();
    const userIds = [friend.userId];
    expect(await atWatcher.send('presence:subscribe', { userIds })).toEqual({
      ok: true,
      data: { statuses: [{ userId: friend.userId, status: 'offline' }] },
    });
    const atFriend = await friend.connect();
    expect(await atWatcher.next('presence:update')).toEqual({ userId: friend.userId, status: 'online' });
    atFriend.close();
    expect(await atWatcher.next('presence:update')).toEqual({ userId: friend.userId, status: 'offline' });
    await atWatcher.send('presence:subscribe', { userIds: [] });
    await friend.connect();
    await atWatcher.send('sync', {});
    expect(atWatcher.heard.filter(({ name }) => name === 'presence:update')).toHaveLength(2);
  });

  test('logging out everywhere tells every socket of the player, and closes it for good', async () => {
    const [player, other] = [await registerPlayer(server), await registerPlayer(server)];
    const sockets = [await player.connect(), await player.connect()];
    const atOther = await other.connect();
    const ends = sockets.map(ended);
    expect((await player.post('/api/auth/logout-all')).status).toBe(204);
    for (const socket of sockets) expect(await socket.next('session:expired')).toEqual({ reason: expect.any(String) });
    expect(await Promise.all(ends)).toEqual(['io server disconnect', 'io server disconnect']);
    expect(await refusal(server, { token: player.accessToken })).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect((await atOther.send('sync', {})).ok).toBe(true);
  });
});

test('a socket ends with its token, unless a newer one was brought in time', async () => {
  const clock = shiftedClock();
  const server = await startTestServer({ clock, env: { ACCESS_TOKEN_SECONDS: '900' } });
  const [lasting, forgetful, other] = await Promise.all([1, 2, 3].map(() => registerPlayer(server)));
  const [atLasting, atForgetful] = await Promise.all([lasting!.connect(), forgetful!.connect()]);
  expect(await atLasting.send('auth:refresh', { token: 'x.y.z' })).toMatchObject({
    error: { code: 'UNAUTHENTICATED' },
  });
  expect(await atLasting.send('auth:refresh', { token: other!.accessToken })).toMatchObject({
    error: { code: 'FORBIDDEN' },
  });

  clock.advance(800_000);
  const { body } = await request(server, 'POST', '/api/auth/refresh', {
    body: { refreshToken: lasting!.refreshToken },
  });
  expect((await atLasting.send('auth:refresh', { token: body.accessToken })).ok).toBe(true);
  clock.advance(200_000);
  expect(await refusal(server, { token: forgetful!.accessToken })).toMatchObject({ code: 'TOKEN_EXPIRED' });
  const end = ended(atForgetful);
  await server.loops.get('sockets')!.tick();
  expect((await atForgetful.next('session:expired')).reason).toContain('expired');
  expect(await end).toBe('io server disconnect');
  expect((await atLasting.send('sync', {})).ok).toBe(true);
});

test('a socket whose session was ended by an instance that died before it could tell anybody is closed all the same', async () => {
  const server = await startTestServer({ runLoops: false });
  const [gone, staying] = await Promise.all([registerPlayer(server), registerPlayer(server)]);
  const [atGone, atStaying] = await Promise.all([gone.connect(), staying.connect()]);
  const { body } = await request(server, 'POST', '/api/auth/refresh', { body: { refreshToken: staying.refreshToken } });
  expect((await atStaying.send('auth:refresh', { token: body.accessToken })).ok).toBe(true);
  await inDatabaseOf(server, (db) =>
    db.collection('users').updateOne({ _id: new Types.ObjectId(gone.userId) }, { $inc: { tokenVersion: 1 } }),
  );
  const end = ended(atGone);
  // each has had their turn after two
  for (let tick = 0; tick < 2; tick++) await server.loops.get('recheck')!.tick();
  expect((await atGone.next('session:expired')).reason).toContain('session is over');
  expect(await end).toBe('io server disconnect');
  expect((await atStaying.send('sync', {})).ok).toBe(true);
});

test('what was committed before a crash is told by whoever runs next', async () => {
  const database = await startEmbeddedMongo({});
  const env = { ...SEEDED, MONGODB_URI: withDatabase(database.uri) };
  // its loops never run, as if it had died right after every commit
  const crashed = await startTestServer({ env, runLoops: false });
  const [host, guest] = await Promise.all([registerPlayer(crashed), registerPlayer(crashed)]);
  const lobbyId = await publicLobby(host);
  await guest.post(`/api/lobbies/${lobbyId}/join`);
  await host.post(`/api/lobbies/${lobbyId}/messages`, { content: 'last words' });

  const heir = await startTestServer({ env, runLoops: false });
  const atGuest = await playerOf(heir, guest).connect();
  expect(atGuest.snapshot.lobbies).toMatchObject([{ id: lobbyId, members: [{}, {}] }]);
  // what it had claimed for itself is free after a while
  await inDatabaseOf(heir, (db) => db.collection('outbox').updateMany({}, { $set: { notBefore: new Date(0) } }));
  await heir.loops.get('outbox')!.tick();
  expect((await atGuest.next('lobby:member:joined')).userId).toBe(guest.userId);
  expect((await atGuest.next('chat:message', ({ message }) => message.kind === 'text')).message.content).toBe(
    'last words',
  );
  await heir.loops.get('outbox')!.tick();
  await atGuest.send('sync', {});
  expect(atGuest.heard.filter(({ name }) => name === 'lobby:member:joined')).toHaveLength(1);
  await Promise.all([heir.stop(), crashed.stop()]);
  await database.stop();
});

describe('stopping', () => {
  test('lets clients go so that they come back, tells the last news first, and leaves nothing open', async () => {
    const held = () =>
      process
        .getActiveResourcesInfo()
        .filter((kind) => /TCP|Pipe|Timeout|FSReq|Worker/.test(kind))
        .sort();
    const before = held();
    const server = await startTestServer({ env: SEEDED, runLoops: false });
    const player = await registerPlayer(server);
    const lobbyId = await publicLobby(player);
    const { socket, next } = await player.connect();
    await player.post(`/api/lobbies/${lobbyId}/messages`, { content: 'last words' });
    const reason = once(socket, 'disconnect');
    const stopped = server.stop();
    expect((await next('chat:message')).message.content).toBe('last words');
    expect((await reason)[0]).toMatch(/^transport/);
    await stopped;
    await server.stop();
    await expect(request(server, 'GET', '/livez')).rejects.toThrow();
    await expect(connectSocket(server, player.accessToken)).rejects.toThrow();
    // closed handles are taken off the list in the next turns of the loop
    for (let i = 0; i < 50; i++) await new Promise(setImmediate);
    expect(held().length).toBeLessThanOrEqual(before.length);
  });

  test('does not wait for a client that has fallen silent', async () => {
    const server = await startTestServer({ runLoops: false });
    const { socket } = await (await registerPlayer(server)).connect();
    const { engine } = socket.io as unknown as { engine: { transport: { ws: { _socket?: { pause(): void } } } } };
    engine.transport.ws._socket?.pause();
    const begun = Date.now();
    await server.stop();
    expect(Date.now() - begun).toBeLessThan(5_000);
  });

  test('an event that is being handled is finished and answered', async () => {
    const server = await startTestServer({ env: SEEDED });
    const player = await registerPlayer(server);
    const lobbyId = await publicLobby(player);
    const { send } = await player.connect();
    const answers = Array.from({ length: 10 }, (_, i) => send('chat:send', { lobbyId, content: `${i}` }));
    await answers[0];
    await server.stop();
    const settled = await Promise.allSettled(answers);
    for (const each of settled)
      if (each.status === 'fulfilled' && !each.value.ok) expect(each.value.error.code).toBe('UNAVAILABLE');
    expect(settled[0]).toMatchObject({ status: 'fulfilled', value: { ok: true } });
  });
});
