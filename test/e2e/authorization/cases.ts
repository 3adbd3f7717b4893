import { randomBytes } from 'node:crypto';
import { registerPlayer, request, type Player } from '../../support/client';
import { DUEL } from '../../support/matchmaking';
import type { Scene, SceneName, Stage } from './scenes';

/**
 * Who may do what: a case for every route and every event. A new one without a case fails the tests.
 *
 *   anyone                   needs no account
 *   player                   anybody who is signed in, about what is theirs
 *   owner                    only whose it is
 *   member                   whoever has a part in it
 *   host                     whoever leads it
 *   moderator, admin         the role
 */
export type Rule = 'anyone' | 'player' | 'owner' | 'member' | 'host' | 'moderator' | 'admin';

/** What a request is about: the scene, who asks, and the stage. */
export interface Context extends Stage, Scene {
  caller: Player;
}

export interface Case {
  rule: Rule;
  scene?: SceneName;
  /** Values of the path's parameters; `id` of the scene by default. */
  params?: (context: Context) => Record<string, string> | Promise<Record<string, string>>;
  /** The body, or what the event carries. */
  body?: (context: Context) => object;
  query?: string;
  /** Leaves the caller changed, or without a session: every caller is a new one. */
  consumes?: true;
  /** The status of whoever is let through, where that is not the success of the route: there is nothing to use up, say. */
  then?: number;
  /** The code for a member, where it takes the host. */
  member?: 'NOT_HOST' | 'FORBIDDEN' | 'NOT_FOUND';
}

const fresh = () => `n_${randomBytes(6).toString('hex')}`;
const otherUser = ({ other }: Context) => ({ id: other.userId, userId: other.userId });
const reason = 'because of a test';
const LINK = { then: 410, body: () => ({ token: 'x'.repeat(40) }) } as const;
const password = ({ caller }: Context) => ({ password: caller.password });
const partner = ({ caller, host, member }: Context) => ({ id: caller === host ? member.userId : host.userId });
const PROVIDER = () => ({ provider: 'nobody' });
const START = { redirectUri: 'https://app.example.test/', codeChallenge: 'x'.repeat(43) };
const CODE = { code: 'x'.repeat(40), codeVerifier: 'x'.repeat(43) };
const device = () => ({ token: `device-of-${fresh()}` });

