import type { Request, RequestHandler, Response } from 'express';
import type { Ids } from '../core/ids';
import { logContext } from '../core/log-context';
import type { Logger } from '../core/logger';
import type { AppResponse } from './route';

const SAFE_ID = /^[\w.:-]{1,64}$/;

/**
 * Gives every request an id (the caller's `X-Request-Id` if it is harmless), answers with it, and logs one line at the end. Nothing is
 * put together for a line that its level keeps from being written: most requests of a busy server have none.
 */
export function requestLog(logger: Logger, ids: Ids): RequestHandler {
  return (request, response, next) => {
    const given = request.headers['x-request-id'];
    const requestId = typeof given === 'string' && SAFE_ID.test(given) ? given : ids.uuid();
    response.setHeader('X-Request-Id', requestId);
    (response as AppResponse).locals.requestId = requestId;
    const begun = performance.now();
    logContext.run({ requestId }, () => {
      response.once('close', () => {
        const failed = response.statusCode >= 500;
        const level = failed ? 'error' : 'debug';
        if (logger.isLevelEnabled(level))
          logger[level](lineOf(requestId, request, response, begun), failed ? 'request errored' : 'request completed');
      });
      next();
    });
  };
}

/** Never headers or query strings: they may carry what nobody should log. */
const lineOf = (id: string, { method, originalUrl }: Request, response: Response, begun: number) => ({
  req: { id, method, path: pathOf(originalUrl) },
  res: { statusCode: response.writableFinished ? response.statusCode : null },
  responseTime: Math.round(performance.now() - begun),
  userId: (response as AppResponse).locals.player?.userId,
});

/** Without the query, and without long parts: no id of ours is that long, but a token in a path is. */
const pathOf = (url: string) =>
  url
    .split('?')[0]
    ?.replaceAll(/[^/]{40,}/g, '…')
    .slice(0, 300);
