import type { Inbox } from './inbox.service';

/** What the server's edges may ask of the notifications module: how many of them wait to be read. */
export type NotificationsApi = Pick<Inbox, 'unreadOf'>;
