import type { Clock } from '../core/clock';
import { AppError } from '../core/errors';

/** How often a player may send something: `max` in any window of `perSeconds`. */
export interface Budget {
  max: number;
  perSeconds: number;
}

/** Counters per player and event, in fixed windows, over all sockets of the player on this instance. */
export interface Budgets {
  /** @throws RATE_LIMITED once the window's budget is used up */
  spend(userId: string, what: string, budget: Budget): void;
  /** Forgets windows that have passed. */
  sweep(): void;
}

export function createBudgets(clock: Clock): Budgets {
  const windows = new Map<string, { endsAt: number; used: number }>();
  return {
    spend(userId, what, { max, perSeconds }) {
      const now = clock.now();
      const key = `${userId} ${what}`;
      let window = windows.get(key);
      if (!window || now >= window.endsAt) {
        window = { endsAt: now + perSeconds * 1000, used: 0 };
        windows.set(key, window);
      }
      window.used += 1;
      if (window.used <= max) return;
      const retryAfter = Math.max(1, Math.ceil((window.endsAt - now) / 1000));
      throw new AppError('RATE_LIMITED', `At most ${max} ${what} in ${perSeconds} s.`, { retryAfter });
    },
    sweep() {
      const now = clock.now();
      for (const [key, window] of windows) if (now >= window.endsAt) windows.delete(key);
    },
  };
}
