import { generateSync } from 'otplib';
import { Types } from 'mongoose';
import type { MaogaServer } from '../../src/server';
import { playerOf, registerPlayer, request, type Answer, type Player } from '../support/client';
import { databaseOf } from '../support/matchmaking';
import { shiftedClock, startTestServer } from '../support/server';

const STEP_MS = 30_000;

describe('the second factor', () => {
  let server: MaogaServer;
  const clock = shiftedClock();
  beforeAll(async () => {
    server = await startTestServer({ clock, env: { ADMIN_SECOND_FACTOR: 'true', ACCESS_TOKEN_SECONDS: '86400' } });
  });

  const post = (path: string, body: unknown) => request(server, 'POST', path, { body });
  const login = ({ username, password }: Player) => post('/api/auth/login', { identifier: username, password });
  const codeOf = ({ status, body }: Answer) => [status, body.code];
  /** As the app shows it; `steps` later. */
  const codeFor = (secret: string, steps = 0) =>
    generateSync({ secret, epoch: Math.floor((clock.now() + steps * STEP_MS) / 1000) });
  const status = async (player: Player) => (await player.get('/api/auth/second-factor')).body;
  const answer = (challenge: string, code: string) => post('/api/auth/login/second-factor', { challenge, code });
  const challengeOf = async (player: Player): Promise<string> => {
    const { status: answered, body } = await login(player);
    expect([answered, Object.keys(body).sort()]).toEqual([200, ['challenge', 'expiresInSeconds']]);
    return body.challenge;
  };

  /** Somebody who has switched it on. The code that did it is used up, so the next one is one step later. */
  const enrolled = async (player?: Player) => {
    const owner = player ?? (await registerPlayer(server));
    const { body } = await owner.post('/api/auth/second-factor', { password: owner.password });
    const on = await owner.post('/api/auth/second-factor/confirm', { code: codeFor(body.secret) });
    expect(on.status).toBe(200);
    clock.advance(STEP_MS);
    return { player: owner, secret: body.secret as string, recoveryCodes: on.body.recoveryCodes as string[] };
  };

  test('counts once a code has confirmed it, and then signing in wants one', async () => {
    const player = await registerPlayer(server);
    expect(codeOf(await player.post('/api/auth/second-factor', {}))).toEqual([403, 'REAUTHENTICATE']);
    const { body } = await player.post('/api/auth/second-factor', { password: player.password });
    expect(body.uri).toBe(`otpauth://totp/Maoga:${player.username}?secret=${body.secret}&issuer=Maoga`);
    expect(await status(player)).toEqual({ on: false, required: false, recoveryCodesLeft: 0 });
    expect((await login(player)).body.accessToken).toEqual(expect.any(String));
    expect(codeOf(await player.post('/api/auth/second-factor/confirm', { code: '000000' }))).toEqual([401, 'BAD_CODE']);
    const on = await player.post('/api/auth/second-factor/confirm', { code: codeFor(body.secret) });
    expect(on.body.recoveryCodes).toHaveLength(10);
    expect(await status(player)).toEqual({ on: true, required: false, recoveryCodesLeft: 10 });

    const challenge = await challengeOf(player);
    clock.advance(STEP_MS);
    const { status: answered, body: signedIn } = await answer(challenge, codeFor(body.secret));
    expect([answered, signedIn.user.id]).toEqual([200, player.userId]);
    expect((await playerOf(server, { ...player, ...signedIn }).get('/api/users/me')).status).toBe(200);
    expect(codeOf(await player.post('/api/auth/second-factor', { password: player.password }))[1]).toBe('CONFLICT');
  });

  test('a code is good once: one of four sign-ins at once gets in by it, and none later', async () => {
    const { player, secret } = await enrolled();
    const challenges = await Promise.all(Array.from({ length: 4 }, () => challengeOf(player)));
    const code = codeFor(secret);
    const answers = await Promise.all(challenges.map((challenge) => answer(challenge, code)));
    expect(answers.map((one) => one.status).sort()).toEqual([200, 401, 401, 401]);
    expect(codeOf(await answer(await challengeOf(player), code))).toEqual([401, 'BAD_CODE']);
    // nor one from before it
    expect(codeOf(await answer(await challengeOf(player), codeFor(secret, -1)))).toEqual([401, 'BAD_CODE']);
  });

  test('a challenge is good once, for ten minutes, and not after the password has changed', async () => {
    const { player, secret } = await enrolled();
    const used = await challengeOf(player);
    expect((await answer(used, codeFor(secret))).status).toBe(200);
    clock.advance(STEP_MS);
    expect(codeOf(await answer(used, codeFor(secret)))).toEqual([401, 'CHALLENGE_EXPIRED']);
    const old = await challengeOf(player);
    clock.advance(10 * 60_000);
    expect(codeOf(await answer(old, codeFor(secret)))).toEqual([401, 'CHALLENGE_EXPIRED']);
    const overtaken = await challengeOf(player);
    const change = { currentPassword: player.password, newPassword: 'another horse' };
    expect((await player.post('/api/auth/change-password', change)).status).toBe(204);
    expect(codeOf(await answer(overtaken, codeFor(secret)))).toEqual([401, 'CHALLENGE_EXPIRED']);
    expect(codeOf(await answer('x'.repeat(43), codeFor(secret)))).toEqual([401, 'CHALLENGE_EXPIRED']);
  });

  test('five codes in a quarter of an hour are looked at, over all challenges at once; then even the right one waits', async () => {
    const { player, secret } = await enrolled();
    const challenges = await Promise.all(Array.from({ length: 12 }, () => challengeOf(player)));
    const answers = await Promise.all(challenges.map((challenge) => answer(challenge, '000000')));
    const codes = answers.map(({ body }) => body.code as string).sort();
    expect(codes).toEqual([...Array<string>(5).fill('BAD_CODE'), ...Array<string>(7).fill('RATE_LIMITED')]);
    const late = await answer(await challengeOf(player), codeFor(secret));
    expect(codeOf(late)).toEqual([429, 'RATE_LIMITED']);
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(800);
    clock.advance(15 * 60_000);
    expect((await answer(await challengeOf(player), codeFor(secret))).status).toBe(200);
  });

  test('a recovery code is good once, however it is typed; new ones take the place of all', async () => {
    const { player, secret, recoveryCodes } = await enrolled();
    const [first = '', second = '', third = ''] = recoveryCodes;
    expect(first).toMatch(/^[a-z0-9]{4}(-[a-z0-9]{4}){3}$/);
    const typed = first.toUpperCase().replaceAll('-', ' ');
    expect((await answer(await challengeOf(player), typed)).status).toBe(200);
    expect(codeOf(await answer(await challengeOf(player), first))).toEqual([401, 'BAD_CODE']);
    expect((await status(player)).recoveryCodesLeft).toBe(9);
    const { body } = await player.post('/api/auth/second-factor/recovery-codes', { code: second });
    expect(codeOf(await answer(await challengeOf(player), third))).toEqual([401, 'BAD_CODE']);
    expect((await answer(await challengeOf(player), body.recoveryCodes[0])).status).toBe(200);
    expect((await answer(await challengeOf(player), codeFor(secret))).status).toBe(200);
  });

  test('is switched off by password and code together', async () => {
    const { player, secret } = await enrolled();
    const off = (body: object) => player.delete('/api/auth/second-factor', body);
    expect(codeOf(await off({ code: codeFor(secret) }))).toEqual([403, 'REAUTHENTICATE']);
    expect(codeOf(await off({ code: codeFor(secret), password: 'wrong' }))).toEqual([401, 'BAD_CREDENTIALS']);
    expect(codeOf(await off({ code: '000000', password: player.password }))).toEqual([401, 'BAD_CODE']);
    expect((await off({ code: codeFor(secret), password: player.password })).status).toBe(204);
    expect((await login(player)).body.accessToken).toEqual(expect.any(String));
    expect(codeOf(await off({ code: codeFor(secret), password: player.password }))).toEqual([409, 'CONFLICT']);
  });

  test('its secret and codes are stored as nobody can read them', async () => {
    const { player, secret, recoveryCodes } = await enrolled();
    const rows = await (await databaseOf(server)).collection('secondFactors').find().toArray();
    const text = JSON.stringify(rows);
    expect(rows.some(({ _id }) => _id.toHexString() === player.userId)).toBe(true);
    for (const kept of [secret, ...recoveryCodes, ...recoveryCodes.map((code) => code.replaceAll('-', ''))])
      expect(text).not.toContain(kept);
    expect(JSON.stringify((await player.get('/api/users/me/export')).body)).not.toContain(rows[0]?.['secret']);
  });

  describe('of an admin', () => {
    const admin = async () => {
      const player = await registerPlayer(server);
      const users = (await databaseOf(server)).collection('users');
      await users.updateOne({ _id: new Types.ObjectId(player.userId) }, { $set: { role: 'admin' } });
      return player;
    };
    /** What only an admin gets as far as being told that nothing is right about it. */
    const asAdmin = async (token: string) => (await request(server, 'POST', '/api/games', { token, body: {} })).status;

    test('is what makes them more than a player', async () => {
      const player = await admin();
      expect(await asAdmin(player.accessToken)).toBe(403);
      expect((await status(player)).required).toBe(true);
      const other = (await login(player)).body.accessToken;
      const { secret } = await enrolled(player);
      // this session has shown it just now; one that was begun without it has not
      expect(await asAdmin(player.accessToken)).toBe(400);
      expect(await asAdmin(other)).toBe(403);
      const { body } = await answer(await challengeOf(player), codeFor(secret));
      expect(await asAdmin(body.accessToken)).toBe(400);
      const refreshed = await post('/api/auth/refresh', { refreshToken: body.refreshToken });
      expect(await asAdmin(refreshed.body.accessToken)).toBe(400);
      clock.advance(STEP_MS);
      const off = await player.delete('/api/auth/second-factor', { code: codeFor(secret), password: player.password });
      expect(codeOf(off)).toEqual([403, 'FORBIDDEN']);
    });
  });
});
