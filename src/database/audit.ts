import { Schema, Types, type ClientSession, type Connection, type QueryFilter } from 'mongoose';
import type { Clock } from '../core/clock';
import { decodeCursor, toPage, type Page } from '../core/cursor';
import { AppError } from '../core/errors';
import type { Ids } from '../core/ids';
import { describeData } from './personal-data';

/**
 * What moderators and admins did, for good. A row is written in the transaction of the act itself, so that there is no act
 * without its row and no row without its act. Rows are only ever added: the model refuses everything else.
 */
export interface Audit {
  append(session: ClientSession, act: Act): Promise<void>;
  /** Newest first. @throws BAD_CURSOR */
  list(filter: ActFilter, page: { limit: number; cursor?: string | undefined }): Promise<Page<RecordedAct>>;
}

export const AUDIT_ACTIONS = [
  'user.warned',
  'user.suspended',
  'user.banned',
  'user.reinstated',
  'user.roleChanged',
  'report.assigned',
  'report.released',
  'report.closed',
  'game.created',
  'game.changed',
  'mode.changed',
  'catalogue.syncStarted',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

export interface Act {
  action: AuditAction;
  /** Who did it; null: an operator, by a command on the server. */
  actorId: string | null;
  /** Id of the user, report or game that it was done to; null: to none of them. */
  targetId: string | null;
  reason?: string;
  /** What else there is to know, as it was decided. */
  details?: Record<string, unknown>;
}

export interface RecordedAct extends Required<Act> {
  id: string;
  at: string;
}

export interface ActFilter {
  actorId?: string | undefined;
  targetId?: string | undefined;
  action?: AuditAction | undefined;
}

interface ActRow {
  _id: Types.ObjectId;
  action: AuditAction;
  actorId: Types.ObjectId | null;
  targetId: Types.ObjectId | null;
  reason: string;
  details: Record<string, unknown>;
  at: Date;
}

const CHANGES = [
  'updateOne',
  'updateMany',
  'replaceOne',
  'findOneAndUpdate',
  'findOneAndReplace',
  'findOneAndDelete',
  'deleteOne',
  'deleteMany',
  'bulkWrite',
] as const;

const refuse = () => {
  throw new Error('The audit log is only ever added to.');
};

export function createAuditModel(connection: Connection) {
  const { ObjectId, Mixed } = Schema.Types;
  const schema = new Schema<ActRow>(
    {
      action: { type: String, required: true, immutable: true },
      actorId: { type: ObjectId, default: null, immutable: true },
      targetId: { type: ObjectId, default: null, immutable: true },
      reason: { type: String, default: '', immutable: true },
      details: { type: Mixed, required: true, immutable: true },
      at: { type: Date, required: true, immutable: true },
    },
    { versionKey: false, minimize: false, collection: 'audit' },
  );
  for (const change of CHANGES) {
    schema.pre(change as 'updateOne', { document: true, query: true }, refuse);
  }
  schema.pre('save', function () {
    if (!this.isNew) refuse();
  });
  schema.index({ at: -1, _id: -1 }, { name: 'time' });
  schema.index({ actorId: 1, at: -1, _id: -1 }, { name: 'actor' });
  schema.index({ targetId: 1, at: -1, _id: -1 }, { name: 'target' });
  schema.index({ action: 1, at: -1, _id: -1 }, { name: 'action' });
  describeData(schema, {
    what: 'What moderators and admins did, to whom and why',
    why: 'So that power is used in the open, and decisions can be looked at again',
    kept: 'For good; without those who deleted their account',
    shared: 'targetId',
    alsoIn: ['actorId'],
    // what was done to me is mine to know, who did it is not
    show: ({ actorId: _actorId, ...row }, userId) => (String(row['targetId']) === userId ? row : null),
  });
  return connection.model('Act', schema);
}

export function createAudit({ connection, clock, ids }: { connection: Connection; clock: Clock; ids: Ids }): Audit {
  const Acts = createAuditModel(connection);

  return {
    async append(session, { action, actorId, targetId, reason = '', details = {} }) {
      const row: ActRow = {
        _id: new Types.ObjectId(ids.id()),
        action,
        actorId: actorId === null ? null : new Types.ObjectId(actorId),
        targetId: targetId === null ? null : new Types.ObjectId(targetId),
        reason,
        details,
        at: new Date(clock.now()),
      };
      await Acts.create([row], { session });
    },

    async list(filter, { limit, cursor }) {
      const rows = await Acts.find({ ...definedOf(filter), ...(cursor === undefined ? {} : before(cursor)) })
        .sort({ at: -1, _id: -1 })
        .limit(limit + 1)
        .lean<ActRow[]>();
      return toPage(rows, limit, toAct, (row) => [row.at.getTime(), row._id.toHexString()]);
    },
  };
}

const toAct = ({ _id, action, actorId, targetId, reason, details, at }: ActRow): RecordedAct => ({
  id: _id.toHexString(),
  action,
  actorId: actorId?.toHexString() ?? null,
  targetId: targetId?.toHexString() ?? null,
  reason,
  details,
  at: at.toISOString(),
});

const definedOf = (filter: ActFilter): QueryFilter<ActRow> =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));

function before(cursor: string): QueryFilter<ActRow> {
  const [at, id] = decodeCursor(cursor, ['number', 'string']);
  const time = new Date(Number(at));
  if (Number.isNaN(time.getTime()) || !/^[0-9a-f]{24}$/.test(String(id)))
    throw new AppError('BAD_CURSOR', 'Start again without a cursor.');
  return { $or: [{ at: { $lt: time } }, { at: time, _id: { $lt: new Types.ObjectId(String(id)) } }] };
}
