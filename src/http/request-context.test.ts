import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { z } from 'zod';
import { systemIds } from '../core/ids';
import { createLogger } from '../core/logger';
import { createApp } from './app';
import { createRateLimits } from './rate-limits';
import { route } from './route';

type Line = Record<string, unknown>;
type Server = Awaited<ReturnType<typeof startServer>>;

const stops: (() => void)[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop()));

/** Two routes, one for anybody, which do what a test says. */
async function startServer(level: string, handle: (word: string) => Promise<void>) {
  const lines: Line[] = [];
  const logger = createLogger({ level, pretty: false }, { write: (line) => void lines.push(JSON.parse(line) as Line) });
  const routes = (['anyone', 'player'] as const).map((access) =>
    route({
      method: 'post',
      path: `/api/${access}`,
      summary: 'Says it to the log',
      tag: 'Test',
      access,
      body: z.strictObject({ word: z.string() }),
      status: 204,
      handler: ({ body }) => handle(body.word),
    }),
  );
  const app = createApp({
    config: {
      host: '127.0.0.1',
      port: 0,
      publicUrl: undefined,
      corsOrigins: [],
      trustProxyHops: 0,
      rateLimits: false,
      rateLimitChanges: [],
      docs: false,
    },
    logger,
    ids: systemIds,
    authenticate: async (token) => ({ userId: token, username: token, role: 'player', sessionId: 's' }),
    limiters: createRateLimits(false).limiters,
    idempotency: { once: async (_request, work) => ({ body: JSON.stringify(await work()), replayed: false }) },
    routes,
    observe: [],
    pages: [],
  });
  const http = createServer(app);
  await once(http.listen(0, '127.0.0.1'), 'listening');
  const say = (path: string, id: string, headers: object = {}) =>
    fetch(`http://127.0.0.1:${(http.address() as AddressInfo).port}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': id, ...headers },
      body: JSON.stringify({ word: `from ${id}` }),
    });
  stops.push(() => {
    http.closeAllConnections();
    http.close();
  });
  return { logger, lines, say };
}

test('every line written for a request says which one it is and whose, also deep inside and beside others', async () => {
  const { logger, lines, say } = await startServer('info', async (word) => {
    await turn();
    logger.info(word);
  });
  await Promise.all([
    ...Array.from({ length: 5 }, (_, i) => say('/api/player', `r${i}`, { authorization: `Bearer u${i}` })),
    say('/api/anyone', 'nobody'),
  ]);
  logger.info('outside');

  const said = lines.map(({ msg, requestId, userId }) => [msg, requestId, userId]).sort();
  expect(said).toEqual([
    ['from nobody', 'nobody', undefined],
    ...Array.from({ length: 5 }, (_, i) => [`from r${i}`, `r${i}`, `u${i}`]),
    ['outside', undefined, undefined],
  ]);
});

describe('the line at the end of a request', () => {
  const asAnn = ({ say }: Server, path = '/api/player') => say(path, 'r1', { authorization: 'Bearer u1' });
  const ended = ({ lines }: Server) => lines.filter(({ msg }) => msg === 'request completed');

  test('is there at level debug, and says what was asked, whose it was and how it ended', async () => {
    const server = await startServer('debug', async () => undefined);
    await asAnn(server);
    expect(ended(server)).toEqual([
      expect.objectContaining({
        req: { id: 'r1', method: 'POST', path: '/api/player' },
        res: { statusCode: 204 },
        userId: 'u1',
        responseTime: expect.any(Number),
      }),
    ]);
  });

  test('comes and goes with the level of a running server', async () => {
    const server = await startServer('info', async () => undefined);
    await asAnn(server);
    expect(server.lines).toEqual([]);
    server.logger.level = 'debug';
    await asAnn(server);
    expect(ended(server)).toHaveLength(1);
  });

  test('at any level a failure says in one line what was asked, without the query', async () => {
    const server = await startServer('info', () => Promise.reject(new Error('boom')));
    const answer = await asAnn(server, '/api/player?token=secret');
    expect(answer.status).toBe(500);
    expect(server.lines).toEqual([
      expect.objectContaining({
        msg: 'request failed',
        requestId: 'r1',
        userId: 'u1',
        method: 'POST',
        path: '/api/player',
      }),
    ]);
  });
});
