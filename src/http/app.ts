import compression from 'compression';
import cors from 'cors';
import express, { type Express, type Request, type RequestHandler, type Response, type Router } from 'express';
import helmet from 'helmet';
import type { Config } from '../config/config';
import type { Ids } from '../core/ids';
import type { Logger } from '../core/logger';
import type { Idempotency } from './idempotency';
import { problemHandler, unknownRoute } from './problems';
import { classesOf, isPage, type RateLimiters } from './rate-limits';
import { requestLog } from './request-log';
import type { Identity, Route } from './route';
import { answer, jsonBody, requireIdentity, validate } from './route-handlers';

export interface AppDeps {
  config: Config['http'];
  logger: Logger;
  ids: Ids;
  /** Turns a bearer token into who is asking. @throws UNAUTHENTICATED, TOKEN_EXPIRED, ACCOUNT_SUSPENDED, ACCOUNT_BANNED */
  authenticate: (token: string) => Promise<Identity>;
  limiters: RateLimiters;
  idempotency: Idempotency;
  routes: Route[];
  /** Sees every request, and refuses none. */
  observe: RequestHandler[];
  /** Health, docs and whatever else is not JSON of the API. */
  pages: (Router | RequestHandler)[];
}

/** The Express application: edges first, then every route of the registry, then 404, 405 and the one error handler. */
export function createApp(deps: AppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', deps.config.trustProxyHops);
  app.set('query parser', 'simple');
  app.use(requestLog(deps.logger, deps.ids));
  app.use(securityHeaders);
  app.use(
    cors({
      origin: deps.config.corsOrigins,
      exposedHeaders: ['X-Request-Id', 'Retry-After', 'RateLimit', 'RateLimit-Policy', 'Idempotent-Replayed'],
      maxAge: 600,
    }),
  );
  app.use(compressReads);
  // refusals too: an answer about credentials is nobody else's
  app.use('/api/auth', (_request, response, next) => {
    response.setHeader('Cache-Control', 'no-store');
    next();
  });
  for (const observer of deps.observe) app.use(observer);
  const { pages } = deps.limiters;
  if (pages) app.use((request, response, next) => (isPage(request.path) ? pages(request, response, next) : next()));
  for (const page of deps.pages) app.use(page);
  for (const route of deps.routes) app[route.method](route.path, ...handlers(route, deps));
  // what is no page and no route of the API
  if (pages) app.use((request, response, next) => (isPage(request.path) ? next() : pages(request, response, next)));
  app.use(unknownRoute(deps.routes));
  app.use(problemHandler(deps.logger));
  return app;
}

/** Only what is read can be long: answers to writes are spared the detour. */
const compress = compression();
const compressReads: RequestHandler = (request, response, next) =>
  request.method === 'GET' ? compress(request, response, next) : next();

/** An API has nothing to load: pages that do (see docs.ts) say what they need. */
const securityHeaders = sameHeaders(
  helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], baseUri: ["'none'"], formAction: ["'none'"], frameAncestors: ["'none'"] },
    },
  }),
);

/** What a middleware that says the same to everybody sets, found out once. */
function sameHeaders(middleware: RequestHandler): RequestHandler {
  const headers = new Map<string, string>();
  const recorder = {
    setHeader: (name: string, value: string) => headers.set(name, value),
    removeHeader: (name: string) => headers.delete(name),
  };
  middleware({} as Request, recorder as unknown as Response, (error?: unknown) => {
    if (error instanceof Error) throw error;
  });
  return (_request, response, next) => {
    for (const [name, value] of headers) response.setHeader(name, value);
    next();
  };
}

function handlers(route: Route, deps: AppDeps): RequestHandler[] {
  const { limiters } = deps;
  const classes = classesOf(route).filter((name) => name !== 'strangers' && name !== 'attempts');
  const attempts = classesOf(route).includes('attempts') ? limiters.attempts : undefined;
  return [
    ...(route.access === 'anyone' ? [] : [requireIdentity(deps.authenticate, route.access, limiters.strangers)]),
    ...classes.flatMap((name) => limiters[name] ?? []),
    ...(route.body ? jsonBody : []),
    validate(route),
    ...(attempts ? [attempts] : []),
    answer(route, deps.idempotency),
  ];
}
