import { Schema, type Connection, type Types } from 'mongoose';
import { describeData } from '../../database/personal-data';
import type { FriendState } from './users.schemas';

/**
 * What is between two users: one row for each pair that has anything to do with each other, so that friendship and block
 * exclude each other whoever acts at the same moment.
 *
 *   pending -> friends      the asked one accepts
 *   any     -> blocked      one blocks the other; nothing else is left between them
 *   any     -> (no row)     declined, removed, or the last block lifted
 */
export interface RelationRow {
  /** Both ids, the lower first. */
  _id: string;
  users: Types.ObjectId[];
  state: 'pending' | 'friends' | 'blocked';
  /** Who asked. */
  requestedBy: Types.ObjectId | null;
  blockedBy: Types.ObjectId[];
  /** When it became what it is. */
  since: Date;
}

export type RelationModel = ReturnType<typeof createRelationModel>;

export function createRelationModel(connection: Connection) {
  const { ObjectId } = Schema.Types;
  const schema = new Schema<RelationRow>(
    {
      _id: { type: String, required: true },
      users: [ObjectId],
      state: { type: String, required: true },
      requestedBy: { type: ObjectId, default: null },
      blockedBy: [ObjectId],
      since: { type: Date, required: true },
    },
    { versionKey: false, collection: 'relations' },
  );
  schema.index({ users: 1, state: 1, since: -1, _id: -1 }, { name: 'users_state' });
  schema.index({ blockedBy: 1, since: -1, _id: -1 }, { name: 'blocked_by' });
  describeData(schema, {
    what: 'Friends, friend requests and blocks',
    why: 'To play with friends, and never with those who are blocked',
    kept: 'Until one of the two ends it',
    owner: 'users',
    // who has blocked me is not mine to know of
    show: (row, userId) => {
      const blockedBy = (row['blockedBy'] as Types.ObjectId[]).filter((id) => id.toHexString() === userId);
      return row['state'] === 'blocked' && blockedBy.length === 0 ? null : { ...row, blockedBy };
    },
  });
  return connection.model('Relation', schema);
}

export const pairOf = (one: string, other: string): string => [one, other].sort().join('_');

/** The one of the two who is not `userId`. */
export function otherOf(row: RelationRow, userId: string): string {
  const [low = '', high = ''] = row._id.split('_');
  return low === userId ? high : low;
}

/** How a friendship looks to `userId`; null where there is none. */
export function friendshipOf(row: RelationRow | null, userId: string): FriendState | null {
  if (!row || row.state === 'blocked') return null;
  if (row.state === 'friends') return 'friends';
  return row.requestedBy?.toHexString() === userId ? 'outgoing' : 'incoming';
}
