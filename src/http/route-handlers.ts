import { isUtf8 } from 'node:buffer';
import express, { type RequestHandler, type Response } from 'express';
import { AppError } from '../core/errors';
import { logContext } from '../core/log-context';
import { keyOf, type Idempotency } from './idempotency';
import { BODY_LIMIT, BodyFault } from './problems';
import type { AppResponse, Identity, Locals, Route } from './route';
import { parseInput } from './validation';

/** The steps of a request to a route of the registry: who asks, what is sent, and the answer. */

const RANK: Record<Identity['role'], number> = { player: 0, moderator: 1, admin: 2 };

/** @param strangers limits those who do not show a good token */
export function requireIdentity(
  authenticate: (token: string) => Promise<Identity>,
  access: Identity['role'],
  strangers?: RequestHandler,
): RequestHandler {
  const identify = async (authorization = ''): Promise<Identity> => {
    const [scheme, token] = authorization.split(' ');
    if (scheme?.toLowerCase() !== 'bearer' || !token)
      throw new AppError('UNAUTHENTICATED', 'Send `Authorization: Bearer <access token>`.');
    return authenticate(token);
  };
  return async (request, response, next) => {
    let player: Identity;
    try {
      player = await identify(request.headers.authorization);
    } catch (error) {
      if (!strangers || !(error instanceof AppError) || error.code !== 'UNAUTHENTICATED') throw error;
      return strangers(request, response, (limited?: unknown) => next(limited ?? error));
    }
    if (RANK[player.role] < RANK[access]) throw new AppError('FORBIDDEN', `This takes the role ${access}.`);
    (response as AppResponse).locals.player = player;
    logContext.add({ userId: player.userId });
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

/** Reads a JSON body. The parser would put replacement characters where the bytes are not UTF-8: that is refused instead. */
export const jsonBody: RequestHandler[] = [
  requireJson,
  express.json({
    limit: BODY_LIMIT,
    strict: true,
    type: 'application/json',
    verify: (_request, _response, bytes, encoding) => {
      if (encoding !== 'utf-8') throw new BodyFault('charset.unsupported');
      if (!isUtf8(bytes)) throw new BodyFault('entity.parse.failed');
    },
  }),
];

/** Parses everything a route takes, before anything is done. */
export function validate(route: Route): RequestHandler {
  return (request, response, next) => {
    const locals = (response as AppResponse).locals;
    locals.input = {
      params: route.params ? parseInput(route.params, request.params, 'path') : {},
      query: route.query ? parseInput(route.query, request.query, 'query') : {},
      body: route.body ? parseInput(route.body, request.body ?? {}, 'body') : undefined,
      // undefined only where access is `anyone`, as RouteInput says
      player: locals.player as Identity,
      ip: request.ip ?? '',
      userAgent: request.headers['user-agent'] ?? '',
      requestId: locals.requestId,
    };
    const account = route.account?.(locals.input.body);
    if (account !== undefined) locals.account = account;
    next();
  };
}

export function answer(route: Route, idempotency: Idempotency): RequestHandler {
  return async (request, response) => {
    const { input } = (response as AppResponse).locals as Required<Locals>;
    const handle = async () => {
      const result = await route.handler(input);
      // the answer schema is an allow-list: what it does not name never leaves
      return route.answer ? route.answer.parse(result) : result;
    };
    const key = route.idempotent ? keyOf(request.headers) : undefined;
    if (key === undefined) {
      const body = await handle();
      if (route.status === 302) return response.redirect(302, (body as { location: string }).location);
      response.status(route.status);
      return void (route.answer ? sendJson(route, response, body) : response.end());
    }
    const target = `${route.method} ${request.path}`;
    const { body, replayed } = await idempotency.once({ key, target, input }, handle);
    if (replayed) response.setHeader('Idempotent-Replayed', 'true');
    response.status(route.status).type('application/json').send(body);
  };
}

/** An answer to a write is no version of anything: a tag to ask for it again by would be made for nothing. */
function sendJson(route: Route, response: Response, body: unknown): void {
  if (route.method === 'get') return void response.json(body);
  const text = JSON.stringify(body);
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}
