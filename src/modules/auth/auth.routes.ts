import { originOf } from '../../http/origin';
import { route, type Route } from '../../http/route';
import { idParams, page } from '../../http/schemas';
import {
  loginBody,
  loginView,
  passwordBody,
  refreshBody,
  refreshedView,
  registerBody,
  sessionsQuery,
  sessionView,
  signedInView,
} from './auth.schemas';
import type { AuthService } from './auth.service';
import { challengeBody } from './second-factor/second-factor.schemas';
import type { Device } from './sessions.service';
import type { SignIn } from './sign-in';

const MAX_USER_AGENT = 256;

/** None of these is repeatable by an `Idempotency-Key`: their answers hold tokens, which are kept nowhere as they are. */
export function authRoutes(auth: AuthService, signIn: SignIn): Route[] {
  return [...accountRoutes(auth, signIn), ...sessionRoutes(auth)];
}

const deviceOf = ({ ip, userAgent }: Device): Device => ({
  ip: originOf(ip),
  userAgent: userAgent.slice(0, MAX_USER_AGENT),
});

function accountRoutes(auth: AuthService, signIn: SignIn): Route[] {
  const open = { tag: 'Auth', access: 'anyone', limit: 'credentials' } as const;
  return [
    route({
      ...open,
      method: 'post',
      path: '/api/auth/register',
      summary: 'Make an account and sign in',
      body: registerBody,
      status: 201,
      answer: signedInView,
      errors: ['EMAIL_TAKEN', 'USERNAME_TAKEN', 'UNAVAILABLE'],
      handler: ({ body, ...from }) => auth.register(body, deviceOf(from)),
    }),
    route({
      ...open,
      method: 'post',
      path: '/api/auth/login',
      summary: 'Sign in by e-mail address or username; where there is a second factor, answers with a challenge',
      body: loginBody,
      account: ({ identifier }) => identifier,
      status: 200,
      answer: loginView,
      errors: ['BAD_CREDENTIALS', 'ACCOUNT_SUSPENDED', 'ACCOUNT_BANNED', 'UNAVAILABLE'],
      handler: ({ body, ...from }) => auth.login(body, deviceOf(from)),
    }),
    route({
      ...open,
      method: 'post',
      path: '/api/auth/login/second-factor',
      summary: 'Finish signing in, by a code of the authenticator app or a recovery code',
      body: challengeBody,
      status: 200,
      answer: signedInView,
      errors: ['BAD_CODE', 'CHALLENGE_EXPIRED'],
      handler: ({ body, ...from }) => signIn.answer(body.challenge, body.code, deviceOf(from)),
    }),
    route({
      ...open,
      method: 'post',
      path: '/api/auth/refresh',
      summary: 'A new access token and the next refresh token; the old one is used up',
      body: refreshBody,
      status: 200,
      answer: refreshedView,
      errors: ['BAD_REFRESH_TOKEN', 'ACCOUNT_SUSPENDED', 'ACCOUNT_BANNED'],
      handler: ({ body, ...from }) => auth.refresh(body.refreshToken, deviceOf(from)),
    }),
  ];
}

function sessionRoutes(auth: AuthService): Route[] {
  const own = { tag: 'Auth', access: 'player' } as const;
  return [
    route({
      ...own,
      method: 'post',
      path: '/api/auth/logout',
      summary: 'End this session, its tokens and its sockets',
      status: 204,
      handler: ({ player }) => auth.logout(player),
    }),
    route({
      ...own,
      method: 'post',
      path: '/api/auth/logout-all',
      summary: 'End all of my sessions',
      status: 204,
      handler: ({ player }) => auth.logoutAll(player),
    }),
    route({
      ...own,
      method: 'get',
      path: '/api/auth/sessions',
      summary: 'Where I am signed in, newest first',
      query: sessionsQuery,
      status: 200,
      answer: page(sessionView),
      errors: ['BAD_CURSOR'],
      handler: ({ player, query }) => auth.sessions(player, query),
    }),
    route({
      ...own,
      method: 'delete',
      path: '/api/auth/sessions/:id',
      summary: 'End one of my sessions',
      params: idParams,
      status: 204,
      errors: ['NOT_FOUND'],
      handler: ({ player, params }) => auth.endSession(player, params.id),
    }),
    route({
      ...own,
      method: 'post',
      path: '/api/auth/change-password',
      summary: 'Change my password; ends all sessions but this one',
      limit: 'credentials',
      body: passwordBody,
      status: 204,
      errors: ['BAD_CREDENTIALS', 'CONFLICT', 'UNAVAILABLE'],
      handler: ({ player, body }) => auth.changePassword(player, body),
    }),
  ];
}
