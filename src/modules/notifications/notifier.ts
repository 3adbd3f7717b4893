import { Types } from 'mongoose';
import type { Clock } from '../../core/clock';
import type { EventBus } from '../../core/event-bus';
import type { Ids } from '../../core/ids';
import type { UsersApi } from '../users';
import type { Channel, ChannelName, Recipient } from './channels';
import { toNotificationView, type NotificationModel, type NotificationRow } from './notifications.models';
import { channelsOf, DRAFTS, type Draft, type NotifyingEvents } from './notifications.policy';
import type { SettingsService } from './settings.service';

/**
 * Makes notifications of facts, and sends them out.
 *
 * The outbox tells a fact at least once, so everything here may happen again with the same `eventId`: the unique index lets
 * each user have one notification of a fact, and its row remembers the channels by which it has still to go out. A channel
 * that fails makes the fact be told again, and then only what is still pending is sent.
 */
export interface Notifier {
  notify(eventId: string, draft: Draft): Promise<void>;
}

export interface NotifierDeps {
  Notifications: NotificationModel;
  settings: Pick<SettingsService, 'choicesOf'>;
  users: Pick<UsersApi, 'summaries'>;
  channels: readonly Channel[];
  clock: Clock;
  ids: Ids;
}

/** A notification is kept this long. */
const KEEP_MS = 90 * 86_400_000;

export function createNotifier(deps: NotifierDeps): Notifier {
  const { Notifications, settings, users, channels, clock, ids } = deps;

  /** One row for each of these users, where there is none of this fact yet. */
  const store = async (sourceId: string, { type, title, body, data }: Draft, userIds: string[]) => {
    const choices = await settings.choicesOf(userIds);
    const now = clock.now();
    const upserts = userIds.map((userId) => {
      const wanted = channelsOf(choices.get(userId) ?? {}, type);
      const row: Omit<NotificationRow, 'sourceId' | 'userId' | 'type'> = {
        _id: new Types.ObjectId(ids.id()),
        title,
        body,
        data,
        read: false,
        listed: wanted.includes('inApp'),
        pending: channels.map((channel) => channel.name).filter((name) => wanted.includes(name)),
        createdAt: new Date(now),
        expiresAt: new Date(now + KEEP_MS),
      };
      const filter = { sourceId, userId: new Types.ObjectId(userId), type };
      return { updateOne: { filter, update: { $setOnInsert: row }, upsert: true } };
    });
    await Notifications.collection.bulkWrite(upserts, { ordered: false });
  };

  /** @returns the failures; what went out is no longer pending */
  const send = async (channel: Channel, rows: NotificationRow[], recipients: ReadonlyMap<string, Recipient>) => {
    const due = rows.filter((row) => row.pending.includes(channel.name));
    const results = await Promise.allSettled(
      due.map(async (row) => {
        const recipient = recipients.get(row.userId.toHexString());
        if (recipient) await channel.deliver(toNotificationView(row), recipient);
        return row._id;
      }),
    );
    const sent = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    if (sent.length > 0) await settle(channel.name, sent);
    return results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  };

  const settle = (name: ChannelName, sent: Types.ObjectId[]) =>
    Notifications.updateMany({ _id: { $in: sent } }, { $pull: { pending: name } });

  return {
    async notify(eventId, draft) {
      // who has gone meanwhile is told nothing
      const recipients = await users.summaries(draft.userIds);
      const userIds = [...recipients.keys()];
      if (userIds.length === 0) return;
      await store(eventId, draft, userIds);
      const rows = await Notifications.find({ sourceId: eventId, type: draft.type }).lean<NotificationRow[]>();
      const failures = await Promise.all(channels.map((channel) => send(channel, rows, recipients)));
      const [failure] = failures.flat();
      if (failure !== undefined) throw new Error(`a ${draft.type} could not be delivered`, { cause: failure });
    },
  };
}

/** Every fact that has a draft makes notifications. */
export function notifyOfFacts(bus: EventBus<NotifyingEvents>, notifier: Notifier): void {
  const follow = <Type extends keyof typeof DRAFTS>(type: Type) =>
    bus.on(type, ({ eventId, payload }) => {
      const draft = DRAFTS[type] as (payload: NotifyingEvents[Type]) => Draft;
      return notifier.notify(eventId, draft(payload));
    });
  for (const type of Object.keys(DRAFTS) as (keyof typeof DRAFTS)[]) follow(type);
}
