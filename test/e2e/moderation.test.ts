import { createLogger } from '../../src/core/logger';
import { createAuditModel } from '../../src/database/audit';
import { withDatabase } from '../../src/database/connect';
import { startEmbeddedMongo } from '../../src/embedded-mongo';
import type { MaogaServer } from '../../src/server';
import { connectSocket, registerPlayer, request, type Player } from '../support/client';
import { addGame, connected, databaseOf, DUEL, matchUp, search, tellNews, ticketOf } from '../support/matchmaking';
import { shiftedClock, startTestServer } from '../support/server';
import { registerStaff } from '../support/staff';

const NOBODY = 'f'.repeat(24);
const DAY_MS = 86_400_000;

let server: MaogaServer;
let admin: Player;
let moderator: Player;
let gameId: string;
beforeAll(async () => {
  server = await startTestServer();
  [admin, moderator] = [await registerStaff(server, 'admin'), await registerStaff(server, 'moderator')];
  gameId = await addGame(server, { duel: DUEL });
});

const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();
const decide = (by: Player, about: Player, decision: object) =>
  by.patch(`/api/admin/users/${about.userId}`, { reason: 'because of a test', ...decision });
const suspend = (about: Player, days = 1, by = moderator) =>
  decide(by, about, { status: 'suspended', until: inDays(days) });
const loginAt =
  (at: MaogaServer) =>
  (player: Player, password = player.password) =>
    request(at, 'POST', '/api/auth/login', { body: { identifier: player.username, password } });
const login = (player: Player) => loginAt(server)(player);

describe('a suspension', () => {
  test('refuses login, tokens and sockets with a code and until when, and ends by itself', async () => {
    const clock = shiftedClock();
    const server = await startTestServer({ clock });
    const moderator = await registerStaff(server, 'moderator');
    const login = loginAt(server);
    const player = await registerPlayer(server);
    const socket = await player.connect();
    const gone = new Promise((resolve) => socket.socket.once('disconnect', resolve));
    const { status, body } = await suspend(player, 1, moderator);
    expect([status, body.status, body.bar.reason]).toEqual([200, 'suspended', 'because of a test']);
    const until = body.bar.until as string;

    expect((await socket.next('session:expired')).reason).toContain(until);
    expect(await gone).toBe('io server disconnect');
    const refusal = { status: 403, body: { code: 'ACCOUNT_SUSPENDED', until } };
    expect(await player.get('/api/users/me')).toMatchObject(refusal);
    expect(await login(player)).toMatchObject(refusal);
    const refresh = () => request(server, 'POST', '/api/auth/refresh', { body: { refreshToken: player.refreshToken } });
    expect(await refresh()).toMatchObject(refusal);
    await expect(connectSocket(server, player.accessToken)).rejects.toMatchObject({
      data: { code: 'ACCOUNT_SUSPENDED', until },
    });
    // who does not know the password learns nothing
    expect(await login(player, 'not the password')).toMatchObject({ status: 401, body: { code: 'BAD_CREDENTIALS' } });

    clock.advance(DAY_MS + 1);
    expect((await login(player)).status).toBe(200);
    // the sessions of before have ended
    expect((await refresh()).body.code).toBe('BAD_REFRESH_TOKEN');
    const { accessToken: token } = (await login(moderator)).body;
    const file = await request(server, 'GET', `/api/admin/users/${player.userId}`, { token });
    expect(file.body).toMatchObject({ status: 'active', bar: null });
  });

  test.each([
    ['no end', { status: 'suspended' }],
    ['an end that has passed', { status: 'suspended', until: '2020-01-01T00:00:00.000Z' }],
    ['an end in a hundred years', { status: 'suspended', until: '2126-01-01T00:00:00.000Z' }],
    ['an end of a ban', { status: 'banned', until: '2030-01-01T00:00:00.000Z' }],
    ['no reason', { status: 'banned', reason: '' }],
    ['nothing', {}],
    ['a role besides', { status: 'banned', role: 'player' }],
  ])('with %s is refused', async (_what, decision) => {
    const player = await registerPlayer(server);
    expect((await decide(admin, player, decision)).body.code).toBe('VALIDATION_FAILED');
    expect((await player.get('/api/users/me')).status).toBe(200);
  });
});

