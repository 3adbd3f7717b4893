import { z } from 'zod';
import { providersVariable } from './sign-in-providers';

/** Every variable of the environment with its meaning and default; the `.env.example` test compares the two. */

const flag = z.enum(['true', 'false', '1', '0']).transform((value) => value === 'true' || value === '1');
const list = z.string().transform((value) =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);
const secret = z.string().refine((value) => Buffer.byteLength(value) >= 32, 'must be at least 32 bytes');
const integer = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

/** The classes of requests that are counted; http/rate-limits.ts has their numbers. */
export const LIMIT_NAMES = [
  'general',
  'search',
  'submit',
  'report',
  'credentials',
  'attempts',
  'strangers',
  'pages',
] as const;
export type LimitName = (typeof LIMIT_NAMES)[number];

export interface LimitChange {
  name: LimitName;
  max: number;
  windowSeconds: number;
}

function limitChange(entry: string, context: z.RefinementCtx): LimitChange[] {
  const [, word, max, windowSeconds] = /^([a-z]{1,20})=([1-9]\d{0,6})\/([1-9]\d{0,5})$/.exec(entry) ?? [];
  const name = LIMIT_NAMES.find((known) => known === word);
  if (name !== undefined) return [{ name, max: Number(max), windowSeconds: Number(windowSeconds) }];
  const message = `"${entry}" is not like search=240/60, of one of ${LIMIT_NAMES.join(', ')}`;
  context.addIssue({ code: 'custom', message });
  return [];
}

