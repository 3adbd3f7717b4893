/**
 * Replays recorded cases against a running server through the official driver. Transactions are driven by hand (`txnNumber`, `startTransaction`, …), since
 * the cases need replies that the driver's own transactions would hide.
 */
import { Long } from 'bson';
import { MongoServerError, type ClientSession, type MongoClient } from 'mongodb';
import { compareReplies, namedIds, type Area, type Case, type Outcome, type Step } from './answers';

/* eslint-disable-next-line @typescript-eslint/no-explicit-any -- commands and replies of any shape */
type Json = any;
/** Values come back as BSON has them. */
export const RAW = { promoteValues: false, promoteLongs: false, promoteBuffers: false, bsonRegExp: true } as const;
const DATABASE = 'vectors';

interface Actor {
  session: ClientSession;
  txnNumber: bigint;
  open: boolean;
  /** The next command is the transaction's first. */
  starting: boolean;
}

export interface Finding {
  id: string;
  outcome: Outcome;
  /** The first step whose reply was not equal. */
  step?: Step;
  reply?: Json;
}

export async function replayArea(client: MongoClient, area: Area): Promise<Finding[]> {
  const db = client.db(DATABASE);
  await db.dropDatabase();
  for (const { command } of area.setup) await run(client, command);
  const findings: Finding[] = [];
  for (const each of area.cases) {
    if (area.each !== 'shared') await run(client, { drop: 'c' });
    if (area.each === 'empty') await run(client, { create: 'c' });
    findings.push(await replayCase(client, each, namedIds([...area.setup, ...each.steps])));
  }
  return findings;
}

async function replayCase(client: MongoClient, { id, steps }: Case, ids: Set<string>): Promise<Finding> {
  const actors = new Map<string, Actor>();
  let finding: Finding = { id, outcome: 'equal' };
  for (const step of steps) {
    const reply =
      step.as === undefined
        ? await run(client, step.command)
        : await act(client, actorOf(client, actors, step.as), step);
    const outcome = compareReplies(step.reply, reply, ids);
    if (outcome !== 'equal') {
      finding = { id, outcome, step, reply };
      break;
    }
  }
  for (const actor of actors.values()) {
    if (actor.open) await act(client, actor, { command: 'abort', reply: {} });
    // no later case may get this session again: its numbers have been used
    (actor.session.serverSession as Json).isDirty = true;
    await actor.session.endSession();
  }
  return finding;
}

function actorOf(client: MongoClient, actors: Map<string, Actor>, name: string): Actor {
  let actor = actors.get(name);
  if (!actor) {
    actor = { session: client.startSession({ causalConsistency: false }), txnNumber: 0n, open: false, starting: false };
    actors.set(name, actor);
  }
  return actor;
}

async function act(client: MongoClient, actor: Actor, step: Step): Promise<Json> {
  if (step.begin) {
    if (actor.open) await end(client, actor, 'abortTransaction');
    actor.txnNumber += 1n;
    actor.open = actor.starting = true;
  }
  if (step.command === 'commit') return end(client, actor, 'commitTransaction');
  if (step.command === 'abort') return end(client, actor, 'abortTransaction');
  const own = 'txnNumber' in step.command || 'autocommit' in step.command;
  if (!actor.open || own) return run(client, step.command, actor.session);
  const first = actor.starting ? { startTransaction: true, readConcern: { level: 'snapshot' } } : {};
  actor.starting = false;
  return run(client, { ...step.command, ...transaction(actor), ...first }, actor.session);
}

async function end(client: MongoClient, actor: Actor, command: string): Promise<Json> {
  actor.open = false;
  // the driver puts its own number on these commands
  (actor.session.serverSession as Json).txnNumber = Number(actor.txnNumber);
  return run(client, { [command]: 1, ...transaction(actor), writeConcern: { w: 'majority' } }, actor.session, 'admin');
}

const transaction = ({ txnNumber }: Actor): Json => ({ txnNumber: Long.fromBigInt(txnNumber), autocommit: false });

/** The reply, also of a command that failed. */
async function run(client: MongoClient, command: Json, session?: ClientSession, database = DATABASE): Promise<Json> {
  try {
    return await client.db(database, RAW).command(command, { session, ...RAW });
  } catch (error) {
    if (error instanceof MongoServerError) return error.errorResponse;
    throw error;
  }
}
