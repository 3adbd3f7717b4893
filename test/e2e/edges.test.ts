import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { ERROR_CODES } from '../../src/core/errors';
import { createLogger } from '../../src/core/logger';
import { problemSchema } from '../../src/http/openapi';
import { LIMITS } from '../../src/http/rate-limits';
import type { MaogaServer } from '../../src/server';
import { connectSocket, registerPlayer, request, type Answer, type Player } from '../support/client';
import { startTestServer } from '../support/server';

const ORIGIN = 'https://app.example.test';
const ID = 'f'.repeat(24);

/** Names of fields that bodies of this API have. */
const FIELDS = `email username password displayName identifier refreshToken bio avatarUrl platforms visibility regions
languages competitiveness preferredGames inGameName rank skillLevel roles games gameId mode capacity state ready userId
content types platform groupSize latencies expiresInSeconds scheduledFor winner placement completed name slug genre
ruleSet key currentPassword newPassword token`.split(/\s+/);

const part = (claims: object) => Buffer.from(JSON.stringify(claims)).toString('base64url');

/** Everything that was logged, as text. */
function recordedLog() {
  const lines: string[] = [];
  const logger = createLogger({ level: 'trace', pretty: false }, { write: (line) => void lines.push(line) });
  return { logger, lines, failures: () => lines.filter((line) => /"level":"(error|fatal)"/.test(line)) };
}

function expectProblem(answer: Answer, code?: keyof typeof ERROR_CODES) {
  expect(problemSchema.safeParse(answer.body).error).toBeUndefined();
  expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(answer.headers.get('x-request-id')).toBe(answer.body.requestId);
  expect(answer.status).toBe(answer.body.status);
  if (code !== undefined) expect(answer.body.code).toBe(code);
}