describe('a ban', () => {
  test('cancels the open ticket, takes the player out of lobbies, and tells the others', async () => {
    const { players, sockets } = await connected(server, 2);
    const [player, friend] = players as [Player, Player];
    const lobby = (await friend.post('/api/lobbies', { gameId, mode: 'duel', visibility: 'public' })).body;
    await player.post(`/api/lobbies/${lobby.id}/join`);
    const ticket = await search(player, gameId, 'duel');

    expect((await decide(moderator, player, { status: 'banned' })).body.bar).toMatchObject({ until: null });
    await tellNews(server);
    const left = await sockets[1]!.next('lobby:member:left');
    expect(left).toMatchObject({ lobbyId: lobby.id, userId: player.userId });
    expect((await friend.get(`/api/lobbies/${lobby.id}`)).body.members).toHaveLength(1);
    expect(await login(player)).toMatchObject({ status: 403, body: { code: 'ACCOUNT_BANNED' } });
    expect((await login(player)).body.until).toBeUndefined();

    expect((await decide(moderator, player, { status: 'active' })).body.status).toBe('active');
    expect((await decide(moderator, player, { status: 'active' })).body.code).toBe('CONFLICT');
    const { accessToken } = (await login(player)).body;
    const { body } = await request(server, 'GET', `/api/matchmaking/tickets/${ticket.id}`, { token: accessToken });
    expect(body).toMatchObject({ state: 'cancelled' });
  });

  test('ends the live match for whoever is banned, and not for the others', async () => {
    const two = await connected(server, 2);
    const [player, other] = two.players as [Player, Player];
    const [{ lobbyId }] = await matchUp(server, gameId, 'duel', two);
    await decide(moderator, player, { status: 'banned' });
    await tellNews(server);
    expect((await other.get(`/api/lobbies/${lobbyId}`)).body.members).toHaveLength(1);
  });

  test('hides from search, and comes to nothing for a ticket that is submitted afterwards', async () => {
    const player = await registerPlayer(server);
    const found = async () => (await moderator.get(`/api/users?query=${player.username}`)).body.items.length;
    expect(await found()).toBe(1);
    await decide(moderator, player, { status: 'banned' });
    expect(await found()).toBe(0);
    expect((await player.post('/api/matchmaking/tickets', { games: [{ gameId, mode: 'duel' }] })).status).toBe(403);
  });

  test('closes the sockets at every instance within 5 s, also where the instances cannot hear each other', async () => {
    const database = await startEmbeddedMongo({});
    const logger = createLogger({ level: 'silent', pretty: false });
    const start = () => startTestServer({ logger, env: { MONGODB_URI: withDatabase(database.uri) } });
    const [one, two] = [await start(), await start()];
    const judge = await registerStaff(one, 'moderator');
    const player = await registerPlayer(two);
    const sockets = [await connectSocket(one, player.accessToken), await connectSocket(two, player.accessToken)];
    const gone = Promise.all(
      sockets.map(
        ({ socket }) => new Promise<number>((resolve) => socket.once('disconnect', () => resolve(Date.now()))),
      ),
    );
    const begun = Date.now();
    await judge.patch(`/api/admin/users/${player.userId}`, { status: 'banned', reason: 'because of a test' });
    for (const at of await gone) expect(at - begun).toBeLessThan(5000);
    await Promise.all([one.stop(), two.stop()]);
    await database.stop();
  });
});

