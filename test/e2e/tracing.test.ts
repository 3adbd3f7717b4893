import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { createLogger } from '../../src/core/logger';
import { registerPlayer, request } from '../support/client';
import { FROM_SOURCE } from '../support/command';
import { startTestServer } from '../support/server';

interface ExportedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  status: { code: number };
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[];
}

/** A collector that speaks OTLP over HTTP. */
async function startCollector() {
  const bodies: string[] = [];
  const http = createServer((incoming, response) => {
    void text(incoming).then((body) => {
      if (incoming.url === '/v1/traces' && incoming.method === 'POST') bodies.push(body);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    bodies,
    spans: () =>
      bodies.flatMap((body) =>
        (JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: ExportedSpan[] }[] }[] }).resourceSpans.flatMap(
          ({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans),
        ),
      ),
    stop: () => new Promise((resolve) => http.close(resolve)),
  };
}

describe('traces', () => {
  test('follow a request and an event into the database, continue those of the caller, and tell no secrets', async () => {
    const collector = await startCollector();
    const lines: string[] = [];
    const logger = createLogger({ level: 'debug', pretty: false }, { write: (line) => void lines.push(line) });
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint };
    const server = await startTestServer({ env, logger, runLoops: false });
    const player = await registerPlayer(server);
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
    await request(server, 'GET', '/api/users/me', { token: player.accessToken, headers: { traceparent } });
    const socket = await player.connect();
    await socket.send('sync', {});
    await socket.send('lobby:subscribe', { lobbyId: 'no-id' });
    socket.close();
    await server.stop();
    await collector.stop();

    const spans = collector.spans();
    const named = (name: string) => spans.find((span) => span.name === name);
    const of = (span: ExportedSpan | undefined, key: string) =>
      span?.attributes.find((attribute) => attribute.key === key)?.value;
    const me = named('GET /api/users/me');
    expect(me).toMatchObject({ traceId, parentSpanId: 'b7ad6b7169203331' });
    expect(of(me, 'user.id')).toEqual({ stringValue: player.userId });
    expect(of(me, 'http.response.status_code')).toEqual({ intValue: 200 });
    const children = (parent: ExportedSpan | undefined) => spans.filter((span) => span.parentSpanId === parent?.spanId);
    expect(children(me).map(({ name }) => name)).toContain('find users');
    expect(children(named('POST /api/auth/register')).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['insert users', 'commitTransaction']),
    );
    expect(children(named('sync')).length).toBeGreaterThan(0);
    expect(of(named('lobby:subscribe'), 'error.type')).toEqual({ stringValue: 'VALIDATION_FAILED' });
    expect(lines.filter((line) => line.includes(`"traceId":"${traceId}"`))).not.toEqual([]);

    const everything = collector.bodies.join();
    for (const secret of [player.password, player.email, player.accessToken]) expect(everything).not.toContain(secret);
  });

  test('a collector that is away costs one line in the log, and nothing else', async () => {
    const lines: string[] = [];
    const logger = createLogger({ level: 'info', pretty: false }, { write: (line) => void lines.push(line) });
    // nothing listens on the discard port
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
    const server = await startTestServer({ env, logger, runLoops: false });
    expect((await request(server, 'GET', '/readyz')).status).toBe(200);
    await server.stop();
    expect(lines.filter((line) => line.includes('traces cannot be sent'))).toHaveLength(1);
  });

  test('without an endpoint nothing of OpenTelemetry is loaded', async () => {
    // but for its bare interfaces, which prom-client brings
    const script = `require('./src/server.ts');
      require('./src/observability/open-telemetry.ts').openTracing(undefined, {}).then((tracing) => {
        const loaded = Object.keys(require.cache).filter((file) => /@opentelemetry.(core|sdk|resources|exporter|otlp)/.test(file));
        console.log(JSON.stringify([loaded, tracing.requests === undefined]));
      });`;
    const { stdout } = await promisify(execFile)(process.execPath, [...FROM_SOURCE, '--eval', script]);
    expect(JSON.parse(stdout)).toEqual([[], true]);
  });
});
