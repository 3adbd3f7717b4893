import { Schema, type Connection, type Types } from 'mongoose';
import { describeData } from '../../../database/personal-data';

/** The second factor of an account; no row: none. */
export interface SecondFactorRow {
  /** Of the user. */
  _id: Types.ObjectId;
  /** Sealed: see seals.ts. */
  secret: string;
  /** Null until a code has shown that the secret has arrived: until then it counts for nothing. */
  confirmedAt: Date | null;
  /** The time step of the last code: no code is good that is not newer. */
  lastStep: number;
  /** Of the recovery codes that are left: hashes, sealed. */
  recovery: string[];
  /** Codes tried in the window that ends then. */
  tries: number;
  windowEnds: Date;
}

/** Somebody has shown the first factor and owes the second. */
export interface ChallengeRow {
  /** Hash of what the client holds. */
  _id: string;
  userId: Types.ObjectId;
  /** Of the account at that moment: a change of the password ends the challenge. */
  tokenVersion: number;
  expiresAt: Date;
}

const { ObjectId } = Schema.Types;

export function createSecondFactorModel(connection: Connection) {
  const schema = new Schema<SecondFactorRow>(
    {
      secret: { type: String, required: true },
      confirmedAt: { type: Date, default: null },
      lastStep: { type: Number, required: true },
      recovery: { type: [String], required: true },
      tries: { type: Number, required: true },
      windowEnds: { type: Date, required: true },
    },
    { versionKey: false, collection: 'secondFactors' },
  );
  describeData(schema, {
    what: 'The second factor: its secret (encrypted), recovery codes (hashed)',
    why: 'To sign in with more than a password, where somebody switched it on',
    kept: 'Until it is switched off',
    owner: '_id',
    hidden: ['secret', 'recovery'],
  });
  return connection.model('SecondFactor', schema);
}

export function createChallengeModel(connection: Connection) {
  const schema = new Schema<ChallengeRow>(
    {
      _id: { type: String, required: true },
      userId: { type: ObjectId, required: true },
      tokenVersion: { type: Number, required: true },
      expiresAt: { type: Date, required: true },
    },
    { versionKey: false, collection: 'signInChallenges' },
  );
  describeData(schema, {
    what: 'Sign-ins that wait for the second factor',
    why: 'To know that the password was right',
    kept: 'Ten minutes',
    owner: 'userId',
    hidden: ['_id'],
  });
  schema.index({ userId: 1 }, { name: 'user' });
  schema.index({ expiresAt: 1 }, { name: 'ttl', expireAfterSeconds: 0 });
  return connection.model('SignInChallenge', schema);
}
