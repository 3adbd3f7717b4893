import type { Connection } from 'mongoose';
import type { Clock } from '../../core/clock';
import { notFound } from '../../core/errors';
import type { Outbox } from '../../database/outbox';
import { exportOf } from '../../database/personal-data';
import type { Transact } from '../../database/transaction';
import type { Identity } from '../../http/route';
import type { PostOffice } from '../../mail/post-office';
import type { AuthApi } from '../auth';
import type { UserEvents, UsersApi } from '../users';
import type { DeletionView, ExportView, Reauthentication } from './accounts.schemas';

/** Leaving, for a while or for good, and taking along what is kept here. Logging in brings a closed account back. */
export interface Closing {
  /** @throws BAD_CREDENTIALS, REAUTHENTICATE */
  deactivate(player: Identity, proof: Reauthentication): Promise<void>;
  /** @throws BAD_CREDENTIALS, REAUTHENTICATE */
  delete(player: Identity, proof: Reauthentication): Promise<DeletionView>;
  export(player: Identity): Promise<ExportView>;
}

export interface ClosingDeps {
  connection: Connection;
  users: Pick<UsersApi, 'close' | 'recipient'>;
  auth: Pick<AuthApi, 'reauthenticate' | 'endOutdated'>;
  mail: PostOffice;
  outbox: Outbox<UserEvents>;
  transact: Transact;
  clock: Clock;
  graceDays: number;
}

const DAY_MS = 86_400_000;

export function createClosing(deps: ClosingDeps): Closing {
  const { connection, users, auth, mail, outbox, transact, clock, graceDays } = deps;

  const close = async (userId: string, eraseAt: Date | null) => {
    const recipient = await users.recipient(userId);
    if (!recipient) throw notFound('player');
    const version = await transact(async (session) => {
      const next = await users.close(session, userId, eraseAt);
      await outbox.append(session, 'user.closed', userId, { userId });
      const until = eraseAt?.toISOString().slice(0, 10);
      if (until !== undefined) await mail.post(session, recipient, { kind: 'deletionRequested', values: { until } });
      return next;
    });
    outbox.wake();
    mail.wake();
    await auth.endOutdated(userId, version, 'the account was closed');
  };

  return {
    async deactivate(player, { password }) {
      await auth.reauthenticate(player, password);
      await close(player.userId, null);
    },

    async delete(player, { password }) {
      await auth.reauthenticate(player, password);
      const eraseAt = new Date(clock.now() + graceDays * DAY_MS);
      await close(player.userId, eraseAt);
      return { eraseAt: eraseAt.toISOString() };
    },

    async export({ userId }) {
      return { exportedAt: new Date(clock.now()).toISOString(), data: await exportOf(connection, userId) };
    },
  };
}
