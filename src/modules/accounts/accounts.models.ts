import { Schema, type Connection, type Types } from 'mongoose';
import { describeData } from '../../database/personal-data';
import type { Purpose } from '../../mail/post-office';

/** A link that was mailed to somebody and has not been followed yet. */
export interface LinkTokenRow {
  /** Hash of the token. */
  _id: string;
  userId: Types.ObjectId;
  purpose: Purpose;
  /** Where it was sent to. */
  address: string;
  createdAt: Date;
  expiresAt: Date;
}

export type LinkTokenModel = ReturnType<typeof createLinkTokenModel>;

export function createLinkTokenModel(connection: Connection) {
  const schema = new Schema<LinkTokenRow>(
    {
      _id: { type: String, required: true },
      userId: { type: Schema.Types.ObjectId, required: true },
      purpose: { type: String, required: true },
      address: { type: String, required: true },
      createdAt: { type: Date, required: true },
      expiresAt: { type: Date, required: true },
    },
    { versionKey: false, collection: 'linkTokens' },
  );
  schema.index({ userId: 1, purpose: 1, createdAt: -1 }, { name: 'user_purpose' });
  schema.index({ expiresAt: 1 }, { name: 'ttl', expireAfterSeconds: 0 });
  describeData(schema, {
    what: 'Links in mails that were not followed yet, hashed',
    why: 'To confirm an address or reset a password',
    kept: 'At most two days',
    owner: 'userId',
    hidden: ['_id'],
  });
  return connection.model('LinkToken', schema);
}
