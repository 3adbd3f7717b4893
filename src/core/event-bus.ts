/**
 * Events between modules: past-tense facts with ids and primitives, typed in one map per publisher. The bus itself is in
 * this process and forgets; facts that must not be lost go through the outbox (`database/outbox.ts`), which publishes
 * them here after the commit, at least once. A subscriber therefore has to be idempotent by `eventId`.
 */

/** `type -> payload`. Each module declares its own map; the composition root joins them. */
export type EventMap = Record<string, object>;

export interface Fact<Payload> {
  /** Stable over redeliveries. */
  eventId: string;
  type: string;
  payload: Payload;
}

type Handler = (fact: Fact<never>) => unknown;

export interface EventBus<Events> {
  on<Type extends keyof Events & string>(type: Type, handler: (fact: Fact<Events[Type]>) => unknown): () => void;
  /** Runs all subscribers. Returns the errors of those that failed: the outbox retries, others log. */
  publish<Type extends keyof Events & string>(fact: Fact<Events[Type]> & { type: Type }): Promise<unknown[]>;
}

export function createEventBus<Events>(): EventBus<Events> {
  const handlers = new Map<string, Set<Handler>>();
  return {
    on(type, handler) {
      const set = handlers.get(type) ?? new Set();
      handlers.set(type, set.add(handler));
      return () => void set.delete(handler);
    },
    async publish(fact) {
      const failures: unknown[] = [];
      const run = async (handler: Handler) => handler(fact as unknown as Fact<never>);
      const results = await Promise.allSettled([...(handlers.get(fact.type) ?? [])].map(run));
      for (const result of results) if (result.status === 'rejected') failures.push(result.reason);
      return failures;
    },
  };
}
