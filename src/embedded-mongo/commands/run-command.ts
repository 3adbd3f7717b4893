/**
 * From a command to its reply: finds the command, checks its fields, says where it belongs (session, transaction, a write sent again), gives it a writer, and
 * turns what it throws into a reply.
 *
 * A command runs in one go, so nobody sees half of it. One that meets a document of an open transaction is undone, waits for the end of that transaction and
 * runs again from the start; inside a transaction it fails at once instead. A reply to a write is given when the disk has it.
 */
import { Double, Timestamp } from 'bson';
import {
  bsonTypeName,
  int,
  isDoc,
  isNullish,
  isNumber,
  isString,
  toDouble,
  truthy,
  type Doc,
  type Value,
} from '../values/bson-types';
import { Args } from './command-args';
import { SIGNATURE } from '../storage/cluster-time';
import { type Command, type Commands, type Context, type Server } from './command';
import { BULK_WRITE } from './bulk-write';
import { CATALOG } from './catalog';
import { FIGURES } from './figures';
import { INDEXES } from './indexes';
import { errorLabels } from './error-labels';
import { EXPLAIN } from './explain';
import { Disconnect, FAIL_POINT, strikeOn } from './fail-point';
import { READS } from './read';
import { checkApi } from './stable-api';
import { OPERATIONS } from './server-stages';
import { REFUSED } from './refused';
import { SERVER } from './server';
import { refuseOnView } from './views';
import { WRITES } from './write';
import { MongoError, unsupported } from '../errors';
import { checkDeadline } from '../limits';
import { shellText } from '../values/shell-text';
import { NOBODY, type Belonging } from './sessions';
import { checkDatabaseName } from '../storage/store';
import { Blocked, type Writer } from '../storage/versions';

const COMMANDS: Commands = {
  ...READS,
  ...WRITES,
  ...BULK_WRITE,
  ...CATALOG,
  ...INDEXES,
  ...FIGURES,
  ...SERVER,
  ...OPERATIONS,
  ...EXPLAIN,
  ...FAIL_POINT,
};
/** Fields that any command may have. */
const COMMON = new Set([
  '$db', 'lsid', 'txnNumber', 'autocommit', 'startTransaction', '$clusterTime', '$readPreference', 'readConcern', 'writeConcern', 'maxTimeMS', 'comment',
  'apiVersion', 'apiStrict', 'apiDeprecationErrors', '$configServerState', '$audit', '$client', 'mayBypassWriteBlocking',
]); // prettier-ignore

export interface Connection {
  server: Server;
  id: number;
  /** What the client calls itself in its greeting. */
  appName?: string | undefined;
}

/** Throws nothing for what a client did, the reply says it; but Disconnect where a fail point asks for that. */
export async function runCommand(connection: Connection, command: Doc): Promise<Doc> {
  let belonging: Belonging | undefined;
  try {
    const [name = ''] = Object.keys(command);
    if (isDoc(command.client)) connection.appName = appNameOf(command.client);
    const strike = strikeOn(connection.server, command, connection.appName);
    await strike?.before();
    const spec = Object.hasOwn(COMMANDS, name) ? COMMANDS[name]! : undefined;
    if (!spec)
      throw REFUSED.has(name) ? unsupported(`the command ${name}`) : new MongoError(59, `no such command: '${name}'`);
    if (command.autocommit !== undefined && !spec.transactional)
      throw new MongoError(263, `Cannot run '${name}' in a multi-document transaction.`);
    belonging = connection.server.sessions.belong(command);
    const context = contextOf(connection, command, name, spec);
    refuseOnView(context, name);
    const reply = await inSession(context, spec, belonging, name);
    return finish(strike ? strike.after(reply) : reply, command, connection.server);
  } catch (error) {
    if (error instanceof Disconnect) throw error;
    if (belonging?.transaction && belonging.session?.writer === belonging.transaction)
      connection.server.sessions.abort(belonging.session);
    return finish(failure(error, command), command, connection.server);
  }
}

