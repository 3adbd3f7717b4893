import { Types, type ClientSession, type Connection } from 'mongoose';
import type { Clock } from '../core/clock';
import type { EventBus, EventMap } from '../core/event-bus';
import { groupBy } from '../core/group-by';
import type { Ids } from '../core/ids';
import type { Logger } from '../core/logger';
import { createLoop, type Loop } from '../core/loop';
import { createOutboxModel, type OutboxRow } from './outbox-rows';
import { createOwnRows } from './own-rows';
import { afterCommit } from './transaction';

/**
 * The outbox: facts written in the same transaction as the change they tell of, and published on the bus afterwards, at
 * least once and in order within one key. A crash between commit and telling delays the news and never loses it.
 *
 * The relay claims a batch of due rows by a conditional update: a lock that expires unless it is renewed, so that several
 * instances can run relays and a crashed one is taken over from within seconds. It then gives back every claimed row with an
 * earlier untold row of the same key outside the claim, which is what keeps the order of a key over relays, batches and retries.
 * A row that begins its key has nothing to wait for: its writer claims it by writing it, and tells it without looking for it.
 * Rows of different keys are published side by side, rows of one key one after the other, and what every subscriber took is marked as delivered. A row whose
 * subscriber fails (or does not come back in time) waits with a growing delay, and the later rows of its key wait with it.
 */
export interface Outbox<Events> {
  /** Adds a fact to the caller's transaction. `key` names the thing it is about: facts of one key stay in order. */
  append<Type extends keyof Events & string>(
    session: ClientSession,
    type: Type,
    key: string,
    payload: Events[Type],
  ): Promise<void>;
  /** Adds several facts at once; those of one key are told in this order. */
  appendAll<Type extends keyof Events & string>(
    session: ClientSession,
    facts: readonly NewFact<Events, Type>[],
  ): Promise<void>;
  /** Looks for rows now: call it after the transaction has committed. */
  wake(): void;
  readonly relay: Loop;
  /** What is not told yet, counted up to 10,000, and the age of the oldest of it in ms; of all instances. */
  backlog(): Promise<{ count: number; oldestMs: number }>;
}

/** Hears what becomes of each fact: see observability/server-metrics.ts. */
export interface OutboxMeter {
  /** @param delayMs since the transaction that wrote it */
  told(event: string, delayMs: number): void;
  failed(event: string): void;
}

/** A fact before it is written. */
export interface NewFact<Events, Type extends keyof Events & string> {
  type: Type;
  key: string;
  payload: Events[Type];
  /** Nothing has ever been told of this key. */
  isFirst?: boolean;
}

/** What a batch tells goes out in one turn of the event loop, or a few: larger ones would hold up everybody else. */
const BATCH = 100;
/** So many batches of what this process has written are told at once. */
const LANES = 4;
/** A claim is renewed eight times in its life while its relay works: what a crashed one had claimed is told soon by another one. */
export const CLAIM_MS = 4_000;
/** A batch stops taking up rows after this, so that what it tells is still its own. */
const BATCH_MS = 10_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 60_000;
/** When to look again for a key whose earlier row another relay is telling right now. */
const CONTENDED_MS = 100;
/** A backlog beyond this is one that somebody has to look at, whatever its size. */
const MOST_COUNTED = 10_000;
export interface OutboxDeps<Events> {
  connection: Connection;
  bus: EventBus<Events>;
  clock: Clock;
  ids: Ids;
  logger: Logger;
  /** How long a subscriber may take before its fact counts as not told. */
  patienceMs?: number;
  /** Where the facts are kept, and what the relay is called. */
  collection?: string;
  everyMs?: number;
  /** How long a claim stands that is not renewed. */
  claimMs?: number;
  meter?: OutboxMeter;
}

