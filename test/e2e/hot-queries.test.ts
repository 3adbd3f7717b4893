import { withDatabase } from '../../src/database/connect';
import { startEmbeddedMongo } from '../../src/embedded-mongo';
import {
  standInGame,
  startIgdbStandIn,
  type IgdbStandIn,
} from '../../src/modules/games/external/testing/igdb-stand-in';
import type { MaogaServer } from '../../src/server';
import { registerAdmin } from '../support/catalogue';
import { accountSettings, CALLBACK, liveAnAccount } from '../support/account-life';
import { registerPlayer, request, type Answer, type Player } from '../support/client';
import { addGame, connected, databaseOf, DUEL, matchUp, pulse, search, tellNews } from '../support/matchmaking';
import { startMailServer, type MailServer } from '../support/mail';
import { startProvider, type TestProvider } from '../support/oidc';
import { registerStaff } from '../support/staff';
import { recordQueries, type QueryPlan } from '../support/recorded-queries';
import { shiftedClock, startTestServer } from '../support/server';

/**
 * What a server asks its database while people play is answered by indexes, so that it stays as fast when there is much. Every
 * route, client event and loop of the main job is used once; what the driver sent is then explained. No account is old enough to be erased:
 * an erasure is rare, and looks through what has no index on purpose (see database/personal-data.ts).
 */

/** Queries that may read a whole collection, and why. */
const READS_ALL: Record<string, string> = {
  migrations: 'a row for each migration, read at the start',
  instances: 'a row for each running instance, and what is asked is who there is',
  leases: 'a row for each pool lease, of which there are a fixed few',
};

const HOUR_MS = 3_600_000;
const clock = shiftedClock();
const recorded = recordQueries();
let server: MaogaServer;
let plans: QueryPlan[];
let mails: MailServer;
let provider: TestProvider;
let standIn: IgdbStandIn;
let database: Awaited<ReturnType<typeof startEmbeddedMongo>>;

/** All that a client can do, in an order in which it can be done. */
async function play(): Promise<void> {
  const gameId = await addGame(server, {
    duel: DUEL,
    asked: { ...DUEL, acceptance: { seconds: 10 } },
    pairs: { teams: { count: 2, size: { min: 2, max: 2 } } },
    trio: { teams: { count: 1, size: { min: 2, max: 3 } }, backfill: true },
  });
  await accounts();
  await liveAnAccount({ server, mails, provider, clock });
  await catalogue(gameId);
  await company();
  await lobbies({ gameId, mode: 'pairs' });
  await searches(gameId);
  await matches(gameId);
  await fill({ gameId, mode: 'trio' });
  await moderation(gameId);
  await notifications({ gameId, mode: 'pairs' });
  // what nobody ends does not live forever
  clock.advance(48 * HOUR_MS);
  for (let round = 0; round < 2; round++) for (const loop of server.loops.values()) await loop.tick();
}

async function accounts(): Promise<void> {
  const player = await registerPlayer(server);
  const login = { identifier: player.email, password: player.password };
  const { body: signedIn } = await request(server, 'POST', '/api/auth/login', { body: login });
  ok(await request(server, 'POST', '/api/auth/refresh', { body: { refreshToken: signedIn.refreshToken } }));
  // used twice: the session ends
  await request(server, 'POST', '/api/auth/refresh', { body: { refreshToken: signedIn.refreshToken } });
  ok(await request(server, 'POST', '/api/auth/login', { body: login }));
  const [session] = (await firstTwoPages(player, '/api/auth/sessions')).filter((each: Item) => !each.current);
  ok(await player.delete(`/api/auth/sessions/${session.id}`));
  const change = { currentPassword: player.password, newPassword: `${player.password}-2` };
  ok(await player.post('/api/auth/change-password', change));
  const { body: again } = await request(server, 'POST', '/api/auth/login', {
    body: { ...login, password: change.newPassword },
  });
  ok(await request(server, 'POST', '/api/auth/logout', { token: again.accessToken }));
  ok(await player.post('/api/auth/logout-all'));
}

async function catalogue(gameId: string): Promise<void> {
  const admin = await registerAdmin(server);
  const queries = ['', 'query=te', 'genre=test', 'platform=pc', 'genre=test&platform=pc&query=ga'];
  for (const sort of ['name', 'popularity', 'releaseDate'])
    for (const query of queries) await firstTwoPages(admin, `/api/games?sort=${sort}&${query}`);
  ok(await admin.get('/api/games/trending'));
  ok(await admin.get('/api/games?query=far game'));
  for (const full of [false, true]) {
    ok(await admin.post('/api/games/sync', { full }));
    await server.loops.get('catalogue')?.tick();
    expect(ok(await admin.get('/api/games/sync')).body.state).toBe('done');
  }
  const { body: game } = ok(await admin.get(`/api/games/${gameId}`));
  ok(await admin.get(`/api/games/${game.slug}`));
  ok(await admin.patch(`/api/games/${gameId}`, { description: 'Another one', version: game.version }));
  ok(await admin.put(`/api/games/${gameId}/modes/solo`, { name: 'Solo', ruleSet: DUEL, version: 0 }));
  ok(await admin.put(`/api/games/${gameId}/modes/solo`, { ruleSet: DUEL }));
  ok(await admin.put(`/api/users/me/game-profiles/${gameId}`, { inGameName: 'Ann' }));
  ok(await admin.delete(`/api/users/me/game-profiles/${gameId}`));
}

