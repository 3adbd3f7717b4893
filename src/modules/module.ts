import type { Loop } from '../core/loop';
import type { Route } from '../http/route';
import type { ClientEvent } from '../realtime/client-event';

/** What a module hands to the composition root. `api` is for its neighbours, the rest is mounted and run by the server. */
export interface Module<Api> {
  api: Api;
  routes: Route[];
  clientEvents: ClientEvent[];
  loops: Loop[];
}
