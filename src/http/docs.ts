import { Router, type RequestHandler } from 'express';
import helmet from 'helmet';
import swaggerUiFolder from 'swagger-ui-dist/absolute-path';
import { asyncApiDocument } from '../realtime/asyncapi';
import type { ClientEvent } from '../realtime/client-event';
import { eventsPage, REST_PAGE, START_SCRIPT, STYLE } from './docs-pages';
import { openApiDocument } from './openapi';
import type { Limits } from './rate-limits';
import type { Route } from './route';

export interface DocsDeps {
  enabled: boolean;
  routes: readonly Route[];
  clientEvents: readonly ClientEvent[];
  /** How clients reach this server, where that is known. */
  publicUrl: string | undefined;
  limits?: Limits;
}

/** Swagger UI styles its elements as it goes; everything else comes from here. No page may be framed or send forms. */
const pagePolicy = helmet.contentSecurityPolicy({
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
});

/**
 * /openapi.json, /asyncapi.json and the pages at /docs (where / leads), generated from the schemas that validate: when somebody first asks,
 * because a server that nobody reads about need not spend its start on it.
 */
export function createDocs({ enabled, routes, clientEvents, publicUrl, limits }: DocsDeps): Router {
  const router = Router();
  if (!enabled) return router;
  const host = new URL(publicUrl ?? 'http://localhost:3000').host;
  const openApi = once(() => openApiDocument(routes, limits));
  const asyncApi = once(() => asyncApiDocument(clientEvents, host));
  const events = once(() => eventsPage(asyncApi()));

  // whoever opens the address that the server prints
  router.get('/', (_request, response) => response.redirect('/docs'));
  router.get('/openapi.json', (_request, response) => void response.json(openApi()));
  router.get('/asyncapi.json', (_request, response) => void response.json(asyncApi()));
  router.use('/docs', pagePolicy);
  router.get(
    '/docs',
    send('html', () => REST_PAGE),
  );
  router.get('/docs/events', send('html', events));
  router.get(
    '/docs/docs.css',
    send('css', () => STYLE),
  );
  router.get(
    '/docs/start.js',
    send('js', () => START_SCRIPT),
  );
  for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js'])
    router.get(`/docs/${file}`, (_request, response) =>
      response.sendFile(file, { root: swaggerUiFolder(), maxAge: '1h' }),
    );
  return router;
}

const send =
  (type: string, text: () => string): RequestHandler =>
  (_request, response) =>
    void response.type(type).send(text());

function once<Value>(make: () => Value): () => Value {
  let made: { value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}
