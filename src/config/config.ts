import { z } from 'zod';
import { fromFiles } from './secret-files';
import { providersVariable, type SignInProvider } from './sign-in-providers';

/**
 * The environment, parsed once. Every variable is declared here with its meaning (the `.env.example` test compares the two);
 * all faults are reported in one message. Nothing else in `src/` reads `process.env`.
 */

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
  SHUTDOWN_SECONDS: integer(1, 300).default(25).describe('Longest graceful shutdown before the process gives up'),
});

export type Environment = z.infer<typeof environmentSchema>;

export interface Config {
  env: Environment['NODE_ENV'];
  http: {
    host: string;
    port: number;
    publicUrl: string | undefined;
    corsOrigins: string[];
    trustProxyHops: number;
    rateLimits: boolean;
    rateLimitChanges: LimitChange[];
    docs: boolean;
  };
  database: {
    uri: string | undefined;
    download: boolean;
    directory: string | undefined;
    allowEmbedded: boolean;
    migrate: boolean;
    seed: boolean;
  };
  redis: { url: string | undefined };
  mail: { smtpUrl: string | undefined; from: string; siteName: string };
  accounts: { pageUrl: string; graceDays: number };
  auth: {
    keys: { current: JwtKey; previous: JwtKey | undefined };
    refreshSecret: string;
    dataSecret: string;
    adminSecondFactor: boolean;
    providers: SignInProvider[];
    appRedirects: string[];
    /** Where providers send browsers back to. */
    callbackBase: string;
    accessTokenSeconds: number;
    refreshTokenDays: number;
    bcryptCost: number;
  };
  log: { level: string; pretty: boolean };
  metrics: { port: number | undefined };
  tracing: { endpoint: string | undefined };
  matchmaking: { tickMs: number; catchUpMs: number; record: { file: string; maxBytes: number } | undefined };
  leases: { ttlMs: number };
  lobbies: { idleMinutes: number };
  catalogue: { igdb: { clientId: string; clientSecret: string; apiUrl: string; tokenUrl: string } | undefined };
  backups: { passphrase: string | undefined };
  shutdownSeconds: number;
}

export interface JwtKey {
  id: string;
  secret: string;
}

export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** Secrets of an environment that brings none: see `development-secrets.ts`. */
export interface GeneratedSecrets {
  jwtSecret: string;
  refreshSecret: string;
}

/**
 * Parses and freezes the configuration.
 * @param generate makes secrets where development brings none; never called in production.
 * @param onTerminal whether a person reads the output
 * @throws ConfigError naming every fault at once.
 */
export function loadConfig(
  environment: Record<string, string | undefined>,
  generate: (dataDir: string) => GeneratedSecrets,
  onTerminal = false,
): Config {
  const { values, faults: unreadable } = fromFiles(withoutEmpty(environment), Object.keys(environmentSchema.shape));
  const parsed = environmentSchema.safeParse(values);
  const invalid = parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  const wrong = [...unreadable, ...invalid];
  // a setting that is wrong in itself is told once
  const told = new Set(wrong.map(nameOf));
  const problems = [
    ...wrong,
    ...[...rotationFaults(values), ...igdbFaults(values), ...strictFaults(values)].filter(
      (line) => !told.has(nameOf(line)),
    ),
  ];
  if (!parsed.success || problems.length > 0) throw faults(problems);
  const env = parsed.data;
  const production = isStrict(env.NODE_ENV);
  const generated = env.JWT_SECRET && env.JWT_REFRESH_SECRET ? undefined : generate(env.DATA_DIR);
  return deepFreeze(toConfig(env, production, generated, onTerminal));
}

