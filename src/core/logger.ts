import { createRequire } from 'node:module';
import { pino, type DestinationStream, type Logger } from 'pino';
import type PinoPretty from 'pino-pretty';
import { logContext } from './log-context';

export type { Logger };

export interface LoggerOptions {
  level: string;
  /** Human-readable lines instead of JSON, where the development dependency pino-pretty is installed. */
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
    mixin: logContext.fields,
    redact: { paths: REDACTED, censor: '[redacted]' },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (destination) return pino(options, destination);
  const lines = pretty ? prettyLines() : undefined;
  return lines ? pino({ level, mixin: options.mixin, redact: options.redact }, lines) : pino(options);
}

/** Written at once, in this process: lines stay in order with what else is printed, and the last one is not lost. */
function prettyLines(): DestinationStream | undefined {
  try {
    const format = createRequire(__filename)('pino-pretty') as typeof PinoPretty;
    return format({ ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l', sync: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}