describe('whatever is sent to any route', () => {
  let server: MaogaServer;
  let player: Player;
  const log = recordedLog();
  beforeAll(async () => {
    server = await startTestServer({ logger: log.logger, env: { CORS_ORIGINS: ORIGIN } });
    player = await registerPlayer(server);
  });
  afterEach(() => {
    expect(log.failures()).toEqual([]);
  });

  /** Routes as targets, with an id that nothing has. Those that end sessions come with a token of no session. */
  const targets = () =>
    server.routes
      .filter(({ path }) => !path.startsWith('/api/auth/log'))
      .map((route) => ({ ...route, verb: route.method.toUpperCase(), target: route.path.replaceAll(/:\w+/g, ID) }));

  const bodies: [string, string][] = [
    ['half a document', '{"a":'],
    ['a list', '[]'],
    ['null', 'null'],
    ['an unknown field', '{"nobodyKnows":1}'],
    ['operators', '{"$where":"1","$ne":null,"email":{"$gt":""},"identifier":{"$ne":null},"userId":{"$ne":null}}'],
    ['__proto__', '{"__proto__":{"role":"admin"},"role":"admin"}'],
    ['deep nesting', `${'{"a":'.repeat(15_000)}1${'}'.repeat(15_000)}`],
    ['a number in every place', JSON.stringify(Object.fromEntries(FIELDS.map((name) => [name, 1])))],
    ['an object in every place', JSON.stringify(Object.fromEntries(FIELDS.map((name) => [name, { $ne: 1 }])))],
    ['long text in every place', JSON.stringify(Object.fromEntries(FIELDS.map((name) => [name, 'x'.repeat(2_000)])))],
    ['half a character', JSON.stringify(Object.fromEntries(FIELDS.map((name) => [name, '\ud800'])))],
  ];

  test.each(bodies)('%s as a body is refused by every route that takes one', async (_what, body) => {
    for (const { verb, target, body: schema } of targets()) {
      if (!schema) continue;
      const answer = await request(server, verb, target, { token: player.accessToken, body });
      expectProblem(answer);
      expect([target, [400, 403].includes(answer.status)]).toEqual([target, true]);
    }
  });

  test('another content type is 415, and more than 100 KB is 413', async () => {
    for (const { verb, target, body: schema, access } of targets()) {
      if (!schema || access === 'admin' || access === 'moderator') continue;
      const send = (body: string, type: string) =>
        request(server, verb, target, { token: player.accessToken, body, headers: { 'content-type': type } });
      expectProblem(await send('a=1', 'application/x-www-form-urlencoded'), 'UNSUPPORTED_MEDIA_TYPE');
      expectProblem(await send(JSON.stringify({ a: 'x'.repeat(103_000) }), 'application/json'), 'PAYLOAD_TOO_LARGE');
    }
  });

  test.each(['123', 'zzz', '%24ne', '%00', '%ff', `${ID}0`, 'null', '..%2f..', '%F0%9F%98%80'])(
    'the id %s is refused or unknown everywhere',
    async (id) => {
      for (const { method, path } of server.routes) {
        if (!path.includes(':')) continue;
        const target = path.replaceAll(/:\w+/g, id);
        const answer = await request(server, method.toUpperCase(), target, { token: player.accessToken });
        // a device token, or the slug of a game, may be almost anything
        if (answer.status >= 400) expectProblem(answer);
        expect([target, answer.status < 500]).toEqual([target, true]);
      }
    },
  );

  test.each([
    ['?cursor=x', 'BAD_CURSOR'],
    ['?cursor=%00', 'BAD_CURSOR'],
    [`?cursor=${Buffer.from('[{"$ne":1},{"$ne":1}]').toString('base64url')}`, 'BAD_CURSOR'],
    [`?cursor=${Buffer.from('[1e400,"zzz"]').toString('base64url')}`, 'BAD_CURSOR'],
    [`?cursor=${Buffer.from('["zzz"]').toString('base64url')}`, 'BAD_CURSOR'],
    ['?limit=0', 'VALIDATION_FAILED'],
    ['?limit=1e9', 'VALIDATION_FAILED'],
    ['?limit=1&limit=2', 'VALIDATION_FAILED'],
    ['?limit[$gt]=1', 'VALIDATION_FAILED'],
    ['?__proto__=1', 'VALIDATION_FAILED'],
  ] as const)('the query %s is refused by every list', async (query, code) => {
    for (const path of ['/api/lobbies', '/api/notifications', '/api/matchmaking/matches', '/api/games'])
      expectProblem(await player.get(path + query), code);
  });

  test('unknown paths are 404, and other methods 405 with those that there are', async () => {
    for (const path of ['/api', '/api/nope', '/metrics', '/.git/config', '/api/lobbies/open/more'])
      expectProblem(await request(server, 'GET', path), 'NOT_FOUND');
    const answer = await request(server, 'PUT', `/api/lobbies/${ID}`);
    expectProblem(answer, 'METHOD_NOT_ALLOWED');
    expect(answer.headers.get('allow')).toBe('GET, HEAD, PATCH');
  });

  test.each([
    ['no token', ''],
    ['junk', 'junk'],
    ['three parts of nothing', 'e30.e30.e30'],
    ['no algorithm', `${part({ alg: 'none', typ: 'JWT' })}.${part({ sub: ID, role: 'admin' })}.`],
  ])('%s is refused by every route for players', async (_what, token) => {
    for (const { verb, target, access } of targets())
      if (access !== 'anyone')
        expectProblem(
          await request(server, verb, target, { headers: { authorization: `Bearer ${token}` } }),
          'UNAUTHENTICATED',
        );
  });

  test('a player gets nowhere where a moderator or an admin is needed', async () => {
    const admins = targets().filter(({ access }) => access === 'admin' || access === 'moderator');
    expect(admins.length).toBeGreaterThan(0);
    for (const { verb, target, body } of admins)
      expectProblem(
        await request(server, verb, target, { token: player.accessToken, ...(body ? { body: {} } : {}) }),
        'FORBIDDEN',
      );
  });

  test('of all this, the account has not changed', async () => {
    const { body } = await player.get('/api/users/me');
    expect(body).toMatchObject({ id: player.userId, username: player.username, role: 'player' });
  });

  test('answers about credentials are never stored, refusals included', async () => {
    for (const body of [
      { identifier: player.username, password: player.password },
      { identifier: 'x', password: 'y' },
      {},
    ])
      expect((await request(server, 'POST', '/api/auth/login', { body })).headers.get('cache-control')).toBe(
        'no-store',
      );
    const refreshed = await request(server, 'POST', '/api/auth/refresh', { body: { refreshToken: 'x'.repeat(40) } });
    expect(refreshed.headers.get('cache-control')).toBe('no-store');
  });

  test('browsers of the listed origins may call, others may not', async () => {
    const allowed = async (origin: string) =>
      (await request(server, 'GET', '/api/games', { headers: { origin } })).headers.get('access-control-allow-origin');
    expect(await allowed(ORIGIN)).toBe(ORIGIN);
    expect(await allowed('https://evil.example.test')).toBeNull();
  });
});