describe('who may act on whom', () => {
  test('moderators on players; admins on everybody; nobody on themselves', async () => {
    const [player, other] = [await registerPlayer(server), await registerStaff(server, 'moderator')];
    const outcome = async (by: Player, about: Player) => (await decide(by, about, { status: 'banned' })).status;
    expect(await outcome(moderator, admin)).toBe(403);
    expect(await outcome(moderator, other)).toBe(403);
    expect(await outcome(moderator, moderator)).toBe(403);
    expect(await outcome(admin, admin)).toBe(403);
    expect(await outcome(player, other)).toBe(403);
    expect(await outcome(moderator, player)).toBe(200);
    expect(await outcome(admin, other)).toBe(200);
    for (const each of [admin, moderator]) expect((await each.get('/api/users/me')).status).toBe(200);
    const warned = await moderator.post(`/api/admin/users/${admin.userId}/warnings`, { reason: 'just trying' });
    expect(warned.status).toBe(403);
  });

  test('roles are given and taken by admins, at once, and never to themselves', async () => {
    const player = await registerPlayer(server);
    const mayModerate = async () => (await player.get('/api/admin/reports')).status === 200;
    expect((await decide(moderator, player, { role: 'moderator' })).status).toBe(403);
    expect(await mayModerate()).toBe(false);
    expect((await decide(admin, player, { role: 'moderator' })).body.role).toBe('moderator');
    expect(await mayModerate()).toBe(true);
    expect((await decide(player, player, { role: 'admin' })).status).toBe(403);
    expect((await decide(admin, player, { role: 'player' })).body.role).toBe('player');
    expect(await mayModerate()).toBe(false);
    expect((await decide(admin, admin, { role: 'player' })).status).toBe(403);
  });

  test('two who decide at once: each decision stands or is refused, and the log has those that stand', async () => {
    const player = await registerPlayer(server);
    const answers = await Promise.all([
      decide(admin, player, { role: 'moderator' }),
      ...Array.from({ length: 4 }, () => decide(moderator, player, { status: 'banned' })),
    ]);
    const stood = answers.filter(({ status }) => status === 200).length;
    expect(answers.every(({ status }) => [200, 403, 409].includes(status))).toBe(true);
    const { body } = await admin.get(`/api/admin/audit?targetId=${player.userId}`);
    expect(body.items).toHaveLength(stood);
  });
});

describe('a warning', () => {
  test('is in the notifications of who is warned, and in their history', async () => {
    const player = await registerPlayer(server);
    const socket = await player.connect();
    const warned = await moderator.post(`/api/admin/users/${player.userId}/warnings`, { reason: 'mind your words' });
    expect(warned.status).toBe(204);
    await tellNews(server);
    const { notification } = await socket.next('notification:new');
    expect(notification).toMatchObject({ type: 'warned', body: 'A moderator warns you: mind your words' });
    expect(JSON.stringify(notification)).not.toContain(moderator.userId);
    const { body } = await moderator.get(`/api/admin/users/${player.userId}`);
    expect(body.history).toMatchObject([
      { action: 'user.warned', actorId: moderator.userId, reason: 'mind your words' },
    ]);
  });
});

describe('searching accounts', () => {
  test('finds by name and by address, by status and role, private ones too, page by page', async () => {
    const prefix = `s${Date.now().toString(36)}`;
    const players = await Promise.all(['a', 'b', 'c'].map((letter) => registerPlayer(server, `${prefix}${letter}`)));
    await players[0]!.patch('/api/users/me', { visibility: 'private' });
    await decide(moderator, players[1]!, { status: 'banned' });
    const find = async (query: string) => (await moderator.get(`/api/admin/users?${query}`)).body;
    const names = (body: { items: { username: string }[] }) => body.items.map(({ username }) => username).sort();
    expect(names(await find(`query=${prefix}`))).toEqual(players.map(({ username }) => username));
    expect(names(await find(`query=${prefix}&status=banned`))).toEqual([players[1]!.username]);
    expect(names(await find(`query=${prefix}&status=active`))).toEqual([players[0]!.username, players[2]!.username]);
    expect(names(await find(`query=${players[2]!.email.toUpperCase()}`))).toEqual([players[2]!.username]);
    expect(names(await find('role=admin&limit=100'))).toContain(admin.username);
    const first = await find(`query=${prefix}&limit=2`);
    const second = await find(`query=${prefix}&limit=2&cursor=${first.nextCursor}`);
    expect([first.items.length, second.items.length, second.nextCursor]).toEqual([2, 1, null]);
    expect(JSON.stringify(first)).not.toMatch(/password/i);
  });
});

