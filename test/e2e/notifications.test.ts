import type { MaogaServer } from '../../src/server';
import { registerPlayer, request, type Player } from '../support/client';
import { addGame, connected, databaseOf, DUEL, matchUp, tellNews } from '../support/matchmaking';
import { startTestServer } from '../support/server';

let server: MaogaServer;
let somebody: Player;
let mode: { gameId: string; mode: string };
beforeAll(async () => {
  server = await startTestServer({ env: { SEED_ON_START: 'true' } });
  somebody = await registerPlayer(server);
  mode = await roomyMode(somebody);
});

/** A mode with room for more than two. */
async function roomyMode(player: Player): Promise<typeof mode> {
  for (const game of (await player.get('/api/games?limit=100')).body.items)
    for (const { key, ruleSet } of (await player.get(`/api/games/${game.id}`)).body.modes)
      if (ruleSet.teams.count * ruleSet.teams.size.max >= 4) return { gameId: game.id, mode: key };
  throw new Error('the catalogue has no mode for four');
}

const two = async () => Promise.all([registerPlayer(server), registerPlayer(server)] as const);

async function openLobby(host: Player): Promise<string> {
  return (await host.post('/api/lobbies', mode)).body.id;
}

/** Lobbies to which `host` invites `guest`, one after the other, until as many notifications are in the list. */
async function invite(host: Player, guest: Player, times: number): Promise<string[]> {
  const atGuest = await guest.connect();
  const lobbyIds: string[] = [];
  for (let i = 0; i < times; i++) {
    const lobbyId = await openLobby(host);
    await host.post(`/api/lobbies/${lobbyId}/invites`, { userId: guest.userId });
    await atGuest.next('notification:new', ({ notification }) => notification.data.lobbyId === lobbyId);
    lobbyIds.push(lobbyId);
  }
  atGuest.close();
  return lobbyIds;
}

const inbox = async (player: Player, query = '') => (await player.get(`/api/notifications${query}`)).body.items;

test('an invitation is heard at once, counted, listed, and there again after reconnecting', async () => {
  const [host, guest] = await two();
  const [atHost, atGuest] = await Promise.all([host.connect(), guest.connect()]);
  expect(atGuest.snapshot.unread).toBe(0);
  const lobbyId = await openLobby(host);
  await host.post(`/api/lobbies/${lobbyId}/invites`, { userId: guest.userId });

  const { notification, eventId, seq } = await atGuest.next('notification:new');
  expect(notification).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{24}$/),
    type: 'lobbyInvited',
    title: expect.any(String),
    body: `${host.username} invites you to a lobby.`,
    data: { lobbyId, ...mode, userId: host.userId },
    read: false,
    createdAt: expect.stringMatching(/Z$/),
  });
  const count = await atGuest.next('notification:count');
  expect(count).toMatchObject({ unread: 1, seq: seq + 1 });
  expect(count.eventId).not.toBe(eventId);
  expect(await inbox(guest)).toEqual([notification]);
  expect((await guest.connect()).snapshot.unread).toBe(1);
  await atHost.send('sync', {});
  expect(atHost.heard.filter(({ name }) => name.startsWith('notification'))).toEqual([]);
  expect(await inbox(host)).toEqual([]);
});

test('a friend request and its acceptance notify the other one', async () => {
  const [ann, ben] = await two();
  const [atAnn, atBen] = await Promise.all([ann.connect(), ben.connect()]);
  await ann.post(`/api/users/me/friends/${ben.userId}`);
  expect((await atBen.next('notification:new')).notification).toMatchObject({
    type: 'friendRequested',
    data: { userId: ann.userId },
  });
  await ben.post(`/api/users/me/friends/${ann.userId}`);
  expect((await atAnn.next('notification:new')).notification).toMatchObject({
    type: 'friendAccepted',
    data: { userId: ben.userId },
  });
});