export const environmentSchema = z.object({
  NODE_ENV: z
    .enum(['development', 'test', 'staging', 'production'])
    .default('development')
    .describe('What kind of environment this is'),
  HOST: z.string().default('127.0.0.1').describe('Address to listen on; 0.0.0.0 in a container'),
  PORT: integer(0, 65_535).default(3000).describe('Port of the API and of Socket.IO; 0 picks a free one'),
  PUBLIC_URL: z.url().optional().describe('How clients reach this server; used in links'),
  ACCOUNT_PAGE_URL: z
    .url()
    .optional()
    .describe('The page that links in mails lead to; default the own one, PUBLIC_URL/account'),
  SITE_NAME: z.string().trim().min(1).max(50).default('Maoga').describe('What this place calls itself in mails'),
  DATA_DIR: z
    .string()
    .min(1)
    .default('.data')
    .describe('Embedded database and generated development secrets; `:memory:` keeps nothing'),
  MONGODB_URI: z
    .string()
    .regex(/^mongodb(\+srv)?:\/\//, 'must begin with mongodb:// or mongodb+srv://')
    .optional()
    .describe('A replica set; without it a local or the embedded database is used'),
  MONGODB_DOWNLOAD: flag.default(false).describe('Allow mongodb-memory-server to download a mongod'),
  MIGRATE_ON_START: flag.optional().describe('Run migrations at start; default true, false in production'),
  SEED_ON_START: flag.optional().describe('Add the shipped game catalogue at start; default true, false in production'),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'must begin with redis:// or rediss://')
    .optional()
    .describe('Fan-out between instances and shared rate limits'),
  REDIS_PASSWORD: z.string().min(1).optional().describe('For a REDIS_URL without one, so that it can be kept apart'),
  JWT_SECRET: secret.optional().describe('Signs access tokens (HS256), 32 bytes or more; generated outside production'),
  JWT_KEY_ID: z
    .string()
    .min(1)
    .max(32)
    .default('k1')
    .describe('Name (kid) of JWT_SECRET; change it whenever the secret changes'),
  JWT_PREVIOUS_SECRET: secret.optional().describe('Still accepted during a key rotation'),
  JWT_PREVIOUS_KEY_ID: z.string().min(1).max(32).optional().describe('Name (kid) of JWT_PREVIOUS_SECRET'),
  JWT_REFRESH_SECRET: secret
    .optional()
    .describe('Keys the hash under which refresh tokens are stored; generated outside production'),
  DATA_SECRET: secret
    .optional()
    .describe('Encrypts what has to be read again, such as secrets of second factors; derived outside production'),
  DATA_PREVIOUS_SECRET: secret
    .optional()
    .describe('Still opens what it has encrypted, until `npm run reseal` has renewed it'),
  ADMIN_SECOND_FACTOR: flag
    .optional()
    .describe('Admins have to sign in with a second factor; default true in production, false elsewhere'),
  SIGN_IN_PROVIDERS: providersVariable
    .default([])
    .describe('OpenID Connect providers to sign in by: JSON, [{"id": "google", "clientId": …, "clientSecret": …}, …]'),
  SIGN_IN_REDIRECTS: list.default([]).describe('Addresses of apps that such sign-ins end at, comma-separated'),
  ACCESS_TOKEN_SECONDS: integer(30, 86_400).default(900).describe('Life of an access token'),
  REFRESH_TOKEN_DAYS: integer(1, 365).default(30).describe('Life of a refresh token and of its session'),
  BCRYPT_COST: integer(4, 15).default(12).describe('Work factor of password hashes; at least 10 in production'),
  DELETION_GRACE_DAYS: integer(1, 90)
    .default(14)
    .describe('Days in which somebody who deleted their account can have it back by logging in'),
  SMTP_URL: z
    .string()
    .regex(/^smtps?:\/\//, 'must begin with smtp:// or smtps://')
    .optional()
    .describe('Sends mails; without it development prints them in the log'),
  MAIL_FROM: z.string().min(3).default('Maoga <no-reply@localhost>').describe('Sender of mails'),
  CORS_ORIGINS: list.default([]).describe('Exact origins that may call from a browser, comma-separated'),
  TRUST_PROXY_HOPS: integer(0, 10).default(0).describe('Number of reverse proxies in front'),
  RATE_LIMITS: flag.default(true).describe('Switches rate limits; only for load tests'),
  SOCKETS_WITHOUT_TOKEN: integer(1, 100_000)
    .default(256)
    .describe('Connections of one address that may be open at a time without having shown a token'),
  RATE_LIMIT_CHANGES: list
    .default([])
    .transform((entries, context) => entries.flatMap((entry) => limitChange(entry, context)))
    .describe('Other numbers for classes of docs/rate-limits.md: `search=240/60,report=50/3600` (requests/seconds)'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .optional()
    .describe('Default info; silent in test'),
  LOG_PRETTY: flag
    .optional()
    .describe('Readable log lines instead of JSON; default true in development on a terminal, else false'),
  METRICS_PORT: integer(0, 65_535)
    .optional()
    .describe('Serves /metrics on a port of its own; default 9464 in production, off elsewhere'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Sends traces to this OTLP/HTTP collector; off without it'),
  DOCS: flag.default(true).describe('Serves /docs, /openapi.json and /asyncapi.json'),
  LEASE_TTL_MS: integer(500, 60_000)
    .default(5000)
    .describe('An instance that is silent for this long loses the pools that it leads to the others'),
  MATCHMAKING_TICK_MS: integer(10, 60_000).default(1000).describe('Pause between two matchmaking ticks'),
  MATCHMAKING_RECORD: z
    .string()
    .min(1)
    .optional()
    .describe('File to record the work of the matchmaking engine in, for `npm run replay`'),
  MATCHMAKING_RECORD_MB: integer(1, 100_000).default(256).describe('The recording ends at this size'),
  LOBBY_IDLE_MINUTES: integer(1, 1440).default(30).describe('A lobby in which nothing happens closes after this'),
  IGDB_CLIENT_ID: z
    .string()
    .min(1)
    .optional()
    .describe('Client id of an application at Twitch, for the game catalogue of IGDB; off without'),
  IGDB_CLIENT_SECRET: z.string().min(1).optional().describe('Client secret of that application'),
  IGDB_API_URL: z.url().default('https://api.igdb.com/v4').describe('IGDB, or a proxy of it'),
  IGDB_TOKEN_URL: z.url().default('https://id.twitch.tv/oauth2/token').describe('Where Twitch gives access tokens'),
  BACKUP_PASSPHRASE: z
    .string()
    .min(16, 'must be at least 16 characters')
    .optional()
    .describe('Encrypts backups; without it nobody can read them again'),
  MONGODB_TOOLS_DIR: z.string().min(1).optional().describe('Where mongodump and mongorestore are, if not on the PATH'),
  DRAIN_SECONDS: integer(0, 60)
    .default(0)
    .describe('So long a stopping server says that it is not ready, and serves, until the load balancer looks away'),
  SHUTDOWN_SECONDS: integer(1, 300).default(25).describe('Longest graceful shutdown before the process gives up'),
});

export type Environment = z.infer<typeof environmentSchema>;
