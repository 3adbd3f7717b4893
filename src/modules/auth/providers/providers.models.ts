import { Schema, type Connection, type Types } from 'mongoose';
import { describeData } from '../../../database/personal-data';
import type { Claimed } from './provider-clients';

/** An account at a provider that can log in to one of ours. */
export interface IdentityRow {
  /** `<provider>:<subject>`: one account there is one here. */
  _id: string;
  userId: Types.ObjectId;
  provider: string;
  email: string | null;
  linkedAt: Date;
}

/** Somebody on their way to a provider and back. See provider-sign-in.service.ts. */
export interface AttemptRow {
  /** Hash of the state that goes to the provider and comes back. */
  _id: string;
  provider: string;
  nonce: string;
  /** Sealed. */
  verifier: string;
  redirectUri: string;
  /** The app's own state. */
  appState: string | null;
  /** Only who has what this is the hash of can use the code. */
  appChallenge: string;
  /** Who wants to link; null: somebody who wants to sign in. */
  linkTo: Types.ObjectId | null;
  /** The provider's answer is looked at once. */
  answered: boolean;
  /** Hash of the code that went to the app. */
  codeHash: string | null;
  claimed: Claimed | null;
  expiresAt: Date;
}

const { ObjectId, Mixed } = Schema.Types;

export function createIdentityModel(connection: Connection) {
  const schema = new Schema<IdentityRow>(
    {
      _id: { type: String, required: true },
      userId: { type: ObjectId, required: true },
      provider: { type: String, required: true },
      email: { type: String, default: null },
      linkedAt: { type: Date, required: true },
    },
    { versionKey: false, collection: 'identities' },
  );
  describeData(schema, {
    what: 'Accounts elsewhere that can log in: provider, subject, address',
    why: 'To log in without a password of our own',
    kept: 'Until it is unlinked',
    owner: 'userId',
  });
  schema.index({ userId: 1, provider: 1 }, { name: 'user_provider', unique: true });
  return connection.model('Identity', schema);
}

export function createAttemptModel(connection: Connection) {
  const schema = new Schema<AttemptRow>(
    {
      _id: { type: String, required: true },
      provider: { type: String, required: true },
      nonce: { type: String, required: true },
      verifier: { type: String, required: true },
      redirectUri: { type: String, required: true },
      appState: { type: String, default: null },
      appChallenge: { type: String, required: true },
      linkTo: { type: ObjectId, default: null },
      answered: { type: Boolean, required: true },
      codeHash: { type: String, default: null },
      claimed: { type: Mixed, default: null },
      expiresAt: { type: Date, required: true },
    },
    { versionKey: false, minimize: false, collection: 'signInAttempts' },
  );
  describeData(schema, {
    what: 'Sign-ins by others on their way: what the provider said',
    why: 'To finish signing in, or registering',
    kept: 'Fifteen minutes',
    passing: { where: {} },
  });
  schema.index({ codeHash: 1 }, { name: 'code', partialFilterExpression: { answered: true } });
  schema.index({ expiresAt: 1 }, { name: 'ttl', expireAfterSeconds: 0 });
  return connection.model('SignInAttempt', schema);
}
