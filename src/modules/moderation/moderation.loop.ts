import type { Clock } from '../../core/clock';
import type { Logger } from '../../core/logger';
import { createLoop, type Loop } from '../../core/loop';
import type { Audit } from '../../database/audit';
import type { Realtime } from '../../realtime/server';
import type { UsersApi } from '../users';

export interface ModerationLoopDeps {
  audit: Audit;
  users: Pick<UsersApi, 'account'>;
  realtime: Pick<Realtime, 'expire'>;
  clock: Clock;
  logger: Logger;
}

/** Longer than a few rounds that were missed. */
const LOOK_BACK_MS = 30_000;
const BATCH = 200;

/**
 * Closes the sockets of those who were suspended or banned lately, at whatever instance. Mostly there are none left: the
 * instance that was asked has told the others. This one does not need them to hear each other.
 */
export function createModerationLoop({ audit, users, realtime, clock, logger }: ModerationLoopDeps): Loop {
  return createLoop({
    name: 'moderation',
    everyMs: 2000,
    tick: async () => {
      const acts = await audit.since(['user.suspended', 'user.banned'], clock.now() - LOOK_BACK_MS, BATCH);
      for (const userId of new Set(acts.map(({ targetId }) => targetId))) {
        const account = await users.account(userId);
        if (account && account.status !== 'active') realtime.expire(userId, `the account is ${account.status}`);
      }
    },
    onError: (err) => logger.error({ err }, 'sockets of barred accounts could not be looked after'),
  });
}
