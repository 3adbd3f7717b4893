import { ERROR_CODES } from '../core/errors';
import { expectProblem, ORIGIN, startTestApp } from './testing/app';

const { send, logged, lines } = startTestApp();

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
    expect(failure.err.stack).toContain('testing/app.ts');
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
