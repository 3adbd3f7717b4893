import { once } from 'node:events';
import { createServer, request as rawRequest, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import { AppError, ERROR_CODES } from '../core/errors';
import { systemIds } from '../core/ids';
import { createLogger } from '../core/logger';
import { createApp } from './app';
import { problemSchema } from './openapi';
import { createRateLimits } from './rate-limits';
import { route } from './route';
import { listQuery, objectId, page, text } from './schemas';
import { answerUnreadable } from './unreadable';

const ORIGIN = 'https://app.example.test';

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

const logged: string[] = [];
const logger = createLogger({ level: 'trace', pretty: false }, { write: (line) => void logged.push(line) });
const lines = () => logged.map((line) => JSON.parse(line));

let http: Server;
let url: string;
beforeAll(async () => {
  const app = createApp({
    config: {
      host: '127.0.0.1',
      port: 0,
      publicUrl: undefined,
      corsOrigins: [ORIGIN],
      trustProxyHops: 0,
      rateLimits: false,
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
    pages: [],
  });
  http = createServer(app).on('clientError', answerUnreadable(systemIds)).listen(0, '127.0.0.1');
  await once(http, 'listening');
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
afterAll(() => {
  http.closeAllConnections();
  http.close();
});
afterEach(() => {
  logged.length = 0;
});

const JSON_TYPE = { 'content-type': 'application/json' };

async function send(
  method: string,
  path: string,
  body?: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
) {
  const response = await fetch(url + path, {
    method,
    headers: { ...(body === undefined ? {} : JSON_TYPE), ...headers },
    ...(body === undefined ? {} : { body }),
  });
  const answer = await response.text();
  return { status: response.status, headers: response.headers, body: answer === '' ? undefined : JSON.parse(answer) };
}

type Answer = Awaited<ReturnType<typeof send>>;

/** A problem document as promised, with its request id in the header as well. */
function expectProblem(answer: Answer, code: keyof typeof ERROR_CODES) {
  expect(answer.body).toMatchObject({ code, status: ERROR_CODES[code].status });
  expect(problemSchema.safeParse(answer.body).error).toBeUndefined();
  expect(answer.status).toBe(answer.body.status);
  expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(answer.headers.get('x-request-id')).toBe(answer.body.requestId);
}

describe('bodies', () => {
  test('that fit are parsed, and answers hold what their schema names only', async () => {
    expect((await send('POST', '/api/echo', '{"line":"  hi "}')).body).toEqual({ line: 'hi' });
  });

  test.each([
    ['nothing', undefined, 'VALIDATION_FAILED'],
    ['an empty body', '', 'VALIDATION_FAILED'],
    ['a list', '[]', 'VALIDATION_FAILED'],
    ['a bare value', '"line"', 'MALFORMED_JSON'],
    ['half a document', '{"line":', 'MALFORMED_JSON'],
    ['something else', 'line=hi', 'MALFORMED_JSON'],
    ['a missing field', '{}', 'VALIDATION_FAILED'],
    ['an unknown field', '{"line":"hi","role":"admin"}', 'VALIDATION_FAILED'],
    ['a wrong type', '{"line":1}', 'VALIDATION_FAILED'],
    ['an operator', '{"line":{"$ne":""}}', 'VALIDATION_FAILED'],
    ['an operator as a field', '{"line":"hi","$where":"1"}', 'VALIDATION_FAILED'],
    ['too long a text', JSON.stringify({ line: 'x'.repeat(21) }), 'VALIDATION_FAILED'],
    ['nothing but spaces', '{"line":"   "}', 'VALIDATION_FAILED'],
    ['a control character', '{"line":"a\\u0000b"}', 'VALIDATION_FAILED'],
    ['half a character', '{"line":"\\ud800"}', 'VALIDATION_FAILED'],
    ['__proto__', '{"line":"hi","__proto__":{"admin":true}}', 'VALIDATION_FAILED'],
    ['constructor.prototype', '{"line":"hi","constructor":{"prototype":{"admin":true}}}', 'VALIDATION_FAILED'],
    ['50,000 lists in each other', `{"line":${'['.repeat(45_000)}${']'.repeat(45_000)}}`, 'VALIDATION_FAILED'],
    ['deep nesting that does not end', '['.repeat(90_000), 'MALFORMED_JSON'],
  ] as const)('%s is refused', async (_what, body, code) => {
    expectProblem(await send('POST', '/api/echo', body), code);
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
    expect(lines().filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('every fault is named with its place', async () => {
    const { body } = await send('POST', '/api/echo', '{"line":1,"note":"far too long","more":1}');
    expect(body.errors.map(({ path }: { path: string }) => path)).toEqual(['body.line', 'body.note', 'body']);
    expect(body.detail).toMatch(/^body\.line: .* \(and 2 more\)$/);
  });

  test('a body of nothing but faults gets a short answer', async () => {
    const many = JSON.stringify({ line: 'hi', list: Array.from({ length: 20_000 }, () => 'x') });
    const long = JSON.stringify({ line: 'hi', ['k'.repeat(90_000)]: 1 });
    for (const body of [many, long]) {
      const answer = await send('POST', '/api/echo', body);
      expectProblem(answer, 'VALIDATION_FAILED');
      expect(JSON.stringify(answer.body).length).toBeLessThan(8_000);
    }
  });

  test('bytes that are not UTF-8, and other encodings, are refused', async () => {
    const broken = new Uint8Array([...Buffer.from('{"line":"'), 0xc3, 0x28, ...Buffer.from('"}')]);
    expectProblem(await send('POST', '/api/echo', broken), 'MALFORMED_JSON');
    const utf16 = new Uint8Array(Buffer.from('{"line":"hi"}', 'utf16le'));
    const headers = { 'content-type': 'application/json; charset=utf-16le' };
    expectProblem(await send('POST', '/api/echo', utf16, headers), 'UNSUPPORTED_MEDIA_TYPE');
    const latin = { 'content-type': 'application/json; charset=iso-8859-1' };
    expectProblem(await send('POST', '/api/echo', '{"line":"hi"}', latin), 'UNSUPPORTED_MEDIA_TYPE');
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    '',
  ])('a body of the type "%s" is refused', async (type) => {
    expectProblem(await send('POST', '/api/echo', '{"line":"hi"}', { 'content-type': type }), 'UNSUPPORTED_MEDIA_TYPE');
  });

  test('more than 100 KB is too large, also when it comes compressed or without a length', async () => {
    expectProblem(
      await send('POST', '/api/echo', JSON.stringify({ line: 'x'.repeat(101 * 1024) })),
      'PAYLOAD_TOO_LARGE',
    );
    const bomb = new Uint8Array(gzipSync(JSON.stringify({ line: 'x'.repeat(10_000_000) })));
    expect(bomb.length).toBeLessThan(100_000);
    expectProblem(await send('POST', '/api/echo', bomb, { 'content-encoding': 'gzip' }), 'PAYLOAD_TOO_LARGE');
    const chunked = rawRequest(`${url}/api/echo`, { method: 'POST', headers: JSON_TYPE });
    chunked.on('error', () => undefined);
    chunked.write(`{"line":"${'x'.repeat(60_000)}`);
    chunked.end(`${'x'.repeat(60_000)}"}`);
    const [response] = (await once(chunked, 'response')) as [{ statusCode: number; resume(): void }];
    response.resume();
    expect(response.statusCode).toBe(413);
  });

  test('a compressed body is read, a broken one refused', async () => {
    const packed = new Uint8Array(gzipSync('{"line":"hi"}'));
    expect((await send('POST', '/api/echo', packed, { 'content-encoding': 'gzip' })).body).toEqual({ line: 'hi' });
    const broken = packed.map((byte, i) => (i > 10 ? byte ^ 0xff : byte));
    expectProblem(await send('POST', '/api/echo', broken, { 'content-encoding': 'gzip' }), 'VALIDATION_FAILED');
    expectProblem(await send('POST', '/api/echo', packed, { 'content-encoding': 'zip' }), 'UNSUPPORTED_MEDIA_TYPE');
  });
});

describe('paths and queries', () => {
  test.each([
    '/api/things/123',
    '/api/things/XYZ00000000000000000000f',
    `/api/things/${'f'.repeat(25)}`,
    '/api/things/%24ne',
    '/api/things/%00',
    '/api/things/%ff',
    '/api/things/%E0%A4%A',
    '/api/things/..%2f..%2fetc%2fpasswd',
  ])('%s is refused as a bad id', async (path) => {
    expectProblem(await send('GET', path), 'VALIDATION_FAILED');
  });

  test.each([
    '?limit=0',
    '?limit=101',
    '?limit=1.5',
    '?limit=ten',
    '?limit=1&limit=2',
    '?kind=c',
    '?kind[$ne]=a',
    '?$where=1',
    '?__proto__=1',
    `?cursor=${'x'.repeat(513)}`,
    '?unknown=1',
  ])('%s is refused as a bad query', async (query) => {
    expectProblem(await send('GET', `/api/things${query}`), 'VALIDATION_FAILED');
  });

  test('a query is parsed with its defaults', async () => {
    expect((await send('GET', '/api/things')).body.items).toEqual(['20']);
    expect((await send('GET', '/api/things?limit=7')).body.items).toEqual(['7']);
  });

  test('an unknown path is 404, a known one with another method is 405 and says which it takes', async () => {
    for (const path of ['/', '/api', '/api/nothing', '/api/things/a/b', '/.env', '/api/echo/more'])
      expectProblem(await send('GET', path), 'NOT_FOUND');
    const answer = await send('PATCH', '/api/things');
    expectProblem(answer, 'METHOD_NOT_ALLOWED');
    expect(answer.headers.get('allow')).toBe('GET, HEAD');
    expect((await send('GET', '/API/Echo/')).headers.get('allow')).toBe('POST');
  });

  test('HEAD is answered where GET is', async () => {
    expect(await send('HEAD', '/api/things')).toMatchObject({ status: 200, body: undefined });
  });
});

describe('what is no HTTP', () => {
  const exchange = async (bytes: string): Promise<string> => {
    const socket = connect((http.address() as AddressInfo).port, '127.0.0.1');
    socket.write(bytes);
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    return answer;
  };

  test.each([
    ['junk', '\u0000\u0001junk\r\n\r\n'],
    ['a header that is too large', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`],
    ['two lengths', 'POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
    [
      'a length and chunks',
      'POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
  ])('%s is answered by a problem document, and the connection closed', async (_what, bytes) => {
    const [head = '', body = ''] = (await exchange(bytes)).split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 400 .*application\/problem\+json.*Connection: close/is);
    expect(problemSchema.parse(JSON.parse(body)).code).toBe('VALIDATION_FAILED');
  });
});

describe('failures', () => {
  test.each(Object.keys(ERROR_CODES) as (keyof typeof ERROR_CODES)[])(
    '%s is answered with its own status',
    async (code) => {
      const answer = await send('POST', '/api/auth/fail', JSON.stringify({ how: code }));
      expectProblem(answer, code);
      expect(answer.headers.get('retry-after')).toBe('7');
      expect(answer.headers.get('www-authenticate')).toBe(answer.status === 401 ? 'Bearer' : null);
      expect(answer.headers.get('cache-control')).toBe('no-store');
    },
  );

  test('an unexpected one is logged whole, and its answer tells nothing of it', async () => {
    const answer = await send('POST', '/api/auth/fail', '{"how":"boom"}');
    expectProblem(answer, 'INTERNAL');
    expect(JSON.stringify(answer.body)).not.toMatch(/boom|password|\.ts|at /);
    const failure = lines().find(({ msg }) => msg === 'request failed');
    expect(failure).toMatchObject({
      requestId: answer.body.requestId,
      err: { message: expect.stringContaining('boom') },
    });
    expect(failure.err.stack).toContain('app.test.ts');
  });

  test.each([
    [undefined, 401],
    ['good', 401],
    ['Basic good', 401],
    ['Bearer', 401],
    ['Bearer bad', 401],
    ['bearer good', 200],
  ])('with `Authorization: %s` a player route answers %i', async (authorization, status) => {
    const answer = await send('DELETE', '/api/mine', undefined, authorization === undefined ? {} : { authorization });
    expect(answer.status).toBe(status);
    if (status === 401) expectProblem(answer, 'UNAUTHENTICATED');
  });

  test('a player is no admin', async () => {
    expectProblem(await send('PUT', '/api/all', undefined, { authorization: 'Bearer good' }), 'FORBIDDEN');
  });
});

describe('headers', () => {
  test('close the doors of browsers', async () => {
    const { headers } = await send('GET', '/api/things');
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-security-policy': "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'",
      'strict-transport-security': expect.stringMatching(/max-age=\d{8}/),
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('server')).toBeNull();
  });

  test('let browsers of the listed origins in, exactly those', async () => {
    const allowed = async (origin: string) =>
      (await send('GET', '/api/things', undefined, { origin })).headers.get('access-control-allow-origin');
    expect(await allowed(ORIGIN)).toBe(ORIGIN);
    for (const other of ['https://evil.example.test', `${ORIGIN}.evil.test`, 'http://app.example.test', 'null'])
      expect(await allowed(other)).toBeNull();
    const preflight = await send('OPTIONS', '/api/echo', undefined, {
      origin: ORIGIN,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,idempotency-key',
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('idempotency-key');
    expect(preflight.headers.get('access-control-allow-credentials')).toBeNull();
  });

  test('carry a request id: the one sent where it is harmless, a new one otherwise', async () => {
    const idOf = async (given: string) =>
      (await send('GET', '/api/things', undefined, { 'x-request-id': given })).headers.get('x-request-id');
    expect(await idOf('trace-1.2:3')).toBe('trace-1.2:3');
    for (const bad of ['a b', 'x'.repeat(65), '<script>', '{"a":1}'])
      expect(await idOf(bad)).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('the log', () => {
  test('has one line for a request, with its id, and no query, header or body', async () => {
    const secret = 'canary-4711';
    const authorization = `Bearer ${secret}`;
    await send('POST', `/api/echo?token=${secret}`, JSON.stringify({ line: secret }), {
      authorization,
      cookie: secret,
      'x-request-id': 'trace-9',
    });
    await send('GET', `/api/things/${secret.repeat(10)}`);
    const [line] = lines();
    expect(line).toMatchObject({
      req: { id: 'trace-9', method: 'POST', path: '/api/echo' },
      res: { statusCode: 200 },
      responseTime: expect.any(Number),
    });
    expect(lines()).toHaveLength(2);
    expect(logged.join('')).not.toContain(secret);
  });
});
