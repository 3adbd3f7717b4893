import { Schema, type Connection, type Types } from 'mongoose';
import { describeData } from '../../database/personal-data';
import type { SessionView } from './auth.schemas';

/** One row while somebody is signed in on a device. It is gone when the session has ended. */
export interface SessionRow {
  _id: Types.ObjectId;
  userId: Types.ObjectId;
  /** Of the account when the session began: when the account's is another one, the session is over. */
  tokenVersion: number;
  /** Whether the second factor was shown. */
  secondFactor: boolean;
  userAgent: string;
  ip: string;
  createdAt: Date;
  lastUsedAt: Date;
  /** Absolute: using the session does not make it longer. */
  expiresAt: Date;
}

/** Every refresh token given, used ones too: by them a stolen copy is noticed. */
export interface RefreshTokenRow {
  /** Keyed hash of the token. */
  _id: string;
  userId: Types.ObjectId;
  sessionId: Types.ObjectId;
  usedAt: Date | null;
  expiresAt: Date;
}

const { ObjectId } = Schema.Types;

export function createSessionModel(connection: Connection) {
  const schema = new Schema<SessionRow>(
    {
      userId: { type: ObjectId, required: true },
      tokenVersion: { type: Number, required: true },
      secondFactor: { type: Boolean, default: false },
      userAgent: { type: String, default: '' },
      ip: { type: String, default: '' },
      createdAt: { type: Date, required: true },
      lastUsedAt: { type: Date, required: true },
      expiresAt: { type: Date, required: true },
    },
    { versionKey: false, collection: 'sessions' },
  );
  schema.index({ userId: 1, _id: -1 }, { name: 'user' });
  schema.index({ expiresAt: 1 }, { name: 'ttl', expireAfterSeconds: 0 });
  describeData(schema, {
    what: 'Where somebody is signed in: device, network, when',
    why: 'To stay signed in, and to see and end what is not theirs',
    kept: 'Until it ends; at most `REFRESH_TOKEN_DAYS`',
    owner: 'userId',
  });
  return connection.model('Session', schema);
}

export function createRefreshTokenModel(connection: Connection) {
  const schema = new Schema<RefreshTokenRow>(
    {
      _id: { type: String, required: true },
      userId: { type: ObjectId, required: true },
      sessionId: { type: ObjectId, required: true },
      usedAt: { type: Date, default: null },
      expiresAt: { type: Date, required: true },
    },
    { versionKey: false, collection: 'refreshTokens' },
  );
  schema.index({ userId: 1 }, { name: 'user' });
  schema.index({ expiresAt: 1 }, { name: 'ttl', expireAfterSeconds: 0 });
  describeData(schema, {
    what: 'Refresh tokens, hashed',
    why: 'To stay signed in, and to notice a stolen token',
    kept: 'As long as its session could last',
    owner: 'userId',
    hidden: ['_id'],
  });
  return connection.model('RefreshToken', schema);
}

export function toSessionView(row: SessionRow, currentId: string): SessionView {
  const id = row._id.toHexString();
  return {
    id,
    current: id === currentId,
    userAgent: row.userAgent,
    ip: row.ip,
    createdAt: row.createdAt.toISOString(),
    lastUsedAt: row.lastUsedAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
  };
}
