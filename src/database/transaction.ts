import type { ClientSession, Connection } from 'mongoose';
import { AppError } from '../core/errors';

/** Runs `work` in one transaction and returns what it returned. */
export type Transact = <Result>(work: (session: ClientSession) => Promise<Result>) => Promise<Result>;

/**
 * Transactions over a connection. `work` runs again from the start after a transient conflict (the driver's rule), so it
 * must not have effects outside its session; anything else it throws aborts the transaction and comes out as it is.
 *
 * A process that is killed within a transaction leaves its locks behind until the database ends the transaction (in MongoDB after 60 s).
 * Whoever runs into them is told UNAVAILABLE after a while: the driver would go on trying for two minutes.
 */
export function createTransact(connection: Connection, giveUpMs = 5_000): Transact {
  return async (work) => {
    const begun = performance.now();
    const attempt = (session: ClientSession) => {
      if (performance.now() - begun > giveUpMs)
        throw new AppError('UNAVAILABLE', 'The same is being changed by somebody else: try again.', { retryAfter: 2 });
      return work(session);
    };
    const session = await connection.startSession();
    try {
      return await session.withTransaction(async () => attempt(session), {
        readConcern: { level: 'snapshot' },
        writeConcern: { w: 'majority' },
      });
    } finally {
      await session.endSession();
    }
  };
}

/** Whether a write failed on a unique index whose key holds `field`. */
export function isDuplicateKey(error: unknown, field?: string): boolean {
  const candidate = error as { code?: unknown; keyPattern?: Record<string, unknown> } | null;
  if (candidate?.code !== 11000) return false;
  return field === undefined || (candidate.keyPattern !== undefined && field in candidate.keyPattern);
}

/** UNAVAILABLE in place of an error by which the driver or mongoose says that no server answered; others as they are. */
export function asUnavailable(error: unknown): unknown {
  const { name = '', errorLabelSet } = (error ?? {}) as { name?: string; errorLabelSet?: ReadonlySet<string> };
  if (!DATABASE_AWAY.test(name) && !CUT_OFF.some((label) => errorLabelSet?.has(label))) return error;
  return new AppError('UNAVAILABLE', 'The database cannot be reached at the moment.', { retryAfter: 2, cause: error });
}

const DATABASE_AWAY =
  /^(MongoNetwork|MongoServerSelection|MongooseServerSelection|MongoNotConnected|MongoTopologyClosed|MongoPool|PoolCleared)/;

/** The database went away, or its primary changed, in the middle of it: nothing is wrong with what was asked. */
const CUT_OFF = ['TransientTransactionError', 'UnknownTransactionCommitResult', 'RetryableWriteError'];
