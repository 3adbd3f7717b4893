import { faultsTogether, isStrict, nameOf } from './faults';
import { environmentSchema, type Environment, type LimitChange } from './schema';
import { fromFiles } from './secret-files';
import type { SignInProvider } from './sign-in-providers';

/**
 * The environment, parsed once: what the variables are is in schema.ts. All faults are reported in one message, and nothing else in
 * `src/` reads `process.env`.
 */

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
  sockets: { withoutToken: number };
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
    dataSecrets: { current: string; previous: string | undefined };
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
  backups: { passphrase: string | undefined; toolsDirectory: string | undefined };
  drainSeconds: number;
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
  const problems = [...wrong, ...faultsTogether(values).filter((line) => !told.has(nameOf(line)))];
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
    sockets: { withoutToken: env.SOCKETS_WITHOUT_TOKEN },
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
      dataSecrets: {
        current: env.DATA_SECRET ?? env.JWT_REFRESH_SECRET ?? generated?.refreshSecret ?? '',
        previous: env.DATA_PREVIOUS_SECRET,
      },
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
    backups: { passphrase: env.BACKUP_PASSPHRASE, toolsDirectory: env.MONGODB_TOOLS_DIR },
    drainSeconds: env.DRAIN_SECONDS,
    shutdownSeconds: env.SHUTDOWN_SECONDS,
  };
}

function igdbSettings(env: Environment): Config['catalogue']['igdb'] {
  const { IGDB_CLIENT_ID: clientId, IGDB_CLIENT_SECRET: clientSecret } = env;
  if (clientId === undefined || clientSecret === undefined) return undefined;
  const apiUrl = env.IGDB_API_URL.endsWith('/') ? env.IGDB_API_URL.slice(0, -1) : env.IGDB_API_URL;
  return { clientId, clientSecret, apiUrl, tokenUrl: env.IGDB_TOKEN_URL };
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
