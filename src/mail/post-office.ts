import type { ClientSession, Connection } from 'mongoose';
import type { Config } from '../config/config';
import type { Clock } from '../core/clock';
import { createEventBus } from '../core/event-bus';
import type { Ids } from '../core/ids';
import type { Logger } from '../core/logger';
import type { Loop } from '../core/loop';
import { createOutbox, type Outbox, type OutboxMeter } from '../database/outbox';
import type { ExternalCalls } from '../observability/external-calls';
import type { Letter } from './letters/letters';
import { render } from './letters/render';
import { createMailer, MailRefused } from './mailer';

/**
 * Mails, by an outbox of their own: what is to be sent is written in the transaction that gives the reason for it, so that
 * a crash loses no mail, and a mail server that is slow or away holds up no other news.
 *
 * A link holds a token that is stored nowhere as it is. So it is not the letter that waits in the outbox but the wish for
 * one: its token is made when it is sent. See modules/accounts/links.service.ts.
 */
export interface PostOffice {
  /** Adds a letter without a secret in it to the caller's transaction. */
  post(session: ClientSession, recipient: Recipient, letter: Letter): Promise<void>;
  /** Adds the wish for a letter with a link. */
  wish(session: ClientSession, wish: LinkWish): Promise<void>;
  /** Looks for work now: call it after the transaction has committed. */
  wake(): void;
  /** Who fulfils wishes. A failure makes the wish come again, up to an hour after it was made. */
  onWish(fulfil: (wish: LinkWish, id: string) => Promise<void>): void;
  /** Sends now. @param id the same for the same letter, however often it is sent */
  send(id: string, recipient: Recipient, letter: Letter): Promise<void>;
  readonly relay: Loop;
  backlog: Outbox<never>['backlog'];
  stop(): void;
}

export interface Recipient {
  userId: string;
  address: string;
  name: string;
  /** What they speak, best first. */
  languages: string[];
}

export type Purpose = 'verifyEmail' | 'resetPassword' | 'changeEmail';

export interface LinkWish {
  purpose: Purpose;
  address: string;
  /** Null where only the address is known, and perhaps nobody has it. */
  userId: string | null;
}

interface MailEvents extends Record<string, object> {
  'mail.posted': { recipient: Recipient; letter: Letter; until: number };
  'mail.wished': LinkWish & { until: number };
}

export interface PostOfficeDeps {
  connection: Connection;
  config: Config['mail'];
  clock: Clock;
  ids: Ids;
  logger: Logger;
  calls: ExternalCalls;
  meter: OutboxMeter;
}

export const MAILBOX = 'mailbox';
/** Longer than any mail server is waited for. */
const PATIENCE_MS = 30_000;
/** Nobody wants a link, or news, that comes much later. */
const LINK_GOOD_MS = 3_600_000;
const LETTER_GOOD_MS = 3 * 86_400_000;

export function createPostOffice(deps: PostOfficeDeps): PostOffice {
  const { config, clock, logger, calls } = deps;
  const bus = createEventBus<MailEvents>();
  const mailer = createMailer(config, logger);
  const outbox = createOutbox<MailEvents>({
    ...deps,
    bus,
    collection: MAILBOX,
    everyMs: 1_000,
    patienceMs: PATIENCE_MS,
  });

  const send: PostOffice['send'] = async (id, { userId, address, name, languages }, letter) => {
    try {
      const mail = { id, to: address, ...render(letter, { name, languages, site: config.siteName }) };
      await calls.measure('mail', () => mailer.send(mail));
    } catch (error) {
      if (!(error instanceof MailRefused)) throw error;
      logger.warn({ err: error, userId, kind: letter.kind }, 'a mail was refused');
    }
  };

  bus.on('mail.posted', async ({ eventId, payload: { recipient, letter, until } }) => {
    if (clock.now() < until) await send(eventId, recipient, letter);
  });

  return {
    async post(session, recipient, letter) {
      const until = clock.now() + LETTER_GOOD_MS;
      // a letter that cannot be sent holds up no other one: each has a key of its own
      await outbox.append(session, 'mail.posted', deps.ids.uuid(), { recipient, letter, until });
    },
    async wish(session, wish) {
      const until = clock.now() + LINK_GOOD_MS;
      // wishes of one address are fulfilled one after the other, so that they can be counted
      const key = `${wish.purpose}:${wish.address.toLowerCase()}`;
      await outbox.append(session, 'mail.wished', key, { ...wish, until });
    },
    wake: () => outbox.wake(),
    onWish(fulfil) {
      bus.on('mail.wished', async ({ eventId, payload: { until, ...wish } }) => {
        if (clock.now() < until) await fulfil(wish, eventId);
      });
    },
    send,
    relay: outbox.relay,
    backlog: () => outbox.backlog(),
    stop: () => mailer.stop(),
  };
}
