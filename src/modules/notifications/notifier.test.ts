import type { Connection } from 'mongoose';
import { testDatabase } from '../../../test/support/database';
import { manualClock } from '../../core/clock';
import { createEventBus } from '../../core/event-bus';
import { systemIds } from '../../core/ids';
import type { NotificationView } from '../../realtime/protocol';
import type { UserSummary } from '../users';
import type { Channel, ChannelName } from './channels';
import { createInbox } from './inbox.service';
import { createNotificationModel } from './notifications.models';
import type { NotifyingEvents } from './notifications.policy';
import { createNotifier, notifyOfFacts } from './notifier';
import { createSettingsService } from './settings.service';

let connection: Connection;
beforeAll(async () => {
  connection = await testDatabase();
});

/** A channel that keeps what it is given, and fails for as long as it is told to. */
function recorder(name: ChannelName) {
  const sent: { userId: string; notification: NotificationView }[] = [];
  const state = { failing: new Set<string>() };
  const channel: Channel = {
    name,
    async deliver(notification, { userId }) {
      if (state.failing.has(userId)) throw new Error('the way is blocked');
      sent.push({ userId, notification });
    },
  };
  return { channel, sent, failing: state.failing, usersTold: () => sent.map(({ userId }) => userId).sort() };
}

/** An instance of its own over the one database: its bus, its channels and everything in between. */
function instance(...channels: Channel[]) {
  const own = connection.useDb(connection.name);
  const Notifications = createNotificationModel(own);
  const settings = createSettingsService(own);
  const gone = new Set<string>();
  const users = {
    summaries: async (userIds: readonly string[]) =>
      new Map(
        userIds
          .filter((userId) => !gone.has(userId))
          .map((userId): [string, UserSummary] => [
            userId,
            { userId, username: 'ann', displayName: 'Ann', avatarUrl: null },
          ]),
      ),
  };
  const bus = createEventBus<NotifyingEvents>();
  notifyOfFacts(
    bus,
    createNotifier({ Notifications, settings, users, channels, clock: manualClock(), ids: systemIds }),
  );
  const feed = { tell: async () => undefined, positions: async () => new Map<string, number>() };
  return { bus, gone, settings, inbox: createInbox({ Notifications, feed, ids: systemIds }) };
}

const newUsers = (count: number) => Array.from({ length: count }, () => systemIds.id());

const completed = (userIds: string[], eventId = systemIds.id()) => ({
  eventId,
  type: 'match.completed' as const,
  payload: { matchId: systemIds.id(), gameId: systemIds.id(), mode: 'duo', userIds },
});

const listOf = async ({ inbox }: ReturnType<typeof instance>, userId: string) =>
  (await inbox.list(userId, { limit: 100 })).items;

test('a fact that is told five times makes one notification for each user, and is sent once', async () => {
  const { channel, usersTold } = recorder('inApp');
  const node = instance(channel);
  const userIds = newUsers(3);
  const fact = completed(userIds);
  for (let i = 0; i < 5; i++) expect(await node.bus.publish(fact)).toEqual([]);
  for (const userId of userIds) expect(await listOf(node, userId)).toHaveLength(1);
  expect(usersTold()).toEqual([...userIds].sort());
});

test('a fact that several instances tell at the same moment makes one notification for each user', async () => {
  const nodes = Array.from({ length: 8 }, () => instance(recorder('inApp').channel));
  const userIds = newUsers(4);
  const fact = completed(userIds);
  // one that loses the race for the row may fail, and is told again as the outbox would do
  const results = await Promise.all(nodes.map(async ({ bus }) => [bus, await bus.publish(fact)] as const));
  for (const [bus, failures] of results) if (failures.length > 0) expect(await bus.publish(fact)).toEqual([]);
  for (const userId of userIds) expect(await listOf(nodes[0]!, userId)).toHaveLength(1);
});

test('two facts of one kind make two notifications', async () => {
  const node = instance(recorder('inApp').channel);
  const [userId] = newUsers(1) as [string];
  await node.bus.publish(completed([userId]));
  await node.bus.publish(completed([userId]));
  expect(await listOf(node, userId)).toHaveLength(2);
});

test('a channel that fails makes the fact be told again, and only what is pending is sent then', async () => {
  const inApp = recorder('inApp');
  const push = recorder('push');
  const node = instance(inApp.channel, push.channel);
  const [ann, ben] = newUsers(2) as [string, string];
  const fact = {
    eventId: systemIds.id(),
    type: 'ticket.expired' as const,
    payload: { ticketId: systemIds.id(), userIds: [ann, ben], gameNames: [] },
  };
  push.failing.add(ben);
  expect(await node.bus.publish(fact)).toHaveLength(1);
  expect([inApp.usersTold(), push.usersTold()]).toEqual([[ann, ben].sort(), [ann]]);
  push.failing.clear();
  expect(await node.bus.publish(fact)).toEqual([]);
  expect([inApp.usersTold(), push.usersTold()]).toEqual([[ann, ben].sort(), [ann, ben].sort()]);
});

