import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Router, type Request } from 'express';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Prometheus metrics of one server: a registry of its own, so that two servers can live in one process. */
export interface Metrics {
  /** Registers a counter that only goes up. Names begin with `maoga_` and end with a unit or `_total`. */
  counter<Label extends string = never>(name: string, help: string, labels?: readonly Label[]): Counter<Label>;
  /** Registers a value that is read whenever somebody scrapes. */
  gauge(name: string, help: string, read: () => number): void;
  /** Registers a distribution; `buckets` in the unit of the name. */
  histogram<Label extends string = never>(
    name: string,
    help: string,
    buckets: number[],
    labels?: readonly Label[],
  ): Histogram<Label>;
  /** Counts every HTTP request that passes; to be mounted first. */
  observe: Router;
  /** Serves /metrics on a listener of its own. @returns its URL, or undefined when no port is given */
  listen(port: number | undefined, host: string): Promise<string | undefined>;
  stop(): Promise<void>;
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createMetrics({ realtime }: { realtime: { readonly connections: number } }): Metrics {
  const register = new Registry();
  let http: Server | undefined;

  const metrics: Metrics = {
    counter: (name, help, labels = []) => new Counter({ name, help, labelNames: [...labels], registers: [register] }),
    gauge(name, help, read) {
      new Gauge({
        name,
        help,
        registers: [register],
        collect() {
          this.set(read());
        },
      });
    },
    histogram: (name, help, buckets, labels = []) =>
      new Histogram({ name, help, buckets, labelNames: [...labels], registers: [register] }),
    observe: Router(),
    async listen(port, host) {
      if (port === undefined) return undefined;
      collectDefaultMetrics({ register });
      http = createServer((request, response) => void answer(request.url ?? '', response));
      await new Promise<void>((resolve, reject) => {
        http?.once('error', reject).listen(port, host, resolve);
      });
      return `http://${host === '0.0.0.0' ? 'localhost' : host}:${(http.address() as AddressInfo).port}/metrics`;
    },
    async stop() {
      const server = http;
      http = undefined;
      if (!server) return;
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function answer(url: string, response: ServerResponse): Promise<void> {
    if (url.split('?')[0] !== '/metrics') return void response.writeHead(404).end();
    try {
      const text = await register.metrics();
      response.writeHead(200, { 'content-type': register.contentType }).end(text);
    } catch {
      response.writeHead(500).end();
    }
  }

  const durations = metrics.histogram(
    'maoga_http_request_duration_seconds',
    'Time from a request to the end of its answer',
    SECONDS,
    ['method', 'route', 'status'],
  );
  metrics.gauge('maoga_sockets', 'Connected Socket.IO clients of this instance', () => realtime.connections);
  metrics.observe.use((request, response, next) => {
    const end = durations.startTimer();
    response.once('close', () =>
      end({ method: request.method, route: patternOf(request), status: String(response.statusCode) }),
    );
    next();
  });
  return metrics;
}

/** The pattern, never the path: ids in a label would make a time series each. */
function patternOf(request: Request): string {
  const pattern = (request.route as { path?: string | string[] } | undefined)?.path;
  if (pattern === undefined) return 'unmatched';
  return typeof pattern === 'string' ? pattern : request.path;
}
