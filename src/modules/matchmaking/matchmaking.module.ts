import type { Connection } from 'mongoose';
import type { Config } from '../../config/config';
import type { Clock } from '../../core/clock';
import type { EventBus } from '../../core/event-bus';
import type { Ids } from '../../core/ids';
import type { Logger } from '../../core/logger';
import type { LeaseHolder } from '../../database/leases';
import type { Outbox } from '../../database/outbox';
import type { Transact } from '../../database/transaction';
import type { Realtime } from '../../realtime/server';
import type { GamesApi } from '../games';
import type { Metrics } from '../../observability/metrics';
import type { LobbiesApi, LobbyEvents } from '../lobbies';
import type { Module } from '../module';
import type { UserEvents, UsersApi } from '../users';
import { createAcceptanceService } from './acceptance.service';
import { createBackfills } from './backfill';
import { createCompany } from './company';
import { Engine } from './engine';
import { createFormation } from './formation';
import { createLobbyFills } from './lobby-fill';
import { createLobbyQueue, followAccounts, followLobbies } from './lobby-queue';
import { createMatchesService } from './matches.service';
import type { MatchmakingApi, MatchmakingEvents } from './matchmaking.api';
import { createMatchmakingLoop } from './matchmaking.loop';
import { measureMatchmaking } from './matchmaking.metrics';
import { createMatchModel, createRatingModel, createTicketModel } from './matchmaking.models';
import { matchmakingRoutes } from './matchmaking.routes';
import { matchmakingEvents, tellMatchmakingNews } from './matchmaking.socket';
import { createOpenSearches } from './open-searches';
import { createPools, SEED } from './pools';
import { recordedEngine, type OperationSink } from './recording/recorder';
import { createResultsService } from './results.service';
import { createSearchRound } from './search-round';
import { createStatusBoard } from './status';
import { createSubmissions } from './submissions';
import { createTicketStore } from './tickets.store';
import { createTicketsService } from './tickets.service';
import { createUpkeep } from './upkeep';
import { createWaits } from './waits';

export interface MatchmakingDeps {
  connection: Connection;
  transact: Transact;
  bus: EventBus<MatchmakingEvents & LobbyEvents & Pick<UserEvents, 'user.closed' | 'user.barred'>>;
  outbox: Outbox<MatchmakingEvents>;
  realtime: Realtime;
  clock: Clock;
  ids: Ids;
  logger: Logger;
  metrics: Metrics;
  config: Config['matchmaking'];
  /** Where the engine's work is recorded, or nowhere. */
  recording: OperationSink | null;
  /** Which pools this instance leads. */
  leases: LeaseHolder;
  users: UsersApi;
  games: GamesApi;
  lobbies: LobbiesApi;
}

/** Tickets, the loop that matches them, matches and their results. */
export function createMatchmakingModule(deps: MatchmakingDeps): Module<MatchmakingApi> {
  const { connection, bus, realtime, clock, config, recording } = deps;
  const Tickets = createTicketModel(connection);
  const Matches = createMatchModel(connection);
  const Ratings = createRatingModel(connection);

  const waits = createWaits();
  const companyOf = createCompany({ ...deps, Matches });
  const plain = new Engine(SEED);
  const engine = recording ? recordedEngine(plain, recording, { seed: SEED, at: clock.now() }) : plain;
  const pools = createPools({ ...deps, engine, Tickets, companyOf });
  const store = createTicketStore({ ...deps, Tickets });
  const meter = measureMatchmaking({ ...deps, Tickets, pools });
  const formation = createFormation({ ...deps, Matches, store, pools, waits, meter });
  const acceptance = createAcceptanceService({ ...deps, Matches, store, pools, formation });
  const submissions = createSubmissions({ Tickets, Matches, Ratings });
  const backfills = createBackfills({ ...deps, Matches, store, pools, submissions });
  const tickets = createTicketsService({ ...deps, store, pools, waits, acceptance, submissions });
  const matches = createMatchesService({ ...deps, Matches, backfills });
  const results = createResultsService({ ...deps, Matches, Ratings, backfills });
  const fills = createLobbyFills({ ...deps, store, tickets, submissions, pools });
  const lobbyQueue = createLobbyQueue({ ...deps, tickets, backfills, fills });
  const status = createStatusBoard({ ...deps, pools, waits });
  const upkeep = createUpkeep({ ...deps, Matches, store, pools, waits });
  const search = createSearchRound({ ...deps, pools, formation });

  tellMatchmakingNews(bus, realtime, { status, pools });
  followLobbies(bus, { tickets, matches, results, backfills, fills });
  followAccounts(bus, tickets);

  return {
    api: {
      openSearches: createOpenSearches({ tickets, Matches }),
      played: (matchId) => matches.played(matchId),
      restore: () => upkeep.restore(),
    },
    routes: matchmakingRoutes({ ...deps, tickets, acceptance, matches, results, lobbyQueue, pools, waits }),
    clientEvents: matchmakingEvents({ tickets, acceptance, status }),
    loops: [createMatchmakingLoop({ ...deps, ...config, upkeep, acceptance, matches, search, status, clock })],
  };
}
