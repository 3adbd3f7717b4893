import { route, type Route } from '../../../http/route';
import type { AuthApi } from '../auth.api';
import { loginView } from '../auth.schemas';
import { deviceOf } from '../device';
import type { Identities } from './identities.service';
import type { ProviderClients } from './provider-clients';
import type { ProviderSignIn } from './provider-sign-in.service';
import {
  callbackQuery,
  exchangeBody,
  identitiesView,
  linkBody,
  providerParams,
  providersView,
  redirectView,
  startBody,
  startedView,
  unlinkBody,
} from './providers.schemas';

export interface ProviderRoutesDeps {
  clients: ProviderClients;
  identities: Identities;
  providerSignIn: ProviderSignIn;
  auth: Pick<AuthApi, 'reauthenticate'>;
}

const open = { tag: 'Sign-in by others', access: 'anyone', limit: 'credentials' } as const;
const own = { tag: 'Sign-in by others', access: 'player', limit: 'credentials' } as const;

export const providerRoutes = (deps: ProviderRoutesDeps): Route[] => [...signInRoutes(deps), ...linkRoutes(deps)];

function signInRoutes({ clients, providerSignIn }: ProviderRoutesDeps): Route[] {
  return [
    route({
      ...open,
      method: 'get',
      path: '/api/auth/providers',
      summary: 'By whom one can sign in',
      limit: 'general',
      status: 200,
      answer: providersView,
      handler: async () => ({ items: clients.list() }),
    }),
    route({
      ...open,
      method: 'post',
      path: '/api/auth/providers/:provider/start',
      summary: 'Begin to sign in: gives the address to open in the browser',
      params: providerParams,
      body: startBody,
      status: 200,
      answer: startedView,
      errors: ['NOT_FOUND'],
      handler: ({ params, body }) => providerSignIn.start(params.provider, body, null),
    }),
    route({
      ...open,
      method: 'get',
      path: '/api/auth/providers/:provider/callback',
      summary: 'Where a provider sends the browser; it goes on to the app with `code`, or with `error`',
      params: providerParams,
      query: callbackQuery,
      status: 302,
      answer: redirectView,
      errors: ['LINK_EXPIRED'],
      handler: ({ params, query }) => providerSignIn.callback(params.provider, query),
    }),
    route({
      ...open,
      method: 'post',
      path: '/api/auth/providers/exchange',
      summary: 'Tokens for the code that came to the app; a new account needs a username',
      body: exchangeBody,
      status: 200,
      answer: loginView,
      errors: ['LINK_EXPIRED', 'BAD_CREDENTIALS', 'REGISTRATION_NEEDED', 'EMAIL_TAKEN', 'USERNAME_TAKEN', 'CONFLICT'],
      handler: ({ body, ...from }) => providerSignIn.exchange(body, deviceOf(from)),
    }),
  ];
}

function linkRoutes({ identities, providerSignIn, auth }: ProviderRoutesDeps): Route[] {
  return [
    route({
      ...own,
      method: 'get',
      path: '/api/auth/identities',
      summary: 'What I have linked',
      limit: 'general',
      status: 200,
      answer: identitiesView,
      handler: ({ player }) => identities.list(player.userId),
    }),
    route({
      ...own,
      method: 'post',
      path: '/api/auth/providers/:provider/link',
      summary: 'Begin to link an account there: as signing in, and finished by `/api/auth/identities`',
      params: providerParams,
      body: linkBody,
      status: 200,
      answer: startedView,
      errors: ['NOT_FOUND', 'BAD_CREDENTIALS', 'REAUTHENTICATE'],
      handler: async ({ player, params, body: { password, ...wanted } }) => {
        await auth.reauthenticate(player, password);
        return providerSignIn.start(params.provider, wanted, player.userId);
      },
    }),
    route({
      ...own,
      method: 'post',
      path: '/api/auth/identities',
      summary: 'Link the account there, by the code that came to the app',
      body: exchangeBody.pick({ code: true, codeVerifier: true }),
      status: 204,
      errors: ['LINK_EXPIRED', 'CONFLICT'],
      handler: ({ player, body }) => providerSignIn.finishLink(player.userId, body),
    }),
    route({
      ...own,
      method: 'delete',
      path: '/api/auth/identities/:provider',
      summary: 'Unlink; not the only way that is left to log in',
      params: providerParams,
      body: unlinkBody,
      status: 204,
      errors: ['NOT_FOUND', 'BAD_CREDENTIALS', 'REAUTHENTICATE', 'CONFLICT'],
      handler: async ({ player, params, body }) => {
        await auth.reauthenticate(player, body.password);
        await identities.unlink(player.userId, params.provider);
      },
    }),
  ];
}
