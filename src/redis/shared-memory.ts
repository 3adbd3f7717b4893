import { LRUCache } from 'lru-cache';
import type { Redis } from 'ioredis';
import type { AskRedis } from './ask';

/**
 * What instances would like to know of each other, and can do without: notes with an end, and turns. It lives in this process,
 * bounded, and besides in Redis where there is one. While Redis is away each instance goes by its own notes.
 */
export interface SharedMemory {
  recall(key: string): Promise<string | undefined>;
  remember(key: string, value: string, ttlMs: number): Promise<void>;
  /** Takes the turn of `name`, of which there is one in `everyMs`. @returns 0, or the milliseconds after which to ask again */
  turn(name: string, everyMs: number): Promise<number>;
}

/** So many notes are kept in this process: some megabytes. Those not asked for the longest go first. */
const NOTES = 10_000;

/**
 * @param ask none: there is no Redis
 * @param now milliseconds that only go forward
 */
export function createSharedMemory(
  ask: AskRedis | undefined,
  now: () => number = () => performance.now(),
  most = NOTES,
): SharedMemory {
  const notes = new LRUCache<string, string>({ max: most, perf: { now }, ttlResolution: 0, ttl: 1 });
  const turns = new Map<string, number>();
  const noteKey = (key: string) => `maoga:note:${key}`;

  /** What Redis says, or undefined where it says nothing. */
  const shared = async <Answer>(question: (redis: Redis) => Promise<Answer>): Promise<Answer | undefined> =>
    ask?.(question).catch(() => undefined);

  const ownTurn = (name: string, everyMs: number): number => {
    const wait = (turns.get(name) ?? -Infinity) - now();
    if (wait <= 0) turns.set(name, now() + everyMs);
    return Math.max(0, wait);
  };

  return {
    async recall(key) {
      const own = notes.get(key);
      if (own !== undefined) return own;
      const found = await shared(async (link) => Promise.all([link.get(noteKey(key)), link.pttl(noteKey(key))]));
      const [value, ttlMs] = found ?? [null, 0];
      if (value === null || ttlMs <= 0) return undefined;
      notes.set(key, value, { ttl: ttlMs });
      return value;
    },

    async remember(key, value, ttlMs) {
      notes.set(key, value, { ttl: ttlMs });
      await shared((link) => link.set(noteKey(key), value, 'PX', ttlMs));
    },

    async turn(name, everyMs) {
      const own = ownTurn(name, everyMs);
      if (own > 0) return own;
      const key = `maoga:turn:${name}`;
      const taken = await shared((link) => link.set(key, '1', 'PX', everyMs, 'NX'));
      if (taken !== null) return 0;
      // another instance was first
      turns.delete(name);
      return Math.max(1, (await shared((link) => link.pttl(key))) ?? everyMs);
    },
  };
}