test('of a channel that may repeat itself it is noted what went out where another one failed, or the fact is told again', async () => {
  const inApp = recorder('inApp');
  const push = recorder('push');
  const node = instance({ ...inApp.channel, mayRepeat: true }, push.channel);
  const [ann] = newUsers(1) as [string];
  const expired = () => ({
    eventId: systemIds.id(),
    type: 'ticket.expired' as const,
    payload: { ticketId: systemIds.id(), userIds: [ann], gameNames: [] },
  });
  const [good, bad] = [expired(), expired()];
  // told again because of another subscriber, however often: once more at most
  for (let i = 0; i < 5; i++) await node.bus.publish(good);
  expect([inApp.usersTold(), push.usersTold()]).toEqual([[ann, ann], [ann]]);
  const ids = inApp.sent.map(({ notification }) => notification.id);
  expect(ids[0]).toBe(ids[1]);

  push.failing.add(ann);
  await node.bus.publish(bad);
  push.failing.clear();
  await node.bus.publish(bad);
  expect([inApp.sent.length, push.sent.length]).toEqual([3, 2]);
});

test('what was stored but not sent before a crash is sent by the next instance, as the same notification', async () => {
  const before = recorder('inApp');
  const [userId] = newUsers(1) as [string];
  before.failing.add(userId);
  const fact = completed([userId]);
  await instance(before.channel).bus.publish(fact);

  const after = recorder('inApp');
  const heir = instance(after.channel);
  await heir.bus.publish(fact);
  expect(after.sent.map(({ notification }) => notification)).toEqual(await listOf(heir, userId));
});

test('each goes out by the channels its user chose; without the in-app channel it is not in the list', async () => {
  const [inApp, email] = [recorder('inApp'), recorder('email')];
  const node = instance(inApp.channel, email.channel);
  const [plain, quiet, mailed, silent] = newUsers(4) as [string, string, string, string];
  await node.settings.decide(quiet, { matchCompleted: { inApp: false } });
  await node.settings.decide(mailed, { matchCompleted: { inApp: false, email: true } });
  await node.settings.decide(silent, { matchFormed: { inApp: false } });
  await node.bus.publish(completed([plain, quiet, mailed, silent]));
  expect(inApp.usersTold()).toEqual([plain, silent].sort());
  expect(email.usersTold()).toEqual([mailed]);
  for (const [userId, shown] of [
    [plain, 1],
    [quiet, 0],
    [mailed, 0],
    [silent, 1],
  ] as const)
    expect([await listOf(node, userId), await node.inbox.unread(userId)]).toMatchObject([{ length: shown }, shown]);
});

test('a deleted notification does not come back when its fact is told again', async () => {
  const { channel, sent } = recorder('inApp');
  const node = instance(channel);
  const [userId] = newUsers(1) as [string];
  const fact = completed([userId]);
  await node.bus.publish(fact);
  await node.inbox.remove(userId, sent[0]!.notification.id);
  await node.bus.publish(fact);
  expect(await listOf(node, userId)).toEqual([]);
  expect(sent).toHaveLength(1);
  const row = await connection.collection('notifications').findOne({ sourceId: fact.eventId });
  expect(row).toMatchObject({ title: '', body: '', data: {} });
});

test('somebody whose account is gone is told nothing, and holds up nobody', async () => {
  const { channel, usersTold } = recorder('inApp');
  const node = instance(channel);
  const [here, gone] = newUsers(2) as [string, string];
  node.gone.add(gone);
  expect(await node.bus.publish(completed([here, gone]))).toEqual([]);
  expect(usersTold()).toEqual([here]);
  expect(await listOf(node, gone)).toEqual([]);
});

test('notifications expire after 90 days', async () => {
  const node = instance(recorder('inApp').channel);
  const fact = completed(newUsers(1));
  await node.bus.publish(fact);
  const row = await connection.collection('notifications').findOne({ sourceId: fact.eventId });
  expect(row!['expiresAt'].getTime() - row!['createdAt'].getTime()).toBe(90 * 86_400_000);
  const indexes = await connection.collection('notifications').indexes();
  expect(indexes).toContainEqual(expect.objectContaining({ key: { expiresAt: 1 }, expireAfterSeconds: 0 }));
});
