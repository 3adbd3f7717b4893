import { Redis } from 'ioredis';
import semver from 'semver';
import type { Config } from '../../src/config/config';
import { failure, ok, warning, type Finding } from './report';

const PATIENCE_MS = 3000;
const NEEDED = '>=6.2';

/** Redis, which a single instance can do without. */
export async function examineRedis({ redis: { url } }: Config): Promise<Finding[]> {
  if (url === undefined) return [ok('Redis', 'none: one instance does without; several need REDIS_URL')];
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: PATIENCE_MS,
    commandTimeout: PATIENCE_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    const about = await redis.info();
    return [version(about), policy(about)];
  } catch (error) {
    return [
      failure(
        'Redis',
        `${(error as Error).message || 'no answer'}`,
        'Check REDIS_URL (rediss:// where it wants TLS), its password and the network. Servers run without it, degraded.',
      ),
    ];
  } finally {
    redis.disconnect();
  }
}

const field = (about: string, name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(about)?.[1] ?? '';

function version(about: string): Finding {
  const found = field(about, 'redis_version');
  if (semver.satisfies(semver.coerce(found) ?? '0.0.0', NEEDED)) return ok('Redis', `${found}, answers`);
  return warning('Redis', `${found} is old`, `Use Redis ${NEEDED}.`);
}

/** Limits are keys with a time to live: they may go when there is no room, but nothing may fail for want of it. */
function policy(about: string): Finding {
  const found = field(about, 'maxmemory_policy');
  const bounded = field(about, 'maxmemory') !== '0';
  if (!bounded || found.startsWith('volatile') || found.startsWith('allkeys'))
    return ok('Redis memory', bounded ? `bounded, ${found}` : 'not bounded');
  return warning(
    'Redis memory',
    `bounded, and ${found}: when it is full, limits cannot be counted any more`,
    'Set maxmemory-policy to volatile-ttl.',
  );
}
