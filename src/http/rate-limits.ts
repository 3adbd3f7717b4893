import { rateLimit, ipKeyGenerator, MemoryStore, type Store, type RateLimitRequestHandler } from 'express-rate-limit';
import { AppError } from '../core/errors';
import type { AppResponse, LimitClass } from './route';

/** The budgets, as data: requests per window, for each signed-in player, or for each address (IPv6 by /56) without one. */
export const LIMITS: Record<Limit, { windowSeconds: number; max: number; perAddress?: true }> = {
  general: { windowSeconds: 60, max: 600 },
  search: { windowSeconds: 60, max: 120 },
  submit: { windowSeconds: 60, max: 60 },
  /** Login, register, refresh: always by address, and never open when Redis is away. */
  credentials: { windowSeconds: 60, max: 60, perAddress: true },
  /** Requests without a good access token. Those with one go on: nobody is locked out by a neighbour behind one address. */
  strangers: { windowSeconds: 60, max: 300, perAddress: true },
};

type Limit = Exclude<LimitClass, 'none'> | 'strangers';
export type RateLimiters = Record<Limit | 'none', RateLimitRequestHandler | undefined>;
export type LimitStoreFactory = (name: string) => Store;

export interface RateLimits {
  limiters: RateLimiters;
  /** Ends what the stores keep running. */
  stop(): void;
}

const IPV6_PREFIX = 56;
/** What counts as one address. */
export const networkOf = (ip: string): string => ipKeyGenerator(ip, IPV6_PREFIX);

/** One limiter per class. `createStore` brings Redis; without it counts live in this process. */
export function createRateLimits(
  enabled: boolean,
  createStore: LimitStoreFactory = () => new MemoryStore(),
): RateLimits {
  const stores: Store[] = [];
  const limiter = (name: keyof typeof LIMITS) => {
    if (!enabled) return undefined;
    const store = createStore(name);
    stores.push(store);
    return createLimiter(name, store);
  };
  return {
    limiters: {
      general: limiter('general'),
      search: limiter('search'),
      submit: limiter('submit'),
      credentials: limiter('credentials'),
      strangers: limiter('strangers'),
      none: undefined,
    },
    stop: () => stores.forEach((store) => void store.shutdown?.()),
  };
}

function createLimiter(name: keyof typeof LIMITS, store: Store): RateLimitRequestHandler {
  const { windowSeconds, max, perAddress } = LIMITS[name];
  return rateLimit({
    windowMs: windowSeconds * 1000,
    limit: max,
    store,
    identifier: name,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    // Redis away: the store's own fallback counts in process (see redis/limit-store.ts)
    passOnStoreError: false,
    keyGenerator: (request, response) => {
      const player = (response as AppResponse).locals.player;
      return player && !perAddress ? `user:${player.userId}` : `ip:${ipKeyGenerator(request.ip ?? '', IPV6_PREFIX)}`;
    },
    handler: (request, _response, next) => {
      const resetTime = (request as unknown as { rateLimit?: { resetTime?: Date } }).rateLimit?.resetTime;
      const retryAfter = Math.max(1, Math.ceil(((resetTime?.getTime() ?? 0) - Date.now()) / 1000));
      next(
        new AppError('RATE_LIMITED', `More than ${max} requests in ${windowSeconds} s. Try again in ${retryAfter} s.`, {
          retryAfter,
        }),
      );
    },
  });
}
