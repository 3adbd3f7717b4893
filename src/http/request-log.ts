import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import { pinoHttp } from 'pino-http';
import type { Ids } from '../core/ids';
import { logContext } from '../core/log-context';
import type { Logger } from '../core/logger';
import type { AppResponse } from './route';

const SAFE_ID = /^[\w.:-]{1,64}$/;

/**
 * Gives every request an id (the caller's `X-Request-Id` if it is harmless), answers with it, and logs a line at its end where lines of
 * level debug are wanted: preparing for one is a third of what a request costs before it is handled. What fails is logged at any level,
 * by the one error handler (problems.ts).
 */
export function requestLog(logger: Logger, ids: Ids): RequestHandler {
  const log = pinoHttp({
    logger,
    customLogLevel: (_request, response, error) => (error || response.statusCode >= 500 ? 'error' : 'debug'),
    customProps: (_request, response) => ({ userId: (response as AppResponse).locals?.player?.userId }),
    serializers: {
      // never headers or query strings: they may carry what nobody should log
      req: (request: { id: string; method: string; url: string }) => ({
        id: request.id,
        method: request.method,
        path: pathOf(request.url),
      }),
      res: (response: { statusCode: number }) => ({ statusCode: response.statusCode }),
    },
  });
  return (request, response, next) => {
    const requestId = idOf(request, ids);
    request.id = requestId;
    response.setHeader('X-Request-Id', requestId);
    (response as AppResponse).locals.requestId = requestId;
    if (logger.isLevelEnabled('debug')) log(request, response);
    logContext.run({ requestId }, next);
  };
}

function idOf(request: IncomingMessage, ids: Ids): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && SAFE_ID.test(given) ? given : ids.uuid();
}

/** Without the query, and without long parts: no id of ours is that long, but a token in a path is. */
export const pathOf = (url: string) =>
  url
    .split('?')[0]
    ?.replaceAll(/[^/]{40,}/g, '…')
    .slice(0, 300);
