import type { Connection } from 'mongoose';
import type { Clock } from '../../core/clock';
import type { EventBus } from '../../core/event-bus';
import type { Ids } from '../../core/ids';
import type { Logger } from '../../core/logger';
import type { Outbox } from '../../database/outbox';
import type { Transact } from '../../database/transaction';
import type { Module } from '../module';
import type { GameEvents, GamesApi } from './games.api';

/** What the module hears of matchmaking, which imports this module: so the fact is described here once more. */
export interface HeardEvents extends Record<string, object> {
  'match.formed': { matchId: string; gameId: string };
}

export interface GamesDeps {
  connection: Connection;
  transact: Transact;
  bus: EventBus<GameEvents & HeardEvents>;
  outbox: Outbox<GameEvents>;
  clock: Clock;
  ids: Ids;
  logger: Logger;
}

/** The catalogue: games, their modes, and the rule sets by which the modes make matches. */
export function createGamesModule(_deps: GamesDeps): Module<GamesApi> {
  return { api: {} as GamesApi, routes: [], clientEvents: [], loops: [] };
}
