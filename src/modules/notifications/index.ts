export { createNotificationsModule, type NotificationsDeps } from './notifications.module';
export type { NotificationsApi } from './notifications.api';
export type { Channel, Recipient } from './channels';
