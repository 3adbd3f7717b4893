import type { Connection } from 'mongoose';
import type { Logger } from '../../core/logger';
import { createLoop, type Loop } from '../../core/loop';
import { eraseTraces } from '../../database/personal-data';
import type { Transact } from '../../database/transaction';
import type { UsersApi } from '../users';

/**
 * Erases those whose grace period is over. They are claimed first, from when on no login brings them back; a process that
 * ends in the middle leaves them claimed and due, and the next round, here or elsewhere, does it all again.
 */
export interface ErasureDeps {
  connection: Connection;
  transact: Transact;
  users: Pick<UsersApi, 'claimErasable'>;
  logger: Logger;
}

const EVERY_MS = 3_600_000;
const AT_ONCE = 50;

export function createErasureLoop({ connection, transact, users, logger }: ErasureDeps): Loop {
  return createLoop({
    name: 'erasure',
    everyMs: EVERY_MS,
    async tick() {
      for (;;) {
        const people = await users.claimErasable(AT_ONCE);
        if (people.length === 0) return;
        await eraseTraces({ connection, transact }, people);
        logger.info({ count: people.length }, 'erased accounts whose grace period was over');
      }
    },
    onError: (err) => logger.error({ err }, 'accounts could not be erased'),
  });
}
