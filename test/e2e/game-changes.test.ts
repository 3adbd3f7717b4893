import type { RuleSetInput } from '../../src/modules/games/rule-set';
import type { MaogaServer } from '../../src/server';
import { addGameAs, newGame, registerAdmin, slugs, walkGames } from '../support/catalogue';
import { playerOf, registerPlayer, request, type Answer, type Player } from '../support/client';
import { connected, DUEL, pulse, search } from '../support/matchmaking';
import { shiftedClock, startTestServer } from '../support/server';

/** The catalogue from outside, as admins change it and as matchmaking follows. */

const LONG_TOKENS = { ACCESS_TOKEN_SECONDS: '86400' };
const clock = shiftedClock();

let server: MaogaServer;
let admin: Player;
beforeAll(async () => {
  server = await startTestServer({ env: LONG_TOKENS, clock });
  admin = await registerAdmin(server);
});

const read = (path: string): Promise<Answer> => request(server, 'GET', path);
const walk = (query: string, limit: number) => walkGames(server, query, limit);
const addGame = (more: object = {}) => addGameAs(admin, more);

describe('changes', () => {
  const attempts = (id: string): [method: string, path: string, body: object][] => [
    ['POST', '/api/games', newGame()],
    ['PATCH', `/api/games/${id}`, { name: 'Taken over' }],
    ['PUT', `/api/games/${id}/modes/duel`, { ruleSet: DUEL }],
    ['PUT', `/api/games/${id}/modes/mine`, { name: 'Mine', ruleSet: DUEL }],
  ];

  test('are for admins: a player gets 403, a stranger 401, and nothing has changed', async () => {
    const before = await addGame();
    const player = await registerPlayer(server);
    for (const [method, path, body] of attempts(before.id)) {
      const asPlayer = await request(server, method, path, { body, token: player.accessToken });
      expect([asPlayer.status, asPlayer.body.code]).toEqual([403, 'FORBIDDEN']);
      expect((await request(server, method, path, { body })).status).toBe(401);
    }
    expect((await read(`/api/games/${before.id}`)).body).toEqual(before);
    expect(await walk('query=taken over', 10)).toEqual([]);
  });

  test('a new game is there to be found, with the version 1 of everything', async () => {
    const game = await addGame({ name: 'Zażółć Gęślą', aliases: ['ZG!'], releaseDate: '2026-02-01' });
    expect(game).toMatchObject({ version: 1, releaseDate: '2026-02-01', modes: [{ key: 'duel', version: 1 }] });
    for (const query of ['zazo', 'gesla', 'zg']) expect(slugs(await walk(`query=${query}`, 10))).toEqual([game.slug]);
    expect((await read(`/api/games/${game.slug}`)).body).toEqual(game);
  });

  test('twenty add the same slug at once: one does, nineteen are told', async () => {
    const game = newGame();
    const answers = await Promise.all(Array.from({ length: 20 }, () => admin.post('/api/games', game)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status, body }) => status === 409 && body.code === 'SLUG_TAKEN')).toHaveLength(19);
  });

  test.each<[object, string]>([
    [{ slug: 'Not A Slug' }, 'body.slug'],
    [{ slug: 'trending' }, 'body.slug'],
    [{ slug: 'a'.repeat(24) }, 'body.slug'],
    [{ name: ' ' }, 'body.name'],
    [{ platforms: ['toaster'] }, 'body.platforms.0'],
    [{ platforms: [] }, 'body.platforms'],
    [{ genres: ['board', 'board'] }, 'body.genres'],
    [{ releaseDate: '2026-02-30' }, 'body.releaseDate'],
    [{ players: { min: 5, max: 2 } }, 'body.players.max'],
    [{ matches: 1_000_000 }, 'body'],
    [{ modes: [1, 2].map(() => ({ key: 'duel', name: 'Duel', ruleSet: DUEL })) }, 'body.modes.1.key'],
    [{ modes: [{ key: 'duel', name: 'Duel', ruleSet: {} }] }, 'body.modes.0.ruleSet.teams'],
  ])('a game with %j is refused, and %s is named', async (fault, path) => {
    const { status, body } = await admin.post('/api/games', newGame(fault));
    expect([status, body.code]).toEqual([400, 'VALIDATION_FAILED']);
    expect(body.errors.map((error: { path: string }) => error.path)).toEqual([path]);
  });

  test('what is said of a game changes, is found under the new name only, and counts its version up', async () => {
    const game = await addGame({ name: 'Oldname Quest', aliases: ['oq'] });
    const patched = await admin.patch(`/api/games/${game.id}`, { name: 'Newname Quest', releaseDate: '2026-03-04' });
    expect(patched.body).toMatchObject({ ...game, name: 'Newname Quest', releaseDate: '2026-03-04', version: 2, updatedAt: expect.any(String) }); // prettier-ignore
    expect(await walk('query=oldname', 10)).toEqual([]);
    for (const query of ['newname', 'oq']) expect(slugs(await walk(`query=${query}`, 10))).toEqual([game.slug]);
    expect((await admin.patch(`/api/games/${game.id}`, { releaseDate: null })).body.releaseDate).toBeNull();
  });

  test.each<[object, number, string]>([
    [{}, 400, 'VALIDATION_FAILED'],
    [{ version: 1 }, 400, 'VALIDATION_FAILED'],
    [{ slug: 'another' }, 400, 'VALIDATION_FAILED'],
    [{ modes: [] }, 400, 'VALIDATION_FAILED'],
    [{ name: { $set: 'x' } }, 400, 'VALIDATION_FAILED'],
    [{ name: 'Late', version: 7 }, 409, 'VERSION_CONFLICT'],
  ])('the change %j of a game is answered %i %s and changes nothing', async (change, status, code) => {
    const game = await addGame();
    const answer = await admin.patch(`/api/games/${game.id}`, change);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect((await read(`/api/games/${game.id}`)).body).toEqual(game);
  });

  test('five faults of a rule set are each named by their place', async () => {
    const game = await addGame();
    const ruleSet = {
      teams: { count: 0, size: { min: 1, max: 1 } },
      skill: { maxSpread: { value: 5, steps: [{ afterSeconds: 30, value: 4 }] } },
      acceptance: { seconds: 1 },
      results: { agreement: 'loudest' },
      elo: true,
    };
    const { status, body } = await admin.put(`/api/games/${game.id}/modes/duel`, { ruleSet });
    expect([status, body.code]).toEqual([400, 'VALIDATION_FAILED']);
    expect(body.errors.map((error: { path: string }) => error.path).sort()).toEqual([
      'body.ruleSet',
      'body.ruleSet.acceptance.seconds',
      'body.ruleSet.results.agreement',
      'body.ruleSet.skill.maxSpread.steps.0.value',
      'body.ruleSet.teams.count',
    ]);
    for (const { message } of body.errors) expect(message).not.toBe('');
    expect((await read(`/api/games/${game.id}`)).body).toEqual(game);
  });

  test('a mode is added, replaced and counted; its game keeps its own version', async () => {
    const game = await addGame();
    const path = `/api/games/${game.id}/modes/trio`;
    const trio: RuleSetInput = { teams: { count: 1, size: { min: 3, max: 3 } } };
    const nameless = await admin.put(path, { ruleSet: trio });
    expect([nameless.status, nameless.body.errors[0].path]).toEqual([400, 'body.name']);
    expect((await admin.put(path, { name: 'Trio', ruleSet: trio, version: 0 })).body).toMatchObject({
      key: 'trio',
      version: 1,
    });
    const again = await admin.put(path, { name: 'Trio', ruleSet: trio, version: 0 });
    expect([again.status, again.body.code]).toEqual([409, 'VERSION_CONFLICT']);
    const replaced = await admin.put(path, { ruleSet: { ...trio, backfill: true }, version: 1 });
    expect(replaced.body).toMatchObject({ name: 'Trio', version: 2, ruleSet: { ...trio, backfill: true } });
    const { body } = await read(`/api/games/${game.id}`);
    expect(body).toMatchObject({ version: 1, modes: [{ key: 'duel', version: 1 }, replaced.body] });
    const elsewhere = await admin.put(`/api/games/${'f'.repeat(24)}/modes/trio`, { name: 'Trio', ruleSet: trio });
    expect(elsewhere.status).toBe(404);
  });

  test('eight changes of a mode at once count its version up to 9, each one once', async () => {
    const game = await addGame();
    const path = `/api/games/${game.id}/modes/duel`;
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => admin.put(path, { ruleSet: { ...DUEL, ticketSeconds: 100 + i } })),
    );
    expect(answers.map(({ body }) => body.version).toSorted((a, b) => a - b)).toEqual(answers.map((_, i) => i + 2));
    const last = answers.find(({ body }) => body.version === 9)!.body;
    expect((await read(`/api/games/${game.id}`)).body.modes).toEqual([last]);
  });

  test('twenty admins change the same version: one does, nineteen are told', async () => {
    const game = await addGame();
    const path = `/api/games/${game.id}/modes/duel`;
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => admin.put(path, { ruleSet: { ...DUEL, backfill: true }, version: 1 })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status, body }) => status === 409 && body.code === 'VERSION_CONFLICT')).toHaveLength(19);
    expect((await read(`/api/games/${game.id}`)).body.modes[0].version).toBe(2);
  });
});

