import type { AddressInfo } from 'node:net';
import { simpleParser } from 'mailparser';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** A real mail server on this machine, that keeps what it gets. Ended by itself after the file's tests. */
export interface MailServer {
  url: string;
  /** Everything received, in order. */
  received: Received[];
  /** The next mail to this address that fits and was not taken yet, whether it has arrived already or not. */
  next(to: string, fits?: (mail: Received) => boolean): Promise<Received>;
  stop(): Promise<void>;
}

export interface Received {
  to: string;
  from: string;
  subject: string;
  text: string;
  html: string;
  messageId: string;
}

const PATIENCE_MS = 8_000;
const running: MailServer[] = [];

export async function startMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const received: Received[] = [];
  const taken = new Set<Received>();
  const waiting = new Set<() => void>();
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    onData(stream, { envelope }, done) {
      const keep = async () => {
        const { subject = '', text = '', html, from, messageId = '' } = await simpleParser(stream);
        const to = envelope.rcptTo.map(({ address }) => address).join(',');
        received.push({ to, from: from?.text ?? '', subject, text, html: html || '', messageId });
        for (const check of waiting) check();
      };
      keep().then(() => done(), done);
    },
    ...options,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  const mailServer: MailServer = {
    url: `smtp://127.0.0.1:${port}`,
    received,
    next: (to, fits = () => true) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(check);
          const others = received.map((mail) => `${mail.to}: ${mail.subject}`);
          reject(new Error(`no such mail to ${to}; received: ${others.join(', ')}`));
        }, PATIENCE_MS);
        const check = () => {
          const found = received.find((mail) => mail.to === to && !taken.has(mail) && fits(mail));
          if (!found) return;
          taken.add(found);
          clearTimeout(timer);
          waiting.delete(check);
          resolve(found);
        };
        waiting.add(check);
        check();
      }),
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
  running.push(mailServer);
  return mailServer;
}

/** The token in the link of a mail. */
export function tokenIn({ text }: Received): string {
  const token = /#\w+=([\w-]+)/.exec(text)?.[1];
  if (token === undefined) throw new Error(`no link in: ${text}`);
  return token;
}

afterAll(async () => {
  for (const server of running.splice(0)) await server.stop();
});