test('being removed from a lobby, getting to host one, and its end, notify those who did not do it', async () => {
  const [host, heir] = await two();
  const rude = await registerPlayer(server);
  const lobbyId = (await host.post('/api/lobbies', { ...mode, visibility: 'public' })).body.id;
  const [atHost, atHeir, atRude] = await Promise.all([host.connect(), heir.connect(), rude.connect()]);
  const types = async (at: typeof atHost) => (await at.next('notification:new')).notification.type;
  for (const player of [heir, rude]) await player.post(`/api/lobbies/${lobbyId}/join`);
  await host.post(`/api/lobbies/${lobbyId}/kick`, { userId: rude.userId });
  expect(await types(atRude)).toBe('lobbyKicked');
  await host.post(`/api/lobbies/${lobbyId}/host`, { userId: heir.userId });
  expect(await types(atHeir)).toBe('lobbyHost');
  await heir.post(`/api/lobbies/${lobbyId}/close`);
  expect(await types(atHost)).toBe('lobbyClosed');
  expect((await inbox(heir)).map(({ type }: { type: string }) => type)).toEqual(['lobbyHost']);
});

test('a match makes one notification for each of its players, even when its facts are told again', async () => {
  const quiet = await startTestServer({ runLoops: false });
  const gameId = await addGame(quiet, { duel: DUEL });
  const pair = await connected(quiet, 2);
  const [matched] = await matchUp(quiet, gameId, 'duel', pair);
  const about = { type: 'matchFormed', data: { matchId: matched.matchId, lobbyId: matched.lobbyId, gameId } };

  // as after a crash between telling and noting that it was told
  const outbox = (await databaseOf(quiet)).collection('outbox');
  await outbox.updateMany({}, { $set: { deliveredAt: null, claim: null, notBefore: new Date(0) } });
  await tellNews(quiet);

  for (const [i, player] of pair.players.entries()) {
    expect(await inbox(player)).toMatchObject([about]);
    expect((await player.get('/api/notifications/count')).body).toEqual({ unread: 1 });
    const socket = pair.sockets[i]!;
    await socket.send('sync', {});
    for (const name of ['matchmaking:matched', 'notification:new']) {
      const [first, again, ...more] = socket.heard.filter((event) => event.name === name);
      expect(more).toEqual([]);
      // an app knows by this that it has had it
      expect(again?.payload.eventId).toBe(first?.payload.eventId);
    }
  }
});

test('the list is newest first, page by page, and can show unread ones only', async () => {
  const [host, guest] = await two();
  const lobbyIds = (await invite(host, guest, 5)).reverse();
  const seen: string[] = [];
  let cursor = '';
  do {
    const { body } = await guest.get(`/api/notifications?limit=2${cursor && `&cursor=${cursor}`}`);
    seen.push(...body.items.map(({ data }: { data: { lobbyId: string } }) => data.lobbyId));
    expect(body.items.length).toBeLessThanOrEqual(2);
    cursor = body.nextCursor ?? '';
  } while (cursor !== '');
  expect(seen).toEqual(lobbyIds);

  const [newest, ...older] = await inbox(guest);
  expect((await guest.post(`/api/notifications/${newest.id}/read`)).body).toEqual({ ...newest, read: true });
  expect(await inbox(guest, '?unread=true')).toEqual(older);
  expect(await inbox(guest, '?unread=false')).toEqual([{ ...newest, read: true }, ...older]);
});

test('reading, reading all and deleting change the count, and every device hears it', async () => {
  const [host, guest] = await two();
  await invite(host, guest, 4);
  const [phone, tablet] = [await guest.connect(), await guest.connect()];
  expect(phone.snapshot.unread).toBe(4);
  const [a, b, c] = await inbox(guest);
  const heard = async (unread: number) => {
    for (const device of [phone, tablet]) expect((await device.next('notification:count')).unread).toBe(unread);
    expect((await guest.get('/api/notifications/count')).body).toEqual({ unread });
  };
  await guest.post(`/api/notifications/${a.id}/read`);
  await heard(3);
  expect((await guest.delete(`/api/notifications/${b.id}`)).status).toBe(204);
  await heard(2);
  expect((await guest.post('/api/notifications/read-all')).body).toEqual({ read: 2 });
  await heard(0);

  // what changes nothing is no news
  expect((await guest.post(`/api/notifications/${a.id}/read`)).status).toBe(200);
  expect((await guest.post('/api/notifications/read-all')).body).toEqual({ read: 0 });
  expect((await guest.delete(`/api/notifications/${c.id}`)).status).toBe(204);
  await phone.send('sync', {});
  expect(phone.heard.filter(({ name }) => name === 'notification:count')).toHaveLength(3);
  expect(await inbox(guest)).toHaveLength(2);
});

