import { createTransport } from 'nodemailer';
import type { Config } from '../config/config';
import type { Logger } from '../core/logger';

/** One mail, ready to go. */
export interface Mail {
  /** Stays the same when it is sent again, so that mail programs show it once. */
  id: string;
  to: string;
  subject: string;
  text: string;
  html: string;
}

/** The way out for mails. Resolves when the mail server has taken the mail. @throws MailRefused, or what may pass by itself */
export interface Mailer {
  send(mail: Mail): Promise<void>;
  stop(): void;
}

/** The mail server will never take this mail: trying again makes no sense. */
export class MailRefused extends Error {
  override name = 'MailRefused';
}

/** A mail server that does not answer is given up on before the next try is due. */
const TIMEOUTS = { connectionTimeout: 5_000, greetingTimeout: 5_000, socketTimeout: 10_000, dnsTimeout: 5_000 };

export function createMailer({ smtpUrl, from }: Config['mail'], logger: Logger): Mailer {
  return smtpUrl === undefined ? logMailer(logger) : smtpMailer(smtpUrl, from);
}

function smtpMailer(smtpUrl: string, from: string): Mailer {
  const transport = createTransport({ url: smtpUrl, ...TIMEOUTS, disableFileAccess: true, disableUrlAccess: true });
  const domain = /@([^@>\s]+)>?\s*$/.exec(from)?.[1] ?? 'localhost';
  return {
    async send({ id, to, subject, text, html }) {
      try {
        await transport.sendMail({
          from,
          // as one address, whatever is in it: never parsed as a list
          to: { name: '', address: to },
          subject,
          text,
          html,
          messageId: `<${id}@${domain}>`,
          headers: { 'Auto-Submitted': 'auto-generated' },
        });
      } catch (error) {
        const { responseCode = 0, code } = error as { responseCode?: number; code?: string };
        // 5xx about the mail itself; a refused password is the operator's to correct, and the mail waits for it
        if (responseCode >= 500 && code !== 'EAUTH')
          throw new MailRefused(`the mail server answered ${responseCode}`, { cause: error });
        throw error;
      }
    },
    stop: () => transport.close(),
  };
}

/** For development: there is no mail server, and whoever runs it reads the log. */
function logMailer(logger: Logger): Mailer {
  return {
    send: async ({ to, subject, text }) => logger.info({ to, subject, text }, 'mail (SMTP_URL is not set)'),
    stop: () => undefined,
  };
}
