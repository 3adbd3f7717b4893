import type { Redis } from 'ioredis';
import { LOOK_EVERY_MS, type PresenceDirectory } from '../realtime/presence';
import type { AskRedis } from './ask';

/**
 * Presence in Redis: one set of user ids for each instance, which ends by itself unless it is renewed, and a set of the instances. So
 * renewing costs one command, however many users there are, and those of an instance that died are gone together.
 */
const INSTANCES = 'maoga:presence';
const usersOf = (instanceId: string) => `${INSTANCES}:${instanceId}`;
export const FORGOTTEN_AFTER_MS = 3 * LOOK_EVERY_MS;
/** Users in one command. */
const AT_ONCE = 1_000;

export function createPresenceDirectory(ask: AskRedis, instanceId: string): PresenceDirectory {
  const mine = usersOf(instanceId);
  /** Whether Redis has exactly the users that this instance has, as far as known. */
  let complete = false;

  const note = (what: (redis: Redis) => Promise<unknown>): Promise<void> =>
    ask(what).then(
      () => undefined,
      () => void (complete = false),
    );

  const writeAll = (redis: Redis, userIds: readonly string[]) => {
    const all = redis.multi().sadd(INSTANCES, instanceId).del(mine);
    for (const part of partsOf(userIds)) all.sadd(mine, ...part);
    return all.pexpire(mine, FORGOTTEN_AFTER_MS).exec();
  };

  const forgetTheDead = async (redis: Redis) => {
    const instances = await redis.smembers(INSTANCES);
    const alive = await Promise.all(instances.map((instance) => redis.exists(usersOf(instance))));
    const dead = instances.filter((_instance, i) => alive[i] === 0);
    if (dead.length > 0) await redis.srem(INSTANCES, ...dead);
  };

  return {
    add: (userId) =>
      note((redis) =>
        Promise.all([
          redis.sadd(INSTANCES, instanceId),
          redis.sadd(mine, userId),
          redis.pexpire(mine, FORGOTTEN_AFTER_MS),
        ]),
      ),
    remove: (userId) => note((redis) => redis.srem(mine, userId)),
    renew: (users) =>
      ask(async (redis) => {
        await forgetTheDead(redis);
        const renewed = await redis.pexpire(mine, FORGOTTEN_AFTER_MS);
        if (complete && (renewed === 1 || users().length === 0)) return;
        complete = true;
        await writeAll(redis, users()).catch((error: unknown) => {
          complete = false;
          throw error;
        });
      }),
    elsewhere: (userIds) =>
      ask(async (redis) => {
        const others = (await redis.smembers(INSTANCES)).filter((instance) => instance !== instanceId);
        const found = new Set<string>();
        for (const part of partsOf(userIds)) {
          const answers = await Promise.all(others.map((other) => redis.smismember(usersOf(other), ...part)));
          for (const has of answers) part.forEach((userId, i) => has[i] === 1 && found.add(userId));
        }
        return found;
      }),
  };
}

function* partsOf(userIds: readonly string[]): Generator<readonly string[]> {
  for (let from = 0; from < userIds.length; from += AT_ONCE) yield userIds.slice(from, from + AT_ONCE);
}
