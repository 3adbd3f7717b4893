import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger };

export interface LoggerOptions {
  level: string;
  /** Human-readable lines instead of JSON; needs the development dependency pino-pretty. */
  pretty: boolean;
}

const SECRETS = [
  'password',
  'currentPassword',
  'newPassword',
  'accessToken',
  'refreshToken',
  'token',
  'authorization',
  'cookie',
  'secret',
];

/** Keys whose values never reach a log line, at the first three depths. */
const REDACTED = SECRETS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]).concat(
  'req.headers.authorization',
  'req.headers.cookie',
);

export function createLogger({ level, pretty }: LoggerOptions, destination?: DestinationStream): Logger {
  const options = {
    level,
    redact: { paths: REDACTED, censor: '[redacted]' },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (destination) return pino(options, destination);
  if (!pretty) return pino(options);
  const transport = { target: 'pino-pretty', options: { ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' } };
  return pino({ level, redact: options.redact, transport });
}
