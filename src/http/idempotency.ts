import { createHash } from 'node:crypto';
import type { RequestHandler } from 'express';
import { Schema, type Connection } from 'mongoose';
import type { Clock } from '../core/clock';
import { AppError } from '../core/errors';
import { isDuplicateKey } from '../database/transaction';
import type { AppResponse, Route } from './route';

/**
 * `Idempotency-Key` on POSTs that create: the first request with a key runs, and its successful answer is kept for a day;
 * a repetition gets the same answer again. The unique `_id` decides who is first. A failed request frees its key.
 */
export interface Idempotency {
  middleware(route: Route): RequestHandler;
}

interface StoredAnswer {
  _id: string;
  fingerprint: string;
  status: number | null;
  body: string | null;
  createdAt: Date;
}

const KEEP_SECONDS = 86_400;

export function createIdempotencyModel(connection: Connection) {
  const schema = new Schema<StoredAnswer>(
    {
      _id: { type: String, required: true },
      fingerprint: { type: String, required: true },
      status: { type: Number, default: null },
      body: { type: String, default: null },
      createdAt: { type: Date, required: true },
    },
    { versionKey: false, collection: 'idempotencyKeys' },
  );
  schema.index({ createdAt: 1 }, { name: 'ttl', expireAfterSeconds: KEEP_SECONDS });
  return connection.model('IdempotencyKey', schema);
}

export function createIdempotency({ connection, clock }: { connection: Connection; clock: Clock }): Idempotency {
  const Answers = createIdempotencyModel(connection);

  const claim = async (id: string, fingerprint: string): Promise<StoredAnswer | undefined> => {
    try {
      await Answers.create([{ _id: id, fingerprint, createdAt: new Date(clock.now()) }], { validateBeforeSave: false });
      return undefined;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      const stored = await Answers.findById(id).lean<StoredAnswer>();
      if (!stored)
        throw new AppError('IDEMPOTENCY_CONFLICT', 'The first request with this key has just failed: send it again.');
      return stored;
    }
  };

  return {
    middleware: (route) => async (request, response, next) => {
      const key = request.headers['idempotency-key'];
      if (key === undefined) return next();
      if (typeof key !== 'string' || !/^[\x21-\x7e]{1,128}$/.test(key))
        throw new AppError('VALIDATION_FAILED', 'Idempotency-Key must be 1 to 128 visible ASCII characters.', {
          errors: [{ path: 'header.idempotency-key', message: '1 to 128 visible ASCII characters' }],
        });
      const who = (response as AppResponse).locals.player?.userId ?? request.ip ?? '';
      const id = sha256(`${who}\n${route.method} ${request.path}\n${key}`);
      const fingerprint = sha256(JSON.stringify(request.body ?? null));
      const stored = await claim(id, fingerprint);
      if (stored === undefined) {
        keepAnswer(response as AppResponse, id);
        return next();
      }
      if (stored.fingerprint !== fingerprint)
        throw new AppError('IDEMPOTENCY_CONFLICT', 'This key was used with another body: use a new key.');
      if (stored.status === null || stored.body === null)
        throw new AppError('IDEMPOTENCY_CONFLICT', 'The first request with this key is still running.');
      response
        .status(stored.status)
        .setHeader('Idempotent-Replayed', 'true')
        .type('application/json')
        .send(stored.body);
    },
  };

  /** Stores a success before it is sent, frees the key after a failure. */
  function keepAnswer(response: AppResponse, id: string): void {
    const send = response.json.bind(response);
    response.json = (body) => {
      const text = JSON.stringify(body);
      const stored = Answers.updateOne({ _id: id }, { $set: { status: response.statusCode, body: text } });
      stored.exec().then(
        () => send(body),
        () => send(body),
      );
      return response;
    };
    response.on('close', () => {
      if (response.statusCode >= 400)
        Answers.deleteOne({ _id: id, status: null })
          .exec()
          .catch(() => undefined);
    });
  }
}

const sha256 = (value: string) => createHash('sha256').update(value).digest('base64url');
