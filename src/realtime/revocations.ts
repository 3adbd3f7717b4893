import { Schema, Types, type Connection } from 'mongoose';
import type { Clock } from '../core/clock';
import type { Ids } from '../core/ids';
import type { Logger } from '../core/logger';
import { createLoop, type Loop } from '../core/loop';
import { describeData } from '../database/personal-data';

/**
 * Sessions that have ended, for the instances that did not hear of it: what Redis carries between them is lost while it is
 * away. Every instance looks every two seconds, so that no socket outlives its session for longer than that.
 */
export interface Revocations {
  announce(sessionId: string, reason: string): void;
  readonly loop: Loop;
}

interface RevocationRow {
  _id: Types.ObjectId;
  sessionId: string;
  reason: string;
  at: Date;
}

const EVERY_MS = 2_000;
/** Looked at again in every round: a write may show late, and ending twice is ending once. */
const LOOK_BACK_MS = 30_000;
const KEEP_SECONDS = 300;

export function createRevocationModel(connection: Connection) {
  const schema = new Schema<RevocationRow>(
    {
      sessionId: { type: String, required: true },
      reason: { type: String, required: true },
      at: { type: Date, required: true },
    },
    { versionKey: false, collection: 'revocations' },
  );
  describeData(schema, {
    what: 'Sessions that have just ended',
    why: 'To close their connections everywhere',
    kept: 'Five minutes: it names sessions that are gone, and nobody',
  });
  schema.index({ at: 1 }, { name: 'ttl', expireAfterSeconds: KEEP_SECONDS });
  return connection.model('Revocation', schema);
}

export interface RevocationsDeps {
  connection: Connection;
  clock: Clock;
  ids: Ids;
  logger: Logger;
  /** Ends the sockets of a session on this instance. */
  end: (sessionId: string, reason: string) => void;
}

export function createRevocations({ connection, clock, ids, logger, end }: RevocationsDeps): Revocations {
  const Rows = createRevocationModel(connection);
  return {
    announce(sessionId, reason) {
      const row = { _id: new Types.ObjectId(ids.id()), sessionId, reason, at: new Date(clock.now()) };
      Rows.create([row]).catch((err: unknown) => logger.error({ err }, 'the end of a session could not be announced'));
    },
    loop: createLoop({
      name: 'revocations',
      everyMs: EVERY_MS,
      async tick() {
        const since = new Date(clock.now() - LOOK_BACK_MS);
        const rows = await Rows.find({ at: { $gt: since } }, { sessionId: 1, reason: 1 }).lean<RevocationRow[]>();
        for (const { sessionId, reason } of rows) end(sessionId, reason);
      },
      onError: (err) => logger.error({ err }, 'revocations could not be read'),
    }),
  };
}
