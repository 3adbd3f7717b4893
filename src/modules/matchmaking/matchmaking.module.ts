import type { Connection } from 'mongoose';
import type { Config } from '../../config/config';
import type { Clock } from '../../core/clock';
import type { EventBus } from '../../core/event-bus';
import type { Ids } from '../../core/ids';
import type { Logger } from '../../core/logger';
import type { Outbox } from '../../database/outbox';
import type { Transact } from '../../database/transaction';
import type { Realtime } from '../../realtime/server';
import type { GamesApi } from '../games';
import type { LobbiesApi, LobbyEvents } from '../lobbies';
import type { Module } from '../module';
import type { UsersApi } from '../users';
import type { MatchmakingApi, MatchmakingEvents } from './matchmaking.api';

export interface MatchmakingDeps {
  connection: Connection;
  transact: Transact;
  bus: EventBus<MatchmakingEvents & LobbyEvents>;
  outbox: Outbox<MatchmakingEvents>;
  realtime: Realtime;
  clock: Clock;
  ids: Ids;
  logger: Logger;
  config: Config['matchmaking'];
  users: UsersApi;
  games: GamesApi;
  lobbies: LobbiesApi;
}

/** Tickets, the loop that matches them, matches and their results. */
export function createMatchmakingModule(_deps: MatchmakingDeps): Module<MatchmakingApi> {
  return {
    api: { snapshot: async () => ({ ticket: null, match: null }), restore: async () => undefined },
    routes: [],
    clientEvents: [],
    loops: [],
  };
}
