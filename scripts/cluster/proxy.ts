import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createLoop } from '../../src/core/loop';
import { isReady } from './instance';

/**
 * A small load balancer for one machine: every request and every WebSocket goes to the next instance that says it is ready. What
 * could not be delivered at all goes to the one after it; a request that was delivered and not answered is repeated only where that
 * changes nothing (GET, HEAD), else the client is told 502 and decides.
 */
export interface Proxy {
  readonly url: string;
  /** How many instances are in rotation. */
  readonly live: number;
  /** Asks every instance now, instead of within a moment. */
  look(): Promise<void>;
  /** Ends WebSockets without a word: those that are chosen, or all. */
  cutSockets(chosen?: () => boolean): void;
  close(): Promise<void>;
}

export interface Target {
  readonly port: number;
}

const LOOK_EVERY_MS = 250;
const BODY_LIMIT = 1024 * 1024;
const SAFE = ['GET', 'HEAD'];

export async function startProxy(port: number, targets: readonly Target[]): Promise<Proxy> {
  const down = new Set<number>();
  const sockets = new Set<Duplex>();
  let turn = 0;

  /**
   * Live ones in the order in which to try them, beginning with the next. Where none of them says that it is ready, all are tried: a busy
   * machine answers late, and is better than nobody.
   */
  const inTurn = (): number[] => {
    const all = targets.map((target) => target.port);
    const ready = all.filter((each) => !down.has(each));
    const live = ready.length > 0 ? ready : all;
    const first = live.length === 0 ? 0 : turn++ % live.length;
    return [...live.slice(first), ...live.slice(0, first)];
  };

  const readiness = createLoop({
    name: 'readiness',
    everyMs: LOOK_EVERY_MS,
    onError: () => undefined,
    tick: async () => {
      await Promise.all(
        targets.map(async ({ port: each }) => {
          if (await isReady(`http://127.0.0.1:${each}`)) down.delete(each);
          else down.add(each);
        }),
      );
    },
  });

  const http = createServer((request, response) => {
    void bodyOf(request).then(
      (body) => forward(request, body, response, inTurn()),
      () => answer(response, 413, 'The body is too large.'),
    );
  });

  const forward = (request: IncomingMessage, body: Buffer, response: ServerResponse, ports: number[]): void => {
    const [to, ...others] = ports;
    if (to === undefined) return answer(response, 503, 'No instance is ready.');
    const { method = 'GET', url: path } = request;
    // a connection for each request: one that is kept may be closed by the other side at the moment of its use
    const outgoing = httpRequest({
      host: '127.0.0.1',
      port: to,
      method,
      path,
      headers: headersFor(request),
      agent: false,
    });
    let delivered = false;
    outgoing.once('socket', (socket) => socket.once('connect', () => (delivered = true)));
    outgoing.once('response', (incoming) => {
      response.writeHead(incoming.statusCode ?? 502, incoming.headers);
      incoming.pipe(response);
      incoming.once('error', () => response.destroy());
    });
    outgoing.once('error', () => {
      if (response.headersSent) return void response.destroy();
      if (!delivered) down.add(to);
      if (!delivered || SAFE.includes(method)) forward(request, body, response, others);
      else answer(response, 502, 'The instance ended before it had answered: look whether it was done.');
    });
    response.once('close', () => outgoing.destroy());
    outgoing.end(body);
  };

  const upgrade = (request: IncomingMessage, client: Duplex, head: Buffer, ports: number[]): void => {
    const [to, ...others] = ports;
    if (to === undefined) return void client.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n');
    const upstream = connect(to, '127.0.0.1');
    const notDelivered = () => {
      down.add(to);
      upgrade(request, client, head, others);
    };
    upstream.once('error', notDelivered);
    upstream.once('connect', () => {
      upstream.off('error', notDelivered);
      upstream.write(headOf(request));
      upstream.write(head);
      join(client, upstream);
    });
  };

  const join = (client: Duplex, upstream: Socket) => {
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.once('close', () => other.destroy());
      one.pipe(other);
    }
  };

  http.on('upgrade', (request, client, head) => {
    sockets.add(client);
    client.once('close', () => sockets.delete(client));
    upgrade(request, client, head, inTurn());
  });
  http.listen(port, '127.0.0.1');
  await once(http, 'listening');
  await readiness.tick();
  readiness.start();

  const cutSockets = (chosen = () => true) => {
    for (const socket of sockets) if (chosen()) socket.destroy();
  };

  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    get live() {
      return targets.length - down.size;
    },
    look: () => readiness.tick(),
    cutSockets,
    async close() {
      await readiness.stop();
      cutSockets();
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > BODY_LIMIT) throw new Error('too large');
  }
  return Buffer.concat(chunks);
}

function headersFor(request: IncomingMessage): Record<string, string | string[] | undefined> {
  const { connection: _, ...headers } = request.headers;
  return { ...headers, connection: 'close', 'x-forwarded-for': forwardedFor(request) };
}

const forwardedFor = ({ headers, socket }: IncomingMessage): string =>
  [headers['x-forwarded-for'], socket.remoteAddress].filter((part) => part !== undefined).join(', ');

/** The request as it came, with one more line. */
function headOf(request: IncomingMessage): string {
  const { rawHeaders } = request;
  const lines = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1] ?? ''}`] : []));
  const kept = lines.filter((line) => !/^x-forwarded-for:/i.test(line));
  return [
    `${request.method} ${request.url} HTTP/1.1`,
    ...kept,
    `X-Forwarded-For: ${forwardedFor(request)}`,
    '',
    '',
  ].join('\r\n');
}

function answer(response: ServerResponse, status: number, detail: string): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  response.writeHead(status, { 'content-type': 'application/problem+json', 'retry-after': '1' });
  response.end(JSON.stringify({ type: 'about:blank', title: detail, status, code: 'UNAVAILABLE', detail }));
}
