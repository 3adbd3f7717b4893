import { generateSync } from 'otplib';
import type { Clock } from '../../src/core/clock';
import type { MaogaServer } from '../../src/server';
import { playerOf, registerPlayer, request, type Answer, type Player } from './client';
import { tokenIn, type MailServer } from './mail';
import { appSecret, signInThere, type TestProvider } from './oidc';

/** Everything that can be done with an account besides logging in by password, in an order in which it can be done. */

const PUBLIC_URL = 'https://play.example.test';
const APP = 'com.example.app://signed-in';
export const CALLBACK = `${PUBLIC_URL}/api/auth/providers/guild/callback`;

/** Settings of a server on which it can be done. */
export const accountSettings = (mails: MailServer, { issuer }: TestProvider) => ({
  PUBLIC_URL,
  SMTP_URL: mails.url,
  SIGN_IN_PROVIDERS: JSON.stringify([{ id: 'guild', issuer, clientId: 'maoga', clientSecret: 'a-client-secret' }]),
  SIGN_IN_REDIRECTS: APP,
});

export interface AccountLife {
  server: MaogaServer;
  mails: MailServer;
  provider: TestProvider;
  clock: Clock & { advance(ms: number): void };
}

export async function liveAnAccount(life: AccountLife): Promise<void> {
  await mailed(life);
  await secondFactor(life);
  await byOthers(life);
  await leaving(life);
}

function ok({ status, body }: Answer): Answer['body'] {
  if (status >= 400) throw new Error(`${status}: ${JSON.stringify(body)}`);
  return body;
}

const post = async (server: MaogaServer, path: string, body: unknown) =>
  ok(await request(server, 'POST', path, { body }));
const login = (server: MaogaServer, { username, password }: Player) =>
  post(server, '/api/auth/login', { identifier: username, password });

async function mailed({ server, mails }: AccountLife): Promise<void> {
  const player = await registerPlayer(server);
  const tokenTo = async (address: string, subject: RegExp) => {
    await server.loops.get('mailbox')!.tick();
    return tokenIn(await mails.next(address, (mail) => subject.test(mail.subject)));
  };
  ok(await player.post('/api/auth/verify-email/resend'));
  await post(server, '/api/auth/verify-email', { token: await tokenTo(player.email, /confirm/) });
  await post(server, '/api/auth/reset-password', { email: player.email });
  const token = await tokenTo(player.email, /new password/);
  await post(server, '/api/auth/reset-password/confirm', { token, newPassword: 'a new horse' });
  const here = playerOf(server, { ...player, ...(await login(server, { ...player, password: 'a new horse' })) });
  const email = `new-${player.email}`;
  ok(await here.post('/api/auth/change-email', { email, password: 'a new horse' }));
  await post(server, '/api/auth/change-email/confirm', { token: await tokenTo(email, /confirm/) });
}

async function secondFactor({ server, clock }: AccountLife): Promise<void> {
  const player = await registerPlayer(server);
  const path = '/api/auth/second-factor';
  const { password } = player;
  const { secret } = ok(await player.post(path, { password }));
  const code = () => {
    // a code is good once: the next one
    clock.advance(30_000);
    return generateSync({ secret, epoch: Math.floor(clock.now() / 1000) });
  };
  const { recoveryCodes } = ok(await player.post(`${path}/confirm`, { code: code() }));
  ok(await player.get(path));
  for (const used of [code(), recoveryCodes[0]]) {
    const { challenge } = await login(server, player);
    await post(server, '/api/auth/login/second-factor', { challenge, code: used });
  }
  ok(await player.post(`${path}/recovery-codes`, { code: code() }));
  ok(await player.delete(path, { password, code: code() }));
}

async function byOthers({ server }: AccountLife): Promise<void> {
  const player = await registerPlayer(server);
  ok(await request(server, 'GET', '/api/auth/providers'));
  const { codeVerifier, codeChallenge } = appSecret();
  const wanted = { redirectUri: APP, codeChallenge };
  const through = async (authorizationUrl: string) => {
    const { pathname, search } = await signInThere(authorizationUrl, player.username);
    const { headers } = await fetch(`${server.url}${pathname}${search}`, { redirect: 'manual' });
    return { code: new URL(headers.get('location') ?? '').searchParams.get('code'), codeVerifier };
  };
  const begun = ok(await player.post('/api/auth/providers/guild/link', { ...wanted, password: player.password }));
  ok(await player.post('/api/auth/identities', await through(begun.authorizationUrl)));
  ok(await player.get('/api/auth/identities'));
  const started = await post(server, '/api/auth/providers/guild/start', wanted);
  await post(server, '/api/auth/providers/exchange', await through(started.authorizationUrl));
  ok(await player.delete('/api/auth/identities/guild', { password: player.password }));
}

async function leaving({ server }: AccountLife): Promise<void> {
  const player = await registerPlayer(server);
  const { password } = player;
  ok(await player.get('/api/users/me/export'));
  ok(await player.post('/api/users/me/deactivate', { password }));
  const here = playerOf(server, { ...player, ...(await login(server, player)) });
  ok(await here.delete('/api/users/me', { password }));
  await server.loops.get('outbox')!.tick();
}
