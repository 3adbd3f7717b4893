/**
 * Logical sessions: which transaction a command belongs to, and what a retried write was answered the first time.
 *
 * A session's commands carry a growing `txnNumber`. With `autocommit: false` it names a transaction, which begins with `startTransaction: true`; without,
 * it marks a write that the driver may send again: its reply is kept and given again. Only the newest number of a session counts.
 */
import { createHash } from 'node:crypto';
import { Binary, Long, UUID } from 'bson';
import { isDoc, type Doc } from '../values/bson-types';
import { MongoError } from '../errors';
import { type Store } from '../storage/store';
import { type Writer } from '../storage/versions';

export interface Session {
  readonly id: string;
  txnNumber: bigint;
  state: 'none' | 'retryable' | 'open' | 'committed' | 'aborted';
  writer: Writer | undefined;
  /** The reply to the write with this number, also while it is being made. */
  reply: Promise<Doc> | undefined;
  timer: NodeJS.Timeout | undefined;
  /** What to wait for before a commit may be called done (again). */
  kept: Promise<void> | undefined;
  usedAt: number;
}

export interface Belonging {
  session?: Session | undefined;
  /** The open transaction. */
  transaction?: Writer | undefined;
  /** The command may be sent again under this number. */
  retryable: boolean;
}

/** mongod names a session's user by a hash, also where there are no users. */
export const NOBODY = new Binary(createHash('sha256').digest());
const IDLE_MS = 30 * 60_000;
const invalid = (message: string): MongoError => new MongoError(72, message);
const gone = (number: bigint, why: string): MongoError => new MongoError(251, `Transaction ${number} ${why}`);

export class Sessions {
  private readonly sessions = new Map<string, Session>();
  /** mongod's transactionLifetimeLimitSeconds. */
  lifetimeMs = 60_000;
  /** Told of every transaction that ends. */
  onEnd: (session: Session) => void = () => undefined;

  constructor(private readonly store: Store) {}

  /** Where a command belongs; begins a transaction where it says so. @throws for numbers and flags that do not fit */
  belong(command: Doc): Belonging {
    const { txnNumber, autocommit, startTransaction } = command;
    const session = 'lsid' in command ? this.session(command.lsid) : undefined;
    if (txnNumber === undefined) {
      if (autocommit !== undefined)
        throw invalid("'autocommit' field requires a transaction number to also be specified");
      if (startTransaction !== undefined) throw invalid("'startTransaction' field requires a transaction number to also be specified"); // prettier-ignore
      return { session, retryable: false };
    }
    if (!session) throw invalid('Transaction number requires a session ID to also be specified');
    if (!(txnNumber instanceof Long)) throw new MongoError(14, "'txnNumber' has to be a long");
    const number = txnNumber.toBigInt();
    if (number < 0n) throw invalid('Transaction number cannot be negative');
    if (autocommit === true) throw invalid('Specifying autocommit=true is not allowed.');
    if (startTransaction !== undefined && autocommit === undefined)
      throw invalid("'startTransaction' field requires 'autocommit' field to also be specified");
    if (startTransaction === false) throw invalid('Specifying startTransaction=false is not allowed.');
    if (number < session.txnNumber)
      throw new MongoError(225, `Cannot start transaction ${number} on session ${session.id} because a newer transaction ${session.txnNumber} has already started`); // prettier-ignore
    if (autocommit === false) return this.inTransaction(session, number, command);
    return this.retryable(session, number);
  }

  private session(lsid: unknown): Session {
    const uuid = isDoc(lsid) ? lsid.id : undefined;
    if (!(uuid instanceof Binary) || uuid.sub_type !== 4 || uuid.position !== 16)
      throw new MongoError(14, "'lsid' has to be a document with a UUID as 'id'");
    const id = uuid.toString('hex');
    let session = this.sessions.get(id);
    if (!session) {
      session = { id, txnNumber: -1n, state: 'none', writer: undefined, reply: undefined, timer: undefined, kept: undefined, usedAt: 0 }; // prettier-ignore
      this.sessions.set(id, session);
    }
    session.usedAt = Date.now();
    return session;
  }

  private inTransaction(session: Session, number: bigint, command: Doc): Belonging {
    const name = Object.keys(command)[0];
    const begins = command.startTransaction === true;
    const level = isDoc(command.readConcern) ? command.readConcern.level : undefined;
    if (begins) {
      if (name === 'commitTransaction' || name === 'abortTransaction') throw new MongoError(263, `Cannot start a transaction with ${name}`); // prettier-ignore
      if (level !== undefined && !['local', 'majority', 'snapshot'].includes(level as string))
        throw invalid(
          `The readConcern level must be either 'local', 'majority' or 'snapshot' in order to run in a transaction`,
        );
      if (number === session.txnNumber && session.state !== 'aborted') throw new MongoError(50911, `Cannot start a transaction at given transaction number ${number}, a transaction with the same number is in state ${session.state}`); // prettier-ignore
      this.begin(session, number);
      return { session, transaction: session.writer, retryable: false };
    }
    if (level !== undefined) throw invalid('Only the first command in a transaction may specify a readConcern');
    if (number > session.txnNumber || session.state === 'retryable' || session.state === 'none')
      throw gone(number, 'does not match any in-progress transactions');
    const ends = name === 'commitTransaction' || name === 'abortTransaction';
    if (session.state === 'aborted') throw gone(number, 'has been aborted.');
    if (session.state === 'committed' && !ends) throw new MongoError(256, `Transaction ${number} has been committed.`);
    return { session, transaction: session.writer, retryable: false };
  }

  private begin(session: Session, number: bigint): void {
    this.abort(session);
    session.txnNumber = number;
    session.reply = session.kept = undefined;
    session.state = 'open';
    session.writer = this.store.begin(true);
    session.timer = setTimeout(() => this.abort(session), this.lifetimeMs).unref();
  }

  private retryable(session: Session, number: bigint): Belonging {
    if (number > session.txnNumber) {
      this.abort(session);
      session.txnNumber = number;
      session.state = 'retryable';
      session.reply = undefined;
    } else if (session.state !== 'retryable') {
      throw new MongoError(50911, `Transaction number ${number} is that of a transaction`);
    }
    return { session, retryable: true };
  }

  commit(session: Session): Promise<void> | undefined {
    if (session.state === 'open') {
      clearTimeout(session.timer);
      session.kept = this.store.commit(session.writer!);
      session.state = 'committed';
      session.writer = undefined;
      this.onEnd(session);
    }
    return session.kept;
  }

  /** Without effect unless a transaction is open. */
  abort(session: Session): void {
    if (session.state !== 'open') return;
    clearTimeout(session.timer);
    this.store.abort(session.writer!);
    session.state = 'aborted';
    session.writer = undefined;
    this.onEnd(session);
  }

  end(lsid: unknown): void {
    const session = this.session(lsid);
    this.abort(session);
    this.sessions.delete(session.id);
    // whatever it has open goes, not just a transaction
    session.state = 'none';
    this.onEnd(session);
  }

  endAll(): void {
    for (const session of this.sessions.values()) this.abort(session);
    this.sessions.clear();
  }

  expire(now = Date.now()): void {
    for (const [id, session] of this.sessions)
      if (session.state !== 'open' && now - session.usedAt > IDLE_MS) this.sessions.delete(id);
  }

  /** What `$listLocalSessions` tells of them. */
  list(): Doc[] {
    return [...this.sessions.values()].map(({ id, usedAt }) => ({ _id: { id: new UUID(id), uid: NOBODY }, lastUse: new Date(usedAt) })); // prettier-ignore
  }

  get count(): number {
    return this.sessions.size;
  }
}