test('no password and no token reaches the log, at any level, on any way', async () => {
  const log = recordedLog();
  const server = await startTestServer({ logger: log.logger });
  const player = await registerPlayer(server);
  const secrets = [
    player.password,
    player.accessToken,
    player.refreshToken,
    'wrong-canary-1',
    'device-canary-'.repeat(5),
  ];

  await request(server, 'POST', '/api/auth/login', { body: { identifier: player.email, password: 'wrong-canary-1' } });
  const login = { identifier: player.email, password: player.password };
  secrets.push(
    ...Object.values((await request(server, 'POST', '/api/auth/login', { body: login })).body as object).filter(isText),
  );
  await request(server, 'POST', '/api/auth/login', { body: `{"password":"${player.password}"` });
  const { body } = await request(server, 'POST', '/api/auth/refresh', { body: { refreshToken: player.refreshToken } });
  secrets.push(body.accessToken, body.refreshToken);
  await request(server, 'POST', '/api/auth/refresh', { body: { refreshToken: player.refreshToken } });
  await request(server, 'GET', `/api/users/me?token=${player.accessToken}`, {
    headers: { cookie: player.refreshToken },
  });
  await player.put(`/api/notifications/devices/${'device-canary-'.repeat(5)}`, { platform: 'ios' });
  await request(server, 'GET', `/api/users/me`, { token: `${player.accessToken}x` });
  const again = await request(server, 'POST', '/api/auth/login', { body: login });
  const socket = await connectSocket(server, again.body.accessToken);
  await socket.send('auth:refresh', { token: again.body.accessToken });
  secrets.push(again.body.accessToken, again.body.refreshToken);
  socket.close();

  expect(log.lines.length).toBeGreaterThan(8);
  const text = log.lines.join('');
  for (const secret of secrets.filter((each) => each !== undefined)) expect(text).not.toContain(secret);
});

const isText = (value: unknown): value is string => typeof value === 'string';

test('a request is found in the log by the id in its answer', async () => {
  const log = recordedLog();
  const server = await startTestServer({ logger: log.logger });
  const player = await registerPlayer(server);
  const { headers } = await player.get('/api/users/me');
  const line = log.lines.map((each) => JSON.parse(each)).find(({ req }) => req?.id === headers.get('x-request-id'));
  expect(line).toMatchObject({
    req: { method: 'GET', path: '/api/users/me' },
    res: { statusCode: 200 },
    userId: player.userId,
  });
});

describe('Idempotency-Key', () => {
  test('opens one lobby, however often and however many at once ask for it', async () => {
    const server = await startTestServer({ env: { SEED_ON_START: 'true' } });
    const player = await registerPlayer(server);
    const game = (await player.get('/api/games?limit=1')).body.items[0];
    const mode = (await player.get(`/api/games/${game.id}`)).body.modes[0].key;
    const open = (key: string, body: object = { gameId: game.id, mode }) =>
      player.post('/api/lobbies', body, { 'idempotency-key': key });

    const first = await open('k1');
    const second = await open('k1');
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
    expect([first, second].map(({ headers }) => headers.get('idempotent-replayed'))).toEqual([null, 'true']);
    expectProblem(await open('k1', { gameId: game.id, mode, visibility: 'public' }), 'IDEMPOTENCY_CONFLICT');
    expectProblem(await open('k 2'), 'VALIDATION_FAILED');

    const many = await Promise.all(Array.from({ length: 10 }, () => open('k3')));
    const made = new Set(many.filter(({ status }) => status === 201).map(({ body }) => body.id));
    expect(made.size).toBe(1);
    for (const { status, body } of many) if (status !== 201) expect(body.code).toBe('IDEMPOTENCY_CONFLICT');
    expect((await player.get('/api/lobbies')).body.items).toHaveLength(2);

    // a request that is refused uses up nothing
    expectProblem(await open('k4', { gameId: ID, mode }), 'NOT_FOUND');
    expect((await open('k4')).status).toBe(201);
  });
});

