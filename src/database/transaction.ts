import mongoose, { type ClientSession, type Connection } from 'mongoose';
import { AppError } from '../core/errors';

const { MongoError } = mongoose.mongo;

/** Runs `work` in one transaction and returns what it returned. */
export type Transact = <Result>(work: (session: ClientSession) => Promise<Result>) => Promise<Result>;

/**
 * Transactions over a connection. `work` runs again from the start after a transient conflict (the driver's rule) and after the loss of its
 * connection, so it must not have effects outside its session; anything else it throws aborts the transaction and comes out as it is.
 * A commit whose reply is lost is sent once more, which does nothing where it was done.
 *
 * A process that is killed within a transaction leaves its locks behind until the database ends the transaction (in MongoDB after 60 s).
 * Whoever runs into them is told UNAVAILABLE after a while: the driver would go on trying for two minutes.
 */
export function createTransact(connection: Connection, giveUpMs = 5_000): Transact {
  return async <Result>(work: (session: ClientSession) => Promise<Result>) => {
    const begun = performance.now();
    let failure: unknown;
    /** What `work` returned in the attempt whose commit is under way. */
    let outcome: { result: Result } | undefined;
    const attempt = async (session: ClientSession) => {
      outcome = undefined;
      if (performance.now() - begun > giveUpMs) throw givenUp(failure);
      try {
        outcome = { result: await work(session) };
      } catch (error) {
        throw (failure = transient(error));
      }
    };
    const session = await connection.startSession();
    try {
      await session.withTransaction(attempt, TOGETHER).catch(async (error: unknown) => {
        if (outcome === undefined || !isDatabaseAway(error)) throw error;
        await session.commitTransaction();
      });
      return (outcome as unknown as { result: Result }).result;
    } finally {
      await session.endSession();
    }
  };
}

const TOGETHER = { readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' } } as const;

const WRITE_CONFLICT = 112;

const givenUp = (cause: unknown): AppError =>
  (cause as { code?: unknown } | undefined)?.code === WRITE_CONFLICT
    ? new AppError('UNAVAILABLE', 'The same is being changed by somebody else: try again.', { retryAfter: 2, cause })
    : unavailable(cause);

/** The driver does not mark every loss of a connection as such: not where another one was lost just before, which is how they are lost. */
function transient(error: unknown): unknown {
  if (error instanceof MongoError && isDatabaseAway(error)) error.addErrorLabel('TransientTransactionError');
  return error;
}

/** Whether a write failed on a unique index whose key holds `field`. */
export function isDuplicateKey(error: unknown, field?: string): boolean {
  const candidate = error as { code?: unknown; keyPattern?: Record<string, unknown> } | null;
  if (candidate?.code !== 11000) return false;
  return field === undefined || (candidate.keyPattern !== undefined && field in candidate.keyPattern);
}

/** UNAVAILABLE in place of an error by which the driver or mongoose says that no server answered; others as they are. */
export function asUnavailable(error: unknown): unknown {
  return isDatabaseAway(error) ? unavailable(error) : error;
}

const unavailable = (cause: unknown): AppError =>
  new AppError('UNAVAILABLE', 'The database cannot be reached at the moment.', { retryAfter: 2, cause });

/** Whether it, or what it wraps (a bulk write does), says that no server answered, or that the one that did is no primary any more. */
function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof AppError) return false;
  const { name, code, errorLabelSet, errorResponse, cause } = error as Error & OfDriver;
  if (AWAY.test(name) || CUT_OFF.some((label) => errorLabelSet?.has(label))) return true;
  if (typeof code === 'number' && NO_PRIMARY.has(code)) return true;
  return isDatabaseAway(errorResponse) || isDatabaseAway(cause);
}

interface OfDriver {
  code?: unknown;
  errorLabelSet?: ReadonlySet<string>;
  errorResponse?: unknown;
}

const AWAY =
  /^(MongoNetwork|MongoServerSelection|MongooseServerSelection|MongoNotConnected|MongoTopologyClosed|MongoPool|PoolCleared)/;

/** The database went away, or its primary changed, in the middle of it: nothing is wrong with what was asked. */
const CUT_OFF = ['TransientTransactionError', 'UnknownTransactionCommitResult', 'RetryableWriteError'];

/** What a node says that is stopping, or is no primary (any more): of reads it says nothing else, and the driver repeats them once only. */
const NO_PRIMARY = new Set([91, 189, 10107, 11600, 11602, 13435, 13436]);
