import { Schema, type Connection, type Types } from 'mongoose';
import { describeData } from '../../database/personal-data';
import type { REPORT_REASONS } from './moderation.schemas';

/** Rows of reports and of karma. */

/** A closed report is kept this long. */
const KEEP_SECONDS = 365 * 86_400;

export interface ReportRow {
  _id: Types.ObjectId;
  byId: Types.ObjectId;
  aboutId: Types.ObjectId;
  /** The message or match it is about, or `player`: with the two people it makes an open report exist once. */
  subject: string;
  reason: (typeof REPORT_REASONS)[number];
  description: string;
  matchId: Types.ObjectId | null;
  /** A copy: the chat passes. */
  message: { id: Types.ObjectId; lobbyId: Types.ObjectId; content: string; sentAt: Date } | null;
  state: 'open' | 'resolved' | 'dismissed';
  assigneeId: Types.ObjectId | null;
  note: string;
  createdAt: Date;
  closedAt: Date | null;
}

export interface KarmaRow {
  _id: Types.ObjectId;
  matchId: Types.ObjectId;
  fromId: Types.ObjectId;
  toId: Types.ObjectId;
  value: 1 | -1;
  at: Date;
}

const { ObjectId } = Schema.Types;

export function createReportModel(connection: Connection) {
  const message = new Schema<NonNullable<ReportRow['message']>>(
    {
      id: { type: ObjectId, required: true },
      lobbyId: { type: ObjectId, required: true },
      content: { type: String, required: true },
      sentAt: { type: Date, required: true },
    },
    { _id: false },
  );
  const schema = new Schema<ReportRow>(
    {
      byId: { type: ObjectId, required: true },
      aboutId: { type: ObjectId, required: true },
      subject: { type: String, required: true },
      reason: { type: String, required: true },
      description: { type: String, required: true },
      matchId: { type: ObjectId, default: null },
      message: { type: message, default: null },
      state: { type: String, required: true },
      assigneeId: { type: ObjectId, default: null },
      note: { type: String, default: '' },
      createdAt: { type: Date, required: true },
      closedAt: { type: Date, default: null },
    },
    { versionKey: false, collection: 'reports' },
  );
  schema.index({ state: 1, createdAt: 1, _id: 1 }, { name: 'queue' });
  schema.index({ aboutId: 1, state: 1 }, { name: 'about' });
  const open = { partialFilterExpression: { state: 'open' } };
  schema.index({ byId: 1, aboutId: 1, subject: 1 }, { name: 'open_once', unique: true, ...open });
  schema.index({ closedAt: 1 }, { name: 'closed_ttl', expireAfterSeconds: KEEP_SECONDS });
  describeData(schema, {
    what: 'Reports about players and messages',
    why: 'For moderators to look into',
    kept: 'A year after it was closed',
    owner: 'byId',
    tellsOf: ['aboutId'],
    shared: ['assigneeId'],
    // what came of it, and who looked into it, stays with the moderators
    show: ({ assigneeId: _assigneeId, note: _note, ...row }, userId) => (String(row['byId']) === userId ? row : null),
  });
  return connection.model('Report', schema);
}

export function createKarmaModel(connection: Connection) {
  const schema = new Schema<KarmaRow>(
    {
      matchId: { type: ObjectId, required: true },
      fromId: { type: ObjectId, required: true },
      toId: { type: ObjectId, required: true },
      value: { type: Number, required: true },
      at: { type: Date, required: true },
    },
    { versionKey: false, collection: 'karma' },
  );
  schema.index({ matchId: 1, fromId: 1, toId: 1 }, { name: 'once', unique: true });
  schema.index({ toId: 1 }, { name: 'to' });
  schema.index({ fromId: 1 }, { name: 'from' });
  describeData(schema, {
    what: 'Karma that players gave each other after a match',
    why: 'To tell good company, and that nobody gives twice',
    kept: 'As long as the account of who gave it',
    owner: 'fromId',
    tellsOf: ['toId'],
  });
  return connection.model('Karma', schema);
}

export type ReportModel = ReturnType<typeof createReportModel>;
export type KarmaModel = ReturnType<typeof createKarmaModel>;