async function company(): Promise<void> {
  const [ann, ben, cid] = (await Promise.all([1, 2, 3].map(() => registerPlayer(server)))) as [Player, Player, Player];
  ok(await ann.get('/api/users/me'));
  ok(await ann.patch('/api/users/me', { bio: 'Plays', visibility: 'friends' }));
  ok(await ann.patch('/api/users/me/preferences', { regions: ['EU'] }));
  await firstTwoPages(ann, '/api/users?query=p_');
  ok(await ben.get(`/api/users/${ann.userId}`));
  for (const asked of [ben, cid]) ok(await ann.post(`/api/users/me/friends/${asked.userId}`));
  ok(await ben.post(`/api/users/me/friends/${ann.userId}`));
  for (const state of ['', '?state=friends', '?state=incoming', '?state=outgoing'])
    await firstTwoPages(ann, `/api/users/me/friends${state}`);
  ok(await cid.delete(`/api/users/me/friends/${ann.userId}`));
  for (const blocked of [ben, cid]) ok(await ann.put(`/api/users/me/blocks/${blocked.userId}`));
  await firstTwoPages(ann, '/api/users/me/blocks');
  ok(await ann.delete(`/api/users/me/blocks/${ben.userId}`));
}

async function lobbies(mode: Mode): Promise<void> {
  const { players, sockets } = await connected(server, 3);
  const [host, friend, third] = players as [Player, Player, Player];
  const [atHost] = sockets;
  const open = async () => ok(await host.post('/api/lobbies', { ...mode, visibility: 'public' }, key())).body.id;
  const lobbyId = await open();
  await open();
  const path = `/api/lobbies/${lobbyId}`;
  await firstTwoPages(host, '/api/lobbies');
  await firstTwoPages(friend, `/api/lobbies/open?gameId=${mode.gameId}&mode=${mode.mode}`);
  ok(await host.post(`${path}/invites`, { userId: friend.userId }));
  for (const guest of [friend, third]) ok(await guest.post(`${path}/join`));
  ok(await third.get(path));
  ok(await host.post(`${path}/kick`, { userId: third.userId }));
  for (const content of ['hello', 'there']) ok(await friend.post(`${path}/messages`, { content }, key()));
  ok(await host.get(`${path}/messages?limit=1`));
  const { body: said } = ok(await host.get(`${path}/messages?limit=1`));
  ok(await host.get(`${path}/messages?limit=1&before=${said.nextCursor}`));
  for (const [name, payload] of [
    ['lobby:subscribe', { lobbyId }],
    ['chat:send', { lobbyId, content: 'by socket' }],
    ['chat:typing', { lobbyId, typing: true }],
    ['presence:subscribe', { userIds: [friend.userId] }],
    ['auth:refresh', { token: host.accessToken }],
    ['sync', {}],
    ['lobby:unsubscribe', { lobbyId }],
  ] as const)
    expect(await atHost!.send(name, payload)).toMatchObject({ ok: true });
  await tellNews(server);
  ok(await host.post(`${path}/queue`, {}, key()));
  await pulse(server);
  ok(await host.delete(`${path}/queue`));
  for (const player of [host, friend]) ok(await player.post(`${path}/ready`, { ready: true }));
  ok(await host.patch(path, { capacity: 4 }));
  ok(await host.post(`${path}/host`, { userId: friend.userId }));
  ok(await host.post(`${path}/leave`));
  ok(await friend.post(`${path}/close`));
  await tellNews(server);
}

/** A lobby into which others come by the search of its host, before and after its match has begun. */
async function fill(mode: { gameId: string; mode: string }): Promise<void> {
  const { players, sockets } = await connected(server, 4);
  const [host, friend, second, third] = players as [Player, Player, Player, Player];
  const { body: lobby } = ok(await host.post('/api/lobbies', { ...mode, visibility: 'public' }, key()));
  const path = `/api/lobbies/${lobby.id}`;
  ok(await host.post(`${path}/backfill`, {}, key()));
  ok(await friend.post(`${path}/join`));
  await tellNews(server);
  ok(await friend.post(`${path}/leave`));
  await tellNews(server);
  for (const player of [second, third]) {
    await search(player, mode.gameId, mode.mode);
    await pulse(server);
  }
  await sockets[3]!.next('matchmaking:matched');
  ok(await third.post(`${path}/leave`));
  await tellNews(server);
  ok(await host.delete(`${path}/queue`));
  ok(await host.post(`${path}/backfill`, {}, key()));
  ok(await host.post(`${path}/close`));
  await tellNews(server);
}

