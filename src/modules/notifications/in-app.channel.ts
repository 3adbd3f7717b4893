import type { Feed } from '../../realtime/feed';
import type { Channel } from './channels';
import type { Inbox } from './inbox.service';

/** Tells the user's connected devices. Those that are away find the notification in the list, and the count in `connected`. */
export function createInAppChannel({ feed, inbox }: { feed: Feed; inbox: Pick<Inbox, 'unread'> }): Channel {
  return {
    name: 'inApp',
    // apps know events by their id, as of everything that is told on sockets
    mayRepeat: true,
    async deliver(notification, { userId }) {
      const unread = await inbox.unread(userId);
      // told together: the feed numbers both at once, in this order
      await Promise.all([
        feed.tell(notification.id, [userId], 'notification:new', { notification }),
        feed.tell(`${notification.id}:count`, [userId], 'notification:count', { unread }),
      ]);
    },
  };
}
