import { Router, type Request, type Response } from 'express';
import { SECONDS, type Metrics } from '../observability/metrics';

/** Times every HTTP request that passes; to be mounted first. */
export function measureRequests(metrics: Metrics): Router {
  const durations = metrics.histogram(
    'maoga_http_request_duration_seconds',
    'Time from a request to the end of its answer, by route pattern; the status is `aborted` where the client went away first',
    SECONDS,
    ['method', 'route', 'status'],
  );
  let running = 0;
  metrics.gauge('maoga_http_requests_in_flight', 'HTTP requests that are being answered', () => running);

  return Router().use((request, response, next) => {
    const end = durations.startTimer();
    running += 1;
    response.once('close', () => {
      running -= 1;
      end({ method: request.method, route: patternOf(request), status: statusOf(response) });
    });
    next();
  });
}

/** The pattern, never the path: what a client makes up in a label would be a time series each. */
export function patternOf(request: Request): string {
  const pattern = (request.route as { path?: string | string[] } | undefined)?.path;
  if (pattern === undefined) return 'unmatched';
  if (typeof pattern === 'string') return pattern;
  // Express takes a path in any case and with a slash behind it
  const path = request.path.toLowerCase().replace(/\/$/, '');
  return pattern.find((each) => each.toLowerCase() === path) ?? 'unmatched';
}

const statusOf = (response: Response) => (response.writableFinished ? String(response.statusCode) : 'aborted');
