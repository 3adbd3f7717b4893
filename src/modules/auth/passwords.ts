import { availableParallelism } from 'node:os';
import bcrypt from 'bcrypt';
import { createBounded } from '../../core/bounded';

/** Password hashes by bcrypt. What is checked here has at most 72 bytes: see auth.schemas.ts. */
export interface Passwords {
  hash(password: string): Promise<string>;
  /** @param hash null where there is no such account: takes as long as with one, and is false */
  matches(password: string, hash: string | null): Promise<boolean>;
  /** Whether the hash was made at less than today's cost. */
  isOutdated(hash: string): boolean;
}

/** Hashing shares the threads of libuv with files and names: one of its four is left to them. */
const MAX_AT_ONCE = 3;
/** At cost 12 and two at once, whoever is last in line waits for some ten seconds. */
const MAX_WAITING = 128;

/** @param cost work factor: each step doubles the time */
export function createPasswords(cost: number): Passwords {
  const bounded = createBounded({ atOnce: Math.min(MAX_AT_ONCE, availableParallelism()), waiting: MAX_WAITING });
  // well-formed and of the same cost, but nobody's
  const nobodys = bcrypt.genSaltSync(cost) + 'x'.repeat(31);
  return {
    hash: (password) => bounded(() => bcrypt.hash(password, cost)),
    async matches(password, hash) {
      const matches = await bounded(() => bcrypt.compare(password, hash ?? nobodys));
      return matches && hash !== null;
    },
    isOutdated: (hash) => bcrypt.getRounds(hash) < cost,
  };
}
