import { Schema, Types, type ClientSession, type Connection } from 'mongoose';
import { groupBy } from '../core/group-by';
import { inRounds } from '../core/rounds';
import { describeData } from '../database/personal-data';
import { createTransact } from '../database/transaction';
import type { FactEvents } from './protocol';

/**
 * The per-user feed: gives every fact told to a user the next number of that user's sequence and sends it to the user's
 * room. The counter is in the database, so that it goes on after a restart and over instances. Facts are flushed in rounds,
 * one round at a time: what one user gets is numbered and sent in the order in which it was told. The users of a round are
 * counted up a hundred at a time, in one transaction in which their numbers are read: between the two no other instance can come.
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
}

/** What did not reach the sockets, and why; null for what did. */
type Failure = { reason: unknown } | null;

/** Users of one transaction, whose sockets are written to in one go: more would hold up the event loop. */
const USERS_AT_ONCE = 100;
/** Facts of one round: what a player is told at about the same time is counted in one go. */
const FACTS_AT_ONCE = 1000;

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

  /** @param last the number of the last of these */
  const hand = (userId: string, items: readonly Pending[], last: number) =>
    items.forEach((item, i) => send(userId, item.name, { ...item.body, seq: last - items.length + 1 + i }));

  /** Alone: the fact of one user, and the way out where a shared round failed. */
  const flushUser = async (userId: string, items: readonly Pending[]): Promise<Failure> => {
    try {
      const counter = await Counters.findOneAndUpdate(
        { _id: userId },
        { $inc: { seq: items.length } },
        { upsert: true, returnDocument: 'after' },
      ).lean();
      hand(userId, items, counter?.seq ?? items.length);
      return null;
    } catch (reason) {
      return { reason };
    }
  };

  const positions: Feed['positions'] = async (userIds, session) => {
    const options = session ? { session } : {};
    const counters = await Counters.find({ _id: { $in: [...userIds] } }, null, options).lean<Counter[]>();
    return new Map(counters.map(({ _id, seq }) => [_id.toHexString(), seq]));
  };

  /** The numbers of all users of a part after it: those who are told equally many things are counted up by one statement. */
  const countUp = (round: ReadonlyMap<string, Pending[]>) =>
    transact(async (session) => {
      const groups = [...groupBy(round, ([, items]) => items.length)];
      await Counters.collection.bulkWrite(
        groups.map(([count, users]) => ({
          updateMany: {
            filter: { _id: { $in: users.map(([id]) => new Types.ObjectId(id)) } },
            update: { $inc: { seq: count } },
          },
        })),
        { session, ordered: false },
      );
      const known = await positions([...round.keys()], session);
      const unknown = [...round].filter(([userId]) => !known.has(userId));
      if (unknown.length === 0) return known;
      const begun = unknown.map(([userId, items]) => ({ _id: new Types.ObjectId(userId), seq: items.length }));
      await Counters.collection.insertMany(begun, { session });
      return new Map([...known, ...begun.map(({ _id, seq }): [string, number] => [_id.toHexString(), seq])]);
    });

  /** @returns who could not be told */
  const flushPart = async (part: ReadonlyMap<string, Pending[]>): Promise<Map<string, Failure>> => {
    const last = part.size > 1 ? await countUp(part).catch(() => null) : null;
    const failures = new Map<string, Failure>();
    const alone: Promise<unknown>[] = [];
    for (const [userId, items] of part) {
      const seq = last?.get(userId);
      if (seq !== undefined) hand(userId, items, seq);
      else alone.push(flushUser(userId, items).then((failure) => failures.set(userId, failure)));
    }
    await Promise.all(alone);
    return failures;
  };

  const tellOne = inRounds<Pending, Failure>(async (facts) => {
    const failures = new Map<string, Failure>();
    for (const part of partsOf(groupBy(facts, ({ userId }) => userId)))
      for (const [userId, failure] of await flushPart(part)) failures.set(userId, failure);
    return facts.map(({ userId }) => failures.get(userId) ?? null);
  }, FACTS_AT_ONCE);

  return {
    async tell(eventId, userIds, name, payload) {
      const told = userIds.map((userId) =>
        tellOne({
          userId,
          name,
          body: { eventId, ...(typeof payload === 'function' ? payload(userId) : payload) },
        }),
      );
      const failure = (await Promise.all(told)).find((each) => each !== null);
      if (failure) throw failure.reason;
    },
    positions,
  };
}

function* partsOf<Value>(round: ReadonlyMap<string, Value>): Generator<ReadonlyMap<string, Value>> {
  const users = [...round];
  for (let from = 0; from < users.length; from += USERS_AT_ONCE) yield new Map(users.slice(from, from + USERS_AT_ONCE));
}