function toConfig(
  env: Environment,
  production: boolean,
  generated: GeneratedSecrets | undefined,
  onTerminal: boolean,
): Config {
  const publicUrl = env.PUBLIC_URL ?? `http://localhost:${env.PORT}`;
  return {
    env: env.NODE_ENV,
    http: {
      host: env.HOST,
      port: env.PORT,
      publicUrl: env.PUBLIC_URL,
      corsOrigins: env.CORS_ORIGINS,
      trustProxyHops: env.TRUST_PROXY_HOPS,
      rateLimits: env.RATE_LIMITS,
      rateLimitChanges: env.RATE_LIMIT_CHANGES,
      docs: env.DOCS,
    },
    database: {
      uri: env.MONGODB_URI,
      download: env.MONGODB_DOWNLOAD,
      directory: env.DATA_DIR === ':memory:' ? undefined : env.DATA_DIR,
      allowEmbedded: !production,
      migrate: env.MIGRATE_ON_START ?? !production,
      seed: env.SEED_ON_START ?? !production,
    },
    redis: { url: withPassword(env.REDIS_URL, env.REDIS_PASSWORD) },
    mail: { smtpUrl: env.SMTP_URL, from: env.MAIL_FROM, siteName: env.SITE_NAME },
    accounts: {
      pageUrl: env.ACCOUNT_PAGE_URL ?? new URL('/account', publicUrl).href,
      graceDays: env.DELETION_GRACE_DAYS,
    },
    auth: {
      keys: {
        current: { id: env.JWT_KEY_ID, secret: env.JWT_SECRET ?? generated?.jwtSecret ?? '' },
        previous:
          env.JWT_PREVIOUS_SECRET === undefined
            ? undefined
            : { id: env.JWT_PREVIOUS_KEY_ID ?? '', secret: env.JWT_PREVIOUS_SECRET },
      },
      refreshSecret: env.JWT_REFRESH_SECRET ?? generated?.refreshSecret ?? '',
      dataSecret: env.DATA_SECRET ?? env.JWT_REFRESH_SECRET ?? generated?.refreshSecret ?? '',
      adminSecondFactor: env.ADMIN_SECOND_FACTOR ?? production,
      providers: env.SIGN_IN_PROVIDERS,
      appRedirects: env.SIGN_IN_REDIRECTS,
      callbackBase: new URL(publicUrl).origin,
      accessTokenSeconds: env.ACCESS_TOKEN_SECONDS,
      refreshTokenDays: env.REFRESH_TOKEN_DAYS,
      bcryptCost: env.BCRYPT_COST,
    },
    log: {
      level: env.LOG_LEVEL ?? (env.NODE_ENV === 'test' ? 'silent' : 'info'),
      pretty: env.LOG_PRETTY ?? (env.NODE_ENV === 'development' && onTerminal),
    },
    metrics: { port: env.METRICS_PORT ?? (production ? 9464 : undefined) },
    tracing: { endpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT },
    matchmaking: {
      tickMs: env.MATCHMAKING_TICK_MS,
      catchUpMs: env.MONGODB_URI === undefined ? 5000 : Math.min(1000, env.MATCHMAKING_TICK_MS),
      record:
        env.MATCHMAKING_RECORD === undefined
          ? undefined
          : { file: env.MATCHMAKING_RECORD, maxBytes: env.MATCHMAKING_RECORD_MB * 2 ** 20 },
    },
    leases: { ttlMs: env.LEASE_TTL_MS },
    lobbies: { idleMinutes: env.LOBBY_IDLE_MINUTES },
    catalogue: { igdb: igdbSettings(env) },
    backups: { passphrase: env.BACKUP_PASSPHRASE },
    shutdownSeconds: env.SHUTDOWN_SECONDS,
  };
}

type Values = Record<string, string | undefined>;

const isStrict = (kind: string | undefined) => kind === 'production' || kind === 'staging';

/** Of `NAME: what is wrong` and `NAME and OTHER: …`. */
const nameOf = (fault: string) => /^\w+/.exec(fault)?.[0] ?? '';

function rotationFaults(env: Values): string[] {
  const faults: string[] = [];
  if ((env['JWT_PREVIOUS_SECRET'] === undefined) !== (env['JWT_PREVIOUS_KEY_ID'] === undefined))
    faults.push('JWT_PREVIOUS_SECRET and JWT_PREVIOUS_KEY_ID: set both, or neither');
  if (env['JWT_PREVIOUS_KEY_ID'] !== undefined && env['JWT_PREVIOUS_KEY_ID'] === (env['JWT_KEY_ID'] ?? 'k1'))
    faults.push('JWT_PREVIOUS_KEY_ID: must differ from JWT_KEY_ID');
  return faults;
}

