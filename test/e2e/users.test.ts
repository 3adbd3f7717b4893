import type { MaogaServer } from '../../src/server';
import { registerPlayer, request, type Answer, type Player } from '../support/client';
import { startTestServer } from '../support/server';

const NOBODY = '0'.repeat(24);

let names = 0;
const fresh = (prefix = 'u') => `${prefix}${Date.now().toString(36)}${names++}`;
const codeOf = ({ status, body }: Answer) => [status, body.code];
const paths = ({ body }: Answer): string[] => body.errors.map((error: { path: string }) => error.path);
const usernames = ({ body }: Answer): string[] => body.items.map((item: { username: string }) => item.username);

describe('users', () => {
  let server: MaogaServer;
  beforeAll(async () => {
    server = await startTestServer({ env: { SEED_ON_START: 'true' } });
  });

  const newPlayer = (username?: string) => registerPlayer(server, username);
  const two = async () => [await newPlayer(), await newPlayer()] as [Player, Player];
  const view = (viewer: Player, { userId }: Player) => viewer.get(`/api/users/${userId}`);
  const search = (viewer: Player, query: string, more = '') =>
    viewer.get(`/api/users?query=${encodeURIComponent(query)}${more}`);
  const befriend = (from: Player, to: Player) => from.post(`/api/users/me/friends/${to.userId}`);
  const unfriend = (from: Player, to: Player) => from.delete(`/api/users/me/friends/${to.userId}`);
  const block = (from: Player, to: Player) => from.put(`/api/users/me/blocks/${to.userId}`);
  const unblock = (from: Player, to: Player) => from.delete(`/api/users/me/blocks/${to.userId}`);
  const friends = async (of: Player, query = ''): Promise<[string, string][]> =>
    (await of.get(`/api/users/me/friends${query}`)).body.items.map(
      ({ user, state }: { user: { username: string }; state: string }) => [user.username, state],
    );
  const makeFriends = async (one: Player, other: Player) => {
    await befriend(one, other);
    expect((await befriend(other, one)).body.state).toBe('friends');
  };

  describe('my profile', () => {
    test('keeps what I change, and nothing else changes', async () => {
      const player = await newPlayer();
      const before = (await player.get('/api/users/me')).body;
      const change = {
        displayName: 'Zoë the 3rd',
        bio: 'Two lines\nof me',
        avatarUrl: 'https://images.example.test/zoe.png',
        platforms: ['pc', 'switch'],
        visibility: 'friends',
        automatedLobbyMessage: 'hi all',
      };
      const { status, body } = await player.patch('/api/users/me', change);
      expect(status).toBe(200);
      expect(body).toEqual({ ...before, ...change, updatedAt: expect.any(String) });
      expect((await player.get('/api/users/me')).body).toEqual(body);
      expect((await player.patch('/api/users/me', { avatarUrl: null, bio: '' })).body).toMatchObject({
        avatarUrl: null,
        bio: '',
        displayName: 'Zoë the 3rd',
      });
    });

    test('two changes of different fields at once both stay', async () => {
      const player = await newPlayer();
      await Promise.all([
        player.patch('/api/users/me', { bio: 'bio' }),
        player.patch('/api/users/me', { displayName: 'name' }),
        player.patch('/api/users/me/preferences', { regions: ['EU'] }),
        player.patch('/api/users/me/preferences', { languages: ['de'] }),
      ]);
      expect((await player.get('/api/users/me')).body).toMatchObject({
        bio: 'bio',
        displayName: 'name',
        preferences: { regions: ['EU'], languages: ['de'], competitiveness: 'balanced' },
      });
    });

    test.each<[string, unknown, string]>([
      ['nothing', {}, 'body'],
      ['a list', [], 'body'],
      ['an operator', { $set: { role: 'admin' } }, 'body'],
      ['a dotted path', { 'preferences.regions': ['EU'] }, 'body'],
      ['a role', { role: 'admin' }, 'body'],
      ['a rating', { rating: 5000 }, 'body'],
      ['karma', { karma: 1000 }, 'body'],
      ['a status', { status: 'active' }, 'body'],
      ['another address', { email: 'other@example.test' }, 'body'],
      ['another username', { username: 'other' }, 'body'],
      ['__proto__', '{"__proto__":{"role":"admin"},"bio":""}', 'body'],
      ['an operator for a name', { displayName: { $ne: 1 } }, 'body.displayName'],
      ['an empty name', { displayName: '   ' }, 'body.displayName'],
      ['an over-long name', { displayName: 'x'.repeat(51) }, 'body.displayName'],
      ['an over-long bio', { bio: 'x'.repeat(501) }, 'body.bio'],
      ['control characters', { bio: 'a\u0000b' }, 'body.bio'],
      ['a script for an avatar', { avatarUrl: 'javascript:alert(1)' }, 'body.avatarUrl'],
      ['an avatar without TLS', { avatarUrl: 'http://example.test/a.png' }, 'body.avatarUrl'],
      ['an unknown platform', { platforms: ['abacus'] }, 'body.platforms.0'],
      ['a platform twice', { platforms: ['pc', 'pc'] }, 'body.platforms'],
      ['an unknown visibility', { visibility: 'all' }, 'body.visibility'],
    ])('%s is refused, says where, and changes nothing', async (_what, change, path) => {
      const player = await newPlayer();
      const before = (await player.get('/api/users/me')).body;
      const answer = await player.patch('/api/users/me', change);
      expect(codeOf(answer)).toEqual([400, 'VALIDATION_FAILED']);
      expect(paths(answer)).toContain(path);
      expect((await player.get('/api/users/me')).body).toEqual(before);
    });
  });

  describe('preferences', () => {
    test('are changed one by one', async () => {
      const player = await newPlayer();
      const game = (await player.get('/api/games?limit=1')).body.items[0].id;
      const change = (body: object) => player.patch('/api/users/me/preferences', body);
      await change({ competitiveness: 'competitive', preferredGames: [game] });
      expect((await change({ regions: ['EU', 'NA'], languages: ['en', 'pt-BR'] })).body.preferences).toEqual({
        competitiveness: 'competitive',
        regions: ['EU', 'NA'],
        languages: ['en', 'pt-BR'],
        preferredGames: [game],
      });
    });

    test.each<[string, object, string]>([
      ['an unknown region', { regions: ['EU', 'MOON'] }, 'body.regions.1'],
      ['a language that is none', { languages: ['english!'] }, 'body.languages.0'],
      ['too many languages', { languages: Array.from('abcdefghijk', (letter) => `e${letter}`) }, 'body.languages'],
      ['a game that is no id', { preferredGames: ['chess'] }, 'body.preferredGames.0'],
      ['a game of no catalogue', { preferredGames: [NOBODY] }, 'body.preferredGames.0'],
      ['an unknown word', { competitiveness: 'deadly' }, 'body.competitiveness'],
      ['nothing', {}, 'body'],
    ])('%s is refused, and says where', async (_what, change, path) => {
      const answer = await (await newPlayer()).patch('/api/users/me/preferences', change);
      expect(codeOf(answer)).toEqual([400, 'VALIDATION_FAILED']);
      expect(paths(answer)).toContain(path);
    });
  });

  describe('game profiles', () => {
    test('are put in the place of what was there, and removed', async () => {
      const player = await newPlayer();
      const [one, two] = (await player.get('/api/games?limit=2')).body.items.map((game: { id: string }) => game.id);
      const put = (gameId: string, body: object) => player.put(`/api/users/me/game-profiles/${gameId}`, body);
      const first = await put(one, { inGameName: 'Zed', rank: 'Gold II', skillLevel: 60, roles: ['support'] });
      expect(first.body).toMatchObject({ gameId: one, inGameName: 'Zed', rank: 'Gold II', skillLevel: 60 });
      await put(two, { inGameName: 'Other' });
      await put(one, { inGameName: 'Zed2' });
      const { gameProfiles } = (await player.get('/api/users/me')).body;
      expect(gameProfiles).toMatchObject([
        { gameId: one, inGameName: 'Zed2', rank: null, skillLevel: null, roles: [] },
        { gameId: two, inGameName: 'Other' },
      ]);
      expect((await player.delete(`/api/users/me/game-profiles/${one}`)).status).toBe(204);
      expect(codeOf(await player.delete(`/api/users/me/game-profiles/${one}`))).toEqual([404, 'NOT_FOUND']);
      expect((await player.get('/api/users/me')).body.gameProfiles).toMatchObject([{ gameId: two }]);
    });

    test('ten writes of one at once leave one', async () => {
      const player = await newPlayer();
      const gameId = (await player.get('/api/games?limit=1')).body.items[0].id;
      const write = (i: number) => player.put(`/api/users/me/game-profiles/${gameId}`, { inGameName: `n${i}` });
      const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => write(i)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect((await player.get('/api/users/me')).body.gameProfiles).toHaveLength(1);
    });

    test.each<[string, object, string]>([
      ['no name', {}, 'body.inGameName'],
      ['a level of 0', { inGameName: 'x', skillLevel: 0 }, 'body.skillLevel'],
      ['a level of 101', { inGameName: 'x', skillLevel: 101 }, 'body.skillLevel'],
      ['a level in words', { inGameName: 'x', skillLevel: '60' }, 'body.skillLevel'],
      ['a rating', { inGameName: 'x', rating: { mu: 99 } }, 'body'],
    ])('%s is refused, and says where', async (_what, body, path) => {
      const player = await newPlayer();
      const gameId = (await player.get('/api/games?limit=1')).body.items[0].id;
      const answer = await player.put(`/api/users/me/game-profiles/${gameId}`, body);
      expect(codeOf(answer)).toEqual([400, 'VALIDATION_FAILED']);
      expect(paths(answer)).toContain(path);
    });

    test('a game of no catalogue is not found', async () => {
      const player = await newPlayer();
      const put = (gameId: string) => player.put(`/api/users/me/game-profiles/${gameId}`, { inGameName: 'x' });
      expect(codeOf(await put(NOBODY))).toEqual([404, 'NOT_FOUND']);
      expect(paths(await put('chess'))).toEqual(['path.gameId']);
    });
  });

  describe('what others see', () => {
    const card = (player: Player) => ({
      id: player.userId,
      username: player.username,
      displayName: player.username,
      avatarUrl: null,
    });
    const profile = expect.objectContaining({ bio: 'me', gameProfiles: [], preferences: expect.any(Object) });

    test.each([
      ['public', 'profile', 'profile'],
      ['friends', 'profile', 'card'],
      ['private', 'card', 'nothing'],
    ])('a %s profile shows a friend the %s and a stranger the %s', async (visibility, toFriend, toStranger) => {
      const [owner, friend] = await two();
      const stranger = await newPlayer();
      await owner.patch('/api/users/me', { visibility, bio: 'me' });
      await makeFriends(friend, owner);
      expect((await view(owner, owner)).body).toEqual({ ...card(owner), friendship: null, profile });
      const shown = { profile, card: null };
      for (const [viewer, sight, friendship] of [
        [friend, toFriend, 'friends'],
        [stranger, toStranger, null],
      ] as const) {
        const answer = await view(viewer, owner);
        if (sight === 'nothing') expect(codeOf(answer)).toEqual([404, 'NOT_FOUND']);
        else expect(answer.body).toEqual({ ...card(owner), friendship, profile: shown[sight as keyof typeof shown] });
      }
    });

    test('nobody sees address, role or lobby message of another one', async () => {
      const [owner, viewer] = await two();
      await owner.patch('/api/users/me', { automatedLobbyMessage: 'secret greeting' });
      const text = JSON.stringify((await view(viewer, owner)).body);
      expect(text).not.toMatch(/@|role|secret greeting|password|tokenVersion|status/);
    });

    test('a block hides both from each other, whoever set it', async () => {
      const [one, other] = await two();
      await makeFriends(one, other);
      expect((await block(one, other)).status).toBe(204);
      for (const answer of [await view(one, other), await view(other, one)])
        expect(codeOf(answer)).toEqual([404, 'NOT_FOUND']);
      expect([await friends(one), await friends(other)]).toEqual([[], []]);
    });

    test('an unknown id is not found, a bad one is refused', async () => {
      const player = await newPlayer();
      expect(codeOf(await player.get(`/api/users/${NOBODY}`))).toEqual([404, 'NOT_FOUND']);
      expect(paths(await player.get('/api/users/[$ne]'))).toEqual(['path.id']);
    });
  });

  describe('searching', () => {
    test('finds by how a name or a word of it begins, whatever case and accents, and by no pattern', async () => {
      const tag = fresh();
      const player = await newPlayer(`${tag}_Max`);
      await player.patch('/api/users/me', { displayName: `Über ${tag}boss` });
      const viewer = await newPlayer();
      for (const query of [tag, tag.toUpperCase(), `${tag}_m`, `${tag} max`, `uber ${tag}`, `ÜBER`, `${tag}BO`])
        expect([query, usernames(await search(viewer, query))]).toEqual([
          query,
          expect.arrayContaining([player.username]),
        ]);
      for (const query of [`x${tag}`, `${tag}.*x`, `^${tag}$x`, '.*', '(', '\\', '$ne'])
        expect([query, usernames(await search(viewer, query))]).toEqual([query, []]);
      await player.patch('/api/users/me', { displayName: 'Somebody else' });
      expect(usernames(await search(viewer, `${tag}bo`))).toEqual([]);
    });

    test('shows neither private players nor those with a block between, and no more than a card', async () => {
      const tag = fresh();
      const [open, hidden] = [await newPlayer(`${tag}open`), await newPlayer(`${tag}hidden`)];
      const [blocking, blocked] = [await newPlayer(`${tag}blocking`), await newPlayer(`${tag}blocked`)];
      const viewer = await newPlayer();
      await hidden.patch('/api/users/me', { visibility: 'private' });
      await block(blocking, viewer);
      await block(viewer, blocked);
      const { body } = await search(viewer, tag);
      expect(body.items).toEqual([
        { id: open.userId, username: open.username, displayName: open.username, avatarUrl: null },
      ]);
    });

    test('goes on page by page in the order of usernames', async () => {
      const tag = fresh();
      const made: string[] = [];
      for (const letter of ['C', 'a', 'E', 'b', 'd']) made.push((await newPlayer(`${tag}${letter}`)).username);
      const viewer = await newPlayer();
      const seen: string[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const page: Answer = await search(viewer, tag, `&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
        seen.push(...usernames(page));
        cursor = page.body.nextCursor;
      }
      expect(seen).toEqual(['a', 'b', 'C', 'd', 'E'].map((letter) => `${tag}${letter}`));
      expect(seen.toSorted()).toEqual(made.toSorted());
      expect(codeOf(await search(viewer, tag, '&cursor=e30'))).toEqual([400, 'BAD_CURSOR']);
    });

    test.each([
      ['', 'query.query'],
      ['?query=', 'query.query'],
      [`?query=${'x'.repeat(51)}`, 'query.query'],
      ['?query=a&query=b', 'query.query'],
      ['?query=a&limit=101', 'query.limit'],
      ['?query=a&role=admin', 'query'],
      ['?query[$ne]=a', 'query.query'],
    ])('refuses %j, and says where', async (query, path) => {
      const answer = await (await newPlayer()).get(`/api/users${query}`);
      expect(codeOf(answer)).toEqual([400, 'VALIDATION_FAILED']);
      expect(paths(answer)).toContain(path);
    });
  });

  describe('friends', () => {
    test('are asked and accept, and both are told', async () => {
      const [ann, bob] = await two();
      const [atAnn, atBob] = [await ann.connect(), await bob.connect()];
      expect((await befriend(ann, bob)).body).toMatchObject({ user: { id: bob.userId }, state: 'outgoing' });
      expect([await friends(ann), await friends(bob)]).toEqual([
        [[bob.username, 'outgoing']],
        [[ann.username, 'incoming']],
      ]);
      const asked = await atBob.next('notification:new');
      expect(asked.notification).toMatchObject({ type: 'friendRequested', data: { userId: ann.userId } });
      expect((await view(bob, ann)).body.friendship).toBe('incoming');
      expect((await befriend(bob, ann)).body.state).toBe('friends');
      const accepted = await atAnn.next('notification:new');
      expect(accepted.notification).toMatchObject({ type: 'friendAccepted', data: { userId: bob.userId } });
      expect([await friends(ann), await friends(bob)]).toEqual([
        [[bob.username, 'friends']],
        [[ann.username, 'friends']],
      ]);
    });

    test('asking twice asks once; both asking at once are friends', async () => {
      const [ann, bob] = await two();
      await Promise.all(Array.from({ length: 5 }, () => befriend(ann, bob)));
      expect(await friends(bob)).toEqual([[ann.username, 'incoming']]);
      const [carl, dora] = await two();
      const answers = await Promise.all([befriend(carl, dora), befriend(dora, carl)]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(answers.map(({ body }) => body.state).sort()).toEqual(['friends', 'outgoing']);
      expect([await friends(carl), await friends(dora)]).toEqual([
        [[dora.username, 'friends']],
        [[carl.username, 'friends']],
      ]);
    });

    test('a request is declined, taken back, and a friendship ended, each by either one', async () => {
      const [ann, bob] = await two();
      for (const end of [() => unfriend(bob, ann), () => unfriend(ann, bob)]) {
        await befriend(ann, bob);
        expect((await end()).status).toBe(204);
        expect([await friends(ann), await friends(bob)]).toEqual([[], []]);
        await makeFriends(ann, bob);
        expect((await end()).status).toBe(204);
        expect([await friends(ann), await friends(bob)]).toEqual([[], []]);
      }
      expect(codeOf(await unfriend(ann, bob))).toEqual([404, 'NOT_FOUND']);
    });

    test('are listed by state, newest first, page by page', async () => {
      const [me, first] = await two();
      const [second, third] = await two();
      await befriend(me, first);
      await befriend(second, me);
      await makeFriends(third, me);
      expect(await friends(me)).toEqual([
        [third.username, 'friends'],
        [second.username, 'incoming'],
        [first.username, 'outgoing'],
      ]);
      for (const [state, player] of [
        ['friends', third],
        ['incoming', second],
        ['outgoing', first],
      ] as const)
        expect(await friends(me, `?state=${state}`)).toEqual([[player.username, state]]);
      const page = (await me.get('/api/users/me/friends?limit=2')).body;
      expect(await friends(me, `?limit=2&cursor=${page.nextCursor}`)).toEqual([[first.username, 'outgoing']]);
      const cursor = Buffer.from('[1e300,"x"]').toString('base64url');
      expect(codeOf(await me.get(`/api/users/me/friends?cursor=${cursor}`))).toEqual([400, 'BAD_CURSOR']);
      expect(paths(await me.get('/api/users/me/friends?state=blocked'))).toEqual(['query.state']);
    });

    test('nobody befriends themselves, nobody, or across a block', async () => {
      const [ann, bob] = await two();
      expect(codeOf(await befriend(ann, ann))).toEqual([409, 'CONFLICT']);
      expect(codeOf(await ann.post(`/api/users/me/friends/${NOBODY}`))).toEqual([404, 'NOT_FOUND']);
      expect(paths(await ann.post('/api/users/me/friends/$ne'))).toEqual(['path.userId']);
      await block(ann, bob);
      expect(codeOf(await befriend(ann, bob))).toEqual([403, 'BLOCKED']);
      // that he is blocked is not Bob's to know
      expect(codeOf(await befriend(bob, ann))).toEqual([404, 'NOT_FOUND']);
    });

    test('a stranger ends no friendship of others', async () => {
      const [ann, bob] = await two();
      const stranger = await newPlayer();
      await makeFriends(ann, bob);
      expect((await unfriend(stranger, ann)).status).toBe(404);
      expect((await unblock(stranger, ann)).status).toBe(204);
      expect(await friends(ann)).toEqual([[bob.username, 'friends']]);
      expect(await friends(stranger)).toEqual([]);
    });
  });

  describe('blocks', () => {
    test('are set and lifted by each for themselves', async () => {
      const [ann, bob] = await two();
      const blocked = async (player: Player): Promise<string[]> =>
        (await player.get('/api/users/me/blocks')).body.items.map((item: { user: { id: string } }) => item.user.id);
      await Promise.all([block(ann, bob), block(bob, ann), block(ann, bob)]);
      expect([await blocked(ann), await blocked(bob)]).toEqual([[bob.userId], [ann.userId]]);
      await unblock(ann, bob);
      expect([await blocked(ann), await blocked(bob)]).toEqual([[], [ann.userId]]);
      expect((await view(ann, bob)).status).toBe(404);
      await unblock(ann, bob);
      expect(await blocked(bob)).toEqual([ann.userId]);
      await unblock(bob, ann);
      expect((await view(ann, bob)).status).toBe(200);
      expect((await befriend(ann, bob)).body.state).toBe('outgoing');
    });

    test('a block and a request at the same moment: the block is what stays', async () => {
      for (let round = 0; round < 10; round++) {
        const [ann, bob] = await two();
        const [blocking, asking] = await Promise.all([block(ann, bob), befriend(bob, ann)]);
        expect([blocking.status, [200, 404].includes(asking.status)]).toEqual([204, true]);
        expect([await friends(ann), await friends(bob)]).toEqual([[], []]);
        expect((await view(bob, ann)).status).toBe(404);
      }
    });

    test('bar invitations', async () => {
      const [ann, bob] = await two();
      const game = (await ann.get('/api/games?limit=1')).body.items[0];
      const lobby = await ann.post('/api/lobbies', { gameId: game.id, mode: game.modes[0].key });
      await block(bob, ann);
      const invitation = await ann.post(`/api/lobbies/${lobby.body.id}/invites`, { userId: bob.userId });
      expect(codeOf(invitation)).toEqual([403, 'BLOCKED']);
    });

    test('nobody blocks themselves or nobody', async () => {
      const player = await newPlayer();
      expect(codeOf(await block(player, player))).toEqual([409, 'CONFLICT']);
      expect(codeOf(await player.put(`/api/users/me/blocks/${NOBODY}`))).toEqual([404, 'NOT_FOUND']);
    });
  });

  test('none of it works without a token', async () => {
    const player = await newPlayer();
    const routes = server.routes.filter(({ path }) => path.startsWith('/api/users'));
    expect(routes.length).toBeGreaterThan(10);
    for (const { method, path } of routes) {
      const { status } = await request(server, method.toUpperCase(), path.replaceAll(/:\w+/g, player.userId), {
        ...(method === 'patch' || method === 'put' ? { body: {} } : {}),
      });
      expect([method, path, status]).toEqual([method, path, 401]);
    }
  });
});
