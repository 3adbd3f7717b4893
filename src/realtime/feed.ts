import { Schema, Types, type ClientSession, type Connection } from 'mongoose';
import { describeData } from '../database/personal-data';
import { createTransact } from '../database/transaction';
import type { FactEvents } from './protocol';

/**
 * The per-user feed: gives every fact told to a user the next number of that user's sequence and sends it to the user's
 * room. The counter is in the database, so that it goes on after a restart and over instances. Facts are flushed in rounds,
 * one round at a time: what one user gets is numbered and sent in the order in which it was told. The users of a round are
 * counted up in one transaction, in which their numbers are read: between the two no other instance can come.
 */
export interface Feed {
  /** Resolves when the fact has been handed to the sockets. @param payload one for all, or one made for each user. */
  tell<Name extends keyof FactEvents>(
    eventId: string,
    userIds: readonly string[],
    name: Name,
    payload: FactEvents[Name] | ((userId: string) => FactEvents[Name]),
  ): Promise<void>;
  /** The last number given to each of these users, as far as there is one. */
  positions(userIds: readonly string[], session?: ClientSession): Promise<ReadonlyMap<string, number>>;
}

interface Counter {
  _id: Types.ObjectId;
  seq: number;
}

interface Pending {
  userId: string;
  name: string;
  body: object;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** Users of one transaction, whose sockets are written to in one go: more would hold up the event loop. */
const USERS_AT_ONCE = 100;

export function createFeedModel(connection: Connection) {
  const schema = new Schema<Counter>(
    { seq: { type: Number, required: true } },
    { versionKey: false, collection: 'feeds' },
  );
  describeData(schema, {
    what: 'How many events somebody was told',
    why: 'For an app to notice that it has missed one',
    kept: 'As long as the account',
    owner: '_id',
  });
  return connection.model('Feed', schema);
}

export function createFeed(connection: Connection, send: (userId: string, name: string, body: object) => void): Feed {
  const Counters = createFeedModel(connection);
  const transact = createTransact(connection);
  let pending: Pending[] = [];
  let flushing = false;

  /** @param last the number of the last of these */
  const hand = (userId: string, items: Pending[], last: number) => {
    items.forEach((item, i) => send(userId, item.name, { ...item.body, seq: last - items.length + 1 + i }));
    items.forEach((item) => item.resolve());
  };

  /** Alone: the fact of one user, and the way out where a shared round failed. */
  const flushUser = async (userId: string, items: Pending[]) => {
    try {
      const counter = await Counters.findOneAndUpdate(
        { _id: userId },
        { $inc: { seq: items.length } },
        { upsert: true, returnDocument: 'after' },
      ).lean();
      hand(userId, items, counter?.seq ?? items.length);
    } catch (error) {
      items.forEach((item) => item.reject(error));
    }
  };

  const positions: Feed['positions'] = async (userIds, session) => {
    const options = session ? { session } : {};
    const counters = await Counters.find({ _id: { $in: [...userIds] } }, null, options).lean<Counter[]>();
    return new Map(counters.map(({ _id, seq }) => [_id.toHexString(), seq]));
  };

  /** The numbers of all users of a round after it. */
  const countUp = (round: ReadonlyMap<string, Pending[]>) =>
    transact(async (session) => {
      const counts = [...round].map(([userId, items]) => ({
        updateOne: {
          filter: { _id: new Types.ObjectId(userId) },
          update: { $inc: { seq: items.length } },
          upsert: true,
        },
      }));
      await Counters.collection.bulkWrite(counts, { session, ordered: false });
      return positions([...round.keys()], session);
    });

  const flushRound = async (round: ReadonlyMap<string, Pending[]>) => {
    const last = round.size > 1 ? await countUp(round).catch(() => null) : null;
    const alone: Promise<void>[] = [];
    for (const [userId, items] of round) {
      const seq = last?.get(userId);
      if (seq === undefined) alone.push(flushUser(userId, items));
      else hand(userId, items, seq);
    }
    await Promise.all(alone);
  };

  const flush = async () => {
    flushing = true;
    while (pending.length > 0) {
      const round = new Map<string, Pending[]>();
      for (const item of pending) {
        const items = round.get(item.userId);
        if (items) items.push(item);
        else round.set(item.userId, [item]);
      }
      pending = [];
      for (const part of partsOf(round)) await flushRound(part);
    }
    flushing = false;
  };

  return {
    async tell(eventId, userIds, name, payload) {
      const told = userIds.map(
        (userId) =>
          new Promise<void>((resolve, reject) => {
            const body = { eventId, ...(typeof payload === 'function' ? payload(userId) : payload) };
            pending.push({ userId, name, body, resolve, reject });
          }),
      );
      if (!flushing) void flush();
      await Promise.all(told);
    },
    positions,
  };
}

function* partsOf<Value>(round: ReadonlyMap<string, Value>): Generator<ReadonlyMap<string, Value>> {
  const users = [...round];
  for (let from = 0; from < users.length; from += USERS_AT_ONCE) yield new Map(users.slice(from, from + USERS_AT_ONCE));
}
