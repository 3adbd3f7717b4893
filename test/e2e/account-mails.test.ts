import type { MaogaServer } from '../../src/server';
import { playerOf, registerPlayer, request, type Player } from '../support/client';
import { startMailServer, tokenIn, type MailServer } from '../support/mail';
import { inDatabaseOf } from '../support/matchmaking';
import { shiftedClock, startTestServer } from '../support/server';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

describe('accounts and their mails', () => {
  let server: MaogaServer;
  let mails: MailServer;
  const clock = shiftedClock();
  beforeAll(async () => {
    mails = await startMailServer();
    const env = { SMTP_URL: mails.url, PUBLIC_URL: 'https://play.example.test', MAIL_FROM: 'Play <play@example.test>' };
    server = await startTestServer({ clock, env });
  });

  const post = (path: string, body: unknown) => request(server, 'POST', path, { body });
  const login = (identifier: string, password: string) => post('/api/auth/login', { identifier, password });
  const codeOf = ({ status, body }: { status: number; body: { code?: string } }) => [status, body.code];
  const about = (subject: RegExp) => (mail: { subject: string }) => subject.test(mail.subject);
  const forgot = async (email: string) => {
    expect(await post('/api/auth/reset-password', { email })).toMatchObject({ status: 202, body: '' });
  };
  const reset = (token: string, newPassword = 'a new horse') =>
    post('/api/auth/reset-password/confirm', { token, newPassword });
  const resetMail = async (player: Player) => {
    await forgot(player.email);
    return mails.next(player.email, about(/new password/));
  };
  const again = async (player: Player): Promise<Player> => {
    const { body } = await login(player.username, player.password);
    return playerOf(server, { ...player, accessToken: body.accessToken, refreshToken: body.refreshToken });
  };
  /** Waits until everything that is in the outbox has been sent. */
  const sent = () => server.loops.get('mailbox')!.tick();
  const subjectsTo = (email: string) => mails.received.filter(({ to }) => to === email).map(({ subject }) => subject);

  describe('the address', () => {
    test('is confirmed by the link that is mailed at registering, once', async () => {
      const player = await registerPlayer(server);
      expect((await player.get('/api/users/me')).body.emailVerified).toBe(false);
      const mail = await mails.next(player.email);
      expect(mail).toMatchObject({
        from: '"Play" <play@example.test>',
        subject: 'Maoga: confirm your e-mail address',
        messageId: expect.stringMatching(/^<[0-9a-f]{24}@example\.test>$/),
      });
      expect(mail.text).toMatch(/https:\/\/play\.example\.test\/account#verifyEmail=[\w-]{43}\n/);
      const token = tokenIn(mail);
      expect((await post('/api/auth/verify-email', { token })).status).toBe(204);
      expect((await player.get('/api/users/me')).body.emailVerified).toBe(true);
      expect(codeOf(await post('/api/auth/verify-email', { token }))).toEqual([410, 'LINK_EXPIRED']);
    });

    test('gets the link again, until it is confirmed; then all of them are used up', async () => {
      const player = await registerPlayer(server);
      const first = tokenIn(await mails.next(player.email));
      expect((await player.post('/api/auth/verify-email/resend')).status).toBe(202);
      const second = tokenIn(await mails.next(player.email));
      expect((await post('/api/auth/verify-email', { token: first })).status).toBe(204);
      expect((await post('/api/auth/verify-email', { token: second })).status).toBe(410);
      await player.post('/api/auth/verify-email/resend');
      await sent();
      expect(subjectsTo(player.email)).toHaveLength(2);
    });

    test('names and addresses stand in a mail as text, in the language of the reader', async () => {
      const player = await registerPlayer(server);
      await mails.next(player.email);
      await player.patch('/api/users/me', { displayName: '<b>Ann & "Bob"</b>' });
      await player.patch('/api/users/me/preferences', { languages: ['xx', 'de-AT', 'en'] });
      await forgot(player.email);
      const mail = await mails.next(player.email);
      expect(mail.subject).toBe('Maoga: Wähle ein neues Passwort');
      expect(mail.text).toContain('Hallo <b>Ann & "Bob"</b>,');
      expect(mail.html).toContain('Hallo &lt;b&gt;Ann &amp; &quot;Bob&quot;&lt;/b&gt;,');
      expect(mail.html).toContain('<html lang="de">');
    });

    test('a link is good for two days', async () => {
      const player = await registerPlayer(server);
      const token = tokenIn(await mails.next(player.email));
      clock.advance(48 * HOUR_MS);
      expect((await post('/api/auth/verify-email', { token })).status).toBe(410);
    });
  });

  describe('a forgotten password', () => {
    test('is replaced by the link; every session ends, and the owner is told', async () => {
      const player = await registerPlayer(server);
      const socket = await player.connect();
      const token = tokenIn(await resetMail(player));
      expect((await reset(token)).status).toBe(204);
      await socket.next('session:expired');
      expect((await player.get('/api/users/me')).status).toBe(401);
      expect((await post('/api/auth/refresh', { refreshToken: player.refreshToken })).status).toBe(401);
      expect((await login(player.email, player.password)).status).toBe(401);
      const { body } = await login(player.email, 'a new horse');
      // who reads the mail has shown whose address it is
      expect(body.user.emailVerified).toBe(true);
      expect(await mails.next(player.email, about(/was changed/))).toBeDefined();
      expect((await reset(token)).status).toBe(410);
    });

    test('one of twenty uses of a link at once counts', async () => {
      const player = await registerPlayer(server);
      const token = tokenIn(await resetMail(player));
      const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => reset(token, `new horse number ${i}`)));
      const winners = answers.flatMap(({ status }, i) => (status === 204 ? [i] : []));
      expect(winners).toHaveLength(1);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204, 410]));
      expect((await login(player.username, `new horse number ${winners[0]}`)).status).toBe(200);
    });

    test('a link opens nothing else, and is good for half an hour', async () => {
      const player = await registerPlayer(server);
      const verify = tokenIn(await mails.next(player.email));
      const token = tokenIn(await resetMail(player));
      expect((await post('/api/auth/verify-email', { token })).status).toBe(410);
      expect((await reset(verify)).status).toBe(410);
      clock.advance(30 * MINUTE_MS);
      expect(codeOf(await reset(token))).toEqual([410, 'LINK_EXPIRED']);
    });

    test('a new password that is refused leaves the link good', async () => {
      const player = await registerPlayer(server);
      const token = tokenIn(await resetMail(player));
      for (const bad of ['short', 'Password1', player.username, player.email, `${player.username}!`, 'Maoga 2026']) {
        const { status, body } = await reset(token, bad);
        expect([bad, status, body.errors?.[0]?.path]).toEqual([bad, 400, 'body.newPassword']);
      }
      expect((await reset(token)).status).toBe(204);
    });

    test('asking for one tells nobody whether there is an account, and mails nobody who has none', async () => {
      const player = await registerPlayer(server);
      await mails.next(player.email);
      const shown = async (email: string) => {
        const { status, body, headers } = await post('/api/auth/reset-password', { email });
        return { status, body, length: headers.get('content-length'), cache: headers.get('cache-control') };
      };
      expect(await shown('nobody@example.test')).toEqual(await shown(player.email.toUpperCase()));
      await mails.next(player.email);
      await sent();
      expect(subjectsTo('nobody@example.test')).toEqual([]);
    });

    test('takes as long for a known address as for an unknown one', async () => {
      const player = await registerPlayer(server);
      const times: Record<string, number[]> = { [player.email]: [], 'unknown@example.test': [] };
      for (let i = 0; i < 15; i++)
        for (const [email, taken] of Object.entries(times)) {
          const start = performance.now();
          await forgot(email);
          taken.push(performance.now() - start);
          await sent();
        }
      const [known = [], unknown = []] = Object.values(times).map((taken) => taken.sort((a, b) => a - b));
      const ratio = (known[7] ?? 0) / (unknown[7] ?? 1);
      expect(ratio).toBeGreaterThan(0.5);
      expect(ratio).toBeLessThan(2);
    });

    test('nobody’s inbox is flooded: five an hour', async () => {
      const player = await registerPlayer(server);
      await mails.next(player.email);
      for (let i = 0; i < 8; i++) await forgot(player.email);
      await sent();
      expect(subjectsTo(player.email).filter((subject) => /new password/.test(subject))).toHaveLength(5);
      clock.advance(HOUR_MS);
      await forgot(player.email);
      await sent();
      expect(subjectsTo(player.email).filter((subject) => /new password/.test(subject))).toHaveLength(6);
    });

    test('no token and no link is stored as it is', async () => {
      const player = await registerPlayer(server);
      const tokens = [tokenIn(await mails.next(player.email)), tokenIn(await resetMail(player))];
      await inDatabaseOf(server, async ({ db }) => {
        for (const { name } of await db!.listCollections().toArray()) {
          const rows = JSON.stringify(await db!.collection(name).find().toArray());
          for (const token of tokens) expect(rows.includes(token)).toBe(false);
        }
      });
    });
  });

  describe('another address', () => {
    const change = (player: Player, email: string, password: string | undefined = player.password) =>
      player.post('/api/auth/change-email', { email, password });

    test('needs the password and the link mailed to it; the old one is told', async () => {
      const player = await registerPlayer(server);
      await mails.next(player.email);
      const email = `new-${player.email}`;
      expect(codeOf(await change(player, email, 'wrong horse'))).toEqual([401, 'BAD_CREDENTIALS']);
      expect(codeOf(await player.post('/api/auth/change-email', { email }))).toEqual([403, 'REAUTHENTICATE']);
      const stale = tokenIn(await resetMail(player));
      expect((await change(player, email)).status).toBe(202);
      const token = tokenIn(await mails.next(email));
      expect((await player.get('/api/users/me')).body.email).toBe(player.email);
      expect((await post('/api/auth/change-email/confirm', { token })).status).toBe(204);
      expect((await player.get('/api/users/me')).body).toMatchObject({ email, emailVerified: true });
      const notice = await mails.next(player.email);
      expect(notice.text).toContain(email);
      expect((await post('/api/auth/change-email/confirm', { token })).status).toBe(410);
      // what was mailed to the old address opens nothing any more
      expect((await reset(stale)).status).toBe(410);
      expect((await login(email, player.password)).status).toBe(200);
      expect((await login(player.email, player.password)).status).toBe(401);
    });

    test('that somebody has is refused, when it is asked for and when it is confirmed', async () => {
      const [player, other] = [await registerPlayer(server), await registerPlayer(server)];
      expect(codeOf(await change(player, other.email.toUpperCase()))).toEqual([409, 'EMAIL_TAKEN']);
      const email = `both-${player.email}`;
      for (const one of [player, other]) await change(one, email);
      const tokens = [tokenIn(await mails.next(email)), tokenIn(await mails.next(email))];
      const answers = await Promise.all(tokens.map((token) => post('/api/auth/change-email/confirm', { token })));
      expect(answers.map(({ status }) => status).sort()).toEqual([204, 409]);
    });
  });

  describe('the password', () => {
    test('is changed with a notice to the owner', async () => {
      const player = await registerPlayer(server);
      await mails.next(player.email);
      const body = { currentPassword: player.password, newPassword: 'yet another horse' };
      expect((await player.post('/api/auth/change-password', body)).status).toBe(204);
      expect((await mails.next(player.email)).subject).toBe('Maoga: your password was changed');
    });

    test.each(['username', 'email', 'displayName'] as const)('must not be the %s', async (field) => {
      const base = `name${Date.now().toString(36)}${field.toLowerCase()}`;
      const account = {
        username: base.slice(0, 24),
        email: `${base}.a@example.test`,
        displayName: 'Some Display Name',
      };
      for (const password of [account[field], `${account[field].toUpperCase()}123`]) {
        const { status, body } = await post('/api/auth/register', { ...account, password });
        expect([status, body.errors[0].path]).toEqual([400, 'body.password']);
      }
    });
  });

  test('a mail that could not be sent is sent when the mail server is back, by an instance that was started later', async () => {
    const broken = await startTestServer({
      clock,
      // nobody listens there
      env: { SMTP_URL: 'smtp://127.0.0.1:1', MONGODB_URI: server.databaseUri },
      runLoops: false,
    });
    const player = await registerPlayer(broken);
    await broken.loops.get('mailbox')!.tick();
    await broken.stop();
    clock.advance(2 * MINUTE_MS);
    await sent();
    const mail = await mails.next(player.email);
    expect((await post('/api/auth/verify-email', { token: tokenIn(mail) })).status).toBe(204);
    expect((await again(player)).accessToken).toEqual(expect.any(String));
  });
});
