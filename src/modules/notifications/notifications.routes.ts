import { route, type Route } from '../../http/route';
import { page } from '../../http/schemas';
import { notificationView } from '../../realtime/protocol';
import type { ChannelName } from './channels';
import type { DevicesService } from './devices.service';
import type { Inbox } from './inbox.service';
import * as schemas from './notifications.schemas';
import type { SettingsService } from './settings.service';

export function notificationRoutes(deps: {
  inbox: Inbox;
  settings: SettingsService;
  devices: DevicesService;
  /** Names of the channels by which this server delivers. */
  channels: ChannelName[];
}): Route[] {
  const { inbox, settings, devices, channels } = deps;
  const shared = { tag: 'Notifications', access: 'player' } as const;

  return [
    route({
      ...shared,
      method: 'get',
      path: '/api/notifications',
      summary: 'What happened while I was looking elsewhere, newest first',
      query: schemas.listOfMine,
      status: 200,
      answer: page(notificationView),
      errors: ['BAD_CURSOR'],
      handler: ({ player, query: { unread, ...wanted } }) =>
        inbox.list(player.userId, { ...wanted, unread: unread === 'true' }),
    }),
    route({
      ...shared,
      method: 'get',
      path: '/api/notifications/count',
      summary: 'How many I have not read',
      status: 200,
      answer: schemas.countView,
      handler: async ({ player }) => ({ unread: await inbox.unread(player.userId) }),
    }),
    route({
      ...shared,
      method: 'post',
      path: '/api/notifications/read-all',
      summary: 'I have read them all',
      status: 200,
      answer: schemas.readAllView,
      handler: async ({ player }) => ({ read: await inbox.readAll(player.userId) }),
    }),
    route({
      ...shared,
      method: 'post',
      path: '/api/notifications/:id/read',
      summary: 'I have read this one',
      params: schemas.notificationParams,
      status: 200,
      answer: notificationView,
      errors: ['NOT_FOUND'],
      handler: ({ player, params }) => inbox.read(player.userId, params.id),
    }),
    route({
      ...shared,
      method: 'delete',
      path: '/api/notifications/:id',
      summary: 'Delete a notification',
      params: schemas.notificationParams,
      status: 204,
      errors: ['NOT_FOUND'],
      handler: ({ player, params }) => inbox.remove(player.userId, params.id),
    }),
    route({
      ...shared,
      method: 'get',
      path: '/api/notifications/settings',
      summary: 'What I am told, and by which channels',
      status: 200,
      answer: schemas.settingsView,
      handler: async ({ player }) => ({ types: await settings.settings(player.userId), channels }),
    }),
    route({
      ...shared,
      method: 'put',
      path: '/api/notifications/settings',
      summary: 'Decide what I am told, and by which channels; what is not named is as by default',
      body: schemas.settingsBody,
      status: 200,
      answer: schemas.settingsView,
      handler: async ({ player, body }) => ({ types: await settings.decide(player.userId, body.types), channels }),
    }),
    route({
      ...shared,
      method: 'put',
      path: '/api/notifications/devices/:token',
      summary: 'This device may be woken by push messages, once the server sends them; at every start of the app',
      params: schemas.deviceParams,
      body: schemas.deviceBody,
      status: 204,
      handler: ({ player, params, body }) => devices.register(player.userId, params.token, body.platform),
    }),
    route({
      ...shared,
      method: 'delete',
      path: '/api/notifications/devices/:token',
      summary: 'No push messages to this device any more; at logout',
      params: schemas.deviceParams,
      status: 204,
      errors: ['NOT_FOUND'],
      handler: ({ player, params }) => devices.forget(player.userId, params.token),
    }),
  ];
}
