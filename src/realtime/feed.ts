import { Schema, type Connection, type Types } from 'mongoose';
import type { FactEvents } from './protocol';

/**
 * The per-user feed: gives every fact told to a user the next number of that user's sequence and sends it to the user's
 * room. The counter is in the database, so that it goes on after a restart and over instances. Facts are flushed in rounds,
 * one round at a time: what one user gets is numbered and sent in the order in which it was told.
 */
export interface Feed {
  /** Resolves when the fact has been handed to the sockets. @param payload one for all, or one made for each user. */
  tell<Name extends keyof FactEvents>(
    eventId: string,
    userIds: readonly string[],
    name: Name,
    payload: FactEvents[Name] | ((userId: string) => FactEvents[Name]),
  ): Promise<void>;
  /** The last number given to this user. */
  position(userId: string): Promise<number>;
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

export function createFeedModel(connection: Connection) {
  const schema = new Schema<Counter>(
    { seq: { type: Number, required: true } },
    { versionKey: false, collection: 'feeds' },
  );
  return connection.model('Feed', schema);
}

export function createFeed(connection: Connection, send: (userId: string, name: string, body: object) => void): Feed {
  const Counters = createFeedModel(connection);
  let pending: Pending[] = [];
  let flushing = false;

  const flushUser = async (userId: string, items: Pending[]) => {
    try {
      const counter = await Counters.findOneAndUpdate(
        { _id: userId },
        { $inc: { seq: items.length } },
        { upsert: true, returnDocument: 'after' },
      ).lean();
      const last = counter?.seq ?? items.length;
      items.forEach((item, i) => send(userId, item.name, { ...item.body, seq: last - items.length + 1 + i }));
      items.forEach((item) => item.resolve());
    } catch (error) {
      items.forEach((item) => item.reject(error));
    }
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
      await Promise.all([...round].map(([userId, items]) => flushUser(userId, items)));
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
    async position(userId) {
      const counter = await Counters.findById(userId).lean();
      return counter?.seq ?? 0;
    },
  };
}
