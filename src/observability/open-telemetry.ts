import { AsyncLocalStorage } from 'node:async_hooks';
import type { Span, SpanOptions } from '@opentelemetry/api';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { Request } from 'express';
import { AppError } from '../core/errors';
import { logContext } from '../core/log-context';
import type { Logger } from '../core/logger';
import { patternOf } from '../http/request-metrics';
import type { AppResponse } from '../http/route';
import { noTracing, type Tracing, type TracingOptions } from './tracing';

/** Without an endpoint nothing is loaded. */
export async function openTracing(
  endpoint: string | undefined,
  options: Omit<TracingOptions, 'endpoint'>,
): Promise<Tracing> {
  return endpoint === undefined ? noTracing : createTracing(await loadSdk(), { ...options, endpoint });
}

async function loadSdk() {
  const [api, core, sdk, resources, otlp] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/core'),
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ]);
  return { api, core, sdk, resources, otlp };
}

/** How long one sending may take, its retries included; a stop waits no longer either. */
const SEND_MS = 3_000;

/**
 * Traces by OpenTelemetry, without its globals, so that two servers can live in one process: the span that is running is
 * kept here, and every span names its parent. A span says routes, names and codes, never paths or values: those may be
 * somebody's. The caller's `traceparent` is continued.
 */
function createTracing(
  { api, core, sdk, resources, otlp }: Awaited<ReturnType<typeof loadSdk>>,
  { endpoint, environment, logger }: TracingOptions,
): Tracing {
  const { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, defaultTextMapGetter } = api;
  const url = `${endpoint.replace(/\/$/, '')}/v1/traces`;
  const exporter = new otlp.OTLPTraceExporter({ url, timeoutMillis: SEND_MS, httpAgentOptions: { keepAlive: false } });
  const provider = new sdk.BasicTracerProvider({
    resource: resources.resourceFromAttributes({
      'service.name': 'maoga',
      'deployment.environment.name': environment,
    }),
    spanProcessors: [new sdk.BatchSpanProcessor(reportingOutages(exporter, logger), { exportTimeoutMillis: SEND_MS })],
  });
  const tracer = provider.getTracer('maoga');
  const propagator = new core.W3CTraceContextPropagator();
  const active = new AsyncLocalStorage<Span>();

  const begin = (name: string, options: SpanOptions, parent = ROOT_CONTEXT): Span => {
    const span = tracer.startSpan(name, options, parent);
    logContext.add({ traceId: span.spanContext().traceId });
    return span;
  };
  const failed = (span: Span) => void span.setStatus({ code: SpanStatusCode.ERROR });

  return {
    requests(request, response, next) {
      const parent = propagator.extract(ROOT_CONTEXT, request.headers, defaultTextMapGetter);
      const span = begin(request.method, { kind: SpanKind.SERVER }, parent);
      response.once('close', () => {
        span.updateName(`${request.method} ${patternOf(request)}`);
        span.setAttributes(attributesOf(request, response as AppResponse));
        if (response.statusCode >= 500) failed(span);
        span.end();
      });
      active.run(span, next);
    },

    async event(name, work) {
      const span = begin(name, { kind: SpanKind.SERVER, attributes: { 'messaging.system': 'socket.io' } });
      try {
        return await active.run(span, work);
      } catch (error) {
        if (error instanceof AppError) span.setAttribute('error.type', error.code);
        if (!(error instanceof AppError) || error.status >= 500) failed(span);
        throw error;
      } finally {
        span.end();
      }
    },

    watchDatabase(connection) {
      const open = new Map<number, Span>();
      const client = connection.getClient();
      const end = (requestId: number, error?: Error) => {
        const span = open.get(requestId);
        open.delete(requestId);
        if (error && span) failed(span.setAttribute('error.type', error.name));
        span?.end();
      };
      client.on('commandStarted', ({ requestId, commandName, command }) => {
        const parent = active.getStore();
        // loops look for work several times a second: nobody asked for that
        if (!parent) return;
        const collection: unknown = command[commandName];
        const of = typeof collection === 'string' ? { 'db.collection.name': collection } : {};
        const attributes = { 'db.system.name': 'mongodb', 'db.operation.name': commandName, ...of };
        const name = typeof collection === 'string' ? `${commandName} ${collection}` : commandName;
        open.set(
          requestId,
          tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }, trace.setSpan(ROOT_CONTEXT, parent)),
        );
      });
      client.on('commandSucceeded', ({ requestId }) => end(requestId));
      client.on('commandFailed', ({ requestId, failure }) => end(requestId, failure));
    },

    stop: () => provider.shutdown().catch((err: unknown) => logger.warn({ err }, 'the last traces were not sent')),
  };
}

function attributesOf(request: Request, response: AppResponse) {
  const { requestId, player } = response.locals;
  return {
    'http.request.method': request.method,
    'http.route': patternOf(request),
    'http.response.status_code': response.statusCode,
    'maoga.request.id': requestId,
    ...(player ? { 'user.id': player.userId } : {}),
  };
}

/** One line when the collector goes and one when it is back. Spans that cannot be sent are dropped: nobody waits for them. */
function reportingOutages(exporter: SpanExporter, logger: Logger): SpanExporter {
  let away = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        if (result.error && !away) logger.warn({ err: result.error }, 'traces cannot be sent');
        if (!result.error && away) logger.info('traces are sent again');
        away = result.error !== undefined;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}
