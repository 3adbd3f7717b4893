import type { Connection } from 'mongoose';
import type { Clock } from '../../core/clock';
import type { Ids } from '../../core/ids';
import type { Outbox } from '../../database/outbox';
import type { Transact } from '../../database/transaction';
import type { Realtime } from '../../realtime/server';
import type { GamesApi } from '../games';
import type { Module } from '../module';
import { createAccounts } from './accounts.service';
import { createProfilesService } from './profiles.service';
import { createRelationModel } from './relations.models';
import { createRelationsService } from './relations.service';
import { createStanding } from './standing.service';
import type { UserEvents, UsersApi } from './users.api';
import { createUserModel } from './users.models';
import { userRoutes } from './users.routes';

export interface UsersDeps {
  connection: Connection;
  transact: Transact;
  outbox: Outbox<UserEvents>;
  realtime: Pick<Realtime, 'hide'>;
  clock: Clock;
  ids: Ids;
  games: Pick<GamesApi, 'known'>;
}

/** Accounts as others see them: profiles, preferences, search, friends and blocks. */
export function createUsersModule(deps: UsersDeps): Module<UsersApi> {
  const Users = createUserModel(deps.connection);
  const accounts = createAccounts({ ...deps, Users });
  const Relations = createRelationModel(deps.connection);
  const relations = createRelationsService({ ...deps, Relations, summaries: (userIds) => accounts.summaries(userIds) });
  const profiles = createProfilesService({ ...deps, Users, relations });
  return {
    api: {
      ...accounts,
      profile: (userId) => profiles.own(userId),
      blocks: (userIds) => relations.blocks(userIds),
      visibleTo: (viewerId, userIds) => profiles.visibleTo(viewerId, userIds),
      standing: createStanding({ ...deps, Users }),
    },
    routes: userRoutes(profiles, relations),
    clientEvents: [],
    loops: [],
  };
}
