import { registerAdmin, slugs, walkGames } from '../support/catalogue';
import { request, type Answer } from '../support/client';
import { startTestServer } from '../support/server';
import type { MaogaServer } from '../../src/server';

/** The catalogue from outside, as everybody reads it. */

const SEEDED = { SEED_ON_START: 'true' };

let server: MaogaServer;
beforeAll(async () => {
  server = await startTestServer({ env: SEEDED });
});

const read = (path: string): Promise<Answer> => request(server, 'GET', path);
const walk = (query: string, limit: number) => walkGames(server, query, limit);

describe('reading, for everybody', () => {
  test.each([
    ['name', 3, ['age-of-empires-2', 'among-us', 'apex-legends'], ['valheim', 'valorant', 'world-of-warcraft']],
    ['popularity', 7, [], []],
    ['releaseDate', 10, ['monster-hunter-wilds', 'marvel-rivals', 'ea-sports-fc-25'], ['world-of-warcraft', 'chess']],
  ])('pages by %s of %i walk all games exactly once, in order', async (sort, limit, first, last) => {
    const games = await walk(`sort=${sort}`, limit);
    expect(games.length).toBeGreaterThanOrEqual(40);
    expect(new Set(slugs(games)).size).toBe(games.length);
    expect(slugs(await walk(`sort=${sort}`, 100))).toEqual(slugs(games));
    expect(slugs(games).slice(0, first.length)).toEqual(first);
    expect(slugs(games).slice(games.length - last.length)).toEqual(last);
  });

  test.each([
    ['query=league', ['league-of-legends', 'rocket-league']],
    ['query=LEGENDS', ['apex-legends', 'league-of-legends']],
    ['query=pokemon', ['pokemon-unite']],
    ['query=csgo', ['counter-strike-2']],
    ['query=counter%20strike', ['counter-strike-2']],
    ['query=eague', []],
    ['query=.*', []],
    ['query=%24ne', []],
    ['genre=fighting', ['street-fighter-6', 'super-smash-bros-ultimate', 'tekken-8']],
    ['genre=Fighting&platform=switch', ['super-smash-bros-ultimate']],
    ['genre=fighting&query=te', ['tekken-8']],
    ['platform=vr', ['gran-turismo-7', 'phasmophobia']],
    ['genre=racing&sort=releaseDate', ['gran-turismo-7', 'mario-kart-8-deluxe', 'rocket-league']],
    ['genre=knitting', []],
  ])('%s finds %j', async (query, found) => {
    expect(slugs(await walk(query, 100))).toEqual(found);
    expect(slugs(await walk(query, 1))).toEqual(found);
  });

  test('a game is the same by id and by slug, with its modes and whole rule sets', async () => {
    const bySlug = await read('/api/games/league-of-legends');
    expect(bySlug.body).toMatchObject({
      slug: 'league-of-legends',
      name: 'League of Legends',
      releaseDate: '2009-10-27',
      players: { min: 2, max: 10 },
      version: 1,
    });
    const ranked = bySlug.body.modes.find(({ key }: { key: string }) => key === 'ranked-5v5');
    expect(ranked).toMatchObject({
      name: 'Ranked 5v5',
      version: 1,
      ruleSet: { acceptance: { seconds: 20 }, hold: null },
    });
    expect((await read(`/api/games/${bySlug.body.id}`)).body).toEqual(bySlug.body);
  });

  test.each(['no-such-game', 'f'.repeat(24), 'LEAGUE-OF-LEGENDS', '%24where', '..%2F..', '%00', '__proto__'])(
    'there is no game %s',
    async (name) => {
      const { status, body } = await read(`/api/games/${name}`);
      expect([status, body.code]).toEqual([404, 'NOT_FOUND']);
    },
  );

  test.each([
    ['limit=0', 'query.limit'],
    ['limit=101', 'query.limit'],
    ['limit=many', 'query.limit'],
    ['sort=rank', 'query.sort'],
    ['sort=name&sort=popularity', 'query.sort'],
    ['platform=toaster', 'query.platform'],
    ['query=', 'query.query'],
    [`query=${'x'.repeat(65)}`, 'query.query'],
    ['genre[$ne]=x', 'query'],
    ['page=2', 'query'],
  ])('%s is refused, and %s is named', async (query, path) => {
    const { status, body } = await read(`/api/games?${query}`);
    expect([status, body.code]).toEqual([400, 'VALIDATION_FAILED']);
    expect(body.errors.map((error: { path: string }) => error.path)).toEqual([path]);
  });

  test('a cursor of another order, a changed one and nonsense are refused', async () => {
    const { nextCursor } = (await read('/api/games?limit=1&sort=name')).body;
    const forged = Buffer.from(JSON.stringify(['name', { $ne: 1 }, 'x'])).toString('base64url');
    const noId = Buffer.from(JSON.stringify(['name', 'a', 'x'])).toString('base64url');
    for (const [sort, cursor] of [
      ['popularity', nextCursor],
      ['name', forged],
      ['name', noId],
      ['name', '%F0%9F'],
    ]) {
      const { status, body } = await read(`/api/games?sort=${sort}&cursor=${cursor}`);
      expect([status, body.code]).toEqual([400, 'BAD_CURSOR']);
    }
  });
});

test('a second start adds nothing, and what an admin has changed stays', async () => {
  const chess = (await read('/api/games/chess')).body;
  const admin = await registerAdmin(server);
  const changed = (await admin.patch(`/api/games/${chess.id}`, { description: 'Ours now.' })).body;
  const before = await walk('', 100);
  const again = await startTestServer({ env: { ...SEEDED, MONGODB_URI: server.databaseUri } });
  expect((await request(again, 'GET', '/api/games/chess')).body).toEqual(changed);
  expect(slugs(await walk('', 100))).toEqual(slugs(before));
});