const igdbFaults = (env: Values): string[] =>
  (env['IGDB_CLIENT_ID'] === undefined) === (env['IGDB_CLIENT_SECRET'] === undefined)
    ? []
    : ['IGDB_CLIENT_ID and IGDB_CLIENT_SECRET: set both, or neither'];

function igdbSettings(env: Environment): Config['catalogue']['igdb'] {
  const { IGDB_CLIENT_ID: clientId, IGDB_CLIENT_SECRET: clientSecret } = env;
  if (clientId === undefined || clientSecret === undefined) return undefined;
  const apiUrl = env.IGDB_API_URL.endsWith('/') ? env.IGDB_API_URL.slice(0, -1) : env.IGDB_API_URL;
  return { clientId, clientSecret, apiUrl, tokenUrl: env.IGDB_TOKEN_URL };
}

/** What staging and production ask for besides. */
function strictFaults(env: Values): string[] {
  const kind = env['NODE_ENV'];
  if (!isStrict(kind)) return [];
  const required = [
    'MONGODB_URI',
    'REDIS_URL',
    'JWT_SECRET',
    'JWT_REFRESH_SECRET',
    'DATA_SECRET',
    'PUBLIC_URL',
    'SMTP_URL',
    'MAIL_FROM',
  ];
  const found = required.filter((name) => env[name] === undefined).map((name) => `${name}: is required in ${kind}`);
  if (env['BCRYPT_COST'] !== undefined && Number(env['BCRYPT_COST']) < 10)
    found.push(`BCRYPT_COST: must be at least 10 in ${kind}`);
  if (['false', '0'].includes(env['RATE_LIMITS'] ?? '')) found.push(`RATE_LIMITS: cannot be switched off in ${kind}`);
  if (env['PUBLIC_URL']?.startsWith('http:')) found.push(`PUBLIC_URL: must begin with https:// in ${kind}`);
  if (
    providersVariable.safeParse(env['SIGN_IN_PROVIDERS'] ?? '[]').data?.some(({ issuer }) => issuer.startsWith('http:'))
  )
    found.push(`SIGN_IN_PROVIDERS: issuers must be https in ${kind}`);
  if (env['CORS_ORIGINS']?.includes('*')) found.push(`CORS_ORIGINS: must name each origin in ${kind}`);
  return [...found, ...weakSecrets(env)];
}

/** A random key of 32 bytes has some 20 different characters in any notation; a placeholder has few, or is used twice. */
function weakSecrets(env: Values): string[] {
  const weak = ['JWT_SECRET', 'JWT_REFRESH_SECRET', 'JWT_PREVIOUS_SECRET', 'DATA_SECRET']
    .filter((name) => env[name] !== undefined && new Set(env[name]).size < 10)
    .map((name) => `${name}: is too easy to guess; take one from \`openssl rand -base64 48\``);
  const same = env['JWT_SECRET'] !== undefined && env['JWT_SECRET'] === env['JWT_REFRESH_SECRET'];
  return same ? [...weak, 'JWT_REFRESH_SECRET: must differ from JWT_SECRET'] : weak;
}

function withPassword(url: string | undefined, password: string | undefined): string | undefined {
  if (url === undefined || password === undefined) return url;
  const whole = new URL(url);
  if (whole.password === '') whole.password = encodeURIComponent(password);
  return whole.href;
}

function faults(lines: string[]): ConfigError {
  return new ConfigError(
    `The configuration is not usable:\n${lines.map((line) => `  - ${line}`).join('\n')}\nSee .env.example for every variable.`,
  );
}

/** `NAME=` in an env file means "not set". */
function withoutEmpty(environment: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''),
  );
}

function deepFreeze<T extends object>(value: T): T {
  for (const child of Object.values(value))
    if (typeof child === 'object' && child !== null) deepFreeze(child as object);
  return Object.freeze(value);
}
