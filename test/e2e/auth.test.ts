import { createHmac } from 'node:crypto';
import jwt from 'jsonwebtoken';
import mongoose from 'mongoose';
import type { MaogaServer } from '../../src/server';
import { connectSocket, playerOf, registerPlayer, request, type Answer, type Player } from '../support/client';
import { shiftedClock, startTestServer } from '../support/server';
import { inDatabaseOf } from '../support/matchmaking';

/** As test/support/server.ts sets it. */
const SECRET = 'j'.repeat(32);
const DAY_MS = 86_400_000;

let names = 0;
const fresh = (prefix = 'u') => `${prefix}${Date.now().toString(36)}${names++}`;
const account = (username = fresh()) => ({ email: `${username}@example.test`, username, password: 'correct horse' });

const times = <Result>(count: number, work: (i: number) => Promise<Result>) =>
  Promise.all(Array.from({ length: count }, (_, i) => work(i)));
const statuses = (answers: Answer[]) => answers.map(({ status }) => status).sort();

describe('auth', () => {
  let server: MaogaServer;
  const clock = shiftedClock();
  beforeAll(async () => {
    server = await startTestServer({ clock });
  });

  const post = (path: string, body: unknown, token?: string) =>
    request(server, 'POST', path, { body, ...(token === undefined ? {} : { token }) });
  const me = (token: string, at: MaogaServer = server) => request(at, 'GET', '/api/users/me', { token });
  const login = (identifier: string, password: string) => post('/api/auth/login', { identifier, password });
  const refresh = (refreshToken: string) => post('/api/auth/refresh', { refreshToken });

  /** Another instance on the same database, for as long as `work` takes. */
  const withInstance = async (env: Record<string, string>, work: (instance: MaogaServer) => Promise<void>) => {
    const instance = await startTestServer({ clock, env: { MONGODB_URI: server.databaseUri, ...env } });
    try {
      await work(instance);
    } finally {
      await instance.stop();
    }
  };

  /** Another session of the same player. */
  const again = async (player: Player): Promise<Player> => {
    const { body } = await login(player.email, player.password);
    return playerOf(server, { ...player, accessToken: body.accessToken, refreshToken: body.refreshToken });
  };

  describe('registering', () => {
    test('makes an account that is signed in, and shows nothing of the password', async () => {
      const wanted = account();
      const { status, headers, body } = await post('/api/auth/register', { ...wanted, displayName: 'Ann Ü.' });
      expect(status).toBe(201);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(body.user).toMatchObject({
        email: wanted.email,
        username: wanted.username,
        displayName: 'Ann Ü.',
        role: 'player',
        visibility: 'public',
      });
      expect(Object.keys(body).sort()).toEqual(['accessToken', 'refreshToken', 'user']);
      expect(JSON.stringify(body)).not.toMatch(/passwordHash|\$2b\$|tokenVersion/);
      expect((await me(body.accessToken)).body).toEqual(body.user);
    });

    test('twenty at once for one name, in any case: one gets it', async () => {
      const name = fresh('Same');
      const answers = await times(20, (i) =>
        post('/api/auth/register', { ...account(), username: i % 2 ? name : name.toUpperCase() }),
      );
      expect(statuses(answers)).toEqual([201, ...Array<number>(19).fill(409)]);
      const refused = answers.filter(({ status }) => status === 409);
      expect(new Set(refused.map(({ body }) => body.code))).toEqual(new Set(['USERNAME_TAKEN']));
    });

    test('twenty at once for one address, in any case: one gets it', async () => {
      const address = `${fresh('Same')}@Example.Test`;
      const answers = await times(20, (i) =>
        post('/api/auth/register', { ...account(), email: i % 2 ? address : address.toLowerCase() }),
      );
      expect(statuses(answers)).toEqual([201, ...Array<number>(19).fill(409)]);
      const refused = answers.filter(({ status }) => status === 409);
      expect(new Set(refused.map(({ body }) => body.code))).toEqual(new Set(['EMAIL_TAKEN']));
    });

    test('takes a password of 72 bytes as it is, and as a keyboard composes it', async () => {
      const wanted = { ...account(), password: 'é'.repeat(36) };
      expect((await post('/api/auth/register', wanted)).status).toBe(201);
      expect((await login(wanted.username, 'e\u0301'.repeat(36))).status).toBe(200);
      expect((await login(wanted.username, `${'é'.repeat(35)}e`)).status).toBe(401);
    });

    test.each<[string, object, string]>([
      ['nothing', { email: undefined }, 'body.email'],
      ['an address that is none', { email: 'a@b' }, 'body.email'],
      ['an operator for an address', { email: { $gt: '' } }, 'body.email'],
      ['an over-long address', { email: `${'a'.repeat(250)}@example.test` }, 'body.email'],
      ['a list of names', { username: ['a', 'b'] }, 'body.username'],
      ['a name with a space', { username: 'ann b' }, 'body.username'],
      ['a name that looks like another in print', { username: 'аnn_b' }, 'body.username'],
      ['a name that is too short', { username: 'ab' }, 'body.username'],
      ['a name that is too long', { username: 'a'.repeat(25) }, 'body.username'],
      ['the name of the operators', { username: 'AdMin' }, 'body.username'],
      ['a number for a password', { password: 12_345_678 }, 'body.password'],
      ['a password of seven characters', { password: 'sevench' }, 'body.password'],
      ['a password of 73 bytes', { password: `${'é'.repeat(36)}x` }, 'body.password'],
      ['a password that everybody tries', { password: 'Password1' }, 'body.password'],
      ['half a character', { password: 'long enough \ud800' }, 'body.password'],
      [
        'the address as the password',
        { email: 'me.myself@example.test', password: 'Me.Myself@example.test' },
        'body.password',
      ],
      ['a display name of two lines', { displayName: 'Ann\nBob' }, 'body.displayName'],
      ['a display name that turns the text round', { displayName: '\u202enna' }, 'body.displayName'],
      ['a role', { role: 'admin' }, 'body'],
      ['a token version', { tokenVersion: 7 }, 'body'],
    ])('refuses %s, and says where', async (_what, change, path) => {
      const { status, body } = await post('/api/auth/register', { ...account(), ...change });
      expect([status, body.code]).toEqual([400, 'VALIDATION_FAILED']);
      expect(body.errors.map((error: { path: string }) => error.path)).toContain(path);
    });

    test.each(['__proto__', 'constructor'])('refuses %s as a field', async (field) => {
      const text = JSON.stringify(account()).replace('{', `{"${field}":{"role":"admin"},`);
      const { status, body } = await post('/api/auth/register', text);
      expect([status, body.errors[0].path]).toEqual([400, 'body']);
      expect(({} as { role?: string }).role).toBeUndefined();
    });
  });

  describe('logging in', () => {
    test('works by address and by name, whatever the case', async () => {
      const { username, email, password, userId } = await registerPlayer(server, fresh('Ann'));
      for (const identifier of [username, username.toUpperCase(), email, ` ${email.toUpperCase()} `]) {
        const { status, body } = await login(identifier, password);
        expect([status, body.user.id]).toEqual([200, userId]);
        expect((await me(body.accessToken)).status).toBe(200);
      }
    });

    test('tells an unknown account, a wrong password and a banned account apart for nobody but its owner', async () => {
      const [player, banned] = [await registerPlayer(server), await registerPlayer(server)];
      await setStatus(banned, 'banned');
      const answers = [
        await login(fresh('nobody'), player.password),
        await login(player.username, 'wrong password'),
        await login(banned.username, 'wrong password'),
      ];
      const shown = answers.map(({ status, body }) => ({ status, body: { ...body, requestId: '' } }));
      expect(shown[0]).toMatchObject({ status: 401, body: { code: 'BAD_CREDENTIALS' } });
      expect(shown[1]).toEqual(shown[0]);
      expect(shown[2]).toEqual(shown[0]);
      const own = await login(banned.username, banned.password);
      expect([own.status, own.body.code]).toEqual([403, 'ACCOUNT_BANNED']);
    });

    test.each<[string, unknown]>([
      ['no body', undefined],
      ['an operator for a password', { identifier: 'ann', password: { $ne: '' } }],
      ['an operator for an identifier', { identifier: { $regex: '.*' }, password: 'x' }],
      ['no password', { identifier: 'ann' }],
      ['an empty password', { identifier: 'ann', password: '' }],
      ['an over-long password', { identifier: 'ann', password: 'x'.repeat(73) }],
      ['an over-long identifier', { identifier: 'a'.repeat(255), password: 'x' }],
      ['an unknown field', { identifier: 'ann', password: 'x', remember: true }],
    ])('refuses %s', async (_what, body) => {
      const answer = await post('/api/auth/login', body);
      expect([answer.status, answer.body.code]).toEqual([400, 'VALIDATION_FAILED']);
      expect(answer.body.errors.length).toBeGreaterThan(0);
    });

    test('puts a hash of today’s cost in the place of a cheaper one', async () => {
      const player = await registerPlayer(server);
      const before = await hashOf(player);
      const body = { identifier: player.username, password: player.password };
      await withInstance({ BCRYPT_COST: '5' }, async (costly) => {
        expect((await request(costly, 'POST', '/api/auth/login', { body })).status).toBe(200);
      });
      expect([before, await hashOf(player)].map((hash) => hash.slice(0, 7))).toEqual(['$2b$04$', '$2b$05$']);
      expect((await login(player.username, player.password)).status).toBe(200);
    });
  });

  describe('refresh tokens', () => {
    test('each is good once and gives the next; neither it nor its like is stored as it is', async () => {
      const player = await registerPlayer(server);
      const first = await refresh(player.refreshToken);
      expect([first.status, Object.keys(first.body).sort()]).toEqual([200, ['accessToken', 'refreshToken']]);
      expect((await me(first.body.accessToken)).status).toBe(200);
      const second = await refresh(first.body.refreshToken);
      expect(second.status).toBe(200);
      expect(Buffer.from(second.body.refreshToken, 'base64url')).toHaveLength(32);
      const rows = JSON.stringify(await rowsOf('refreshTokens', player));
      for (const token of [player.refreshToken, first.body.refreshToken, second.body.refreshToken])
        expect(rows).not.toContain(token);
      const hash = createHmac('sha256', 'r'.repeat(32)).update(second.body.refreshToken).digest('base64url');
      expect(rows).toContain(hash);
    });

    test('fifty uses of one at once: one wins, and then the session has ended for everybody', async () => {
      const player = await registerPlayer(server);
      const other = await again(player);
      const socket = await player.connect();
      const answers = await times(50, () => refresh(player.refreshToken));
      expect(statuses(answers)).toEqual([200, ...Array<number>(49).fill(401)]);
      const refused = answers.filter(({ status }) => status === 401);
      expect(new Set(refused.map(({ body }) => body.code))).toEqual(new Set(['BAD_REFRESH_TOKEN']));
      const winner = answers.find(({ status }) => status === 200)!.body;
      expect((await refresh(winner.refreshToken)).status).toBe(401);
      expect((await me(winner.accessToken)).status).toBe(401);
      expect((await player.get('/api/users/me')).status).toBe(401);
      await socket.next('session:expired');
      // the player's other device has nothing to do with it
      expect((await other.get('/api/users/me')).status).toBe(200);
      expect((await refresh(other.refreshToken)).status).toBe(200);
    });

    test('a made-up token, and one of an ended session, end nothing', async () => {
      const player = await registerPlayer(server);
      const gone = await again(player);
      await gone.post('/api/auth/logout');
      for (const token of [gone.refreshToken, 'x'.repeat(43), `${player.refreshToken}x`, '', player.accessToken])
        expect((await refresh(token)).status).toBe(token === '' ? 400 : 401);
      expect((await player.get('/api/users/me')).status).toBe(200);
      expect((await refresh(player.refreshToken)).status).toBe(200);
    });

    test.each<[string, unknown]>([
      ['an operator', { refreshToken: { $gt: '' } }],
      ['a number', { refreshToken: 1 }],
      ['an over-long one', { refreshToken: 'x'.repeat(513) }],
      ['none', {}],
    ])('refuses %s', async (_what, body) => {
      const answer = await post('/api/auth/refresh', body);
      expect([answer.status, answer.body.errors[0].path]).toEqual([400, 'body.refreshToken']);
    });

    test('thirty days after logging in the session is over, however often it was refreshed', async () => {
      const player = await registerPlayer(server);
      clock.advance(20 * DAY_MS);
      const { refreshToken } = (await refresh(player.refreshToken)).body;
      clock.advance(10 * DAY_MS - 5 * 60_000);
      const { status, body } = await refresh(refreshToken);
      expect([status, (await me(body.accessToken)).status]).toEqual([200, 200]);
      clock.advance(5 * 60_000);
      expect((await refresh(body.refreshToken)).body.code).toBe('BAD_REFRESH_TOKEN');
      expect((await me(body.accessToken)).body.code).toBe('UNAUTHENTICATED');
    });
  });

  describe('access tokens', () => {
    interface Forgery {
      payload?: object;
      header?: object;
      algorithm?: jwt.Algorithm;
      secret?: string;
    }

    /** A token as the server makes it, but for what is changed. */
    const forge = (token: string, { payload = {}, header = {}, algorithm = 'HS256', secret = SECRET }: Forgery) => {
      const real = jwt.decode(token, { complete: true })!;
      const claims = Object.entries({ ...(real.payload as jwt.JwtPayload), ...payload });
      return jwt.sign(Object.fromEntries(claims.filter(([, value]) => value !== undefined)), secret, {
        algorithm,
        header: { ...real.header, ...header, alg: algorithm },
      });
    };

    test('hold no more than whose they are', async () => {
      const player = await registerPlayer(server);
      const { header, payload } = jwt.decode(player.accessToken, { complete: true })!;
      expect(header).toEqual({ alg: 'HS256', typ: 'at+jwt', kid: 'k1' });
      const { iat, exp, ...claims } = payload as jwt.JwtPayload;
      expect(claims).toEqual({ sub: player.userId, sid: expect.any(String), iss: 'maoga', aud: 'maoga-api' });
      expect(exp! - iat!).toBe(900);
      expect((await me(forge(player.accessToken, {}))).status).toBe(200);
    });

    test.each<[string, Forgery]>([
      ['another algorithm of the family', { algorithm: 'HS512' }],
      ['no end', { payload: { exp: undefined } }],
      ['another audience', { payload: { aud: 'elsewhere' } }],
      ['another issuer', { payload: { iss: 'elsewhere' } }],
      ['another type', { header: { typ: 'JWT' } }],
      ['an unknown key', { header: { kid: 'k9' } }],
      ['no key', { header: { kid: undefined } }],
      ['a key of every object', { header: { kid: '__proto__' } }],
      ['another secret', { secret: 'x'.repeat(32) }],
      ['no session', { payload: { sid: undefined } }],
      ['an operator for a session', { payload: { sid: { $ne: null } } }],
      ['a session of nobody', { payload: { sid: '0'.repeat(24) } }],
      ['another user', { payload: { sub: '0'.repeat(24) } }],
    ])('with %s are refused', async (_what, forgery) => {
      const { accessToken } = await registerPlayer(server);
      const { status, body } = await me(forge(accessToken, forgery));
      expect([status, body.code]).toEqual([401, 'UNAUTHENTICATED']);
    });

    test('of one player do not open another one’s session', async () => {
      const [ann, bob] = [await registerPlayer(server), await registerPlayer(server)];
      const { sid } = jwt.decode(bob.accessToken) as { sid: string };
      expect((await me(forge(ann.accessToken, { payload: { sid } }))).status).toBe(401);
    });

    test('that were changed, unsigned, or are none at all are refused', async () => {
      const { accessToken, refreshToken } = await registerPlayer(server);
      const [head, body, signature] = accessToken.split('.') as [string, string, string];
      const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt', kid: 'k1' })).toString('base64url');
      const longer = { ...(jwt.decode(accessToken) as jwt.JwtPayload), exp: 4_000_000_000 };
      const changed = Buffer.from(JSON.stringify(longer)).toString('base64url');
      const bad = [
        refreshToken,
        `${head}.${changed}.${signature}`,
        `${none}.${body}.`,
        `${head}.${body}.`,
        'x',
        'a.b.c',
        '..',
      ];
      for (const token of bad) expect([(await me(token)).status, token]).toEqual([401, token]);
    });

    test('end after fifteen minutes, and say that this is why', async () => {
      const player = await registerPlayer(server);
      clock.advance(14 * 60_000);
      expect((await player.get('/api/users/me')).status).toBe(200);
      clock.advance(61_000);
      expect((await player.get('/api/users/me')).body.code).toBe('TOKEN_EXPIRED');
    });

    test('outlive a rotation of the key, and not its end', async () => {
      const next = 'n'.repeat(32);
      const after = { JWT_SECRET: next, JWT_REFRESH_SECRET: 'r'.repeat(32), JWT_KEY_ID: 'k2' };
      const during = { ...after, JWT_PREVIOUS_SECRET: SECRET, JWT_PREVIOUS_KEY_ID: 'k1' };
      const player = await registerPlayer(server);
      let renewed = '';
      await withInstance(during, async (instance) => {
        expect((await me(player.accessToken, instance)).status).toBe(200);
        const body = { refreshToken: player.refreshToken };
        renewed = (await request(instance, 'POST', '/api/auth/refresh', { body })).body.accessToken;
        expect(jwt.decode(renewed, { complete: true })?.header.kid).toBe('k2');
        const oldName = forge(renewed, { header: { kid: 'k1' }, secret: next });
        expect((await me(oldName, instance)).status).toBe(401);
      });
      await withInstance(after, async (instance) => {
        expect((await me(renewed, instance)).status).toBe(200);
        expect((await me(player.accessToken, instance)).body.code).toBe('UNAUTHENTICATED');
      });
    });
  });

  describe('sessions', () => {
    test('are listed with where they come from, newest first, page by page', async () => {
      const player = await registerPlayer(server);
      const phone = await request(server, 'POST', '/api/auth/login', {
        body: { identifier: player.username, password: player.password },
        headers: { 'user-agent': `Phone ${'x'.repeat(300)}` },
      });
      const { body } = await player.get('/api/auth/sessions');
      expect(body.items).toHaveLength(2);
      expect(body.items[0]).toMatchObject({
        current: false,
        userAgent: `Phone ${'x'.repeat(250)}`,
        ip: '127.0.0.0/24',
      });
      expect(body.items[1].current).toBe(true);
      expect(Date.parse(body.items[1].expiresAt) - Date.parse(body.items[1].createdAt)).toBe(30 * DAY_MS);
      const page = await player.get('/api/auth/sessions?limit=1');
      const rest = await player.get(`/api/auth/sessions?limit=1&cursor=${page.body.nextCursor}`);
      expect([...page.body.items, ...rest.body.items]).toEqual(body.items);
      expect(rest.body.nextCursor).toBeNull();
      expect((await me(phone.body.accessToken)).status).toBe(200);
    });

    test.each(['x', Buffer.from('["x"]').toString('base64url'), Buffer.from('[{"$gt":""}]').toString('base64url')])(
      'a cursor that was never given (%s) is refused',
      async (cursor) => {
        const player = await registerPlayer(server);
        const { status, body } = await player.get(`/api/auth/sessions?cursor=${cursor}`);
        expect([status, body.code]).toEqual([400, 'BAD_CURSOR']);
      },
    );

    test('logging out ends this session, its tokens and its sockets, and no other', async () => {
      const here = await registerPlayer(server);
      const there = await again(here);
      const [mine, other] = [await here.connect(), await there.connect()];
      expect((await here.post('/api/auth/logout')).status).toBe(204);
      await mine.next('session:expired');
      expect((await here.get('/api/users/me')).body.code).toBe('UNAUTHENTICATED');
      expect((await refresh(here.refreshToken)).status).toBe(401);
      await expect(connectSocket(server, here.accessToken)).rejects.toThrow();
      expect((await there.get('/api/users/me')).status).toBe(200);
      expect((await other.send('sync', {})).ok).toBe(true);
    });

    test('one is ended from another one, and nobody else can do it', async () => {
      const here = await registerPlayer(server);
      const there = await again(here);
      const stranger = await registerPlayer(server);
      const socket = await there.connect();
      const { items } = (await here.get('/api/auth/sessions')).body;
      const { id } = items.find((session: { current: boolean }) => !session.current);
      expect((await stranger.delete(`/api/auth/sessions/${id}`)).status).toBe(404);
      expect((await there.get('/api/users/me')).status).toBe(200);
      expect((await here.delete(`/api/auth/sessions/${id}`)).status).toBe(204);
      await socket.next('session:expired');
      expect((await there.get('/api/users/me')).status).toBe(401);
      expect((await refresh(there.refreshToken)).status).toBe(401);
      expect((await here.delete(`/api/auth/sessions/${id}`)).status).toBe(404);
      expect((await here.delete('/api/auth/sessions/$ne')).body.errors[0].path).toBe('path.id');
      expect((await here.get('/api/auth/sessions')).body.items).toHaveLength(1);
    });

    test('logging out everywhere ends all at once, on every instance, and touches nobody else', async () => {
      const here = await registerPlayer(server);
      const there = await again(here);
      const bystander = await registerPlayer(server);
      const [mine, theirs] = [await here.connect(), await bystander.connect()];
      await withInstance({}, async (second) => {
        expect((await me(there.accessToken, second)).status).toBe(200);
        expect((await here.post('/api/auth/logout-all')).status).toBe(204);
        await mine.next('session:expired');
        for (const { accessToken, refreshToken } of [here, there]) {
          expect((await me(accessToken)).status).toBe(401);
          expect((await me(accessToken, second)).status).toBe(401);
          expect((await refresh(refreshToken)).status).toBe(401);
        }
      });
      expect(await rowsOf('sessions', here)).toEqual([]);
      expect((await bystander.get('/api/users/me')).status).toBe(200);
      expect((await theirs.send('sync', {})).ok).toBe(true);
      expect((await again(here)).accessToken).toEqual(expect.any(String));
    });

    test('a socket at another instance is closed within five seconds, with no Redis between the two', async () => {
      const here = await registerPlayer(server);
      const there = await again(here);
      await withInstance({}, async (second) => {
        const socket = await connectSocket(second, there.accessToken);
        const mine = await connectSocket(second, here.accessToken);
        const { items } = (await here.get('/api/auth/sessions')).body;
        const { id } = items.find((session: { current: boolean }) => !session.current);
        await here.delete(`/api/auth/sessions/${id}`);
        await socket.next('session:expired', () => true, 5_000);
        expect((await mine.send('sync', {})).ok).toBe(true);
      });
    });

    test('a ban stops tokens of both kinds at once', async () => {
      const player = await registerPlayer(server);
      await setStatus(player, 'banned');
      expect((await player.get('/api/users/me')).body.code).toBe('ACCOUNT_BANNED');
      expect((await refresh(player.refreshToken)).body.code).toBe('ACCOUNT_BANNED');
      await expect(player.connect()).rejects.toThrow();
    });
  });

  describe('changing the password', () => {
    test('needs the current one, and ends all sessions but the one that asks', async () => {
      const here = await registerPlayer(server);
      const there = await again(here);
      const [mine, other] = [await here.connect(), await there.connect()];
      const change = (currentPassword: string, newPassword = 'another horse') =>
        here.post('/api/auth/change-password', { currentPassword, newPassword });
      expect((await change('wrong password')).body.code).toBe('BAD_CREDENTIALS');
      expect((await change(here.password, 'short')).body.errors[0].path).toBe('body.newPassword');
      expect((await there.get('/api/users/me')).status).toBe(200);

      expect((await change(here.password)).status).toBe(204);
      await other.next('session:expired');
      expect((await there.get('/api/users/me')).status).toBe(401);
      expect((await refresh(there.refreshToken)).status).toBe(401);
      expect((await here.get('/api/users/me')).status).toBe(200);
      expect((await mine.send('sync', {})).ok).toBe(true);
      expect((await refresh(here.refreshToken)).status).toBe(200);
      expect((await login(here.username, here.password)).status).toBe(401);
      expect((await login(here.username, 'another horse')).status).toBe(200);
    });

    test('ten at once: one of them counts', async () => {
      const player = await registerPlayer(server);
      const answers = await times(10, (i) =>
        player.post('/api/auth/change-password', {
          currentPassword: player.password,
          newPassword: `new password ${i}`,
        }),
      );
      const winners = answers.flatMap(({ status }, i) => (status === 204 ? [i] : []));
      expect(winners).toHaveLength(1);
      expect((await login(player.username, `new password ${winners[0]}`)).status).toBe(200);
      expect((await player.get('/api/users/me')).status).toBe(200);
    });
  });

  // what no client can do yet, or may see
  const database = <Result>(work: (db: mongoose.mongo.Db) => Promise<Result>): Promise<Result> =>
    inDatabaseOf(server, (connection) => work(connection.db!));
  const oid = (player: Player) => new mongoose.Types.ObjectId(player.userId);
  const setStatus = (player: Player, status: string) =>
    database((db) => db.collection('users').updateOne({ _id: oid(player) }, { $set: { status } }));
  const rowsOf = (collection: string, player: Player) =>
    database((db) =>
      db
        .collection(collection)
        .find({ userId: oid(player) })
        .toArray(),
    );
  const hashOf = (player: Player) =>
    database(async (db) => (await db.collection('users').findOne({ _id: oid(player) }))?.['passwordHash'] as string);
});
