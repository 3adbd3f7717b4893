import type { Connection } from 'mongoose';
import type { Module } from '../module';
import type { NotificationsApi } from './notifications.api';
import { createNotificationModel } from './notifications.models';

export interface NotificationsDeps {
  connection: Connection;
}

/** What somebody should know although they may not be looking. */
export function createNotificationsModule({ connection }: NotificationsDeps): Module<NotificationsApi> {
  const Notifications = createNotificationModel(connection);
  return {
    api: { unread: (userId) => Notifications.countDocuments({ userId, listed: true, read: false }) },
    routes: [],
    clientEvents: [],
    loops: [],
  };
}
