import type { Connection } from 'mongoose';
import type { Config } from '../../config/config';
import type { Clock } from '../../core/clock';
import type { Ids } from '../../core/ids';
import type { Logger } from '../../core/logger';
import type { Transact } from '../../database/transaction';
import type { PostOffice } from '../../mail/post-office';
import type { Realtime } from '../../realtime/server';
import type { Module } from '../module';
import type { UsersApi } from '../users';
import { createAccessTokens } from './access-tokens';
import type { AuthApi } from './auth.api';
import { createRefreshTokenModel, createSessionModel } from './auth.models';
import { authRoutes } from './auth.routes';
import { createAuthService } from './auth.service';
import { createPasswords } from './passwords';
import { createIdentities } from './providers/identities.service';
import { createProviderClients } from './providers/provider-clients';
import { createProviderSignIn } from './providers/provider-sign-in.service';
import { createAttemptModel, createIdentityModel } from './providers/providers.models';
import { providerRoutes } from './providers/providers.routes';
import { createChallengeModel, createSecondFactorModel } from './second-factor/second-factor.models';
import { secondFactorRoutes } from './second-factor/second-factor.routes';
import { createSecondFactor } from './second-factor/second-factor.service';
import { createSessionsService } from './sessions.service';
import { createSignIn } from './sign-in';

export interface AuthDeps {
  connection: Connection;
  transact: Transact;
  realtime: Pick<Realtime, 'endSession'>;
  clock: Clock;
  ids: Ids;
  logger: Logger;
  config: Config['auth'];
  siteName: string;
  mail: PostOffice;
  users: UsersApi;
}

/** Who is who: registering, logging in by password or by others, the second factor, tokens and sessions. */
export function createAuthModule(deps: AuthDeps): Module<AuthApi> {
  const { connection, config, clock } = deps;
  const sessions = createSessionsService({
    ...deps,
    Sessions: createSessionModel(connection),
    RefreshTokens: createRefreshTokenModel(connection),
  });
  const accessTokens = createAccessTokens(config, clock);
  const passwords = createPasswords(config.bcryptCost);
  const secondFactor = createSecondFactor({ ...deps, SecondFactors: createSecondFactorModel(connection), sessions });
  const Challenges = createChallengeModel(connection);
  const signIn = createSignIn({ ...deps, Challenges, sessions, secondFactor, accessTokens });
  const auth = createAuthService({ ...deps, sessions, passwords, accessTokens, signIn, secondFactor });
  const clients = createProviderClients(
    config.providers,
    (id) => `${config.callbackBase}/api/auth/providers/${id}/callback`,
  );
  const identities = createIdentities({ ...deps, clients, IdentityRows: createIdentityModel(connection) });
  const Attempts = createAttemptModel(connection);
  const providerSignIn = createProviderSignIn({ ...deps, Attempts, clients, identities, signIn });
  return {
    api: auth,
    routes: [
      ...authRoutes(auth, signIn),
      ...secondFactorRoutes(secondFactor, auth),
      ...providerRoutes({ clients, identities, providerSignIn, auth }),
    ],
    clientEvents: [],
    loops: [],
  };
}
