import { setTimeout as delay } from 'node:timers/promises';
import { Router } from 'express';
import type { Connection } from 'mongoose';
import type { Clock } from '../core/clock';
import type { RedisStatus } from '../redis/redis';

export interface HealthDeps {
  connection: Connection;
  redis: { status(): RedisStatus };
  clock: Clock;
}

export interface Health {
  /** /livez, /readyz, /health */
  router: Router;
  /** From now on not ready: load balancers send nothing more here. */
  drain(): Promise<void>;
}

/** A database that takes longer than this counts as away. */
const PING_MS = 2_000;

/**
 * `/livez`: the process runs (never restart it because a database is away). `/readyz`: it can serve; MongoDB answers and it
 * is not stopping; without Redis it serves degraded. `/health`: the same with details, for people and dashboards.
 */
export function createHealth({ connection, redis, clock }: HealthDeps): Health {
  const startedAt = clock.now();
  let draining = false;

  const look = async () => {
    const mongo = await ping(connection);
    const checks = { database: mongo.ok ? 'up' : 'down', redis: redis.status() };
    const status = draining ? 'draining' : !mongo.ok ? 'unavailable' : checks.redis === 'away' ? 'degraded' : 'ok';
    return { ready: mongo.ok && !draining, status, checks, databaseMs: mongo.ms };
  };

  const router = Router();
  router.get(['/livez', '/readyz', '/health'], (_request, response, next) => {
    response.setHeader('Cache-Control', 'no-store');
    next();
  });
  router.get('/livez', (_request, response) => void response.json({ status: 'ok' }));
  router.get('/readyz', async (_request, response) => {
    const { ready, status, checks } = await look();
    if (!ready) response.setHeader('Retry-After', '5');
    response.status(ready ? 200 : 503).json({ status, checks });
  });
  router.get('/health', async (_request, response) => {
    const { ready, status, checks, databaseMs } = await look();
    response.status(ready ? 200 : 503).json({
      status,
      checks: { database: { status: checks.database, ms: databaseMs }, redis: { status: checks.redis } },
      uptimeSeconds: Math.round((clock.now() - startedAt) / 1000),
      time: new Date(clock.now()).toISOString(),
    });
  });

  return {
    router,
    async drain() {
      draining = true;
    },
  };
}

async function ping(connection: Connection): Promise<{ ok: boolean; ms: number }> {
  const begun = performance.now();
  const late = new AbortController();
  const timeout = delay(PING_MS, undefined, { signal: late.signal }).then(
    () => Promise.reject(new Error('no answer in time')),
    () => undefined,
  );
  try {
    await Promise.race([connection.db?.admin().ping() ?? Promise.reject(new Error('not connected')), timeout]);
    return { ok: true, ms: Math.round(performance.now() - begun) };
  } catch {
    return { ok: false, ms: Math.round(performance.now() - begun) };
  } finally {
    late.abort();
  }
}
