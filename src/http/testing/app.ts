import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { AppError, ERROR_CODES } from '../../core/errors';
import { systemIds } from '../../core/ids';
import { createLogger } from '../../core/logger';
import { createApp } from '../app';
import { problemSchema } from '../openapi';
import { createRateLimits } from '../rate-limits';
import { route } from '../route';
import { listQuery, objectId, page, text } from '../schemas';
import { answerUnreadable } from '../unreadable';

export const ORIGIN = 'https://app.example.test';

const echo = z.strictObject({
  line: text(1, 20),
  note: z.string().max(10).optional(),
  list: z.array(z.number()).optional(),
});
const shared = { tag: 'Things', access: 'anyone', status: 200 } as const;

const routes = [
  route({
    ...shared,
    method: 'post',
    path: '/api/echo',
    summary: 'Says it again',
    body: echo,
    answer: z.object({ line: z.string() }),
    handler: async ({ body }) => ({ line: body.line, secret: 'never leaves' }),
  }),
  route({
    ...shared,
    method: 'get',
    path: '/api/things/:id',
    summary: 'A thing',
    params: z.strictObject({ id: objectId }),
    handler: async () => undefined,
  }),
  route({
    ...shared,
    method: 'get',
    path: '/api/things',
    summary: 'Things',
    query: listQuery({ kind: z.enum(['a', 'b']).optional() }),
    answer: page(z.string()),
    handler: async ({ query }) => ({ items: [String(query.limit)], nextCursor: null }),
  }),
  route({
    ...shared,
    method: 'post',
    path: '/api/auth/fail',
    summary: 'Fails as it is asked to',
    body: z.strictObject({ how: z.string() }),
    handler: async ({ body: { how } }) => {
      if (how in ERROR_CODES) throw new AppError(how as keyof typeof ERROR_CODES, 'as asked', { retryAfter: 7 });
      throw new Error(`${how}: a password would stand here`);
    },
  }),
  route({
    ...shared,
    access: 'player',
    method: 'delete',
    path: '/api/mine',
    summary: '',
    handler: async () => undefined,
  }),
  route({ ...shared, access: 'admin', method: 'put', path: '/api/all', summary: '', handler: async () => undefined }),
];

/** The application over routes of its own, without a database: it listens for the tests of one file. */
export function startTestApp() {
  const logged: string[] = [];
  const logger = createLogger({ level: 'trace', pretty: false }, { write: (line) => void logged.push(line) });
  const app = createApp({
    config: {
      host: '127.0.0.1',
      port: 0,
      publicUrl: undefined,
      corsOrigins: [ORIGIN],
      trustProxyHops: 0,
      rateLimits: false,
      rateLimitChanges: [],
      docs: false,
    },
    logger,
    ids: systemIds,
    authenticate: async (token) => {
      if (token !== 'good') throw new AppError('UNAUTHENTICATED', 'no such token');
      return { userId: 'u1', username: 'ann', role: 'player', sessionId: 's1' };
    },
    limiters: createRateLimits(false).limiters,
    idempotency: { once: async (_request, work) => ({ body: JSON.stringify(await work()), replayed: false }) },
    routes,
    observe: [],
    pages: [],
  });
  const http = createServer(app).on('clientError', answerUnreadable(systemIds));
  const port = () => (http.address() as AddressInfo).port;
  const url = () => `http://127.0.0.1:${port()}`;

  beforeAll(() => once(http.listen(0, '127.0.0.1'), 'listening'));
  afterAll(() => {
    http.closeAllConnections();
    http.close();
  });
  afterEach(() => {
    logged.length = 0;
  });

  const send = async (method: string, path: string, body?: Body, headers: Record<string, string> = {}) => {
    const response = await fetch(url() + path, {
      method,
      headers: { ...(body === undefined ? {} : JSON_TYPE), ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const answer = await response.text();
    return { status: response.status, headers: response.headers, body: answer === '' ? undefined : JSON.parse(answer) };
  };
  return { send, url, port, logged, lines: () => logged.map((line) => JSON.parse(line)) };
}

type Body = string | Uint8Array<ArrayBuffer>;
export const JSON_TYPE = { 'content-type': 'application/json' };

type Answer = Awaited<ReturnType<ReturnType<typeof startTestApp>['send']>>;

/** A problem document as promised, with its request id in the header as well. */
export function expectProblem(answer: Answer, code: keyof typeof ERROR_CODES) {
  expect(answer.body).toMatchObject({ code, status: ERROR_CODES[code].status });
  expect(problemSchema.safeParse(answer.body).error).toBeUndefined();
  expect(answer.status).toBe(answer.body.status);
  expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(answer.headers.get('x-request-id')).toBe(answer.body.requestId);
}
