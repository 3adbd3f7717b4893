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
import type { Module } from '../module';
import type { UsersApi } from '../users';
import type { LobbiesApi, LobbyEvents } from './lobbies.api';

export interface LobbiesDeps {
  connection: Connection;
  transact: Transact;
  bus: EventBus<LobbyEvents>;
  outbox: Outbox<LobbyEvents>;
  realtime: Realtime;
  clock: Clock;
  ids: Ids;
  logger: Logger;
  config: Config['lobbies'];
  users: Pick<UsersApi, 'summaries' | 'blocks'>;
  games: Pick<GamesApi, 'mode'>;
}

export function createLobbiesModule(_deps: LobbiesDeps): Module<LobbiesApi> {
  const later = async () => {
    throw new Error('the lobbies module is being written');
  };
  return {
    api: { createForMatch: later, closeForMatch: later, partyOf: later, lobbiesOf: async () => [] },
    routes: [],
    clientEvents: [],
    loops: [],
  };
}