describe('rate limits', () => {
  test('login by address, with the time to wait, while others go on', async () => {
    const server = await startTestServer({ env: { RATE_LIMITS: 'true', TRUST_PROXY_HOPS: '1' } });
    const login = (ip: string, identifier = 'nobody') =>
      request(server, 'POST', '/api/auth/login', {
        body: { identifier, password: 'x' },
        headers: { 'x-forwarded-for': ip },
      });
    const answers = await Promise.all(
      Array.from({ length: LIMITS.credentials.max + 2 }, (_, i) => login('192.0.2.1', `nobody${i}`)),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(2);
    for (const answer of refused) {
      expectProblem(answer, 'RATE_LIMITED');
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect((await login('192.0.2.2')).status).toBe(401);
  });

  test('requests without a good token by address, while those with one go on', async () => {
    const server = await startTestServer({ env: { RATE_LIMITS: 'true', TRUST_PROXY_HOPS: '1' } });
    const { accessToken } = await registerPlayer(server);
    const guess = (token: string, ip = '192.0.2.1') =>
      request(server, 'GET', '/api/users/me', { token, headers: { 'x-forwarded-for': ip } });
    const answers = await Promise.all(Array.from({ length: LIMITS.strangers.max }, (_, i) => guess(`${i}.x.y`)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expectProblem(await guess('one.too.many'), 'RATE_LIMITED');
    expectProblem(await guess('', '192.0.2.2'), 'UNAUTHENTICATED');
    expect((await guess(accessToken)).status).toBe(200);
  });
});

describe('health and metrics', () => {
  test('say how the server is, to nobody but who asks on the right port', async () => {
    const server = await startTestServer({ env: { METRICS_PORT: '0' } });
    const get = (path: string) => request(server, 'GET', path);
    expect(await get('/livez')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await get('/readyz')).toMatchObject({
      status: 200,
      body: { status: 'ok', checks: { database: 'up', redis: 'off' } },
    });
    expect((await get('/health')).body).toMatchObject({
      status: 'ok',
      checks: { database: { status: 'up', ms: expect.any(Number) }, redis: { status: 'off' } },
      uptimeSeconds: expect.any(Number),
      time: expect.stringMatching(/Z$/),
    });
    for (const path of ['/livez', '/readyz', '/health'])
      expect((await get(path)).headers.get('cache-control')).toBe('no-store');
    expect((await get('/metrics')).status).toBe(404);

    await get(`/api/games/${ID}`);
    const text = await (await fetch(server.runsOn.metrics!)).text();
    expect(text).toMatch(/^maoga_http_request_duration_seconds_count\{.*route="\/api\/games\/:idOrSlug".*\} 1$/m);
    expect(text).toMatch(/^maoga_sockets 0$/m);
    expect(text).toContain('process_cpu_seconds_total');
    expect(text).not.toContain(ID);
  });
});

test('without a Redis that is configured a server starts and serves, and says that it is degraded', async () => {
  // nothing listens on the discard port
  const server = await startTestServer({ env: { REDIS_URL: 'redis://127.0.0.1:9', RATE_LIMITS: 'true' } });
  expect(await request(server, 'GET', '/readyz')).toMatchObject({
    status: 200,
    body: { status: 'degraded', checks: { database: 'up', redis: 'away' } },
  });
  expect((await registerPlayer(server)).userId).toMatch(/^[0-9a-f]{24}$/);
});

/** Resolves when the server takes no requests any more; until then it is alive, and not ready. */
async function refusesConnections(server: MaogaServer): Promise<void> {
  for (;;) {
    const answer = await request(server, 'GET', '/readyz').catch(() => undefined);
    if (answer === undefined) return;
    expect(answer).toMatchObject({ status: 503, body: { status: 'draining' } });
  }
}

describe('a graceful stop', () => {
  test('is not ready at once, and serves as ever until the load balancer has looked away', async () => {
    const server = await startTestServer({ env: { DRAIN_SECONDS: '1' } });
    const stopped = server.stop();
    for (let times = 0; times < 20; times++) {
      expect(await request(server, 'GET', '/readyz')).toMatchObject({ status: 503, body: { status: 'draining' } });
      expect(await request(server, 'GET', '/api/games')).toMatchObject({ status: 200 });
    }
    await stopped;
    await expect(request(server, 'GET', '/readyz')).rejects.toThrow();
  });

  test('answers the request that has begun, takes no other, and leaves nothing open', async () => {
    const server = await startTestServer();
    const body = JSON.stringify({ email: 'last@example.test', username: 'last_one', password: 'long enough to pass' });
    const last = httpRequest(`${server.url}/api/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': body.length, expect: '100-continue' },
    });
    last.flushHeaders();
    // the server has the request, and waits for its body
    await once(last, 'continue');
    const stopped = server.stop();
    await refusesConnections(server);
    last.end(body);
    const [response] = (await once(last, 'response')) as [IncomingMessage];
    response.resume();
    expect(response.statusCode).toBe(201);
    await stopped;
    await server.stop();
  });
});
