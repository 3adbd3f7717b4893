import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { createLogger } from '../../src/core/logger';
import { problemSchema } from '../../src/http/openapi';
import type { MaogaServer } from '../../src/server';
import { connectSocket, registerPlayer, request } from '../support/client';
import { addGame, DUEL } from '../support/matchmaking';
import { startTestServer } from '../support/server';
import { registerStaff } from '../support/staff';
import { fromSchemas, hostile, type JsonSchema } from './hostile';

/**
 * Every route and every event, as the server's own documents describe them, with what is nearly right and wrong at any depth.
 * Nothing of it may be answered 500, or not at all, or make the server grow. With more of it, and another seed:
 * `FUZZ_RUNS=200 FUZZ_SEED=7 npx jest test/attacks/fuzz.test.ts`.
 */

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 8);
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_124);
const PATIENCE_MS = 10_000;
const MORE_HEAP_BYTES = 64 * 2 ** 20;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const heap = () => {
  collectGarbage();
  return process.memoryUsage().heapUsed;
};

interface Operation {
  parameters?: { name: string; in: 'path' | 'query' | 'header'; schema: JsonSchema }[];
  requestBody?: { content: { 'application/json': { schema: JsonSchema } } };
}
interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, JsonSchema> };
}
interface AsyncApi {
  operations: Record<string, { action: string; messages: { $ref: string }[] }>;
  channels: { socket: { messages: Record<string, { name: string; payload: JsonSchema }> } };
  components: { schemas: Record<string, JsonSchema> };
}

describe('fuzz', () => {
  const log: string[] = [];
  const logger = createLogger({ level: 'error', pretty: false }, { write: (line) => void log.push(line) });
  let server: MaogaServer;
  let openApi: OpenApi;
  let asyncApi: AsyncApi;
  let ids: string[];
  beforeAll(async () => {
    server = await startTestServer({ logger, runLoops: false });
    openApi = (await request(server, 'GET', '/openapi.json')).body;
    asyncApi = (await request(server, 'GET', '/asyncapi.json')).body;
    const gameId = await addGame(server, { duel: DUEL });
    const player = await registerPlayer(server);
    const lobby = await player.post('/api/lobbies', { gameId, mode: 'duel', visibility: 'public' });
    ids = [gameId, player.userId, lobby.body.id];
  });
  afterEach(() => {
    expect(log.splice(0)).toEqual([]);
  });

  const bounded = { seed: SEED, numRuns: RUNS, endOnFailure: true };

  test(
    'no route fails, hangs, or answers an error in other words than a problem document',
    async () => {
      const operations = Object.entries(openApi.paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
      );
      expect(operations.length).toBe(server.routes.length);
      const { node } = fromSchemas(openApi.components.schemas, ids);
      const before = heap();
      let [asked, granted] = [0, 0];
      for (const { path, method, operation } of operations) {
        // one who may ask for everything; a new one for each, since some requests end the account
        const { accessToken: token } = await registerStaff(server, 'admin');
        const { parameters = [], requestBody } = operation;
        const place = (where: string) =>
          fc.record(
            Object.fromEntries(
              parameters.filter((each) => each.in === where).map(({ name, schema }) => [name, node(schema)]),
            ),
            where === 'path' ? {} : { requiredKeys: [] },
          );
        const body = requestBody ? node(requestBody.content['application/json'].schema) : fc.constant(undefined);
        const property = fc.asyncProperty(place('path'), place('query'), body, async (inPath, inQuery, sent) => {
          const word = (value: unknown) => {
            const text = typeof value === 'string' ? value : JSON.stringify(value);
            return encodeURIComponent((text ?? '').slice(0, 2_000).replaceAll(/\p{Surrogate}/gu, ''));
          };
          const target = path.replaceAll(
            /\{(\w+)\}/g,
            (_all, name: string) => word((inPath as Record<string, unknown>)[name]) || '%20',
          );
          const query = Object.entries(inQuery as Record<string, unknown>).map(
            ([name, value]) => `${name}=${word(value)}`,
          );
          const response = await fetch(`${server.url}${target}${query.length ? `?${query.join('&')}` : ''}`, {
            method: method.toUpperCase(),
            headers: {
              authorization: `Bearer ${token}`,
              ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
            },
            ...(sent === undefined ? {} : { body: JSON.stringify(sent) }),
            signal: AbortSignal.timeout(PATIENCE_MS),
          });
          const text = await response.text();
          expect(response.status).toBeLessThan(500);
          asked += 1;
          if (response.ok) granted += 1;
          if (response.status >= 400) expect(problemSchema.safeParse(JSON.parse(text)).error).toBeUndefined();
          expect(text).not.toMatch(/\n\s+at |node_modules|MongoServerError|CastError/);
        });
        await fc.assert(property, bounded).catch((error: Error) => {
          throw new Error(`${method.toUpperCase()} ${path}: ${error.message}`);
        });
      }
      // a good part of it gets as far as the services
      expect(granted / asked).toBeGreaterThan(0.1);
      expect(heap() - before).toBeLessThan(MORE_HEAP_BYTES + RUNS * 2 ** 20);
    },
    60_000 * RUNS,
  );

  test(
    'no event fails or goes unanswered',
    async () => {
      const { node } = fromSchemas(asyncApi.components.schemas, ids);
      const heard = Object.values(asyncApi.operations).filter(({ action }) => action === 'receive');
      expect(heard.length).toBe(server.clientEvents.length);
      const before = heap();
      for (const { messages } of heard) {
        const { name, payload } = asyncApi.channels.socket.messages[messages[0]!.$ref.split('/').at(-1)!]!;
        const { accessToken } = await registerPlayer(server);
        const { socket } = await connectSocket(server, accessToken);
        const args = fc.oneof(
          { weight: 5, arbitrary: node(payload).map((each) => [each]) },
          { weight: 1, arbitrary: fc.array(hostile, { maxLength: 3 }) },
        );
        const property = fc.asyncProperty(args, async (sent) => {
          const answer = (await socket.timeout(PATIENCE_MS).emitWithAck(name, ...sent)) as {
            ok: boolean;
            error?: { code: string };
          };
          if (!answer.ok) expect(['INTERNAL', 'UNAVAILABLE']).not.toContain(answer.error?.code);
        });
        await fc.assert(property, bounded).catch((error: Error) => {
          throw new Error(`${name}: ${error.message}`);
        });
        socket.disconnect();
      }
      expect(heap() - before).toBeLessThan(MORE_HEAP_BYTES);
    },
    60_000 * RUNS,
  );

  test('nothing of it has made anybody an admin, or changed what objects are', async () => {
    expect(({} as { role?: string }).role).toBeUndefined();
    const player = await registerPlayer(server);
    expect((await player.get('/api/users/me')).body.role).toBe('player');
  });
});
