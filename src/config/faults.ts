import { providersVariable } from './sign-in-providers';

/** What is wrong with settings that are each right in themselves: as lines that begin with the variable's name. */

export type Values = Record<string, string | undefined>;

export const isStrict = (kind: string | undefined) => kind === 'production' || kind === 'staging';

/** Of `NAME: what is wrong` and `NAME and OTHER: …`. */
export const nameOf = (fault: string) => /^\w+/.exec(fault)?.[0] ?? '';

function rotationFaults(env: Values): string[] {
  const faults: string[] = [];
  if ((env['JWT_PREVIOUS_SECRET'] === undefined) !== (env['JWT_PREVIOUS_KEY_ID'] === undefined))
    faults.push('JWT_PREVIOUS_SECRET and JWT_PREVIOUS_KEY_ID: set both, or neither');
  if (env['JWT_PREVIOUS_KEY_ID'] !== undefined && env['JWT_PREVIOUS_KEY_ID'] === (env['JWT_KEY_ID'] ?? 'k1'))
    faults.push('JWT_PREVIOUS_KEY_ID: must differ from JWT_KEY_ID');
  if (env['DATA_PREVIOUS_SECRET'] !== undefined && env['DATA_PREVIOUS_SECRET'] === env['DATA_SECRET'])
    faults.push('DATA_PREVIOUS_SECRET: must differ from DATA_SECRET');
  return faults;
}

const igdbFaults = (env: Values): string[] =>
  (env['IGDB_CLIENT_ID'] === undefined) === (env['IGDB_CLIENT_SECRET'] === undefined)
    ? []
    : ['IGDB_CLIENT_ID and IGDB_CLIENT_SECRET: set both, or neither'];

const drainFaults = ({ DRAIN_SECONDS = '0', SHUTDOWN_SECONDS = '25' }: Values): string[] =>
  Number(DRAIN_SECONDS) >= Number(SHUTDOWN_SECONDS) ? ['DRAIN_SECONDS: must be less than SHUTDOWN_SECONDS'] : [];

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
  const weak = ['JWT_SECRET', 'JWT_REFRESH_SECRET', 'JWT_PREVIOUS_SECRET', 'DATA_SECRET', 'DATA_PREVIOUS_SECRET']
    .filter((name) => env[name] !== undefined && new Set(env[name]).size < 10)
    .map((name) => `${name}: is too easy to guess; take one from \`openssl rand -base64 48\``);
  const same = env['JWT_SECRET'] !== undefined && env['JWT_SECRET'] === env['JWT_REFRESH_SECRET'];
  return same ? [...weak, 'JWT_REFRESH_SECRET: must differ from JWT_SECRET'] : weak;
}

export const faultsTogether = (env: Values): string[] => [
  ...rotationFaults(env),
  ...igdbFaults(env),
  ...drainFaults(env),
  ...strictFaults(env),
];
