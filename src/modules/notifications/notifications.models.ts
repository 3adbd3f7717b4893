import { Schema, type Connection, type Model, type Types } from 'mongoose';
import { describeData } from '../../database/personal-data';
import type { NotificationView } from '../../realtime/protocol';
import type { ChannelName } from './channels';
import type { NotificationType } from './notifications.policy';

/** Rows of notifications, of each user's settings, and of the devices that ask for push messages. */

/** A device that has not been seen for this long has lost its token: what the push services count with. */
const DEVICE_SECONDS = 270 * 86_400;

export interface NotificationRow {
  _id: Types.ObjectId;
  userId: Types.ObjectId;
  type: NotificationType;
  /** The fact it tells of: with `userId` and `type` it makes a notification exist once, however often the fact is told. */
  sourceId: string;
  title: string;
  body: string;
  data: Record<string, unknown>;
  read: boolean;
  /** In the user's list. Rows outside it (deleted ones too) stay for a while, so that their fact makes no new one. */
  listed: boolean;
  /** Channels by which it goes out, less those of which it was noted that it has. */
  pending: ChannelName[];
  createdAt: Date;
  expiresAt: Date;
}
export type NotificationModel = Model<NotificationRow>;

/** What a user has decided; everything else is as by default. */
export interface SettingsRow {
  _id: Types.ObjectId;
  types: Partial<Record<NotificationType, Partial<Record<ChannelName, boolean>>>>;
}

export interface DeviceRow {
  _id: string;
  userId: Types.ObjectId;
  platform: string;
  seenAt: Date;
}

const { ObjectId, Mixed } = Schema.Types;

export function createNotificationModel(connection: Connection): NotificationModel {
  const schema = new Schema<NotificationRow>(
    {
      userId: { type: ObjectId, required: true },
      type: { type: String, required: true },
      sourceId: { type: String, required: true },
      title: { type: String, required: true },
      body: { type: String, required: true },
      data: { type: Mixed, required: true },
      read: { type: Boolean, required: true },
      listed: { type: Boolean, required: true },
      pending: { type: [String], required: true },
      createdAt: { type: Date, required: true },
      expiresAt: { type: Date, required: true },
    },
    { versionKey: false, minimize: false, collection: 'notifications' },
  );
  const listed = { partialFilterExpression: { listed: true } };
  schema.index({ sourceId: 1, userId: 1, type: 1 }, { name: 'once', unique: true });
  schema.index({ userId: 1, createdAt: -1, _id: -1 }, { name: 'list', ...listed });
  schema.index({ userId: 1, read: 1, createdAt: -1, _id: -1 }, { name: 'user_read_time', ...listed });
  schema.index({ expiresAt: 1 }, { name: 'ttl', expireAfterSeconds: 0 });
  describeData(schema, {
    what: 'Notifications',
    why: 'To tell somebody what they should know although they may not be looking',
    kept: '90 days; those outside the list only so that none is made twice',
    owner: 'userId',
    only: { listed: true },
    tellsOf: ['data.userId'],
  });
  return connection.model<NotificationRow>('Notification', schema);
}

export function createSettingsModel(connection: Connection) {
  const schema = new Schema<SettingsRow>(
    { types: { type: Mixed, required: true } },
    { versionKey: false, minimize: false, collection: 'notificationSettings' },
  );
  describeData(schema, {
    what: 'What somebody wants to be notified of, and how',
    why: 'To tell them no more than that',
    kept: 'As long as the account',
    owner: '_id',
  });
  return connection.model('NotificationSettings', schema);
}

export function createDeviceModel(connection: Connection) {
  const schema = new Schema<DeviceRow>(
    {
      _id: { type: String, required: true },
      userId: { type: ObjectId, required: true },
      platform: { type: String, required: true },
      seenAt: { type: Date, required: true },
    },
    { versionKey: false, collection: 'devices' },
  );
  schema.index({ userId: 1, seenAt: -1 }, { name: 'user_seen' });
  schema.index({ seenAt: 1 }, { name: 'ttl', expireAfterSeconds: DEVICE_SECONDS });
  describeData(schema, {
    what: 'Devices that asked for push messages',
    why: 'To wake the app',
    kept: '270 days after the app was last opened',
    owner: 'userId',
  });
  return connection.model('Device', schema);
}

export function toNotificationView(row: NotificationRow): NotificationView {
  return {
    id: row._id.toHexString(),
    type: row.type,
    title: row.title,
    body: row.body,
    data: row.data,
    read: row.read,
    createdAt: row.createdAt.toISOString(),
  };
}
