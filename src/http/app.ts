import compression from 'compression';
import cors from 'cors';
import express, { type ErrorRequestHandler, type Express, type NextFunction, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { Config } from '../config/config';
import { AppError, toProblem } from '../core/errors';
import type { Ids } from '../core/ids';
import type { Logger } from '../core/logger';
import { asUnavailable } from '../database/transaction';
import type { Idempotency } from './idempotency';
import type { RateLimiters } from './rate-limits';
import { requestLog } from './request-log';
import type { AppResponse, Identity, Route, RouteInput } from './route';
import { parseInput } from './validation';

export interface AppDeps {
  config: Config['http'];
  logger: Logger;
  ids: Ids;
  /** Turns a bearer token into who is asking. @throws UNAUTHENTICATED, TOKEN_EXPIRED, ACCOUNT_SUSPENDED */
  authenticate: (token: string) => Promise<Identity>;
  limiters: RateLimiters;
  idempotency: Idempotency;
  routes: Route[];
  /** Health, docs and whatever else is not JSON of the API. */
  pages: express.Router[];
}

const BODY_LIMIT = '100kb';

/** The Express application: edges first, then every route of the registry, then 404 and the one error handler. */
export function createApp(deps: AppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', deps.config.trustProxyHops);
  app.set('query parser', 'simple');
  app.use(requestLog(deps.logger, deps.ids));
  app.use(helmet());
  app.use(
    cors({
      origin: deps.config.corsOrigins,
      exposedHeaders: ['X-Request-Id', 'Retry-After', 'RateLimit', 'RateLimit-Policy'],
      maxAge: 600,
    }),
  );
  app.use(compression());
  for (const page of deps.pages) app.use(page);
  const json = express.json({ limit: BODY_LIMIT, strict: true, type: 'application/json' });
  for (const route of deps.routes) app[route.method](route.path, ...handlers(route, deps, json));
  app.use(methodOrPathUnknown(deps.routes));
  app.use(problemHandler(deps.logger));
  return app;
}

function handlers(route: Route, deps: AppDeps, json: RequestHandler): RequestHandler[] {
  const limiter = deps.limiters[route.limit ?? 'general'];
  return [
    ...(route.access === 'anyone' ? [] : [requireIdentity(deps.authenticate, route.access)]),
    ...(limiter ? [limiter as RequestHandler] : []),
    ...(route.body ? [requireJson, json] : []),
    ...(route.idempotent ? [deps.idempotency.middleware(route)] : []),
    answer(route),
  ];
}

function requireIdentity(authenticate: AppDeps['authenticate'], access: 'player' | 'admin'): RequestHandler {
  return async (request, response, next) => {
    const [scheme, token] = (request.headers.authorization ?? '').split(' ');
    if (scheme?.toLowerCase() !== 'bearer' || !token)
      throw new AppError('UNAUTHENTICATED', 'Send `Authorization: Bearer <access token>`.');
    const player = await authenticate(token);
    if (access === 'admin' && player.role !== 'admin') throw new AppError('FORBIDDEN', 'Only an admin may do this.');
    (response as AppResponse).locals.player = player;
    next();
  };
}

const requireJson: RequestHandler = (request, _response, next) => {
  const hasBody =
    request.headers['content-length'] !== '0' &&
    (request.headers['content-length'] !== undefined || 'transfer-encoding' in request.headers);
  if (hasBody && !request.is('application/json'))
    throw new AppError('UNSUPPORTED_MEDIA_TYPE', 'Send the body as `Content-Type: application/json`.');
  next();
};

function answer(route: Route): RequestHandler {
  return async (request, response) => {
    const locals = (response as AppResponse).locals;
    const input: RouteInput<unknown, unknown, unknown> = {
      params: route.params ? parseInput(route.params, request.params, 'path') : {},
      query: route.query ? parseInput(route.query, request.query, 'query') : {},
      body: route.body ? parseInput(route.body, request.body ?? {}, 'body') : undefined,
      player: locals.player as Identity,
      ip: request.ip ?? '',
      userAgent: request.headers['user-agent'] ?? '',
      requestId: locals.requestId,
    };
    const result = await route.handler(input);
    response.status(route.status);
    if (route.path.startsWith('/api/auth')) response.setHeader('Cache-Control', 'no-store');
    if (route.status === 204) response.end();
    // the answer schema is an allow-list: what it does not name never leaves
    else response.json(route.answer ? route.answer.parse(result) : result);
  };
}

function methodOrPathUnknown(routes: Route[]): RequestHandler {
  const matchers = routes.map((route) => ({ method: route.method.toUpperCase(), pattern: pathPattern(route.path) }));
  return (request) => {
    const allowed = matchers.filter(({ pattern }) => pattern.test(request.path)).map(({ method }) => method);
    const hint =
      allowed.length > 0 ? ` This path takes ${[...new Set(allowed)].join(', ')}.` : ' See /docs for every route.';
    throw new AppError('NOT_FOUND', `There is no ${request.method} ${request.path.slice(0, 200)}.${hint}`);
  };
}

const pathPattern = (path: string) => new RegExp(`^${path.replaceAll(/:[a-zA-Z]+/g, '[^/]+')}/?$`);

/** Faults of Express and of body-parser, in our words. */
function translate(error: unknown): unknown {
  const { type, status } = (error ?? {}) as { type?: string; status?: number };
  if (type === 'entity.too.large')
    return new AppError('PAYLOAD_TOO_LARGE', `The body must not be larger than ${BODY_LIMIT}.`);
  if (type === 'entity.parse.failed')
    return new AppError('MALFORMED_JSON', 'The body could not be parsed as a JSON object or array.');
  if (type === 'encoding.unsupported' || type === 'charset.unsupported')
    return new AppError('UNSUPPORTED_MEDIA_TYPE', 'Send UTF-8 JSON, gzip, deflate or plain.');
  if (error instanceof URIError || (typeof status === 'number' && status >= 400 && status < 500))
    return new AppError('VALIDATION_FAILED', 'The request could not be read.');
  return asUnavailable(error);
}

export function problemHandler(logger: Logger): ErrorRequestHandler {
  return (thrown: unknown, _request, response, _next: NextFunction) => {
    const error = translate(thrown);
    const { requestId } = (response as AppResponse).locals;
    const problem = toProblem(error, requestId);
    if (problem.status >= 500) logger.error({ err: thrown, requestId }, 'request failed');
    if (response.headersSent) return void response.destroy();
    if (error instanceof AppError && error.retryAfter !== undefined)
      response.setHeader('Retry-After', String(error.retryAfter));
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  };
}
