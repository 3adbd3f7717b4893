import type { Connection } from 'mongoose';
import type { Clock } from '../../core/clock';
import type { EventBus } from '../../core/event-bus';
import type { Ids } from '../../core/ids';
import type { Realtime } from '../../realtime/server';
import type { Module } from '../module';
import type { UsersApi } from '../users';
import { createDevicesService } from './devices.service';
import { createInAppChannel } from './in-app.channel';
import { createInbox } from './inbox.service';
import type { NotificationsApi } from './notifications.api';
import { createNotificationModel } from './notifications.models';
import type { NotifyingEvents } from './notifications.policy';
import { notificationRoutes } from './notifications.routes';
import { createNotifier, notifyOfFacts } from './notifier';
import { createSettingsService } from './settings.service';

export interface NotificationsDeps {
  connection: Connection;
  bus: EventBus<NotifyingEvents>;
  realtime: Pick<Realtime, 'feed'>;
  users: Pick<UsersApi, 'summaries'>;
  clock: Clock;
  ids: Ids;
}

/** What somebody should know although they may not be looking: kept in a list, and sent by the channels they chose. */
export function createNotificationsModule(deps: NotificationsDeps): Module<NotificationsApi> {
  const { connection, bus, realtime } = deps;
  const Notifications = createNotificationModel(connection);
  const inbox = createInbox({ ...deps, Notifications, feed: realtime.feed });
  const settings = createSettingsService(connection);
  const devices = createDevicesService(deps);
  const channels = [createInAppChannel({ feed: realtime.feed, inbox })];
  notifyOfFacts(bus, createNotifier({ ...deps, Notifications, settings, channels }));
  return {
    api: inbox,
    routes: notificationRoutes({ inbox, settings, devices, channels: channels.map((channel) => channel.name) }),
    clientEvents: [],
    loops: [],
  };
}
