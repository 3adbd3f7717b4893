import { Schema, Types, type ClientSession, type Connection } from 'mongoose';
import type { Clock } from '../core/clock';
import type { EventBus, EventMap } from '../core/event-bus';
import type { Ids } from '../core/ids';
import type { Logger } from '../core/logger';
import { createLoop, type Loop } from '../core/loop';

/**
 * The outbox: facts written in the same transaction as the change they tell of, and published on the bus afterwards, at
 * least once and in order within one key. A crash between commit and telling delays the news and never loses it.
 *
 * The relay claims a batch by a conditional update (a lock with an expiry, so that several instances can run it), publishes
 * rows of different keys side by side and rows of one key in order, and marks as delivered what every subscriber took.
 * A row whose subscriber fails is tried again with a growing delay.
 */
export interface Outbox<Events> {
  /** Adds a fact to the caller's transaction. `key` names the thing it is about: facts of one key stay in order. */
  append<Type extends keyof Events & string>(
    session: ClientSession,
    type: Type,
    key: string,
    payload: Events[Type],
  ): Promise<void>;
  /** Looks for rows now: call it after the transaction has committed. */
  wake(): void;
  readonly relay: Loop;
}

interface OutboxRow {
  _id: Types.ObjectId;
  type: string;
  key: string;
  payload: object;
  createdAt: Date;
  /** Not to be touched before this time: claimed by a relay, or waiting to be tried again. */
  notBefore: Date;
  claim: string | null;
  attempts: number;
  deliveredAt: Date | null;
}

const BATCH = 500;
const CLAIM_MS = 30_000;
const KEEP_DELIVERED_SECONDS = 86_400;

export function createOutboxModel(connection: Connection) {
  const schema = new Schema<OutboxRow>(
    {
      type: { type: String, required: true },
      key: { type: String, required: true },
      payload: { type: Schema.Types.Mixed, required: true },
      createdAt: { type: Date, required: true },
      notBefore: { type: Date, required: true },
      claim: { type: String, default: null },
      attempts: { type: Number, default: 0 },
      deliveredAt: { type: Date, default: null },
    },
    { versionKey: false, minimize: false, collection: 'outbox' },
  );
  schema.index(
    { deliveredAt: 1, notBefore: 1, _id: 1 },
    { name: 'undelivered', partialFilterExpression: { deliveredAt: null } },
  );
  schema.index({ claim: 1 }, { name: 'claim', partialFilterExpression: { claim: { $type: 'string' } } });
  schema.index({ deliveredAt: 1 }, { name: 'delivered_ttl', expireAfterSeconds: KEEP_DELIVERED_SECONDS });
  return connection.model('Outbox', schema);
}

export interface OutboxDeps<Events> {
  connection: Connection;
  bus: EventBus<Events>;
  clock: Clock;
  ids: Ids;
  logger: Logger;
}

export function createOutbox<Events extends EventMap>({
  connection,
  bus,
  clock,
  ids,
  logger,
}: OutboxDeps<Events>): Outbox<Events> {
  const Row = createOutboxModel(connection);

  const claimBatch = async (): Promise<OutboxRow[]> => {
    const now = clock.now();
    const due = { deliveredAt: null, notBefore: { $lte: new Date(now) } };
    const candidates = await Row.find(due, { _id: 1 }).sort({ _id: 1 }).limit(BATCH).lean();
    if (candidates.length === 0) return [];
    const claim = ids.uuid();
    const wanted = { ...due, _id: { $in: candidates.map((row) => row._id) } };
    await Row.updateMany(wanted, { $set: { claim, notBefore: new Date(now + CLAIM_MS) } });
    return Row.find({ claim }).sort({ _id: 1 }).lean<OutboxRow[]>();
  };

  /** Publishes one row; true when every subscriber took it. */
  const deliver = async (row: OutboxRow): Promise<boolean> => {
    const fact = { eventId: row._id.toHexString(), type: row.type, payload: row.payload as Events[string] };
    const failures = await bus.publish(fact);
    if (failures.length === 0) return true;
    const delayMs = Math.min(60_000, 500 * 2 ** row.attempts);
    logger.error(
      { err: failures[0], event: row.type, eventId: fact.eventId, attempts: row.attempts + 1 },
      'a subscriber failed; the fact is told again',
    );
    const notBefore = new Date(clock.now() + delayMs);
    await Row.updateOne(
      { _id: row._id, claim: row.claim },
      { $set: { claim: null, notBefore }, $inc: { attempts: 1 } },
    );
    return false;
  };

  /** Rows of one key, in order; the first failure leaves the later ones for when it has been told. */
  const deliverInOrder = async (rows: OutboxRow[]): Promise<OutboxRow[]> => {
    for (const [i, row] of rows.entries()) {
      if (await deliver(row)) continue;
      const later = rows.slice(i + 1).map((r) => r._id);
      const notBefore = new Date(clock.now() + 500);
      if (later.length > 0) await Row.updateMany({ _id: { $in: later } }, { $set: { claim: null, notBefore } });
      return rows.slice(0, i);
    }
    return rows;
  };

  const relayOnce = async () => {
    for (;;) {
      const rows = await claimBatch();
      const byKey = groupByKey(rows);
      const told = (await Promise.all([...byKey.values()].map(deliverInOrder))).flat();
      if (told.length > 0)
        await Row.updateMany(
          { _id: { $in: told.map((row) => row._id) } },
          { $set: { deliveredAt: new Date(clock.now()), claim: null } },
        );
      if (rows.length < BATCH) return;
    }
  };

  const relay = createLoop({
    name: 'outbox',
    everyMs: 1000,
    tick: relayOnce,
    onError: (err) => logger.error({ err }, 'outbox relay failed'),
  });

  return {
    async append(session, type, key, payload) {
      const now = new Date(clock.now());
      await Row.collection.insertOne(
        {
          _id: new Types.ObjectId(ids.id()),
          type,
          key,
          payload,
          createdAt: now,
          notBefore: now,
          claim: null,
          attempts: 0,
          deliveredAt: null,
        },
        { session },
      );
    },
    wake: () => relay.wake(),
    relay,
  };
}

function groupByKey(rows: OutboxRow[]): Map<string, OutboxRow[]> {
  const groups = new Map<string, OutboxRow[]>();
  for (const row of rows) groups.set(row.key, [...(groups.get(row.key) ?? []), row]);
  return groups;
}
