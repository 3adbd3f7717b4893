import type { Clock } from '../../core/clock';
import type { Logger } from '../../core/logger';
import { createLoop, type Loop } from '../../core/loop';
import type { Audit } from '../../database/audit';
import type { AuthApi } from '../auth';
import type { UsersApi } from '../users';

export interface ModerationLoopDeps {
  audit: Audit;
  users: Pick<UsersApi, 'credentials'>;
  auth: Pick<AuthApi, 'endOutdated'>;
  clock: Clock;
  logger: Logger;
}

/** Longer than a few rounds that were missed. */
const LOOK_BACK_MS = 30_000;
const BATCH = 200;

/**
 * Ends the sessions of those who were suspended or banned lately. Mostly there are none left: whoever was asked has ended them.
 * One that died in between has not.
 */
export function createModerationLoop({ audit, users, auth, clock, logger }: ModerationLoopDeps): Loop {
  return createLoop({
    name: 'moderation',
    everyMs: 2000,
    tick: async () => {
      const acts = await audit.since(['user.suspended', 'user.banned'], clock.now() - LOOK_BACK_MS, BATCH);
      for (const userId of new Set(acts.map(({ targetId }) => targetId))) {
        const account = await users.credentials(userId);
        if (account && account.status !== 'active')
          await auth.endOutdated(userId, account.tokenVersion, `the account is ${account.status}`);
      }
    },
    onError: (err) => logger.error({ err }, 'sessions of barred accounts could not be looked after'),
  });
}
