import type { Connection } from 'mongoose';
import type { Config } from '../../config/config';
import type { Clock } from '../../core/clock';
import type { EventBus } from '../../core/event-bus';
import type { Ids } from '../../core/ids';
import type { Logger } from '../../core/logger';
import type { Outbox } from '../../database/outbox';
import type { Transact } from '../../database/transaction';
import type { Metrics } from '../../observability/metrics';
import type { Realtime } from '../../realtime/server';
import type { GamesApi } from '../games';
import type { Module } from '../module';
import type { UserEvents, UsersApi } from '../users';
import type { LobbiesApi, LobbyEvents } from './lobbies.api';
import { createLobbiesLoop } from './lobbies.loop';
import { measureLobbies } from './lobbies.metrics';
import { lobbyRoutes } from './lobbies.routes';
import { createLobbiesService } from './lobbies.service';
import { lobbyEvents, tellLobbyNews } from './lobbies.socket';
import { createLobbyStore } from './lobbies.store';
import { createLobbiesApi } from './match-lobbies';
import { createMessagesService } from './messages.service';

export interface LobbiesDeps {
  connection: Connection;
  transact: Transact;
  bus: EventBus<LobbyEvents & Pick<UserEvents, 'user.closed' | 'user.barred'>>;
  outbox: Outbox<LobbyEvents>;
  realtime: Realtime;
  clock: Clock;
  ids: Ids;
  logger: Logger;
  metrics: Metrics;
  config: Config['lobbies'];
  users: Pick<UsersApi, 'summaries' | 'blocks'>;
  games: Pick<GamesApi, 'mode'>;
}

/** Where people meet: lobbies made by matches and by players, and their chat. */
export function createLobbiesModule(deps: LobbiesDeps): Module<LobbiesApi> {
  const { bus, realtime } = deps;
  const store = createLobbyStore(deps);
  measureLobbies(deps.metrics, store.Lobbies);
  const lobbies = createLobbiesService({ ...deps, store });
  const messages = createMessagesService({ ...deps, store });
  tellLobbyNews(bus, realtime);
  const api = createLobbiesApi({ ...deps, store });
  const leaveAll = async ({ payload: { userId } }: { payload: { userId: string } }) => {
    const mine = (await api.lobbiesOf([userId]))(userId);
    for (const { id } of mine) await lobbies.leave(id, userId);
  };
  bus.on('user.closed', leaveAll);
  bus.on('user.barred', leaveAll);
  return {
    api,
    routes: lobbyRoutes(lobbies, messages),
    clientEvents: lobbyEvents({ store, lobbies, messages, realtime }),
    loops: [createLobbiesLoop({ ...deps, store })],
  };
}
