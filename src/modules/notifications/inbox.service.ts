import { Types } from 'mongoose';
import { decodeCursor, toPage, type Page } from '../../core/cursor';
import { AppError, notFound } from '../../core/errors';
import type { Ids } from '../../core/ids';
import { inRounds } from '../../core/rounds';
import type { NotificationView } from '../../realtime/protocol';
import type { Feed } from '../../realtime/feed';
import { toNotificationView, type NotificationModel, type NotificationRow } from './notifications.models';

/** A user's list of notifications. Whatever changes the number of unread ones is told to all of the user's devices. */
export interface Inbox {
  /** Newest first. @throws BAD_CURSOR */
  list(
    userId: string,
    wanted: { unread?: boolean | undefined; limit: number; cursor?: string | undefined },
  ): Promise<Page<NotificationView>>;
  unread(userId: string): Promise<number>;
  unreadOf(userIds: readonly string[]): Promise<(userId: string) => number>;
  /** Reading twice is reading once. @throws NOT_FOUND */
  read(userId: string, id: string): Promise<NotificationView>;
  /** @returns how many had not been read */
  readAll(userId: string): Promise<number>;
  /** @throws NOT_FOUND */
  remove(userId: string, id: string): Promise<void>;
}

export interface InboxDeps {
  Notifications: NotificationModel;
  feed: Feed;
  ids: Ids;
}

export function createInbox({ Notifications, feed, ids }: InboxDeps): Inbox {
  const unreadOf: Inbox['unreadOf'] = async (userIds) => {
    const counts = await Notifications.aggregate<{ _id: Types.ObjectId; count: number }>([
      { $match: { userId: { $in: userIds.map((id) => new Types.ObjectId(id)) }, listed: true, read: false } },
      { $group: { _id: '$userId', count: { $sum: 1 } } },
    ]);
    const known = new Map(counts.map((each) => [each._id.toHexString(), each.count]));
    return (userId) => known.get(userId) ?? 0;
  };

  const unread = inRounds<string, number>(async (userIds) => userIds.map(await unreadOf(userIds)));

  const tellCount = async (userId: string) =>
    feed.tell(ids.uuid(), [userId], 'notification:count', { unread: await unread(userId) });

  return {
    unread,
    unreadOf,

    async list(userId, { unread: onlyUnread = false, limit, cursor }) {
      const rows = await Notifications.find({
        userId,
        listed: true,
        ...(onlyUnread ? { read: false } : {}),
        ...(cursor === undefined ? {} : after(cursor)),
      })
        .sort({ createdAt: -1, _id: -1 })
        .limit(limit + 1)
        .lean<NotificationRow[]>();
      return toPage(rows, limit, toNotificationView, (row) => [row.createdAt.getTime(), row._id.toHexString()]);
    },

    async read(userId, id) {
      const before = await Notifications.findOneAndUpdate({ _id: id, userId, listed: true }, { $set: { read: true } })
        .setOptions({ returnDocument: 'before' })
        .lean<NotificationRow>();
      if (!before) throw notFound('notification');
      if (!before.read) await tellCount(userId);
      return toNotificationView({ ...before, read: true });
    },

    async readAll(userId) {
      const { modifiedCount } = await Notifications.updateMany(
        { userId, listed: true, read: false },
        { $set: { read: true } },
      );
      if (modifiedCount > 0) await tellCount(userId);
      return modifiedCount;
    },

    async remove(userId, id) {
      // the row stays, empty, until it expires: its fact may be told once more
      const before = await Notifications.findOneAndUpdate(
        { _id: id, userId, listed: true },
        { $set: { listed: false, title: '', body: '', data: {}, pending: [] } },
      )
        .setOptions({ returnDocument: 'before' })
        .lean<NotificationRow>();
      if (!before) throw notFound('notification');
      if (!before.read) await tellCount(userId);
    },
  };
}

/** What comes behind the last item of the page before. */
function after(cursor: string) {
  const [createdAt, id] = decodeCursor(cursor, ['number', 'string']) as [number, string];
  const time = new Date(createdAt);
  if (Number.isNaN(time.getTime()) || !/^[0-9a-f]{24}$/.test(id))
    throw new AppError('BAD_CURSOR', 'Start again without a cursor.');
  return { $or: [{ createdAt: { $lt: time } }, { createdAt: time, _id: { $lt: new Types.ObjectId(id) } }] };
}
