import { MemoryStore, type ClientRateLimitInfo, type Options, type Store } from 'express-rate-limit';
import type { Redis } from 'ioredis';
import { RedisStore } from 'rate-limit-redis';
import type { AskRedis } from './ask';

/**
 * Counts requests in Redis, shared by all instances. While Redis does not answer, requests are counted in this process: a
 * limit then holds per instance, and is never open. The store keeps the scripts it loaded at the start, or the failure to
 * load them, so it is initialised again whenever the client becomes ready.
 */
export class LimitStore implements Store {
  readonly prefix: string;
  readonly #shared: RedisStore;
  readonly #own = new MemoryStore();
  readonly #redis: Redis;
  readonly #ask: AskRedis;
  #options: Options | undefined;

  constructor(redis: Redis, ask: AskRedis, name: string) {
    this.prefix = `maoga:limit:${name}:`;
    this.#redis = redis;
    this.#ask = ask;
    this.#shared = new RedisStore({
      prefix: this.prefix,
      sendCommand: (command: string, ...args: string[]) => redis.call(command, ...args) as Promise<never>,
    });
    redis.on('ready', this.#reload);
  }

  readonly #reload = (): void => {
    if (this.#options) this.#shared.init(this.#options).catch(() => undefined);
  };

  init(options: Options): void {
    this.#options = options;
    this.#own.init(options);
    // always: it also sets the window, and a rejected script load is repeated on `ready`
    this.#reload();
  }

  increment(key: string): Promise<ClientRateLimitInfo> {
    return this.#either((store) => store.increment(key));
  }

  decrement(key: string): Promise<void> {
    return this.#either((store) => store.decrement(key));
  }

  resetKey(key: string): Promise<void> {
    return this.#either((store) => store.resetKey(key));
  }

  get(key: string): Promise<ClientRateLimitInfo | undefined> {
    return this.#either((store) => store.get(key));
  }

  shutdown(): void {
    this.#redis.off('ready', this.#reload);
    this.#own.shutdown();
  }

  async #either<Result>(count: (store: RedisStore | MemoryStore) => Promise<Result>): Promise<Result> {
    const together = () =>
      count(this.#shared).catch((error: unknown) => {
        // it may be the scripts: loading them took too long, and the store keeps that failure
        this.#reload();
        throw error;
      });
    return this.#ask(together).catch(() => count(this.#own));
  }
}
