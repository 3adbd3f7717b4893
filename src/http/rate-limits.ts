import { createHash } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import { rateLimit, ipKeyGenerator, MemoryStore, type Store } from 'express-rate-limit';
import type { LimitChange, LimitName } from '../config/schema';
import { AppError } from '../core/errors';
import type { AppResponse, LimitClass, Route } from './route';

/** How many requests in which time, and what they are counted by. */
export interface Limit {
  windowSeconds: number;
  max: number;
  /** `player`: each signed-in player, or each address where nobody is signed in. `account`: each account from each address. */
  per: 'player' | 'address' | 'account';
  what: string;
}
export type Limits = Readonly<Record<LimitName, Limit>>;

/** The budgets, as data; docs/rate-limits.md is written from it. An address is an IPv4 address, or a /56 of IPv6. */
export const LIMITS: Limits = {
  general: { windowSeconds: 60, max: 600, per: 'player', what: 'Whatever names no other class' },
  search: { windowSeconds: 60, max: 120, per: 'player', what: 'Searches and lists that cost more' },
  submit: { windowSeconds: 60, max: 60, per: 'player', what: 'What makes something, or reaches other people' },
  report: { windowSeconds: 3600, max: 20, per: 'player', what: 'Reports of players' },
  credentials: {
    windowSeconds: 60,
    max: 60,
    per: 'address',
    what: 'Registering, signing in, refreshing, links of mails',
  },
  // with the address: nobody can lock somebody else out
  attempts: {
    windowSeconds: 900,
    max: 20,
    per: 'account',
    what: 'Signing in to one account, or asking for its password, besides `credentials`',
  },
  // those with a good token go on: nobody is locked out by a neighbour behind one address
  strangers: { windowSeconds: 60, max: 300, per: 'address', what: 'Requests without a good access token' },
  pages: { windowSeconds: 60, max: 300, per: 'address', what: '`/docs`, `/health`, and whatever is not there' },
};

/** Each class as a handler; nothing where limits are off. */
export type RateLimiters = Partial<Record<LimitClass, RequestHandler>>;
export type LimitStoreFactory = (name: string) => Store;

export interface RateLimits {
  limiters: RateLimiters;
  limits: Limits;
  /** Ends what the stores keep running. */
  stop(): void;
}

const IPV6_PREFIX = 56;
/** What counts as one address. */
export const networkOf = (ip: string): string => ipKeyGenerator(ip, IPV6_PREFIX);

/** The table with an operator's changes (`RATE_LIMIT_CHANGES`). */
export const changedLimits = (changes: readonly LimitChange[]): Limits => ({
  ...LIMITS,
  ...Object.fromEntries(changes.map(({ name, max, windowSeconds }) => [name, { ...LIMITS[name], max, windowSeconds }])),
});

/** One limiter per class. `createStore` brings Redis; without it counts live in this process. */
export function createRateLimits(
  enabled: boolean,
  createStore: LimitStoreFactory = () => new MemoryStore(),
  changes: readonly LimitChange[] = [],
): RateLimits {
  const limits = changedLimits(changes);
  const stores: Store[] = [];
  const limiter = (name: LimitName): RequestHandler => {
    const store = createStore(name);
    stores.push(store);
    return createLimiter(name, limits[name], store);
  };
  const names = Object.keys(limits) as LimitName[];
  return {
    limits,
    limiters: enabled ? Object.fromEntries(names.map((name) => [name, limiter(name)])) : {},
    stop: () => stores.forEach((store) => void store.shutdown?.()),
  };
}

/** What a request is counted by. Accounts are hashed: an address that somebody types in is not kept. */
function keyOf(per: Limit['per'], request: Request, response: Response): string {
  const { player, account } = (response as AppResponse).locals;
  const address = `ip:${networkOf(request.ip ?? '')}`;
  if (per === 'address') return address;
  if (per === 'player') return player ? `user:${player.userId}` : address;
  const name = (account ?? player?.userId ?? '').trim().toLowerCase();
  return `account:${createHash('sha256').update(name).digest('base64url')} ${address}`;
}

function createLimiter(name: LimitName, { windowSeconds, max, per }: Limit, store: Store): RequestHandler {
  return rateLimit({
    windowMs: windowSeconds * 1000,
    limit: max,
    store,
    identifier: name,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    // Redis away: the store's own fallback counts in process (see redis/limit-store.ts)
    passOnStoreError: false,
    keyGenerator: (request, response) => keyOf(per, request, response),
    handler: (request, _response, next) => {
      const resetTime = (request as unknown as { rateLimit?: { resetTime?: Date } }).rateLimit?.resetTime;
      const retryAfter = Math.max(1, Math.ceil(((resetTime?.getTime() ?? 0) - Date.now()) / 1000));
      next(
        new AppError('RATE_LIMITED', `More than ${max} requests in ${windowSeconds} s. Try again in ${retryAfter} s.`, {
          retryAfter,
        }),
      );
    },
  }) as RequestHandler;
}

/** The classes that a request to this route is counted in, in order. */
export function classesOf(route: Pick<Route, 'access' | 'limit' | 'account'>): LimitName[] {
  const { limit = 'general' } = route;
  const own = limit === 'none' ? [] : [limit];
  const guesses = limit === 'credentials' && (route.account !== undefined || route.access !== 'anyone');
  return [
    ...(route.access === 'anyone' ? [] : ['strangers' as const]),
    ...own,
    ...(guesses ? ['attempts' as const] : []),
  ];
}

/** Not the API, and not what load balancers ask all day: an instance that refuses those is taken for dead. */
export const isPage = (path: string): boolean => !/^\/api(\/|$)/i.test(path) && !/^\/(livez|readyz)\/?$/i.test(path);
