import { setTimeout as delay } from 'node:timers/promises';
import mongoose, { type ClientSession, type Connection } from 'mongoose';
import { AppError } from '../core/errors';

const { MongoError } = mongoose.mongo;

/** Runs `work` in one transaction and returns what it returned. */
export type Transact = <Result>(
  work: (session: ClientSession) => Promise<Result>,
  options?: Partial<Pick<Patience, 'giveUpMs'>>,
) => Promise<Result>;

/** What is to be done once the transaction of a session stands. */
const consequences = new WeakMap<ClientSession, (() => void)[]>();

/** Does `work` once the transaction that runs in this session has committed; not where it is taken back, or nobody knows what became of it. */
export function afterCommit(session: ClientSession, work: () => void): void {
  consequences.get(session)?.push(work);
}

/** How long is tried what the database does not let through; a try under way is not cut off. */
export interface Patience {
  /** After this the work is not begun again. */
  giveUpMs: number;
  /** After this a commit whose reply was lost is not sent again. */
  commitMs: number;
}

/** The database went away with the commit, and did not come back in time: whether it was done has to be looked up by what it has written. */
export class OutcomeUnknown extends AppError {
  constructor(cause: unknown) {
    const detail = 'The database went away before it had answered: look whether it was done.';
    super('UNAVAILABLE', detail, { retryAfter: 2, cause });
  }
}

const PATIENCE: Patience = { giveUpMs: 5_000, commitMs: 10_000 };
/** Tries are this far apart at most: what a dead process has locked is free from one moment to the next. */
const FIRST_PAUSE_MS = 5;
const LAST_PAUSE_MS = 200;

/**
 * Transactions over a connection. `work` runs again from the start after a transient conflict and after the loss of its
 * connection, so it must not have effects outside its session; anything else it throws aborts the transaction and comes out as it is.
 * A commit whose reply is lost is sent again, which does nothing where it was done.
 *
 * The driver's `withTransaction` does the same, but goes on for two minutes, in which nobody is told anything. Here whoever runs into what a
 * killed process has locked (MongoDB ends its transaction after 60 s) is told UNAVAILABLE after a while, and so is whoever waits for a commit.
 */
export function createTransact(connection: Connection, patience: Partial<Patience> = {}): Transact {
  const { giveUpMs: usual, commitMs } = { ...PATIENCE, ...patience };
  return async (work, { giveUpMs = usual } = {}) => {
    const begun = performance.now();
    const session = await connection.startSession();
    try {
      for (let tries = 0, failure: unknown; ; tries++) {
        if (tries > 0 && performance.now() - begun > giveUpMs) throw givenUp(failure);
        if (tries > 0) await delay(pauseBefore(tries));
        const done = await attempt(session, work, commitMs);
        if ('result' in done) return done.result;
        failure = done.failure;
      }
    } finally {
      await session.endSession();
    }
  };
}

/** @returns what to try again after, or what came of it */
async function attempt<Result>(
  session: ClientSession,
  work: (session: ClientSession) => Promise<Result>,
  commitMs: number,
): Promise<{ result: Result } | { failure: unknown }> {
  session.startTransaction(TOGETHER);
  const afterwards: (() => void)[] = [];
  consequences.set(session, afterwards);
  let result: Result;
  try {
    result = await work(session);
  } catch (error) {
    await session.abortTransaction();
    if (isTransient(error) || (error instanceof MongoError && isDatabaseAway(error))) return { failure: error };
    throw error;
  }
  const failure = await commit(session, commitMs);
  if (failure !== undefined) return { failure };
  for (const consequence of afterwards) consequence();
  return { result };
}

/** @returns nothing when it stands, or why all has to be done again */
async function commit(session: ClientSession, commitMs: number): Promise<unknown> {
  const until = performance.now() + commitMs;
  for (let tries = 1; ; tries++) {
    try {
      await session.commitTransaction();
      return undefined;
    } catch (error) {
      // the driver does not mark every loss of a connection as such: not where another one was lost just before
      const isUnknown =
        hasLabel(error, 'UnknownTransactionCommitResult') || (isDatabaseAway(error) && !isTransient(error));
      if (!isUnknown && isTransient(error)) return error;
      if (!isUnknown) throw error;
      if (performance.now() > until) throw new OutcomeUnknown(error);
      await delay(pauseBefore(tries));
    }
  }
}

const TOGETHER = { readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' } } as const;

const hasLabel = (error: unknown, label: string): boolean => error instanceof MongoError && error.hasErrorLabel(label);
const isTransient = (error: unknown): boolean => hasLabel(error, 'TransientTransactionError');

/** At random, so that those who are in each other's way do not meet again. */
const pauseBefore = (tries: number): number => Math.random() * Math.min(FIRST_PAUSE_MS * 1.5 ** tries, LAST_PAUSE_MS);

const WRITE_CONFLICT = 112;

const givenUp = (cause: unknown): AppError =>
  (cause as { code?: unknown } | undefined)?.code === WRITE_CONFLICT
    ? new AppError('UNAVAILABLE', 'The same is being changed by somebody else: try again.', { retryAfter: 2, cause })
    : unavailable(cause);

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
