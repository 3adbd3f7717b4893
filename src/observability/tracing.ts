import type { RequestHandler } from 'express';
import type { Connection } from 'mongoose';
import type { Logger } from '../core/logger';

/** Traces: which request or event took its time where. Without an endpoint nothing is loaded, mounted or listened to. */
export interface Tracing {
  /** A span around each request; to be mounted right behind the request log. */
  requests: RequestHandler | undefined;
  /** A span around an event of a client. */
  event<Result>(name: string, work: () => Promise<Result>): Promise<Result>;
  /** Spans of the commands that a request or an event sends. The connection has to report them (`monitorCommands`). */
  watchDatabase(connection: Connection): void;
  /** Sends what is left. */
  stop(): Promise<void>;
}

export interface TracingOptions {
  /** Of an OTLP/HTTP collector, without `/v1/traces`. */
  endpoint: string;
  environment: string;
  logger: Logger;
}

export const noTracing: Tracing = {
  requests: undefined,
  event: (_name, work) => work(),
  watchDatabase: () => undefined,
  stop: async () => undefined,
};
