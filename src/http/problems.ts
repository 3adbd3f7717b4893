import type { ErrorRequestHandler, NextFunction, RequestHandler } from 'express';
import { AppError, toProblem } from '../core/errors';
import type { Logger } from '../core/logger';
import { asUnavailable } from '../database/transaction';
import { pathOf } from './request-log';
import type { AppResponse, Route } from './route';

/** Whatever goes wrong, in the words of RFC 9457. */

export const BODY_LIMIT = '100kb';

/** A fault that the body parser does not look for itself, in its own words. */
export class BodyFault extends Error {
  constructor(readonly type: 'charset.unsupported' | 'entity.parse.failed') {
    super(type);
  }
}

/** 405 with `Allow` where the path takes other methods, 404 where it is no path of ours. */
export function unknownRoute(routes: readonly Route[]): RequestHandler {
  const matchers = routes.map((route) => ({ method: route.method.toUpperCase(), pattern: pathPattern(route.path) }));
  return (request, response) => {
    const methods = matchers.filter(({ pattern }) => pattern.test(request.path)).map(({ method }) => method);
    const path = request.path.slice(0, 200);
    if (methods.length === 0)
      throw new AppError('NOT_FOUND', `There is no ${request.method} ${path}. See /docs for every route.`);
    const allowed = [...new Set(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))].join(
      ', ',
    );
    response.setHeader('Allow', allowed);
    throw new AppError('METHOD_NOT_ALLOWED', `${path} takes ${allowed}.`);
  };
}

const pathPattern = (path: string) => new RegExp(`^${path.replaceAll(/:[a-zA-Z]+/g, '[^/]+')}/?$`, 'i');

export function problemHandler(logger: Logger): ErrorRequestHandler {
  return (thrown: unknown, request, response, _next: NextFunction) => {
    const error = translate(thrown);
    const { requestId } = (response as AppResponse).locals;
    const problem = toProblem(error, requestId);
    if (problem.status >= 500)
      logger.error(
        { err: thrown, requestId, method: request.method, path: pathOf(request.originalUrl) },
        'request failed',
      );
    if (response.headersSent) return void response.destroy();
    if (error instanceof AppError && error.retryAfter !== undefined)
      response.setHeader('Retry-After', String(error.retryAfter));
    if (problem.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  };
}

/** Faults of Express and of body-parser, in our words. */
function translate(error: unknown): unknown {
  const { type, status } = (error ?? {}) as { type?: string; status?: number };
  if (type === 'entity.too.large')
    return new AppError('PAYLOAD_TOO_LARGE', `The body must not be larger than ${BODY_LIMIT}.`);
  if (type === 'entity.parse.failed')
    return new AppError('MALFORMED_JSON', 'The body could not be parsed as a JSON object or array in UTF-8.');
  if (type === 'encoding.unsupported' || type === 'charset.unsupported')
    return new AppError('UNSUPPORTED_MEDIA_TYPE', 'Send UTF-8 JSON, plain or as gzip, deflate or br.');
  if (!(error instanceof AppError) && typeof status === 'number' && status >= 400 && status < 500)
    return new AppError('VALIDATION_FAILED', 'The request could not be read.');
  return asUnavailable(error);
}