function appNameOf({ application }: Doc): string | undefined {
  return isDoc(application) && isString(application.name) ? application.name : undefined;
}

function contextOf({ server, id, appName }: Connection, command: Doc, name: string, spec: Command): Context {
  const args = new Args(command, name);
  const db = command.$db as string;
  checkDatabaseName(db);
  if (spec.admin && db !== 'admin') throw new MongoError(13, `${name} may only be run against the admin database.`);
  if (!spec.fields.includes('*')) args.check(spec.fields, spec.refused, COMMON);
  checkApi(args.doc);
  checkConcerns(args);
  const now = new Date();
  const maxTime = args.integer('maxTimeMS');
  return {
    server,
    connectionId: id,
    appName,
    db,
    command,
    args,
    view: { time: Infinity },
    writer: undefined,
    session: undefined,
    inTransaction: false,
    now,
    deadline: maxTime ? now.getTime() + maxTime : undefined,
  };
}

function checkConcerns(args: Args): void {
  const read = args.document('readConcern');
  const level = read?.level;
  if (level !== undefined && !['local', 'majority', 'available', 'linearizable', 'snapshot'].includes(level as string))
    throw new MongoError(isString(level) ? 9 : 14, `The readConcern level ${shellText(level)} is not valid`);
  if (level === 'linearizable' && (args.array('pipeline') ?? []).some((stage) => isDoc(stage) && ('$out' in stage || '$merge' in stage)))
    throw new MongoError(72, '$out and $merge cannot be used with a linearizable read concern'); // prettier-ignore
  const write = args.document('writeConcern');
  const w = write?.w;
  if (w !== undefined && !isString(w) && !isNumber(w)) throw new MongoError(9, `w has to be a number or a string, and not ${bsonTypeName(w)}`); // prettier-ignore
  if (isNumber(w) && (toDouble(w) < 0 || toDouble(w) > 50)) throw new MongoError(9, 'w has to be a non-negative number and not greater than 50'); // prettier-ignore
}

async function inSession(context: Context, spec: Command, belonging: Belonging, name: string): Promise<Doc> {
  const { session, retryable } = belonging;
  context.session = session;
  context.inTransaction = !retryable && session !== undefined && context.command.txnNumber !== undefined;
  if (context.inTransaction) return inTransaction(context, spec, belonging, name);
  if (!retryable) return alone(context, spec);
  if (!spec.retryable) {
    throw new MongoError(50768, `txnNumber may only be provided for multi-document transactions and retryable write commands. autocommit:false was not provided, and ${name} is not a retryable write command.`); // prettier-ignore
  }
  session!.reply ??= alone(context, spec);
  const reply = session!.reply;
  try {
    return await reply;
  } catch (error) {
    // what failed did nothing: it may be tried again
    if (session!.reply === reply) session!.reply = undefined;
    throw error;
  }
}

async function inTransaction(
  context: Context,
  spec: Command,
  { session, transaction }: Belonging,
  name: string,
): Promise<Doc> {
  const ends = name === 'commitTransaction' || name === 'abortTransaction';
  if ('writeConcern' in context.command && !ends)
    throw new MongoError(72, 'writeConcern is not allowed within a multi-statement transaction');
  if (transaction) {
    context.view = transaction;
    context.writer = transaction;
    transaction.origin ??= originOf(context.command);
    transaction.bypassesValidation = truthy(context.command.bypassDocumentValidation);
  }
  const reply = await spec.run(context);
  if ('writeErrors' in reply || truthy(reply.nErrors ?? false)) context.server.sessions.abort(session!);
  return reply;
}

/** What the feed tells of a transaction. */
const originOf = ({ lsid, txnNumber }: Doc): Writer['origin'] => ({
  lsid: { ...(lsid as Doc), uid: NOBODY },
  txnNumber,
});