async function searches(gameId: string): Promise<void> {
  const { players, sockets } = await connected(server, 3);
  const [one, late, brief] = players as [Player, Player, Player];
  const ticket = await search(one, gameId, 'duel', { regions: ['EU'], regionPreference: 'strict' });
  ok(await one.get('/api/matchmaking/tickets/current'));
  ok(await one.get(`/api/matchmaking/tickets/${ticket.id}`));
  await pulse(server);
  ok(await one.get(`/api/matchmaking/tickets/${ticket.id}/explanation`));
  expect(await sockets[0]!.send('matchmaking:subscribe', { ticketId: ticket.id })).toMatchObject({ ok: true });
  ok(await one.patch(`/api/matchmaking/tickets/${ticket.id}`, { languages: ['de'] }));
  ok(await one.get('/api/matchmaking/pools'));
  ok(await one.delete(`/api/matchmaking/tickets/${ticket.id}`));
  await search(late, gameId, 'duel', { scheduledFor: new Date(clock.now() + 60_000).toISOString() });
  await search(brief, gameId, 'asked', { expiresInSeconds: 30 });
  clock.advance(61_000);
  await pulse(server);
  await sockets[2]!.next('matchmaking:expired');
  const { body } = ok(await late.get('/api/matchmaking/tickets/current'));
  ok(await late.delete(`/api/matchmaking/tickets/${body.ticket.id}`));
}

async function matches(gameId: string): Promise<void> {
  const pair = await connected(server, 2);
  const [one, two] = pair.players as [Player, Player];
  const [told] = await matchUp(server, gameId, 'duel', pair);
  for (const player of [one, two])
    ok(await player.post(`/api/matchmaking/matches/${told.matchId}/result`, { winner: 0 }));
  await tellNews(server);
  for (const answer of ['decline', 'nothing', 'accept']) {
    for (const player of [one, two]) await search(player, gameId, 'asked');
    await pulse(server);
    const [proposed] = await Promise.all(pair.sockets.map((socket) => socket.next('matchmaking:proposed')));
    const path = `/api/matchmaking/matches/${proposed.matchId}`;
    ok(await one.get(path));
    if (answer !== 'nothing') ok(await one.post(`${path}/${answer}`));
    if (answer === 'accept') ok(await two.post(`${path}/accept`));
    else clock.advance(10_001);
    await pulse(server);
    for (const player of [one, two]) {
      const { body } = ok(await player.get('/api/matchmaking/tickets/current'));
      if (body.ticket) ok(await player.delete(`/api/matchmaking/tickets/${body.ticket.id}`));
    }
  }
  await firstTwoPages(one, '/api/matchmaking/matches');
}

async function moderation(gameId: string): Promise<void> {
  const [admin, moderator] = [await registerAdmin(server), await registerStaff(server, 'moderator')];
  const pair = await connected(server, 2);
  const [one, two] = pair.players as [Player, Player];
  const [{ matchId }] = await matchUp(server, gameId, 'duel', pair);
  for (const player of [one, two]) ok(await player.post(`/api/matchmaking/matches/${matchId}/result`, { winner: 0 }));
  ok(await one.post(`/api/users/${two.userId}/karma`, { matchId, value: 1 }));
  const spam = { reason: 'spam', description: 'too much of it' };
  ok(await one.post(`/api/users/${two.userId}/reports`, spam));
  ok(await one.post(`/api/users/${two.userId}/reports`, { ...spam, matchId }));
  for (const query of ['', '?assignee=nobody', '?assignee=me', '?state=resolved'])
    await firstTwoPages(moderator, `/api/admin/reports${query}`);
  const [report] = await firstTwoPages(moderator, '/api/admin/reports');
  ok(await moderator.get(`/api/admin/reports/${report.id}`));
  ok(await moderator.patch(`/api/admin/reports/${report.id}`, { assigned: true }));
  const file = `/api/admin/users/${two.userId}`;
  ok(await moderator.post(`${file}/warnings`, { reason: 'because of a test' }));
  ok(await moderator.patch(file, { status: 'banned', reason: 'because of a test' }));
  ok(await moderator.get(file));
  for (const query of ['', '?query=p_', `?query=${one.email}`, '?status=banned', '?status=suspended', '?role=admin'])
    await firstTwoPages(moderator, `/api/admin/users${query}`);
  for (const query of ['', `?actorId=${moderator.userId}`, `?targetId=${two.userId}`, '?action=user.banned'])
    await firstTwoPages(admin, `/api/admin/audit${query}`);
}