export const ROUTES: Record<string, Case> = {
  'POST /api/auth/register': {
    rule: 'anyone',
    body: () => ({ email: `${fresh()}@example.test`, username: fresh(), password: 'four-purple-owls' }),
  },
  'POST /api/auth/login': {
    rule: 'anyone',
    body: ({ other }) => ({ identifier: other.username, password: other.password }),
  },
  'POST /api/auth/login/second-factor': {
    rule: 'anyone',
    then: 401,
    body: () => ({ challenge: 'x'.repeat(40), code: '123456' }),
  },
  'GET /api/auth/second-factor': { rule: 'player' },
  'POST /api/auth/second-factor': { rule: 'player', consumes: true, body: password },
  'POST /api/auth/second-factor/confirm': { rule: 'player', then: 409, body: () => ({ code: '123456' }) },
  'POST /api/auth/second-factor/recovery-codes': { rule: 'player', then: 409, body: () => ({ code: '123456' }) },
  'DELETE /api/auth/second-factor': {
    rule: 'player',
    then: 409,
    body: (context) => ({ code: '123456', ...password(context) }),
  },
  // no provider is configured: who is let through is told that there is nothing to go on with
  'GET /api/auth/providers': { rule: 'anyone' },
  'POST /api/auth/providers/:provider/start': { rule: 'anyone', then: 400, params: PROVIDER, body: () => START },
  'GET /api/auth/providers/:provider/callback': { rule: 'anyone', then: 410, params: PROVIDER, query: '?state=x' },
  'POST /api/auth/providers/exchange': { rule: 'anyone', then: 410, body: () => CODE },
  'GET /api/auth/identities': { rule: 'player' },
  'POST /api/auth/providers/:provider/link': {
    rule: 'player',
    then: 400,
    params: PROVIDER,
    body: (context) => ({ ...START, ...password(context) }),
  },
  'POST /api/auth/identities': { rule: 'player', then: 410, body: () => CODE },
  'DELETE /api/auth/identities/:provider': { rule: 'player', then: 404, params: PROVIDER, body: password },
  'POST /api/auth/refresh': { rule: 'anyone', then: 401, body: () => ({ refreshToken: 'x'.repeat(43) }) },
  'POST /api/auth/logout': { rule: 'player', consumes: true },
  'POST /api/auth/logout-all': { rule: 'player', consumes: true },
  'GET /api/auth/sessions': { rule: 'player' },
  'DELETE /api/auth/sessions/:id': {
    rule: 'owner',
    params: async ({ server, host }) => {
      const body = { identifier: host.username, password: host.password };
      const { accessToken } = (await request(server, 'POST', '/api/auth/login', { body })).body;
      return { id: JSON.parse(Buffer.from(accessToken.split('.')[1], 'base64url').toString()).sid };
    },
  },
  'POST /api/auth/change-password': {
    rule: 'player',
    consumes: true,
    body: ({ caller }) => ({ currentPassword: caller.password, newPassword: 'five-yellow-ducks' }),
  },
  'POST /api/auth/verify-email': { rule: 'anyone', ...LINK },
  'POST /api/auth/verify-email/resend': { rule: 'player' },
  'POST /api/auth/change-email': {
    rule: 'player',
    body: (context) => ({ email: `${fresh()}@example.test`, ...password(context) }),
  },
  'POST /api/auth/change-email/confirm': { rule: 'anyone', ...LINK },
  'POST /api/auth/reset-password': { rule: 'anyone', body: () => ({ email: `${fresh()}@example.test` }) },
  'POST /api/auth/reset-password/confirm': {
    rule: 'anyone',
    then: 410,
    body: () => ({ token: 'x'.repeat(40), newPassword: 'five-yellow-ducks' }),
  },

  'GET /api/users/me': { rule: 'player' },
  'PATCH /api/users/me': { rule: 'player', body: () => ({ bio: 'hello' }) },
  'DELETE /api/users/me': { rule: 'player', consumes: true, body: password },
  'POST /api/users/me/deactivate': { rule: 'player', consumes: true, body: password },
  'GET /api/users/me/export': { rule: 'player' },
  'PATCH /api/users/me/preferences': { rule: 'player', body: () => ({ regions: ['EU'] }) },
  'PUT /api/users/me/game-profiles/:gameId': {
    rule: 'player',
    consumes: true,
    params: ({ gameId }) => ({ gameId }),
    body: () => ({ inGameName: 'me' }),
  },
  'DELETE /api/users/me/game-profiles/:gameId': {
    rule: 'owner',
    params: async ({ host, gameId }) => {
      await host.put(`/api/users/me/game-profiles/${gameId}`, { inGameName: 'me' });
      return { gameId };
    },
  },
  'GET /api/users/me/friends': { rule: 'player' },
  'POST /api/users/me/friends/:userId': { rule: 'player', params: otherUser },
  'DELETE /api/users/me/friends/:userId': { rule: 'owner', scene: 'friends', params: ({ id }) => ({ userId: id }) },
  'GET /api/users/me/blocks': { rule: 'player' },
  'PUT /api/users/me/blocks/:userId': {
    rule: 'player',
    params: async ({ server }) => ({ userId: (await registerPlayer(server)).userId }),
  },
  'DELETE /api/users/me/blocks/:userId': { rule: 'player', params: otherUser },
  'GET /api/users': { rule: 'player', query: '?query=nobody' },
  'GET /api/users/:id': { rule: 'player', params: otherUser },
  'POST /api/users/:id/reports': {
    rule: 'player',
    params: otherUser,
    body: () => ({ reason: 'spam', description: 'too much of it' }),
  },
  'POST /api/users/:id/karma': {
    rule: 'member',
    scene: 'played',
    params: partner,
    body: ({ id }) => ({ matchId: id, value: 1 }),
  },

  'GET /api/games': { rule: 'anyone' },
  'GET /api/games/trending': { rule: 'anyone' },
  'GET /api/games/:idOrSlug': { rule: 'anyone', params: ({ gameId }) => ({ idOrSlug: gameId }) },
  // no catalogue of others is set up there
  'GET /api/games/sync': { rule: 'admin', then: 409 },
  'POST /api/games/sync': { rule: 'admin', then: 409, body: () => ({ full: true }) },
  'POST /api/games': {
    rule: 'admin',
    body: () => ({
      slug: fresh().replace('_', '-'),
      name: 'A game',
      genres: ['test'],
      platforms: ['pc'],
      players: { min: 1, max: 4 },
      modes: [{ key: 'duel', name: 'Duel', ruleSet: DUEL }],
    }),
  },
  'PATCH /api/games/:id': { rule: 'admin', params: ({ gameId }) => ({ id: gameId }), body: () => ({ name: fresh() }) },
  'PUT /api/games/:id/modes/:key': {
    rule: 'admin',
    params: ({ gameId }) => ({ id: gameId, key: 'extra' }),
    body: () => ({ name: 'Extra', ruleSet: DUEL }),
  },

  'POST /api/matchmaking/tickets': {
    rule: 'player',
    consumes: true,
    body: ({ gameId }) => ({ games: [{ gameId, mode: 'quartet' }] }),
  },
  'GET /api/matchmaking/tickets/current': { rule: 'player' },
  'GET /api/matchmaking/tickets/:id': { rule: 'member', scene: 'party' },
  'GET /api/matchmaking/tickets/:id/explanation': { rule: 'member', scene: 'party' },
  'PATCH /api/matchmaking/tickets/:id': {
    rule: 'host',
    member: 'FORBIDDEN',
    scene: 'party',
    body: () => ({ regions: ['EU'] }),
  },
  'DELETE /api/matchmaking/tickets/:id': { rule: 'member', scene: 'party' },
  'POST /api/lobbies/:id/queue': { rule: 'host', scene: 'lobby', body: () => ({}) },
  'POST /api/lobbies/:id/backfill': { rule: 'host', scene: 'lobby', body: () => ({}) },
  'DELETE /api/lobbies/:id/queue': { rule: 'member', scene: 'party', params: ({ lobbyId }) => ({ id: lobbyId }) },
  'GET /api/matchmaking/matches': { rule: 'player' },
  'GET /api/matchmaking/matches/:id': { rule: 'member', scene: 'match' },
  'POST /api/matchmaking/matches/:id/accept': { rule: 'member', scene: 'proposal' },
  'POST /api/matchmaking/matches/:id/decline': { rule: 'member', scene: 'proposal' },
  'POST /api/matchmaking/matches/:id/result': { rule: 'member', scene: 'match', body: () => ({ winner: 0 }) },
  'GET /api/matchmaking/pools': { rule: 'player' },

  'POST /api/lobbies': { rule: 'player', body: ({ gameId }) => ({ gameId, mode: 'quartet' }) },
  'GET /api/lobbies': { rule: 'player' },
  'GET /api/lobbies/open': { rule: 'player', query: `?gameId=${'f'.repeat(24)}&mode=duel` },
  'GET /api/lobbies/:id': { rule: 'member', scene: 'lobby' },
  'PATCH /api/lobbies/:id': { rule: 'host', scene: 'lobby', body: () => ({ capacity: 3 }) },
  'POST /api/lobbies/:id/join': { rule: 'member', scene: 'lobby' },
  'POST /api/lobbies/:id/leave': { rule: 'member', scene: 'lobby' },
  'POST /api/lobbies/:id/ready': { rule: 'member', scene: 'lobby', body: () => ({ ready: true }) },
  'POST /api/lobbies/:id/kick': { rule: 'host', scene: 'lobby', body: ({ member }) => ({ userId: member.userId }) },
  'POST /api/lobbies/:id/host': { rule: 'host', scene: 'lobby', body: ({ member }) => ({ userId: member.userId }) },
  'POST /api/lobbies/:id/close': { rule: 'host', scene: 'lobby' },
  'POST /api/lobbies/:id/invites': { rule: 'host', scene: 'lobby', body: ({ other }) => ({ userId: other.userId }) },
  'GET /api/lobbies/:id/messages': { rule: 'member', scene: 'lobby' },
  'POST /api/lobbies/:id/messages': { rule: 'member', scene: 'lobby', body: () => ({ content: 'hello' }) },

  'GET /api/notifications': { rule: 'player' },
  'GET /api/notifications/count': { rule: 'player' },
  'POST /api/notifications/read-all': { rule: 'player' },
  'POST /api/notifications/:id/read': { rule: 'owner', scene: 'inbox' },
  'DELETE /api/notifications/:id': { rule: 'owner', scene: 'inbox' },
  'GET /api/notifications/settings': { rule: 'player' },
  'PUT /api/notifications/settings': { rule: 'player', body: () => ({ types: {} }) },
  'PUT /api/notifications/devices/:token': { rule: 'player', params: device, body: () => ({ platform: 'ios' }) },
  'DELETE /api/notifications/devices/:token': {
    rule: 'owner',
    params: async ({ host }) => {
      const { token } = device();
      await host.put(`/api/notifications/devices/${token}`, { platform: 'ios' });
      return { token };
    },
  },

  'GET /api/admin/users': { rule: 'moderator' },
  'GET /api/admin/users/:id': { rule: 'moderator' },
  'PATCH /api/admin/users/:id': { rule: 'moderator', body: () => ({ status: 'banned', reason }) },
  'POST /api/admin/users/:id/warnings': { rule: 'moderator', body: () => ({ reason }) },
  'GET /api/admin/reports': { rule: 'moderator' },
  'GET /api/admin/reports/:id': { rule: 'moderator', scene: 'report' },
  'PATCH /api/admin/reports/:id': { rule: 'moderator', scene: 'report', body: () => ({ assigned: true }) },
  'GET /api/admin/audit': { rule: 'admin' },
};

