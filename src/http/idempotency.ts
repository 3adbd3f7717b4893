import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Schema, type Connection } from 'mongoose';
import { describeData } from '../database/personal-data';
import type { Clock } from '../core/clock';
import { AppError } from '../core/errors';
import { isDuplicateKey } from '../database/transaction';
import type { RouteInput } from './route';

/**
 * `Idempotency-Key` on POSTs that create: the first request with a key runs, and its successful answer is kept for a day;
 * a repetition gets the same answer again. The unique `_id` decides who is first. A failed request frees its key, and the
 * key of one that was cut off by a crash can be taken over after a minute.
 */
export interface Idempotency {
  /** Runs `work` unless it has been done. @throws IDEMPOTENCY_CONFLICT for another body, or while the first one runs */
  once(request: IdempotentRequest, work: () => Promise<unknown>): Promise<{ body: string; replayed: boolean }>;
}

export interface IdempotentRequest {
  key: string;
  /** Method and path. */
  target: string;
  input: Pick<RouteInput<unknown, unknown, unknown>, 'body' | 'player' | 'ip' | 'requestId'>;
}

interface StoredAnswer {
  _id: string;
  fingerprint: string;
  /** The request that runs, or ran. */
  owner: string;
  /** Null while it runs. */
  body: string | null;
  createdAt: Date;
}

const KEEP_SECONDS = 86_400;
const CUT_OFF_MS = 60_000;

export function createIdempotencyModel(connection: Connection) {
  const schema = new Schema<StoredAnswer>(
    {
      _id: { type: String, required: true },
      fingerprint: { type: String, required: true },
      owner: { type: String, required: true },
      body: { type: String, default: null },
      createdAt: { type: Date, required: true },
    },
    { versionKey: false, collection: 'idempotencyKeys' },
  );
  schema.index({ createdAt: 1 }, { name: 'ttl', expireAfterSeconds: KEEP_SECONDS });
  describeData(schema, {
    what: 'Answers to requests that may be repeated',
    why: 'So that nothing is done twice when an answer is lost',
    kept: 'One day',
    passing: { where: {} },
  });
  return connection.model('IdempotencyKey', schema);
}

/** The key of a request, if it has one. @throws VALIDATION_FAILED */
export function keyOf(headers: IncomingHttpHeaders): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && /^[\x21-\x7e]{1,128}$/.test(key)) return key;
  throw new AppError('VALIDATION_FAILED', 'Idempotency-Key must be 1 to 128 visible ASCII characters.', {
    errors: [{ path: 'header.idempotency-key', message: '1 to 128 visible ASCII characters' }],
  });
}

export function createIdempotency({ connection, clock }: { connection: Connection; clock: Clock }): Idempotency {
  const Answers = createIdempotencyModel(connection);

  /** @returns what stands in the way, or nothing when the key is ours */
  const claim = async (id: string, fingerprint: string, owner: string): Promise<StoredAnswer | undefined> => {
    const createdAt = new Date(clock.now());
    try {
      await Answers.create([{ _id: id, fingerprint, owner, createdAt }]);
      return undefined;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    const cutOff = { body: null, createdAt: { $lt: new Date(clock.now() - CUT_OFF_MS) } };
    const taken = await Answers.updateOne({ _id: id, fingerprint, ...cutOff }, { $set: { owner, createdAt } });
    if (taken.modifiedCount === 1) return undefined;
    const stored = await Answers.findById(id).lean<StoredAnswer>();
    if (!stored)
      throw new AppError('IDEMPOTENCY_CONFLICT', 'The first request with this key has just failed: send it again.');
    return stored;
  };

  return {
    async once({ key, target, input }, work) {
      const id = sha256(`${input.player?.userId ?? input.ip}\n${target}\n${key}`);
      const fingerprint = sha256(JSON.stringify(input.body ?? null));
      const mine = { _id: id, owner: input.requestId, body: null };
      const stored = await claim(id, fingerprint, input.requestId);
      if (stored && stored.fingerprint !== fingerprint)
        throw new AppError('IDEMPOTENCY_CONFLICT', 'This key was used with another body: use a new key.');
      if (stored?.body === null)
        throw new AppError('IDEMPOTENCY_CONFLICT', 'The first request with this key is still running.');
      if (stored) return { body: stored.body, replayed: true };
      try {
        const body = JSON.stringify((await work()) ?? null);
        // what was done is answered, whether or not a repetition will find it
        await Answers.updateOne(mine, { $set: { body } }).catch(() => undefined);
        return { body, replayed: false };
      } catch (error) {
        await Answers.deleteOne(mine).catch(() => undefined);
        throw error;
      }
    },
  };
}

const sha256 = (value: string) => createHash('sha256').update(value).digest('base64url');
