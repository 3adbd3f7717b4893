import type { Config } from '../../config/config';
import type { Clock } from '../../core/clock';
import { AppError } from '../../core/errors';
import type { Logger } from '../../core/logger';
import { createLoop, type Loop } from '../../core/loop';
import { close, IDLE_FACTOR, start, type Change, type Lobby } from './lobbies.policy';
import type { LobbyStore } from './lobbies.store';

/** Lobbies looked at per tick and reason. */
const BATCH = 200;

/** What time does to lobbies: match lobbies that are ready start, idle ones close. */
export function createLobbiesLoop(deps: {
  store: LobbyStore;
  clock: Clock;
  logger: Logger;
  config: Config['lobbies'];
}): Loop {
  const { store, clock, logger, config } = deps;
  const { Lobbies } = store;

  const changeAll = async (due: object, decide: (lobby: Lobby) => Change | null) => {
    const rows = await Lobbies.find(due, { _id: 1 }).limit(BATCH).lean();
    for (const row of rows) {
      try {
        await store.change(row._id.toHexString(), decide);
      } catch (error) {
        // an AppError: a player or another instance was faster. One lobby never holds up the others
        const level = error instanceof AppError ? 'debug' : 'error';
        logger[level]({ err: error, lobbyId: row._id.toHexString() }, 'lobby left alone until the next tick');
      }
    }
  };

  const isDue = (lobby: Lobby, now: number) => lobby.startsAt !== null && lobby.startsAt <= now;

  return createLoop({
    name: 'lobbies',
    everyMs: 1000,
    async tick() {
      const now = clock.now();
      await changeAll({ state: 'ready', startsAt: { $lte: new Date(now) } }, (lobby) =>
        isDue(lobby, now) ? start(lobby, null, now) : null,
      );
      for (const [state, factor] of Object.entries(IDLE_FACTOR)) {
        const since = now - factor * config.idleMinutes * 60_000;
        await changeAll({ state, lastActivityAt: { $lte: new Date(since) } }, (lobby) =>
          lobby.state === state && lobby.lastActivityAt <= since
            ? close(lobby, null, 'nothing happened for a while', now)
            : null,
        );
      }
    },
    onError: (err) => logger.error({ err }, 'lobbies loop failed'),
  });
}
