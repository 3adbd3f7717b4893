import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/**
 * Prometheus metrics of one server: a registry of its own, so that two servers can live in one process. Names begin with
 * `maoga_` and end with a unit or, for counters, `_total`; times are in seconds. The values of a label come from a list
 * that the code knows: never an id, a name or a path of somebody's choice, which would make a time series each.
 */
export interface Metrics {
  /** A counter that only goes up. */
  counter<Label extends string = never>(name: string, help: string, labels?: readonly Label[]): Counter<Label>;
  /** A value that is read whenever somebody scrapes. Where it cannot be read it is left out, and nothing else is. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void;
  /** One value for each value of a label. */
  gauges(name: string, help: string, label: string, read: () => Levels | Promise<Levels>): void;
  /** A distribution; `buckets` in the unit of the name. */
  histogram<Label extends string = never>(
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: readonly Label[],
  ): Histogram<Label>;
  /** Everything that is registered: what the documents say, and dashboards and rules may ask for. */
  describe(): MetricNote[];
  /** Serves /metrics on a listener of its own. @returns its URL, or undefined when no port is given */
  listen(port: number | undefined, host: string): Promise<string | undefined>;
  stop(): Promise<void>;
}

export type Levels = Readonly<Record<string, number>>;

export interface MetricNote {
  name: string;
  type: string;
  help: string;
  labels: readonly string[];
}

/** From a fast answer to one that nobody waits for. */
export const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** A value that takes longer to read is left out: a scrape must answer while the database does not. */
const READ_MS = 2_000;

export function createMetrics(): Metrics {
  const register = new Registry();
  const registers = [register];
  let http: Server | undefined;

  const unread = new Counter({
    name: 'maoga_metrics_read_failures_total',
    help: 'Values that could not be read for a scrape, and were left out',
    labelNames: ['metric'],
    registers,
  });

  const levels = (name: string, help: string, labelNames: string[], read: (gauge: Gauge) => Promise<void>) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      async collect() {
        this.reset();
        try {
          await inTime(read(this));
        } catch {
          this.reset();
          // without labels a reset leaves a 0 behind, which would be a lie
          if (labelNames.length === 0) this.remove();
          unread.inc({ metric: name });
        }
      },
    });

  const answer = async (url: string, response: ServerResponse): Promise<void> => {
    if (url.split('?')[0] !== '/metrics') return void response.writeHead(404).end();
    try {
      const text = await register.metrics();
      response.writeHead(200, { 'content-type': register.contentType }).end(text);
    } catch {
      response.writeHead(500).end();
    }
  };

  return {
    counter: (name, help, labels = []) => new Counter({ name, help, labelNames: [...labels], registers }),
    gauge: (name, help, read) => void levels(name, help, [], async (gauge) => gauge.set(await read())),
    gauges: (name, help, label, read) =>
      void levels(name, help, [label], async (gauge) => {
        for (const [value, level] of Object.entries(await read())) gauge.set({ [label]: value }, level);
      }),
    histogram: (name, help, buckets, labels = []) =>
      new Histogram({ name, help, buckets: [...buckets], labelNames: [...labels], registers }),
    describe: () =>
      register.getMetricsAsArray().map((metric) => {
        const { name, help, type, labelNames = [] } = metric as typeof metric & { labelNames?: string[] };
        return { name, help, type: String(type), labels: labelNames };
      }),
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
}

async function inTime(reading: Promise<void>): Promise<void> {
  const read = new AbortController();
  const late = delay(READ_MS, undefined, { signal: read.signal }).then(
    () => Promise.reject(new Error(`not read within ${READ_MS} ms`)),
    () => undefined,
  );
  try {
    await Promise.race([reading, late]);
  } finally {
    read.abort();
  }
}

/**
 * The largest values, and the sum of the others as `other`: a label whose values grow with what people make stays bounded.
 */
export function largest(levels: Iterable<readonly [string, number]>, count: number): Levels {
  const sorted = [...levels].sort(([, a], [, b]) => b - a);
  const rest = sorted.slice(count).reduce((sum, [, level]) => sum + level, 0);
  return Object.fromEntries(sorted.length > count ? [...sorted.slice(0, count), ['other', rest]] : sorted);
}
