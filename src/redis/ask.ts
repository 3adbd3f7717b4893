import type { Redis } from 'ioredis';

/**
 * Asks Redis, and waits for no answer longer than a moment. Where it is known to be away it is not asked: several questions in a row
 * wait for one answer in vain, not for each. @throws where there is no answer
 */
export type AskRedis = <Answer>(question: (redis: Redis) => Promise<Answer>) => Promise<Answer>;
