import type { Logger } from '../core/logger';
import { createLoop, type Loop } from '../core/loop';

/**
 * Who is online. Each instance counts the sockets of its own, and says in a directory that all share whom it has. Nobody is told what
 * another instance believes: who hears that somebody may have come or gone looks itself, and tells its own watchers what is new to
 * them. So whatever order the hints come in, the last look is right; a hint that was lost, and an instance that died, are made good
 * by looking again every `LOOK_EVERY_MS`.
 */
export interface Presence {
  arrived(userId: string): void;
  left(userId: string): void;
  /** While the directory is away: as far as this instance knows. */
  statuses(userIds: readonly string[]): Promise<ReadonlyMap<string, Status>>;
  /** Another instance says that this user may have come or gone. */
  changed: (userId: string) => void;
  readonly loop: Loop;
}

export type Status = 'online' | 'offline';

/** Whom each instance has, as long as it says so again and again. */
export interface PresenceDirectory {
  /** Never throws: what could not be said is said by the next `renew`. */
  add(userId: string): Promise<void>;
  remove(userId: string): Promise<void>;
  /**
   * To be called every `LOOK_EVERY_MS`: what is not renewed is forgotten. @throws while it is away
   * @param users all of this instance, asked for when they are written
   */
  renew(users: () => string[]): Promise<void>;
  /** Those of these users whom another instance has. @throws while it is away */
  elsewhere(userIds: readonly string[]): Promise<ReadonlySet<string>>;
}

export interface PresenceDeps {
  /** None: there is no other instance. */
  directory?: PresenceDirectory | undefined;
  /** Whether somebody on this instance watches this user. */
  isWatched: (userId: string) => boolean;
  /** Tells those who watch on this instance. */
  tell: (userId: string, status: Status) => void;
  /** Lets other instances know that this user may have come or gone. */
  announce: (userId: string) => void;
  logger: Pick<Logger, 'debug' | 'error'>;
}

export const LOOK_EVERY_MS = 5_000;

const nobody: PresenceDirectory = {
  add: async () => undefined,
  remove: async () => undefined,
  renew: async () => undefined,
  elsewhere: async () => new Set(),
};

export function createPresence({ directory = nobody, isWatched, tell, announce, logger }: PresenceDeps): Presence {
  const sockets = new Map<string, number>();
  /** What watchers on this instance know; of nobody whom nobody watches. */
  const told = new Map<string, Status>();

  /** Looks, and tells what is news. Whom only another instance may have stays as they are while the directory is away. */
  const look = async (userIds: readonly string[]): Promise<void> => {
    const away = userIds.filter((userId) => !sockets.has(userId));
    const elsewhere = away.length === 0 ? new Set() : await directory.elsewhere(away).catch(() => undefined);
    for (const userId of userIds) {
      const here = sockets.has(userId);
      const before = told.get(userId);
      if (!here && !elsewhere && before !== undefined) continue;
      const status = here || elsewhere?.has(userId) ? 'online' : 'offline';
      told.set(userId, status);
      if (before !== undefined && before !== status) tell(userId, status);
    }
  };

  const changed = (userId: string) => {
    if (isWatched(userId)) void look([userId]);
  };

  const tellOthers = async (userId: string, said: Promise<void>) => {
    await said;
    changed(userId);
    announce(userId);
  };

  return {
    arrived(userId) {
      const count = (sockets.get(userId) ?? 0) + 1;
      sockets.set(userId, count);
      if (count === 1) void tellOthers(userId, directory.add(userId));
    },
    left(userId) {
      const count = (sockets.get(userId) ?? 0) - 1;
      if (count > 0) return void sockets.set(userId, count);
      if (sockets.delete(userId)) void tellOthers(userId, directory.remove(userId));
    },
    async statuses(userIds) {
      await look(userIds);
      return new Map(userIds.map((userId) => [userId, told.get(userId) ?? 'offline']));
    },
    changed,
    loop: createLoop({
      name: 'presence',
      everyMs: LOOK_EVERY_MS,
      async tick() {
        for (const userId of told.keys()) if (!isWatched(userId)) told.delete(userId);
        // while Redis is away, which says so by itself, the loop goes on as ever: it is back at any time
        await directory.renew(() => [...sockets.keys()]).catch((err: unknown) => logger.debug({ err }, 'not renewed'));
        await look([...told.keys()]);
      },
      onError: (err) => logger.error({ err }, 'presence could not be renewed'),
    }),
  };
}