export function createOutbox<Events extends EventMap>({
  connection,
  bus,
  clock,
  ids,
  logger,
  patienceMs = 10_000,
  collection = 'outbox',
  everyMs = 250,
  claimMs = CLAIM_MS,
  meter,
}: OutboxDeps<Events>): Outbox<Events> {
  const Row = createOutboxModel(connection, collection);
  const own = createOwnRows({ claim: ids.uuid(), claimMs, most: BATCH, now: () => clock.now() });

  /** @returns the rows that are ours to tell, and whether there may be more. */
  const claimBatch = async (): Promise<{ rows: OutboxRow[]; more: boolean }> => {
    const now = clock.now();
    const due = { deliveredAt: null, notBefore: { $lte: new Date(now) } };
    const candidates = await Row.find(due, { _id: 1 }).sort({ notBefore: 1, createdAt: 1, _id: 1 }).limit(BATCH).lean();
    if (candidates.length === 0) return { rows: [], more: false };
    const wanted = { _id: { $in: candidates.map((row) => row._id) } };
    const claim = ids.uuid();
    await Row.updateMany({ ...due, ...wanted }, { $set: { claim, notBefore: new Date(now + claimMs) } });
    const claimed = await Row.find({ ...wanted, claim }).lean<OutboxRow[]>();
    return { rows: await giveBackBlocked(claimed.sort(byAge), claim), more: candidates.length === BATCH };
  };

  /** Keeps the rows that are next of their key; the others wait for the earlier ones outside this claim. */
  const giveBackBlocked = async (rows: OutboxRow[], claim: string): Promise<OutboxRow[]> => {
    const newest = rows.at(-1);
    if (!newest) return [];
    const outside = await Row.find(
      {
        deliveredAt: null,
        key: { $in: [...new Set(rows.map((row) => row.key))] },
        createdAt: { $lte: newest.createdAt },
        claim: { $ne: claim },
      },
      { key: 1, createdAt: 1, notBefore: 1, claim: 1 },
    ).lean<OutboxRow[]>();
    const blockers = new Map<string, OutboxRow>();
    for (const row of outside.sort(byAge)) if (!blockers.has(row.key)) blockers.set(row.key, row);
    const mine: OutboxRow[] = [];
    for (const [key, ofKey] of groupBy(rows, (row) => row.key)) {
      const blocker = blockers.get(key);
      const free = blocker ? ofKey.filter((row) => byAge(row, blocker) < 0) : ofKey;
      mine.push(...free);
      const waiting = blocker?.claim === null ? blocker.notBefore.getTime() : clock.now() + CONTENDED_MS;
      await release(ofKey.slice(free.length), waiting);
    }
    return mine;
  };

  /** Gives rows back untold, to be looked at again at `notBefore`. */
  const release = async (rows: OutboxRow[], notBefore: number) => {
    const [first] = rows;
    if (!first) return;
    await Row.updateMany(
      { _id: { $in: rows.map((row) => row._id) }, claim: first.claim },
      { $set: { claim: null, notBefore: new Date(notBefore) } },
    );
  };

  /** Publishes one row; nothing when every subscriber took it, else the time at which to try again. */
  const tell = async (row: OutboxRow): Promise<number | undefined> => {
    const fact = { eventId: row._id.toHexString(), type: row.type, payload: row.payload as Events[string] };
    const [failure] = await within(patienceMs, bus.publish(fact));
    if (failure === undefined) {
      meter?.told(row.type, clock.now() - row.createdAt.getTime());
      return undefined;
    }
    meter?.failed(row.type);
    logger.error(
      { err: failure, event: row.type, eventId: fact.eventId, attempts: row.attempts + 1 },
      'a subscriber failed; the fact is told again',
    );
    await Row.updateOne({ _id: row._id, claim: row.claim }, { $inc: { attempts: 1 } });
    return clock.now() + Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** row.attempts);
  };

  /** Tells rows of one key, in order, up to the first failure. @returns those that were told */
  const tellInOrder = async (rows: OutboxRow[], until: number): Promise<OutboxRow[]> => {
    for (const [i, row] of rows.entries()) {
      const again = clock.now() < until ? await tell(row) : clock.now();
      if (again === undefined) continue;
      await release(rows.slice(i), again);
      return rows.slice(0, i);
    }
    return rows;
  };

  const tellBatch = async (rows: OutboxRow[]): Promise<OutboxRow[]> => {
    const until = clock.now() + BATCH_MS;
    const keys = [...groupBy(rows, (row) => row.key).values()];
    return (await Promise.all(keys.map((ofKey) => tellInOrder(ofKey, until)))).flat();
  };

  /** Keeps the claim on those of these rows that are still in it, for as long as `work` takes. */
  const whileRenewing = async <Result>(rows: OutboxRow[], work: () => Promise<Result>): Promise<Result> => {
    const [first] = rows;
    const claimed = { _id: { $in: rows.map((row) => row._id) }, claim: first?.claim ?? null };
    const renewal = createLoop({
      name: 'outbox claim',
      everyMs: claimMs / 8,
      tick: async () => {
        await Row.updateMany(claimed, { $set: { notBefore: new Date(clock.now() + claimMs) } });
      },
      onError: (err) => logger.warn({ err }, 'a claim on news could not be renewed'),
    });
    if (first) renewal.start();
    try {
      return await work();
    } finally {
      await renewal.stop();
    }
  };

  const tellAll = async (rows: OutboxRow[]) => {
    if (rows.length === 0) return;
    const told = await whileRenewing(rows, () => tellBatch(rows));
    if (told.length > 0)
      await Row.updateMany(
        { _id: { $in: told.map((row) => row._id) } },
        { $set: { deliveredAt: new Date(clock.now()), claim: null } },
      );
  };

  /** What comes first of its key waits for nothing: several batches go side by side, so that none waits for the slow end of another. */
  const tellOwn = async () => {
    const until = clock.now() + everyMs;
    const lane = async () => {
      do {
        await release(own.takeLate(), clock.now());
        await tellAll(own.take());
      } while (!own.isEmpty() && clock.now() < until);
    };
    const ends = await Promise.allSettled(Array.from({ length: LANES }, lane));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  };

  const relayOnce = async () => {
    for (;;) {
      await tellOwn();
      const { rows, more } = await claimBatch();
      await tellAll(rows);
      if (!more && own.isEmpty()) return;
    }
  };

  const loop = createLoop({
    name: collection,
    everyMs,
    tick: relayOnce,
    onError: (err) => logger.error({ err, outbox: collection }, 'outbox relay failed'),
  });

  const relay: Loop = {
    ...loop,
    /** What is left, and what is written from now on, is for the relays of others. */
    async stop() {
      own.close();
      await loop.stop();
      await release(own.leave(), clock.now()).catch((err: unknown) =>
        logger.warn({ err }, 'news could not be left to others: they take it over when its claim has run out'),
      );
    },
  };

  const appendAll = async (
    session: ClientSession,
    facts: readonly { type: string; key: string; payload: object; isFirst?: boolean }[],
  ) => {
    if (facts.length === 0) return;
    const now = new Date(clock.now());
    const rows = facts.map(({ type, key, payload, isFirst = false }) => ({
      _id: new Types.ObjectId(ids.id()),
      type,
      key,
      payload,
      createdAt: now,
      ...(isFirst ? own.claim(now) : { notBefore: now, claim: null }),
      attempts: 0,
      deliveredAt: null,
    }));
    await Row.collection.insertMany(rows, { session });
    afterCommit(session, () => own.add(rows));
  };

  return {
    append: (session, type, key, payload) => appendAll(session, [{ type, key, payload }]),
    appendAll,
    wake: () => relay.wake(),
    relay,
    async backlog() {
      const [found] = await Row.aggregate<{ count: number; oldest: Date }>([
        // the bound on `notBefore` says nothing new: it is what the index of untold rows is found by
        { $match: { deliveredAt: null, notBefore: { $gte: new Date(0) } } },
        { $limit: MOST_COUNTED },
        { $group: { _id: null, count: { $sum: 1 }, oldest: { $min: '$createdAt' } } },
      ]);
      if (!found) return { count: 0, oldestMs: 0 };
      return { count: found.count, oldestMs: Math.max(0, clock.now() - found.oldest.getTime()) };
    },
  };
}

/** Oldest first: the order in which facts of one key are told. */
function byAge(a: OutboxRow, b: OutboxRow): number {
  return a.createdAt.getTime() - b.createdAt.getTime() || (a._id.toHexString() < b._id.toHexString() ? -1 : 1);
}

/** What `publishing` gives, or a failure of its own when it takes longer: one that hangs must not hold up every key. */
async function within(ms: number, publishing: Promise<unknown[]>): Promise<unknown[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<unknown[]>((resolve) => {
    timer = setTimeout(() => resolve([new Error(`a subscriber did not come back within ${ms} ms`)]), ms);
  });
  try {
    return await Promise.race([publishing, late]);
  } finally {
    clearTimeout(timer);
  }
}