describe('reports', () => {
  const report = (by: Player, about: Player, body: object = {}) =>
    by.post(`/api/users/${about.userId}/reports`, { reason: 'spam', description: 'too much of it', ...body });

  test('go into a queue, oldest first, are taken by one and closed with a note', async () => {
    const [by, about] = [await registerPlayer(server), await registerPlayer(server)];
    const { status, body: receipt } = await report(by, about);
    expect(status).toBe(201);
    const queue = async (query = '') => (await moderator.get(`/api/admin/reports?limit=100${query}`)).body.items;
    const mine = (await queue('&assignee=nobody')).find(({ id }: { id: string }) => id === receipt.id);
    expect(mine).toMatchObject({
      by: { id: by.userId },
      about: { id: about.userId },
      description: 'too much of it',
      state: 'open',
      assignee: null,
    });
    const change = (who: Player, body: object) => who.patch(`/api/admin/reports/${receipt.id}`, body);
    expect((await change(moderator, { assigned: true })).body.assignee.id).toBe(moderator.userId);
    expect((await queue('&assignee=me')).map(({ id }: { id: string }) => id)).toContain(receipt.id);
    const other = await registerStaff(server, 'moderator');
    expect((await change(other, { state: 'dismissed', note: 'not so bad' })).body.code).toBe('CONFLICT');
    expect((await change(moderator, { state: 'resolved' })).body.code).toBe('VALIDATION_FAILED');
    const closed = await change(moderator, { state: 'resolved', note: 'warned them' });
    expect(closed.body).toMatchObject({ state: 'resolved', note: 'warned them', closedAt: expect.any(String) });
    expect((await change(moderator, { assigned: false })).body.code).toBe('CONFLICT');
    expect((await moderator.get(`/api/admin/reports/${receipt.id}`)).body.state).toBe('resolved');
    expect((await admin.get(`/api/admin/audit?targetId=${receipt.id}`)).body.items).toMatchObject([
      { action: 'report.closed', reason: 'warned them' },
      { action: 'report.assigned' },
    ]);
    // once it is closed there may be another
    expect((await report(by, about)).status).toBe(201);
  });

  test('of ten moderators who take one at once, one has it', async () => {
    const staff = await Promise.all(Array.from({ length: 10 }, () => registerStaff(server, 'moderator')));
    const { body } = await report(await registerPlayer(server), await registerPlayer(server));
    const answers = await Promise.all(
      staff.map((each) => each.patch(`/api/admin/reports/${body.id}`, { assigned: true })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('keep the line of chat they are about, which must be theirs and in a lobby of mine', async () => {
    const [host, guest, stranger] = await Promise.all([1, 2, 3].map(() => registerPlayer(server)));
    const lobby = (await host!.post('/api/lobbies', { gameId, mode: 'duel', visibility: 'public' })).body;
    await guest!.post(`/api/lobbies/${lobby.id}/join`);
    const line = (await guest!.post(`/api/lobbies/${lobby.id}/messages`, { content: 'something nasty' })).body;
    const messageId = line.id;
    expect((await report(stranger!, guest!, { messageId })).status).toBe(404);
    expect((await report(host!, stranger!, { messageId })).status).toBe(404);
    expect((await report(host!, guest!, { messageId: NOBODY })).status).toBe(404);
    const { body } = await report(host!, guest!, { messageId });
    const seen = await moderator.get(`/api/admin/reports/${body.id}`);
    expect(seen.body.message).toMatchObject({ id: messageId, lobbyId: lobby.id, content: 'something nasty' });
  });

  test('are bounded: one about the same thing at a time, of matches that both were in, of a limited size', async () => {
    const [by, about] = [await registerPlayer(server), await registerPlayer(server)];
    const answers = await Promise.all(Array.from({ length: 5 }, () => report(by, about)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect((await report(by, by)).body.code).toBe('CONFLICT');
    expect((await report(by, { ...about, userId: NOBODY })).status).toBe(404);
    expect((await report(by, about, { matchId: NOBODY })).status).toBe(404);
    expect((await report(by, about, { description: 'x'.repeat(1001) })).status).toBe(400);
    expect((await report(by, about, { reason: 'because' })).status).toBe(400);
  });

  test('are not handled by who wrote them, nor by whom they are about, nor by a moderator where they are about staff', async () => {
    const other = await registerStaff(server, 'moderator');
    const player = await registerPlayer(server);
    const takes = async (who: Player, id: string) =>
      (await who.patch(`/api/admin/reports/${id}`, { assigned: true })).status;
    const mine = (await report(moderator, player)).body.id;
    expect(await takes(moderator, mine)).toBe(403);
    const aboutOther = (await report(player, other)).body.id;
    expect(await takes(other, aboutOther)).toBe(403);
    expect(await takes(moderator, aboutOther)).toBe(403);
    expect(await takes(admin, aboutOther)).toBe(200);
  });
});

describe('karma', () => {
  const give = (from: Player, to: Player, matchId: string, value = 1) =>
    from.post(`/api/users/${to.userId}/karma`, { matchId, value });
  const karmaOf = async (player: Player) => (await player.get('/api/users/me')).body.karma;

  async function played(server: MaogaServer, gameId: string): Promise<{ players: [Player, Player]; matchId: string }> {
    const two = await connected(server, 2);
    const [{ matchId }] = await matchUp(server, gameId, 'duel', two);
    const [ann, ben] = two.players as [Player, Player];
    expect((await give(ann, ben, matchId)).body.code).toBe('CONFLICT'); // not played yet
    for (const each of [ann, ben]) await each.post(`/api/matchmaking/matches/${matchId}/result`, { winner: 0 });
    return { players: [ann, ben], matchId };
  }

  test('is given once for a match, by those who played it, and shows in the profile', async () => {
    const { players, matchId } = await played(server, gameId);
    const [ann, ben] = players;
    const stranger = await registerPlayer(server);
    expect((await give(stranger, ben, matchId)).status).toBe(404);
    expect((await give(ann, stranger, matchId)).status).toBe(404);
    expect((await give(ann, ann, matchId)).body.code).toBe('CONFLICT');
    expect((await give(ann, ben, NOBODY)).status).toBe(404);
    for (const value of [0, 2, -2, 100]) expect((await give(ann, ben, matchId, value)).status).toBe(400);

    const answers = await Promise.all(Array.from({ length: 10 }, () => give(ann, ben, matchId)));
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(9);
    expect((await give(ben, ann, matchId, -1)).status).toBe(204);
    expect([await karmaOf(ann), await karmaOf(ben)]).toEqual([-1, 1]);
    expect((await stranger.get(`/api/users/${ben.userId}`)).body.profile.karma).toBe(1);
    expect((await ben.patch('/api/users/me', { karma: 99 })).status).toBe(400);
  });

  test('cannot be given long after the match', async () => {
    const clock = shiftedClock();
    const server = await startTestServer({ clock });
    const { players, matchId } = await played(server, await addGame(server, { duel: DUEL }));
    clock.advance(8 * DAY_MS);
    const [ann, ben] = players;
    const { accessToken: token } = (await loginAt(server)(ann)).body;
    const { body } = await request(server, 'POST', `/api/users/${ben.userId}/karma`, {
      token,
      body: { matchId, value: 1 },
    });
    expect(body).toMatchObject({ code: 'CONFLICT', detail: expect.stringContaining('over a week') });
  });
});

describe('the audit log', () => {
  test('is read by admins, filtered and page by page; nobody can change it', async () => {
    const staff = await registerStaff(server, 'moderator');
    const judge = await registerStaff(server, 'admin');
    const player = await registerPlayer(server);
    for (const status of ['banned', 'active']) await decide(staff, player, { status });
    await decide(judge, player, { status: 'banned' });
    const list = async (query: string) => (await judge.get(`/api/admin/audit?${query}`)).body;
    const about = `targetId=${player.userId}`;
    const actions = (body: { items: { action: string }[] }) => body.items.map(({ action }) => action);
    expect(actions(await list(about))).toEqual(['user.banned', 'user.reinstated', 'user.banned']);
    expect(actions(await list(`${about}&actorId=${staff.userId}`))).toEqual(['user.reinstated', 'user.banned']);
    expect(actions(await list(`${about}&action=user.reinstated`))).toEqual(['user.reinstated']);
    const first = await list(`${about}&limit=2`);
    expect(actions(await list(`${about}&limit=2&cursor=${first.nextCursor}`))).toEqual(['user.banned']);
    expect((await staff.get('/api/admin/audit')).status).toBe(403);

    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
      for (const path of ['/api/admin/audit', `/api/admin/audit/${first.items[0].id}`])
        expect([404, 405]).toContain((await request(server, method, path, { token: judge.accessToken })).status);
    expect(actions(await list(about))).toHaveLength(3);
  });

  test('is a collection whose model adds rows and refuses everything else', async () => {
    const connection = await databaseOf(server);
    const Acts = createAuditModel(connection);
    const row = await Acts.findOne();
    const by = { _id: row!._id };
    const attempts: (() => unknown)[] = [
      () => Acts.updateOne(by, { $set: { reason: 'other' } }),
      () => Acts.updateMany(by, { $set: { reason: 'other' } }),
      () => Acts.replaceOne(by, { reason: 'other' }),
      () => Acts.findOneAndUpdate(by, { reason: 'other' }),
      () => Acts.findByIdAndUpdate(row!._id, { reason: 'other' }),
      () => Acts.findOneAndReplace(by, { reason: 'other' }),
      () => Acts.findOneAndDelete(by),
      () => Acts.deleteOne(by),
      () => Acts.deleteMany({}),
      () => row!.deleteOne(),
      () => row!.updateOne({ reason: 'other' }),
      () => row!.set({ details: {} }).save(),
      () => Acts.bulkWrite([{ deleteOne: { filter: by } }]),
      () => Acts.bulkSave([row!]),
    ];
    for (const attempt of attempts) await expect((async () => attempt())()).rejects.toThrow('only ever added to');
    expect(await Acts.findOne(by).lean()).toEqual(row!.toObject());
  });

  test('has every change of the catalogue', async () => {
    const judge = await registerStaff(server, 'admin');
    const slug = `audited-${Date.now()}`;
    const game = {
      slug,
      name: 'Audited',
      genres: ['test'],
      platforms: ['pc'],
      players: { min: 1, max: 4 },
      modes: [{ key: 'duel', name: 'Duel', ruleSet: DUEL }],
    };
    const { body } = await judge.post('/api/games', game);
    await judge.patch(`/api/games/${body.id}`, { name: 'Audited again' });
    await judge.put(`/api/games/${body.id}/modes/duel`, { ruleSet: DUEL });
    const { items } = (await judge.get(`/api/admin/audit?targetId=${body.id}`)).body;
    expect(items.map(({ action, actorId }: Record<string, string>) => [action, actorId])).toEqual(
      ['mode.changed', 'game.changed', 'game.created'].map((action) => [action, judge.userId]),
    );
  });
});

test('what a moderator sees is not for players: every route of moderation refuses them', async () => {
  const player = await registerPlayer(server);
  const routes = server.routes.filter(({ path }) => path.startsWith('/api/admin/'));
  expect(routes.length).toBeGreaterThan(6);
  for (const { method, path } of routes) {
    const target = path.replaceAll(/:\w+/g, NOBODY);
    const { status } = await request(server, method.toUpperCase(), target, { token: player.accessToken });
    expect([path, status]).toEqual([path, 403]);
  }
  expect(await ticketOf(player, NOBODY)).toMatchObject({ code: 'NOT_FOUND' });
});
