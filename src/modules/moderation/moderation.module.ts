import type { Connection } from 'mongoose';
import type { Clock } from '../../core/clock';
import type { Ids } from '../../core/ids';
import type { Logger } from '../../core/logger';
import type { Audit } from '../../database/audit';
import type { Outbox } from '../../database/outbox';
import type { Transact } from '../../database/transaction';
import type { Realtime } from '../../realtime/server';
import type { AuthApi } from '../auth';
import type { LobbiesApi } from '../lobbies';
import type { MatchmakingApi } from '../matchmaking';
import type { Module } from '../module';
import type { UserEvents, UsersApi } from '../users';
import { createKarmaService } from './karma.service';
import { createModerationLoop } from './moderation.loop';
import { createKarmaModel, createReportModel } from './moderation.models';
import { moderationRoutes } from './moderation.routes';
import { createReportsService } from './reports.service';
import { createSanctions } from './sanctions.service';

export interface ModerationDeps {
  connection: Connection;
  transact: Transact;
  outbox: Outbox<UserEvents>;
  audit: Audit;
  realtime: Pick<Realtime, 'expire'>;
  clock: Clock;
  ids: Ids;
  logger: Logger;
  users: UsersApi;
  auth: Pick<AuthApi, 'endOutdated'>;
  lobbies: Pick<LobbiesApi, 'messageFor'>;
  matchmaking: Pick<MatchmakingApi, 'played'>;
}

/** How people are kept from spoiling it for others: reports, karma, warnings, suspensions and bans, and the log of it all. */
export function createModerationModule(deps: ModerationDeps): Module<object> {
  const Reports = createReportModel(deps.connection);
  const Karma = createKarmaModel(deps.connection);
  return {
    api: {},
    routes: moderationRoutes({
      sanctions: createSanctions({ ...deps, Reports }),
      reports: createReportsService({ ...deps, Reports }),
      karma: createKarmaService({ ...deps, Karma }),
      audit: deps.audit,
    }),
    clientEvents: [],
    loops: [createModerationLoop(deps)],
  };
}
