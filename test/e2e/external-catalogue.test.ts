import {
  standInGame,
  startIgdbStandIn,
  type IgdbStandIn,
} from '../../src/modules/games/external/testing/igdb-stand-in';
import type { MaogaServer } from '../../src/server';
import { registerAdmin, slugs } from '../support/catalogue';
import { registerPlayer, request, type Player } from '../support/client';
import { DUEL } from '../support/matchmaking';
import { startTestServer } from '../support/server';

/** The external catalogue from outside: searches that reach it, the synchronisation, and a server that does without. */

let standIn: IgdbStandIn;
let server: MaogaServer;
let admin: Player;
beforeAll(async () => {
  standIn = await startIgdbStandIn();
  const { clientId, clientSecret, apiUrl, tokenUrl } = standIn.settings;
  const env = {
    IGDB_CLIENT_ID: clientId,
    IGDB_CLIENT_SECRET: clientSecret,
    IGDB_API_URL: `${apiUrl}/`,
    IGDB_TOKEN_URL: tokenUrl,
  };
  server = await startTestServer({ env, runLoops: false });
  admin = await registerAdmin(server);
});
afterEach(() => standIn.always(undefined));
afterAll(() => standIn.stop());

const search = (query: string) => request(server, 'GET', `/api/games?${query}`);

test('a game that is missing here is there with the search for it, and can be played once an admin gives it a mode', async () => {
  standIn.games = [standInGame({ id: 40, name: 'Star Raiders', slug: 'star-raiders' })];
  const { body } = await search('query=star%20rai');
  expect(body.items).toMatchObject([
    { slug: 'star-raiders', modes: [], players: { min: 1, max: 8 }, source: { provider: 'igdb', id: '40' } },
  ]);
  expect((await request(server, 'GET', '/api/games/star-raiders')).body).toEqual(body.items[0]);
  const mode = await admin.put(`/api/games/${body.items[0].id}/modes/duel`, { name: 'Duel', ruleSet: DUEL });
  expect(mode.status).toBe(200);
});

test('what is here, what is filtered and later pages are asked of nobody', async () => {
  const before = standIn.queries.length;
  for (const query of ['query=star', 'query=none&genre=rpg', 'query=none&platform=vr', 'genre=nothing', ''])
    expect((await search(query)).status).toBe(200);
  expect(standIn.queries).toHaveLength(before);
});

test('the synchronisation is for admins, runs in the background and shows how far it is', async () => {
  const player = await registerPlayer(server);
  for (const [method, body] of [
    ['POST', {}],
    ['GET', undefined],
  ] as const) {
    const asPlayer = await request(server, method, '/api/games/sync', { body, token: player.accessToken });
    expect([asPlayer.status, asPlayer.body.code]).toEqual([403, 'FORBIDDEN']);
    expect((await request(server, method, '/api/games/sync', { body })).status).toBe(401);
  }
  expect((await admin.get('/api/games/sync')).body).toMatchObject({ provider: 'igdb', state: 'never' });
  standIn.games = [50, 51, 52].map((id) => standInGame({ id }));
  const started = await admin.post('/api/games/sync', {});
  expect([started.status, started.body.state]).toEqual([202, 'running']);
  expect((await admin.post('/api/games/sync', { full: true })).body.startedAt).toBe(started.body.startedAt);
  await server.loops.get('catalogue')?.tick();
  expect((await admin.get('/api/games/sync')).body).toMatchObject({ state: 'done', total: 3, seen: 3, added: 3 });
  expect(slugs((await search('query=far')).body.items)).toEqual(['far-game-50', 'far-game-51', 'far-game-52']);
  expect((await admin.post('/api/games/sync', { everything: true })).status).toBe(400);
  // the one that was begun, and not the one that ran already
  const { items } = (await admin.get('/api/admin/audit?action=catalogue.syncStarted')).body;
  expect(items).toMatchObject([{ actorId: admin.userId, targetId: null, details: { provider: 'igdb', full: false } }]);
});

// the last one with these settings: the circuit breaker opens
test.each(['slow', 'cut', 'malformed', 500, 429, 401] as const)(
  '%s: a search is answered as without it, in time',
  async (way) => {
    standIn.always(way);
    const begun = performance.now();
    const { status, body } = await search(`query=missing%20${way}`);
    expect([status, body]).toEqual([200, { items: [], nextCursor: null }]);
    expect(performance.now() - begun).toBeLessThan(5_000);
  },
);

test('a server without the settings says so to admins, and searches its own catalogue', async () => {
  const without = await startTestServer({ runLoops: false });
  const boss = await registerAdmin(without);
  for (const answer of [await boss.get('/api/games/sync'), await boss.post('/api/games/sync', {})])
    expect([answer.status, answer.body.code]).toEqual([409, 'CATALOGUE_OFF']);
  expect((await request(without, 'GET', '/api/games?query=missing')).body.items).toEqual([]);
  expect(without.loops.has('catalogue')).toBe(false);
});