async function notifications(mode: Mode): Promise<void> {
  const { players, sockets } = await connected(server, 2);
  const [host, guest] = players as [Player, Player];
  for (let i = 0; i < 2; i++) {
    const { body } = ok(await host.post('/api/lobbies', mode));
    ok(await host.post(`/api/lobbies/${body.id}/invites`, { userId: guest.userId }));
  }
  await tellNews(server);
  await sockets[1]!.next('notification:count', ({ unread }) => unread === 2);
  await firstTwoPages(guest, '/api/notifications?unread=true');
  const [first, second] = await firstTwoPages(guest, '/api/notifications');
  ok(await guest.get('/api/notifications/count'));
  ok(await guest.post(`/api/notifications/${first.id}/read`));
  ok(await guest.post('/api/notifications/read-all'));
  ok(await guest.delete(`/api/notifications/${second.id}`));
  ok(await guest.get('/api/notifications/settings'));
  ok(await guest.put('/api/notifications/settings', { types: { lobbyInvited: { inApp: false } } }));
  ok(await guest.put('/api/notifications/devices/token-of-a-phone', { platform: 'ios' }));
  ok(await guest.delete('/api/notifications/devices/token-of-a-phone'));
}

interface Mode {
  gameId: string;
  mode: string;
}
// tests read untyped JSON
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Item = any;

let keys = 0;
const key = () => ({ 'idempotency-key': `key-${(keys += 1)}` });

function ok(answer: Answer): Answer {
  expect([Math.floor(answer.status / 100), answer.body]).toEqual([2, answer.body]);
  return answer;
}

/** Both kinds of query that a list makes: from the start, and behind a cursor. @returns the items */
async function firstTwoPages(player: Player, path: string): Promise<Item[]> {
  const limited = `${path}${path.includes('?') ? '&' : '?'}limit=1`;
  const { body: first } = ok(await player.get(limited));
  if (first.nextCursor === null) return first.items;
  const { body: second } = ok(await player.get(`${limited}&cursor=${encodeURIComponent(first.nextCursor)}`));
  return [...first.items, ...second.items];
}

beforeAll(async () => {
  // a database that others could share, so that pools are led by leases
  [database, mails, provider] = await Promise.all([startEmbeddedMongo(), startMailServer(), startProvider(CALLBACK)]);
  standIn = await startIgdbStandIn([standInGame(), standInGame()]);
  const { clientId, clientSecret, apiUrl, tokenUrl } = standIn.settings;
  const env = {
    ...accountSettings(mails, provider),
    IGDB_CLIENT_ID: clientId,
    IGDB_CLIENT_SECRET: clientSecret,
    IGDB_API_URL: apiUrl,
    IGDB_TOKEN_URL: tokenUrl,
    MONGODB_URI: withDatabase(database.uri),
    LEASE_TTL_MS: '60000',
    METRICS_PORT: '0',
    ACCESS_TOKEN_SECONDS: '86400',
  };
  server = await startTestServer({ env, clock, runLoops: false });
  await play();
  // a scrape asks the database too
  await request({ url: '' }, 'GET', server.runsOn.metrics!);
  plans = await recorded.plans(await databaseOf(server));
}, 60_000);

afterAll(async () => {
  await standIn.stop();
  await database.stop();
});

it('no query of the main job reads a whole collection', () => {
  const scans = plans.filter(({ stages, collection }) => stages.includes('COLLSCAN') && !(collection in READS_ALL));
  expect(scans.map(({ shape }) => shape)).toEqual([]);
});

it('no query goes through a whole index, but for a page from one end of it', () => {
  const walks = plans.filter(({ unbounded, paged, collection }) => unbounded.length > 0 && !paged && !(collection in READS_ALL)); // prettier-ignore
  expect(walks.map(({ shape, unbounded }) => `${unbounded.join()}: ${shape}`)).toEqual([]);
});

it('no other collection is excused than those that are read whole', () => {
  const whole = plans.filter(({ stages, unbounded }) => stages.includes('COLLSCAN') || unbounded.length > 0);
  const read = new Set(whole.map(({ collection }) => collection));
  expect(Object.keys(READS_ALL).filter((collection) => !read.has(collection))).toEqual([]);
});

it('every route was used with success, so that no query is missed', async () => {
  const { body: metrics } = await request({ url: '' }, 'GET', server.runsOn.metrics!);
  const counts = /^maoga_http_request_duration_seconds_count\{method="(\w+)",route="([^"]+)",status="[23]\d\d"\}/gm;
  const used = new Set([...(metrics as string).matchAll(counts)].map(([, method, route]) => `${method} ${route}`));
  const all = server.routes.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  expect(all.filter((each) => !used.has(each))).toEqual([]);
});
