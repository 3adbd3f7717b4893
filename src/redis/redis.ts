import { setTimeout as delay } from 'node:timers/promises';
import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import type { Logger } from '../core/logger';
import { createLoop } from '../core/loop';
import type { LimitStoreFactory } from '../http/rate-limits';
import type { RealtimeDeps } from '../realtime/server';
import type { AskRedis } from './ask';
import { LimitStore } from './limit-store';
import { createPresenceDirectory } from './presence-directory';
import { createSharedMemory, type SharedMemory } from './shared-memory';

/**
 * Redis carries events between instances and shared rate limits, and nothing whose loss would be wrong: a server starts
 * and serves without it, and says that it is degraded.
 */
export interface RedisLink {
  /** For the start-up block. */
  description: string;
  /** Undefined without Redis: limits are then counted in this process. */
  createLimitStore: LimitStoreFactory | undefined;
  fanOut: Pick<RealtimeDeps, 'adapter' | 'directory'>;
  /** Without Redis it is this process's own. */
  memory: SharedMemory;
  status(): RedisStatus;
  stop(): Promise<void>;
}

/** `off`: none is configured. `away`: configured, but not answering now. */
export type RedisStatus = 'off' | 'ready' | 'away';

const FIRST_CONNECT_MS = 1_000;
const COMMAND_MS = 250;
/** A Redis that is frozen keeps its connections: it is asked whether it still answers. */
const PING_EVERY_MS = 1_000;
/** After so many pings in vain the connections are made anew: nobody may be at their other end, and what is sent would pile up. */
const PINGS_IN_VAIN = 5;

/** @param instanceId of this instance, as leases know it, too */
export async function connectRedis(url: string | undefined, logger: Logger, instanceId: string): Promise<RedisLink> {
  if (url === undefined)
    return {
      description: 'none (one process: events and rate limits stay in it)',
      createLimitStore: undefined,
      fanOut: {},
      memory: createSharedMemory(undefined),
      status: () => 'off',
      stop: async () => undefined,
    };

  // fails fast instead of holding a request: with the defaults a frozen Redis holds it for many seconds
  const commands = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: COMMAND_MS,
    connectTimeout: FIRST_CONNECT_MS,
    retryStrategy: (attempt) => Math.min(2_000, attempt * 100),
  });
  // subscriptions are nobody's request: they wait for the connection, and come back with it
  const subscriptions = commands.duplicate({
    enableOfflineQueue: true,
    maxRetriesPerRequest: null,
    commandTimeout: undefined,
  });
  // each class of rate limits listens
  commands.setMaxListeners(32);
  reportOutages(commands, logger);
  subscriptions.on('error', () => undefined);

  const connecting = [commands, subscriptions].map((redis) => redis.connect().catch(() => undefined));
  // one that is frozen takes the connection, and says nothing
  await Promise.race([Promise.all(connecting), delay(FIRST_CONNECT_MS, undefined, { ref: false })]);

  let answers = commands.status === 'ready';
  commands.on('ready', () => (answers = true));
  const isHere = () => commands.status === 'ready' && answers;
  const ask: AskRedis = async (question) => {
    if (!isHere()) throw new Error('Redis is away');
    return question(commands).catch((error: Error) => {
      // a refusal is an answer
      if (error.name !== 'ReplyError') answers = false;
      throw error;
    });
  };

  let inVain = 0;
  const pings = createLoop({
    name: 'redis',
    everyMs: PING_EVERY_MS,
    tick: async () => {
      if (commands.status !== 'ready') return;
      answers = await commands.ping().then(
        () => true,
        () => false,
      );
      inVain = answers ? 0 : inVain + 1;
      if (inVain < PINGS_IN_VAIN) return;
      inVain = 0;
      for (const redis of [commands, subscriptions]) redis.disconnect(true);
    },
    onError: () => undefined,
  });
  pings.start();

  return {
    description: `Redis at ${withoutCredentials(url)}`,
    createLimitStore: (name) => new LimitStore(commands, ask, name),
    memory: createSharedMemory(ask),
    fanOut: {
      adapter: createAdapter(publisher(commands), subscriber(subscriptions)),
      directory: createPresenceDirectory(ask, instanceId),
    },
    status: () => (isHere() ? 'ready' : 'away'),
    stop: async () => {
      await pings.stop();
      commands.disconnect();
      subscriptions.disconnect();
    },
  };
}

/** The adapter does not look at the outcome of a publish: one that failed would end the process as an unhandled rejection. */
function publisher(redis: Redis) {
  return {
    publish: (channel: string, message: string | Buffer) => redis.publish(channel, message).catch(() => 0),
    on: redis.on.bind(redis),
    off: redis.off.bind(redis),
  };
}

/** Neither at the outcome of a subscription: one that still waits for the connection fails when the server stops. */
function subscriber(redis: Redis) {
  const quietly =
    (name: 'psubscribe' | 'punsubscribe' | 'subscribe' | 'unsubscribe') =>
    (...channels: string[]) =>
      redis[name](...channels).catch(() => 0);
  return {
    psubscribe: quietly('psubscribe'),
    punsubscribe: quietly('punsubscribe'),
    subscribe: quietly('subscribe'),
    unsubscribe: quietly('unsubscribe'),
    on: redis.on.bind(redis),
    off: redis.off.bind(redis),
  };
}

/** One line when it goes and one when it comes back, however often the client tries. */
function reportOutages(redis: Redis, logger: Logger): void {
  let away = false;
  redis.on('error', (err: Error) => {
    if (!away) logger.warn({ err }, 'Redis is away: limits and events are those of this instance until it is back');
    away = true;
  });
  redis.on('ready', () => {
    if (away) logger.info('Redis is back');
    away = false;
  });
}

function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//***@');
}
