import type { Connection } from 'mongoose';
import type { Clock } from '../../core/clock';
import type { Ids } from '../../core/ids';
import type { Outbox } from '../../database/outbox';
import type { Transact } from '../../database/transaction';
import type { GamesApi } from '../games';
import type { Module } from '../module';
import type { UserEvents, UsersApi } from './users.api';

export interface UsersDeps {
  connection: Connection;
  transact: Transact;
  outbox: Outbox<UserEvents>;
  clock: Clock;
  ids: Ids;
  games: Pick<GamesApi, 'known'>;
}

/** Accounts as others see them: profiles, preferences, search, friends and blocks. */
export function createUsersModule(_deps: UsersDeps): Module<UsersApi> {
  return { api: {} as UsersApi, routes: [], clientEvents: [], loops: [] };
}