describe('matchmaking follows', () => {
  test('two wait for a third until an admin says that two are enough; then the game is trending', async () => {
    const game = await addGame({ modes: [] });
    const path = `/api/games/${game.id}/modes/group`;
    const group = (size: number): RuleSetInput => ({ teams: { count: 1, size: { min: size, max: size } } });
    await admin.put(path, { name: 'Group', ruleSet: group(3) });
    const { players, sockets } = await connected(server, 2);
    for (const player of players) await search(player, game.id, 'group');
    await pulse(server);
    await admin.put(path, { ruleSet: group(2) });
    await pulse(server);
    const matched = await Promise.all(sockets.map((socket) => socket.next('matchmaking:matched')));
    expect(new Set(matched.map(({ matchId }) => matchId)).size).toBe(1);
    const { body } = await read('/api/games/trending');
    expect(body).toMatchObject({ items: [{ id: game.id, matches: { total: 1, recent: 1 } }], nextCursor: null });
    expect(slugs(await walk('sort=popularity', 100))[0]).toBe(game.slug);
  });

  test('another instance uses the new rules without a restart, within two seconds', async () => {
    const other = await startTestServer({ env: { ...LONG_TOKENS, MONGODB_URI: server.databaseUri }, clock });
    const game = await addGame();
    const path = `/api/games/${game.id}/modes/duel`;
    const host = await registerPlayer(server);
    const seats = async (at: MaogaServer): Promise<number> =>
      (await playerOf(at, host).post('/api/lobbies', { gameId: game.id, mode: 'duel' })).body.capacity;
    expect([await seats(server), await seats(other)]).toEqual([2, 2]);
    await admin.put(path, { ruleSet: { teams: { count: 2, size: { min: 3, max: 3 } } } });
    expect(await seats(server)).toBe(6);
    clock.advance(2000);
    expect(await seats(other)).toBe(6);
  });
});