/** Outside of transactions: what it writes is committed when it is done. */
async function alone(context: Context, spec: Command): Promise<Doc> {
  const read = context.args.document('readConcern');
  if (read?.level === 'snapshot') return atSnapshot(context, spec, read.atClusterTime);
  const writes = typeof spec.writes === 'function' ? spec.writes(context.command) : spec.writes;
  if (!writes) return spec.run(context);
  const { store } = context.server;
  for (;;) {
    const writer = store.begin(false);
    context.view = context.writer = writer;
    writer.bypassesValidation = truthy(context.command.bypassDocumentValidation);
    try {
      const reply = await spec.run(context);
      await store.commit(writer);
      return reply;
    } catch (error) {
      store.abort(writer);
      if (!(error instanceof Blocked)) throw error;
      await untilOver(error.by, context.deadline);
    }
  }
}

/** The reply tells at which time it is; the next command may ask for the same. */
async function atSnapshot(context: Context, spec: Command, asked: Value): Promise<Doc> {
  if (!spec.snapshots) throw new MongoError(72, `${context.args.name} does not support the readConcern level snapshot`);
  const { snapshots } = context.server;
  const time = asked instanceof Timestamp ? asked : context.server.store.clusterClock.tick();
  context.view = asked instanceof Timestamp ? snapshots.at(time) : snapshots.pin(time);
  const reply = await spec.run(context);
  if (isDoc(reply.cursor)) return { ...reply, cursor: { ...reply.cursor, atClusterTime: time } };
  return { ...reply, atClusterTime: time };
}

async function untilOver(blocker: Writer, deadline: number | undefined): Promise<void> {
  if (deadline === undefined) return blocker.ended;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, Math.max(deadline - Date.now(), 0) + 1)));
  await Promise.race([blocker.ended, late]);
  clearTimeout(timer);
  checkDeadline(deadline);
}

// -- replies

function failure(error: unknown, command: Doc): Doc {
  if (!(error instanceof MongoError)) {
    const message = error instanceof Error ? error.message : String(error);
    return { ok: new Double(0), errmsg: `EmbeddedMongo failed internally: ${message}`, code: int(1), codeName: 'InternalError' }; // prettier-ignore
  }
  const { code, codeName, message, extra } = error;
  const labels = errorLabels(command, code);
  return { ok: new Double(0), errmsg: message, code: int(code), codeName, ...(labels.length > 0 ? { errorLabels: labels } : {}), ...extra }; // prettier-ignore
}

function finish(reply: Doc, command: Doc, { store }: Server): Doc {
  const time = store.clusterClock.tick();
  const out: Doc = 'ok' in reply ? { ...reply } : { ...(isUnacknowledged(command) ? { n: int(0) } : reply), ok: new Double(1) }; // prettier-ignore
  const concern = out.writeConcernError ?? writeConcernError(command.writeConcern);
  if (concern && toDouble(out.ok) === 1) {
    out.writeConcernError = concern;
    const labels = errorLabels(command, undefined, concern);
    if (labels.length > 0) out.errorLabels ??= labels;
  }
  return Object.assign(out, { $clusterTime: { clusterTime: time, signature: SIGNATURE }, operationTime: time });
}

/** A write whose client does not want to know how it went. */
function isUnacknowledged({ insert, update, delete: remove, bulkWrite, writeConcern }: Doc): boolean {
  if ([insert, update, remove, bulkWrite].every((name) => name === undefined)) return false;
  return isDoc(writeConcern) && isNumber(writeConcern.w) && toDouble(writeConcern.w) === 0 && !writeConcern.j;
}

/** The write is done, but not on as many nodes as asked for. */
function writeConcernError(concern: unknown): Doc | undefined {
  const w = isDoc(concern) ? concern.w : undefined;
  if (isNullish(w) || w === 'majority' || w === '') return undefined;
  if (isString(w)) return { code: int(79), codeName: 'UnknownReplWriteConcern', errmsg: `No write concern mode named '${w}' found in replica set configuration` }; // prettier-ignore
  if (toDouble(w) <= 1) return undefined;
  return { code: int(100), codeName: 'UnsatisfiableWriteConcern', errmsg: 'Not enough data-bearing nodes' };
}
