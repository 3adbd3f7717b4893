import type { Connection } from 'mongoose';
import type { Clock } from '../../core/clock';
import type { EventBus } from '../../core/event-bus';
import type { Ids } from '../../core/ids';
import type { Audit } from '../../database/audit';
import type { Outbox } from '../../database/outbox';
import type { Transact } from '../../database/transaction';
import type { Module } from '../module';
import { createExternal, type ExternalDeps } from './external/external';
import { createSyncModel } from './external/sync.models';
import { createGameChanges } from './game-changes.service';
import type { GameEvents, GamesApi } from './games.api';
import { createGameModel } from './games.models';
import { gameRoutes } from './games.routes';
import { createGamesService } from './games.service';
import { createModeCache } from './mode-cache';
import { countMatches, type HeardEvents } from './play-counts';
import { seedGames } from './seed';

export interface GamesDeps extends Pick<ExternalDeps, 'config' | 'memory' | 'metrics' | 'logger' | 'instanceId'> {
  connection: Connection;
  transact: Transact;
  bus: EventBus<GameEvents & HeardEvents>;
  outbox: Outbox<GameEvents>;
  audit: Pick<Audit, 'append'>;
  clock: Clock;
  ids: Ids;
}

/** The catalogue: games, their modes, and the rule sets by which the modes make matches. */
export function createGamesModule(deps: GamesDeps): Module<GamesApi> {
  const { bus, clock } = deps;
  const Games = createGameModel(deps.connection);
  const cache = createModeCache({ Games, clock });
  bus.on('game.changed', ({ payload }) => cache.forget(payload.gameId));
  countMatches(bus, Games, clock);
  const changes = createGameChanges({ ...deps, Games, onChange: (gameId) => cache.forget(gameId) });
  const external = createExternal({ ...deps, Games, Syncs: createSyncModel(deps.connection) });
  const service = createGamesService({ Games, clock, lookUp: external.find });
  return {
    api: {
      mode: (gameId, key) => cache.mode(gameId, key),
      known: (gameIds) => service.known(gameIds),
      seedCatalogue: () => seedGames({ ...deps, Games }),
    },
    routes: gameRoutes(service, changes, external),
    clientEvents: [],
    loops: external.loops,
  };
}
