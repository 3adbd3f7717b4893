import { Schema, type Connection, type Types } from 'mongoose';
import { describeData, type DataNote } from './personal-data';

/** A fact as it stands in the database. */
export interface OutboxRow {
  _id: Types.ObjectId;
  type: string;
  key: string;
  payload: object;
  createdAt: Date;
  /** Not to be touched before this time: claimed by a relay, or waiting to be tried again. */
  notBefore: Date;
  /** Which relay's batch holds the row. */
  claim: string | null;
  attempts: number;
  deliveredAt: Date | null;
}

const KEEP_DELIVERED_SECONDS = 86_400;

const NOTE: DataNote = {
  what: 'News on the way to those concerned',
  why: 'So that a crash loses none of it',
  kept: 'One day after it was told',
  passing: { where: { deliveredAt: { $ne: null } } },
};
const NOTES: Record<string, DataNote> = {
  mailbox: {
    ...NOTE,
    what: 'Mails on the way: address, name and what they are about, no links',
    kept: 'One day after it was sent; at most four',
    passing: { where: {} },
  },
};

/** @param collection an outbox of its own, for news that must not hold up the other news */
export function createOutboxModel(connection: Connection, collection = 'outbox') {
  const schema = new Schema<OutboxRow>(
    {
      type: { type: String, required: true },
      key: { type: String, required: true },
      payload: { type: Schema.Types.Mixed, required: true },
      createdAt: { type: Date, required: true },
      notBefore: { type: Date, required: true },
      claim: { type: String, default: null },
      attempts: { type: Number, default: 0 },
      deliveredAt: { type: Date, default: null },
    },
    { versionKey: false, minimize: false, collection },
  );
  const undelivered = { partialFilterExpression: { deliveredAt: null } };
  schema.index({ notBefore: 1, createdAt: 1, _id: 1 }, { name: 'undelivered', ...undelivered });
  schema.index({ key: 1, createdAt: 1, _id: 1 }, { name: 'undelivered_by_key', ...undelivered });
  schema.index({ deliveredAt: 1 }, { name: 'delivered_ttl', expireAfterSeconds: KEEP_DELIVERED_SECONDS });
  describeData(schema, NOTES[collection] ?? NOTE);
  return connection.model(`Outbox:${collection}`, schema);
}
