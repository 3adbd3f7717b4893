import type { NotificationView } from '../../realtime/protocol';
import type { UserSummary } from '../users';

/** The ways to reach somebody that settings know. A server delivers by those it has a `Channel` for. */
export const CHANNEL_NAMES = ['inApp', 'email', 'push'] as const;
export type ChannelName = (typeof CHANNEL_NAMES)[number];

export type Recipient = Pick<UserSummary, 'userId' | 'username' | 'displayName'>;

/**
 * One way to reach somebody. `deliver` resolves when the notification is out of our hands, and is called again, with the
 * same notification id, after it has thrown or the process has ended meanwhile.
 */
export interface Channel {
  readonly name: ChannelName;
  /** Getting the same again does no harm: that it went out is noted only where its fact is told again, or is going to be. */
  readonly mayRepeat?: boolean;
  deliver(notification: NotificationView, user: Recipient): Promise<void>;
}