test('a stranger sees and changes nothing', async () => {
  const [host, guest] = await two();
  await invite(host, guest, 1);
  const [notification] = await inbox(guest);
  for (const [method, path] of [
    ['post', `/api/notifications/${notification.id}/read`],
    ['delete', `/api/notifications/${notification.id}`],
  ] as const)
    expect((await host[method](path)).body).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  await host.post('/api/notifications/read-all');
  expect(await inbox(guest)).toEqual([notification]);
  expect((await request(server, 'GET', '/api/notifications')).status).toBe(401);
});

test('twenty readings at once count once, and deleting at once succeeds once', async () => {
  const [host, guest] = await two();
  await invite(host, guest, 2);
  const atGuest = await guest.connect();
  const [a, b] = await inbox(guest);
  const twenty = <Result>(act: () => Promise<Result>) => Promise.all(Array.from({ length: 20 }, act));
  expect((await twenty(() => guest.post(`/api/notifications/${a.id}/read`))).map(({ status }) => status)).toEqual(
    Array.from({ length: 20 }, () => 200),
  );
  const removals = await twenty(() => guest.delete(`/api/notifications/${b.id}`));
  expect(removals.map(({ status }) => status).sort()).toEqual([204, ...Array.from({ length: 19 }, () => 404)]);
  await atGuest.send('sync', {});
  expect(
    atGuest.heard.filter(({ name }) => name === 'notification:count').map(({ payload }) => payload.unread),
  ).toEqual([1, 0]);
});

describe('settings', () => {
  test('are the defaults at first, kept when decided, and back when not named any more', async () => {
    const player = await registerPlayer(server);
    const { body: before } = await player.get('/api/notifications/settings');
    expect(before).toMatchObject({ channels: ['inApp'], types: { lobbyInvited: { inApp: true } } });
    const decided = await player.put('/api/notifications/settings', { types: { lobbyInvited: { inApp: false } } });
    expect(decided.body.types.lobbyInvited).toEqual({ ...before.types.lobbyInvited, inApp: false });
    expect((await player.get('/api/notifications/settings')).body).toEqual(decided.body);
    expect((await player.put('/api/notifications/settings', { types: {} })).body).toEqual(before);
  });

  test('who does not want invitations in the app is told of none, and of everything else', async () => {
    const [host, guest] = await two();
    await guest.put('/api/notifications/settings', { types: { lobbyInvited: { inApp: false } } });
    const atGuest = await guest.connect();
    const lobbyId = await openLobby(host);
    await host.post(`/api/lobbies/${lobbyId}/invites`, { userId: guest.userId });
    await host.post(`/api/users/me/friends/${guest.userId}`);
    expect((await atGuest.next('notification:new')).notification.type).toBe('friendRequested');
    expect(await inbox(guest)).toHaveLength(1);
    expect((await guest.get(`/api/lobbies/${lobbyId}`)).status).toBe(200);
  });

  test.each([
    [{}],
    [{ types: [] }],
    [{ types: { noSuchType: { inApp: true } } }],
    [{ types: { lobbyInvited: { pigeon: true } } }],
    [{ types: { lobbyInvited: { inApp: 'yes' } } }],
    [{ types: { lobbyInvited: { inApp: { $ne: null } } } }],
    [{ types: {}, channels: ['email'] }],
  ])('refuse %j', async (body) => {
    const { status, body: problem } = await somebody.put('/api/notifications/settings', body);
    expect([status, problem.code]).toEqual([400, 'VALIDATION_FAILED']);
  });
});

test('devices: registered by token, moved with the sign-in, forgotten by their owner only', async () => {
  const [ann, ben] = await two();
  const path = `/api/notifications/devices/${encodeURIComponent('fcm:abc/def+123==')}`;
  expect((await ann.put(path, { platform: 'ios' })).status).toBe(204);
  expect((await ann.put(path, { platform: 'ios' })).status).toBe(204);
  expect((await ben.delete(path)).status).toBe(404);
  expect((await ben.put(path, { platform: 'ios' })).status).toBe(204);
  expect((await ann.delete(path)).status).toBe(404);
  expect((await ben.delete(path)).status).toBe(204);
  expect((await ann.put(path, { platform: 'toaster' })).body.code).toBe('VALIDATION_FAILED');
  expect((await ann.put('/api/notifications/devices/short', { platform: 'ios' })).body.code).toBe('VALIDATION_FAILED');
});
