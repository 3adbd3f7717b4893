import type { Connection } from 'mongoose';
import type { Config } from '../../config/config';
import type { Clock } from '../../core/clock';
import { AppError } from '../../core/errors';
import type { Ids } from '../../core/ids';
import type { Transact } from '../../database/transaction';
import type { Realtime } from '../../realtime/server';
import type { Module } from '../module';
import type { UsersApi } from '../users';
import type { AuthApi } from './auth.api';

export interface AuthDeps {
  connection: Connection;
  transact: Transact;
  realtime: Pick<Realtime, 'expire'>;
  clock: Clock;
  ids: Ids;
  config: Config['auth'];
  users: UsersApi;
}

/** Who is who: registering, logging in, tokens and sessions. */
export function createAuthModule(_deps: AuthDeps): Module<AuthApi> {
  return {
    api: {
      authenticate: async () => {
        throw new AppError('UNAUTHENTICATED', 'Send an access token of this server.');
      },
    },
    routes: [],
    clientEvents: [],
    loops: [],
  };
}