export const EVENTS: Record<string, Case> = {
  sync: { rule: 'player', body: () => ({}) },
  'auth:refresh': { rule: 'player', body: ({ caller }) => ({ token: caller.accessToken }) },
  'presence:subscribe': { rule: 'player', body: ({ other }) => ({ userIds: [other.userId] }) },
  'matchmaking:subscribe': { rule: 'member', scene: 'party', body: ({ id }) => ({ ticketId: id }) },
  'matchmaking:accept': { rule: 'member', scene: 'proposal', body: ({ id }) => ({ matchId: id }) },
  'matchmaking:decline': { rule: 'member', scene: 'proposal', body: ({ id }) => ({ matchId: id }) },
  'lobby:subscribe': { rule: 'member', scene: 'lobby', body: ({ id }) => ({ lobbyId: id }) },
  // hearing less needs nobody's leave
  'lobby:unsubscribe': { rule: 'player', scene: 'lobby', body: ({ id }) => ({ lobbyId: id }) },
  'lobby:ready': { rule: 'member', scene: 'lobby', body: ({ id }) => ({ lobbyId: id, ready: true }) },
  'chat:send': { rule: 'member', scene: 'lobby', body: ({ id }) => ({ lobbyId: id, content: 'hello' }) },
  'chat:typing': { rule: 'member', scene: 'lobby', body: ({ id }) => ({ lobbyId: id, typing: true }) },
};
