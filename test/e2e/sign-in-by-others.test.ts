import { generateSync } from 'otplib';
import type { MaogaServer } from '../../src/server';
import { playerOf, registerPlayer, request, type Answer, type Player } from '../support/client';
import { startMailServer, tokenIn, type MailServer } from '../support/mail';
import { databaseOf } from '../support/matchmaking';
import { appSecret, signInThere, startProvider, type TestProvider } from '../support/oidc';
import { shiftedClock, startTestServer } from '../support/server';

const PUBLIC_URL = 'https://play.example.test';
const callback = (id: string) => `${PUBLIC_URL}/api/auth/providers/${id}/callback`;
const CALLBACK = callback('guild');
const APP = 'com.example.app://signed-in';
const MINUTE_MS = 60_000;

describe('signing in by others', () => {
  let server: MaogaServer;
  let provider: TestProvider;
  let mails: MailServer;
  const clock = shiftedClock();
  beforeAll(async () => {
    [provider, mails] = await Promise.all([startProvider(CALLBACK, callback('mistaken')), startMailServer()]);
    const own = { name: 'Our guild', issuer: provider.issuer, clientId: 'maoga', clientSecret: 'a-client-secret' };
    const nobody = { ...own, id: 'nobody', issuer: 'http://127.0.0.1:1' };
    const mistaken = { ...own, id: 'mistaken', clientSecret: 'another-secret' };
    server = await startTestServer({
      clock,
      env: {
        PUBLIC_URL,
        SMTP_URL: mails.url,
        SIGN_IN_PROVIDERS: JSON.stringify([{ ...own, id: 'guild' }, nobody, mistaken]),
        SIGN_IN_REDIRECTS: `${APP},https://app.example.test/signed-in`,
      },
    });
  });

  const post = (path: string, body: unknown) => request(server, 'POST', path, { body });
  const codeOf = ({ status, body }: Answer) => [status, body.code];
  let names = 0;
  const fresh = (prefix = 'guildie') => `${prefix}${Date.now().toString(36)}${names++}`;

  const begin = async (secret: { codeChallenge: string }, more: object = {}, player?: Player): Promise<string> => {
    const body = { redirectUri: APP, codeChallenge: secret.codeChallenge, ...more };
    const answer = player
      ? await player.post('/api/auth/providers/guild/link', { ...body, password: player.password })
      : await post('/api/auth/providers/guild/start', body);
    expect(answer.status).toBe(200);
    return answer.body.authorizationUrl;
  };
  /** The browser, sent back to us by the provider. @returns where we send it */
  const comeBack = async (url: URL): Promise<URL> => {
    expect(url.origin).toBe(PUBLIC_URL);
    const response = await fetch(`${server.url}${url.pathname}${url.search}`, { redirect: 'manual' });
    expect([response.status, response.headers.get('cache-control')]).toEqual([302, 'no-store']);
    return new URL(response.headers.get('location') ?? '');
  };
  /** All the way to the app. @returns what the app sends */
  const through = async (login: string, player?: Player) => {
    const secret = appSecret();
    const back = await comeBack(await signInThere(await begin(secret, {}, player), login));
    expect(back.href.startsWith(APP)).toBe(true);
    return { code: back.searchParams.get('code') ?? '', codeVerifier: secret.codeVerifier };
  };
  const exchange = (body: object) => post('/api/auth/providers/exchange', body);
  const signedUp = async (login: string): Promise<Player> => {
    const username = fresh();
    const { status, body } = await exchange({ ...(await through(login)), username });
    expect(status).toBe(200);
    return playerOf(server, { ...body, userId: body.user.id, username, email: body.user.email, password: '' });
  };

  test('lists who can be asked', async () => {
    const { body } = await request(server, 'GET', '/api/auth/providers');
    expect(body.items[0]).toEqual({ id: 'guild', name: 'Our guild' });
  });

  test('makes an account at the first time, and signs in to it afterwards', async () => {
    const login = fresh();
    const mine = await through(login);
    const first = await exchange(mine);
    expect(codeOf(first)).toEqual([409, 'REGISTRATION_NEEDED']);
    expect(first.body.errors).toEqual([{ path: 'body.username', message: 'choose one' }]);
    const taken = (await registerPlayer(server)).username;
    expect(codeOf(await exchange({ ...mine, username: taken }))).toEqual([409, 'USERNAME_TAKEN']);
    const username = fresh('name');
    const { status, body } = await exchange({ ...mine, username });
    expect([status, body.user.username, body.user.email]).toEqual([200, username, `${login}@idp.test`]);
    expect(body.user.emailVerified).toBe(true);
    expect(codeOf(await exchange({ ...mine, username: fresh() }))).toEqual([410, 'LINK_EXPIRED']);

    const again = await exchange(await through(login));
    expect([again.status, again.body.user.id]).toEqual([200, body.user.id]);
    const token = again.body.accessToken;
    expect((await request(server, 'GET', '/api/users/me', { token })).status).toBe(200);
    // there is no password that could be guessed
    expect(codeOf(await post('/api/auth/login', { identifier: username, password: 'x' }))[1]).toBe('BAD_CREDENTIALS');
  });

  test('one of ten uses of a code at once counts', async () => {
    const mine = await through(fresh());
    const answers = await Promise.all(Array.from({ length: 10 }, () => exchange({ ...mine, username: fresh('many') })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.every(({ status }) => [200, 409, 410].includes(status))).toBe(true);
  });

  test('an address never links: whoever has it here logs in first', async () => {
    for (const login of [fresh(), fresh('unverified')]) {
      const here = await registerPlayer(server, login);
      const connection = await databaseOf(server);
      const email = `${login}@idp.test`;
      await connection
        .collection('users')
        .updateOne({ username: here.username }, { $set: { email, emailVerifiedAt: new Date() } });
      const refused = await exchange({ ...(await through(login)), username: fresh() });
      expect(codeOf(refused)).toEqual([409, 'EMAIL_TAKEN']);
      expect((await here.get('/api/auth/identities')).body.items).toEqual([]);
    }
  });

  test('an address that the provider does not vouch for is to be confirmed', async () => {
    const login = fresh('unverified');
    const { body } = await exchange({ ...(await through(login)), username: fresh() });
    expect(body.user).toMatchObject({ email: `${login}@idp.test`, emailVerified: false });
    const mail = await mails.next(`${login}@idp.test`);
    expect((await post('/api/auth/verify-email', { token: tokenIn(mail) })).status).toBe(204);
  });

  test('where the provider names no address, a new account brings one', async () => {
    const mine = await through(fresh('mute'));
    const refused = await exchange({ ...mine, username: fresh() });
    expect(refused.body.errors).toEqual([{ path: 'body.email', message: 'the provider names none' }]);
    const email = `${fresh()}@example.test`;
    const { body } = await exchange({ ...mine, username: fresh(), email });
    expect(body.user).toMatchObject({ email, emailVerified: false });
  });

  test('asks for the second factor like any other way', async () => {
    const login = fresh();
    const player = await signedUp(login);
    const { body } = await player.post('/api/auth/second-factor', {});
    const code = () => generateSync({ secret: body.secret, epoch: Math.floor(clock.now() / 1000) });
    expect((await player.post('/api/auth/second-factor/confirm', { code: code() })).status).toBe(200);
    const { body: answer } = await exchange(await through(login));
    expect(Object.keys(answer).sort()).toEqual(['challenge', 'expiresInSeconds']);
    clock.advance(30_000);
    const finished = await post('/api/auth/login/second-factor', { challenge: answer.challenge, code: code() });
    expect(finished.body.user.id).toBe(player.userId);
  });

  describe('is safe from', () => {
    test('a code that somebody else catches', async () => {
      const mine = await through(fresh());
      const thief = appSecret().codeVerifier;
      expect(codeOf(await exchange({ ...mine, codeVerifier: thief, username: fresh() }))).toEqual([
        410,
        'LINK_EXPIRED',
      ]);
      expect((await exchange({ ...mine, username: fresh() })).status).toBe(200);
    });

    test('an answer that comes twice, for another provider, with another state, or too late', async () => {
      const back = await signInThere(await begin(appSecret()), fresh());
      const visit = (change: (url: URL) => void) => {
        const url = new URL(`${server.url}${back.pathname}${back.search}`);
        change(url);
        return fetch(url, { redirect: 'manual' });
      };
      expect((await visit((url) => url.searchParams.set('state', 'x'.repeat(43)))).status).toBe(410);
      expect((await visit((url) => (url.pathname = url.pathname.replace('guild', 'mistaken')))).status).toBe(410);
      expect((await visit((url) => url.searchParams.append('state', 'y'))).status).toBe(400);
      expect((await visit(() => undefined)).status).toBe(302);
      expect((await visit(() => undefined)).status).toBe(410);
      const late = await signInThere(await begin(appSecret()), fresh());
      clock.advance(15 * MINUTE_MS);
      expect((await fetch(`${server.url}${late.pathname}${late.search}`, { redirect: 'manual' })).status).toBe(410);
    });

    test('a code of the provider that was put in the place of mine', async () => {
      const [mine, theirs] = [
        await signInThere(await begin(appSecret()), fresh()),
        await signInThere(await begin(appSecret()), fresh()),
      ];
      mine.searchParams.set('code', theirs.searchParams.get('code') ?? '');
      const back = await comeBack(mine);
      expect([back.searchParams.get('error'), back.searchParams.get('code')]).toEqual(['sign_in_failed', null]);
    });

    test('addresses that are no app of this server', async () => {
      const { codeChallenge } = appSecret();
      for (const redirectUri of ['https://evil.example', `${APP}/more`, `${APP}?x=1`, 'javascript:alert(1)']) {
        const { status, body } = await post('/api/auth/providers/guild/start', { redirectUri, codeChallenge });
        expect([status, body.errors[0].path]).toEqual([400, 'body.redirectUri']);
      }
    });

    test('secrets in the database: neither state nor verifier nor code is stored as it is', async () => {
      const secret = appSecret();
      const url = await begin(secret);
      const back = await comeBack(await signInThere(url, fresh()));
      const text = JSON.stringify(await (await databaseOf(server)).collection('signInAttempts').find().toArray());
      const told = [new URL(url).searchParams.get('state'), back.searchParams.get('code'), secret.codeVerifier];
      for (const kept of told) expect(text).not.toContain(kept);
      expect(new URL(url).searchParams.get('code_challenge_method')).toBe('S256');
    });

    test('a person who does not agree, a provider that is away, and one that refuses us', async () => {
      const url = await begin(appSecret(), { state: 'of the app' });
      const denied = new URL(`${CALLBACK}?error=access_denied&state=${new URL(url).searchParams.get('state')}`);
      expect((await comeBack(denied)).search).toBe('?error=access_denied&state=of+the+app');
      const wanted = { redirectUri: APP, codeChallenge: appSecret().codeChallenge };
      const away = await post('/api/auth/providers/nobody/start', wanted);
      expect([away.status, away.headers.get('retry-after')]).toEqual([503, '5']);
      expect((await post('/api/auth/providers/unknown/start', wanted)).status).toBe(404);
      const { body } = await post('/api/auth/providers/mistaken/start', wanted);
      const back = await comeBack(await signInThere(body.authorizationUrl, fresh()));
      expect(back.search).toBe('?error=sign_in_failed');
    });
  });

  describe('linking', () => {
    const finish = (player: Player, mine: object) => player.post('/api/auth/identities', mine);
    const linked = async (player: Player) =>
      (await player.get('/api/auth/identities')).body.items.map((item: { provider: string }) => item.provider);

    test('is begun with the password and finished by the same player, who is told by mail', async () => {
      const [player, other] = [await registerPlayer(server), await registerPlayer(server)];
      await mails.next(player.email);
      const body = { redirectUri: APP, codeChallenge: appSecret().codeChallenge };
      expect(codeOf(await player.post('/api/auth/providers/guild/link', body))).toEqual([403, 'REAUTHENTICATE']);
      const login = fresh();
      const mine = await through(login, player);
      // neither a sign-in, nor somebody else's to finish
      expect(codeOf(await exchange({ ...mine, username: fresh() }))).toEqual([410, 'LINK_EXPIRED']);
      expect(codeOf(await finish(other, mine))).toEqual([410, 'LINK_EXPIRED']);
      expect((await finish(player, mine)).status).toBe(204);
      expect(await linked(player)).toEqual(['guild']);
      expect((await mails.next(player.email)).subject).toBe('Maoga: you can log in by Our guild');
      expect((await exchange(await through(login))).body.user.id).toBe(player.userId);

      expect(codeOf(await finish(other, await through(login, other)))).toEqual([409, 'CONFLICT']);
      expect(codeOf(await finish(player, await through(fresh(), player)))).toEqual([409, 'CONFLICT']);
    });

    test('is undone, unless nothing else is left to log in by', async () => {
      const player = await registerPlayer(server);
      const login = fresh();
      await finish(player, await through(login, player));
      const unlink = (who: Player, password?: string) => who.delete('/api/auth/identities/guild', { password });
      expect(codeOf(await unlink(player))).toEqual([403, 'REAUTHENTICATE']);
      expect((await unlink(player, player.password)).status).toBe(204);
      expect((await unlink(player, player.password)).status).toBe(404);
      expect(codeOf(await exchange(await through(login)))).toEqual([409, 'REGISTRATION_NEEDED']);

      const only = await signedUp(fresh());
      expect(codeOf(await unlink(only))).toEqual([409, 'CONFLICT']);
      await post('/api/auth/reset-password', { email: only.email });
      const token = tokenIn(await mails.next(only.email, ({ subject }) => /new password/.test(subject)));
      await post('/api/auth/reset-password/confirm', { token, newPassword: 'my first horse' });
      const { body } = await post('/api/auth/login', { identifier: only.username, password: 'my first horse' });
      expect((await unlink(playerOf(server, { ...only, ...body }), 'my first horse')).status).toBe(204);
    });

    test('without a password, a session that has just begun shows who it is, and an older one does not', async () => {
      const player = await signedUp(fresh());
      clock.advance(10 * MINUTE_MS);
      expect(codeOf(await player.delete('/api/users/me', {}))).toEqual([403, 'REAUTHENTICATE']);
      const other = await signedUp(fresh());
      expect((await other.delete('/api/users/me', {})).status).toBe(202);
    });
  });
});
