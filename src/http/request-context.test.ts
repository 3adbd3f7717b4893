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

test('every line written for a request says which one it is and whose, also deep inside and beside others', async () => {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({ level: 'info', pretty: false }, { write: (line) => void lines.push(JSON.parse(line)) });
  const deep = async (word: string) => {
    await turn();
    logger.info(word);
  };
  const routes = (['anyone', 'player'] as const).map((access) =>
    route({
      method: 'post',
      path: `/api/${access}`,
      summary: 'Says it to the log',
      tag: 'Test',
      access,
      body: z.strictObject({ word: z.string() }),
      status: 204,
      handler: ({ body }) => deep(body.word),
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
  await Promise.all([
    ...Array.from({ length: 5 }, (_, i) => say('/api/player', `r${i}`, { authorization: `Bearer u${i}` })),
    say('/api/anyone', 'nobody'),
  ]);
  logger.info('outside');
  http.closeAllConnections();
  http.close();

  const said = lines.map(({ msg, requestId, userId }) => [msg, requestId, userId]).sort();
  expect(said).toEqual([
    ['from nobody', 'nobody', undefined],
    ...Array.from({ length: 5 }, (_, i) => [`from r${i}`, `r${i}`, `u${i}`]),
    ['outside', undefined, undefined],
  ]);
});
