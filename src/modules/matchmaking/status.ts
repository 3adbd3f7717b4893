import type { Clock } from '../../core/clock';
import type { Realtime } from '../../realtime/server';
import type { SignalEvents } from '../../realtime/protocol';
import type { GamesApi } from '../games';
import { relaxation } from './engine';
import { HOUR_MS, poolOf } from './matchmaking.policy';
import type { Pools } from './pools';
import type { Waits } from './waits';

/** How a search is going, for the players who watch it: sent every few seconds while their ticket is queued. */
export interface StatusBoard {
  /** Somebody on this instance watches the ticket. */
  watch(ticketId: string): void;
  /** What a queued ticket's players are shown; null where it is not queued here. */
  status(ticketId: string): Promise<SignalEvents['matchmaking:status'] | null>;
  /** Sends the status of every watched ticket that is queued, and forgets those that have not been for an hour. */
  tell(): Promise<void>;
}

export const ticketRoom = (ticketId: string): string => `ticket:${ticketId}`;

export function createStatusBoard({
  pools,
  waits,
  games,
  realtime,
  clock,
}: {
  pools: Pools;
  waits: Waits;
  games: Pick<GamesApi, 'mode'>;
  realtime: Pick<Realtime, 'signal'>;
  clock: Clock;
}): StatusBoard {
  /** When each of them was last seen in a queue. */
  const watched = new Map<string, number>();

  /** As seen from one of the pools that the ticket stands in. */
  const inPool = async (key: string, waitedMs: number, now: number) => {
    const { gameId, mode: modeKey } = poolOf(key);
    const mode = await games.mode(gameId, modeKey);
    return {
      depth: pools.figures(key).depth,
      relaxation: mode ? relaxation(mode.ruleSet, waitedMs) : 0,
      estimate: waits.estimate(key, waitedMs, now) ?? Infinity,
    };
  };

  const status: StatusBoard['status'] = async (ticketId) => {
    const ticket = pools.get(ticketId);
    if (!ticket) return null;
    const now = clock.now();
    const waitedMs = Math.max(0, now - ticket.waitingSince);
    const views = await Promise.all(ticket.pools.map((key) => inPool(key, waitedMs, now)));
    const soonest = Math.min(...views.map((view) => view.estimate));
    return {
      ticketId,
      state: 'queued',
      waitedMs,
      estimatedWaitMs: soonest === Infinity ? null : soonest,
      poolDepth: Math.max(...views.map((view) => view.depth)),
      relaxation: Math.max(...views.map((view) => view.relaxation)),
    };
  };

  return {
    watch: (ticketId) => void watched.set(ticketId, clock.now()),
    status,
    async tell() {
      const now = clock.now();
      for (const [ticketId, seen] of watched) {
        const shown = await status(ticketId);
        if (shown) {
          watched.set(ticketId, now);
          realtime.signal(ticketRoom(ticketId), 'matchmaking:status', shown);
        } else if (now - seen > HOUR_MS) watched.delete(ticketId);
      }
    },
  };
}
