import { Types } from 'mongoose';
import type { Clock } from '../../core/clock';
import type { EventBus } from '../../core/event-bus';
import type { Ids } from '../../core/ids';
import { inRounds } from '../../core/rounds';
import { insertNew } from '../../database/insert-new';
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
 * that fails makes the fact be told again, and then only what is still pending is sent. Facts that come together share their
 * commands; each fails by itself.
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

/** One user's part of a fact. */
interface Told {
  eventId: string;
  draft: Draft;
  userId: string;
}

type NewRow = Omit<NotificationRow, 'sourceId' | 'userId' | 'type'>;

/** Rows that have just been made, and those of facts that were told before. */
interface Stored {
  fresh: readonly NotificationRow[];
  earlier: readonly NotificationRow[];
}

/** What became of the rows that a channel had to send. */
interface Sending {
  channel: Channel;
  sent: readonly NotificationRow[];
  failures: (readonly [eventId: string, reason: unknown])[];
}

/** A notification is kept this long. */
const KEEP_MS = 90 * 86_400_000;

export function createNotifier(deps: NotifierDeps): Notifier {
  const { Notifications, settings, users, channels, clock, ids } = deps;

  const newRow = (draft: Draft, wanted: readonly ChannelName[], now: number): NewRow => ({
    _id: new Types.ObjectId(ids.id()),
    title: draft.title,
    body: draft.body,
    data: draft.data,
    read: false,
    listed: wanted.includes('inApp'),
    pending: channels.map((channel) => channel.name).filter((name) => wanted.includes(name)),
    createdAt: new Date(now),
    expiresAt: new Date(now + KEEP_MS),
  });

  /** One row for each user of each fact, where there is none yet. @returns the rows of all of them, by whether they were there */
  const store = async (told: readonly Told[]): Promise<Stored> => {
    const choices = await settings.choicesOf(told.map(({ userId }) => userId));
    const now = clock.now();
    const rows = told.map(({ eventId, draft, userId }) => ({
      sourceId: eventId,
      userId: new Types.ObjectId(userId),
      type: draft.type,
      ...newRow(draft, channelsOf(choices.get(userId) ?? {}, draft.type), now),
    }));
    const isNew = await insertNew(Notifications.collection, rows);
    return { fresh: rows.filter((_, i) => isNew[i]), earlier: await earlier(rows.filter((_, i) => !isNew[i])) };
  };

  /** What was stored of these when their facts were told before. */
  const earlier = async (rows: readonly Pick<NotificationRow, 'sourceId' | 'userId' | 'type'>[]) => {
    if (rows.length === 0) return [];
    return Notifications.find({
      $or: rows.map(({ sourceId, userId, type }) => ({ sourceId, userId, type })),
    }).lean<NotificationRow[]>();
  };

  /** What a channel may not send twice is noted at once. */
  const send = async (
    channel: Channel,
    rows: readonly NotificationRow[],
    recipients: ReadonlyMap<string, Recipient>,
  ): Promise<Sending> => {
    const due = rows.filter((row) => row.pending.includes(channel.name));
    const results = await Promise.allSettled(
      due.map(async (row) => {
        const recipient = recipients.get(row.userId.toHexString());
        if (recipient) await channel.deliver(toNotificationView(row), recipient);
      }),
    );
    const sent = due.filter((_, i) => results[i]?.status === 'fulfilled');
    if (!channel.mayRepeat) await settle(channel, sent);
    const failures = results.flatMap((result, i) =>
      result.status === 'rejected' ? [[due[i]?.sourceId ?? '', result.reason as unknown] as const] : [],
    );
    return { channel, sent, failures };
  };

  const settle = async ({ name }: Channel, sent: readonly NotificationRow[]): Promise<void> => {
    if (sent.length === 0) return;
    await Notifications.updateMany({ _id: { $in: sent.map((row) => row._id) } }, { $pull: { pending: name } });
  };

  /** @returns the failures, by fact: those are told again, and then only what did not go out */
  const sendAll = async ({ fresh, earlier }: Stored, recipients: ReadonlyMap<string, Recipient>) => {
    const rows = [...fresh, ...earlier];
    const sendings = await Promise.all(channels.map((channel) => send(channel, rows, recipients)));
    const failures = new Map(sendings.flatMap((sending) => sending.failures));
    // a fact that is told for the second time, because of somebody else perhaps, may be told for a third time
    const again = new Set(earlier);
    const isToNote = (row: NotificationRow) => failures.has(row.sourceId) || again.has(row);
    for (const { channel, sent } of sendings) if (channel.mayRepeat) await settle(channel, sent.filter(isToNote));
    return failures;
  };

  const notifyAll = inRounds<{ eventId: string; draft: Draft }, Error | null>(async (facts) => {
    // who has gone meanwhile is told nothing
    const recipients = await users.summaries(facts.flatMap(({ draft }) => draft.userIds));
    const told = facts.flatMap(({ eventId, draft }) =>
      draft.userIds.flatMap((userId) => (recipients.has(userId) ? [{ eventId, draft, userId }] : [])),
    );
    if (told.length === 0) return facts.map(() => null);
    const failures = await sendAll(await store(told), recipients);
    return facts.map(({ eventId, draft: { type } }) =>
      failures.has(eventId) ? new Error(`a ${type} could not be delivered`, { cause: failures.get(eventId) }) : null,
    );
  });

  return {
    async notify(eventId, draft) {
      const failure = await notifyAll({ eventId, draft });
      if (failure) throw failure;
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
