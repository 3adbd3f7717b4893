import { AsyncLocalStorage } from 'node:async_hooks';

/** On whose behalf a line is written. */
export interface LogContext {
  requestId?: string;
  /** Of an event over a socket. */
  event?: string;
  userId?: string;
  traceId?: string;
}

const current = new AsyncLocalStorage<LogContext>();

/**
 * What every line of the logger says of the request or event that it was written for, however deep in the code: the context
 * follows the work through promises, and never from one request into another.
 */
export const logContext = {
  run: <Result>(context: LogContext, work: () => Result): Result => current.run({ ...context }, work),
  /** Says more of the work that is running; nothing outside of any. */
  add(more: LogContext): void {
    Object.assign(current.getStore() ?? {}, more);
  },
  fields: (): LogContext => ({ ...current.getStore() }),
};
