import type { Connection } from 'mongoose';
import type { Config } from '../../config/config';
import type { Clock } from '../../core/clock';
import type { Ids } from '../../core/ids';
import type { Logger } from '../../core/logger';
import type { Outbox } from '../../database/outbox';
import type { Transact } from '../../database/transaction';
import type { PostOffice } from '../../mail/post-office';
import type { AuthApi } from '../auth';
import type { Module } from '../module';
import type { UserEvents, UsersApi } from '../users';
import { createLinkTokenModel } from './accounts.models';
import { accountRoutes } from './accounts.routes';
import { createClosing } from './closing.service';
import { createErasureLoop } from './erasure.loop';
import { createLinks } from './links.service';
import { createRecovery } from './recovery.service';

export interface AccountsDeps {
  connection: Connection;
  transact: Transact;
  outbox: Outbox<UserEvents>;
  mail: PostOffice;
  clock: Clock;
  ids: Ids;
  logger: Logger;
  config: Config['accounts'];
  users: UsersApi;
  auth: AuthApi;
}

/** The life of an account besides signing in: its address, getting back in, leaving, and everything that is known of it. */
export function createAccountsModule(deps: AccountsDeps): Module<object> {
  const { connection, mail, config } = deps;
  const links = createLinks({ ...deps, ...config, LinkTokens: createLinkTokenModel(connection) });
  mail.onWish((wish, id) => links.fulfil(wish, id));
  const recovery = createRecovery({ ...deps, links });
  const closing = createClosing({ ...deps, ...config });
  return {
    api: {},
    routes: accountRoutes(recovery, closing),
    clientEvents: [],
    loops: [createErasureLoop(deps)],
  };
}
