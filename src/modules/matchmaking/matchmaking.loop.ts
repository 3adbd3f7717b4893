import type { Clock } from '../../core/clock';
import type { Logger } from '../../core/logger';
import { createLoop, type Loop } from '../../core/loop';
import type { AcceptanceService } from './acceptance.service';
import type { MatchesService } from './matches.service';
import type { StatusBoard } from './status';
import type { Upkeep } from './upkeep';

const STATUS_EVERY_MS = 2000;
const MATCH_SWEEP_EVERY_MS = 60_000;

/**
 * The heartbeat: what time does to tickets and proposals first, so that the search that follows sees the present. One thing
 * that fails (a broken row, say) is logged and never keeps the others from being done.
 */
export function createMatchmakingLoop({
  tickMs,
  catchUpMs,
  upkeep,
  acceptance,
  matches,
  search,
  status,
  clock,
  logger,
}: {
  tickMs: number;
  /** How long a change made by another instance may go unseen. */
  catchUpMs: number;
  upkeep: Upkeep;
  acceptance: AcceptanceService;
  matches: MatchesService;
  search: () => Promise<void>;
  status: StatusBoard;
  clock: Clock;
  logger: Logger;
}): Loop {
  /** In the tick that is nearest to its time: one that begins a moment early would else leave it to the next. */
  const rarely = (periodMs: number, work: () => Promise<void>) => {
    let last = clock.now();
    return async () => {
      const now = clock.now();
      if (now - last < periodMs - tickMs / 2) return;
      await work();
      last = now;
    };
  };
  const attempt = async (what: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (err) {
      logger.error({ err, what }, 'a part of the matchmaking tick failed');
    }
  };
  const catchUp = rarely(catchUpMs, () => upkeep.catchUp());
  const tellStatus = rarely(STATUS_EVERY_MS, () => status.tell());
  const sweepMatches = rarely(MATCH_SWEEP_EVERY_MS, () => matches.sweep());

  return createLoop({
    name: 'matchmaking',
    everyMs: tickMs,
    async tick() {
      await attempt('opening scheduled tickets', () => upkeep.openDue());
      await attempt('expiring tickets', () => upkeep.expireDue());
      await attempt('ending proposals', () => acceptance.sweep());
      await attempt('catching up', catchUp);
      await attempt('ending forgotten matches', sweepMatches);
      await search();
      await attempt('telling the status', tellStatus);
    },
    onError: (err) => logger.error({ err }, 'matchmaking tick failed'),
  });
}
