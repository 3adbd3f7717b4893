import { withDatabase } from '../../src/database/connect';
import { startEmbeddedMongo } from '../../src/embedded-mongo';
import { createLogger } from '../../src/core/logger';
import { POOL_LEASES } from '../../src/modules/matchmaking';
import type { MaogaServer } from '../../src/server';
import { registerPlayer, type Player } from '../support/client';
import { addGame, databaseOf, DUEL } from '../support/matchmaking';
import { startTestServer } from '../support/server';

/** Two whole servers on one database: who leads a pool, and what becomes of it when that one goes. */

let database: Awaited<ReturnType<typeof startEmbeddedMongo>>;

beforeAll(async () => {
  database = await startEmbeddedMongo({});
});

afterAll(() => database.stop());

const logger = createLogger({ level: 'silent', pretty: false });
const start = (env: Record<string, string> = {}): Promise<MaogaServer> =>
  startTestServer({ logger, env: { MONGODB_URI: withDatabase(database.uri), LEASE_TTL_MS: '800', ...env } });

const leaders = async (server: MaogaServer): Promise<Map<string | null, number>> => {
  const rows = await (await databaseOf(server)).collection('leases').find().toArray();
  const counts = new Map<string | null, number>();
  for (const row of rows) counts.set(row['owner'], (counts.get(row['owner']) ?? 0) + 1);
  return counts;
};

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (await what()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('it did not come to that');
}

const submit = (player: Player, gameId: string, mode: string) =>
  player.post('/api/matchmaking/tickets', { games: [{ gameId, mode }] });

test('instances share the pools, match those who queued at different instances, and one takes over when the other leaves', async () => {
  const one = await start();
  const modes = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`duel-${i}`, DUEL]));
  const gameId = await addGame(one, modes);
  expect([...(await leaders(one)).values()]).toEqual([POOL_LEASES.length]);

  const two = await start();
  await until(async () => [...(await leaders(one)).values()].join() === '8,8');

  // every pair queues at both instances, in pools of either leader
  const matched = async (servers: [MaogaServer, MaogaServer]) => {
    await Promise.all(
      Object.keys(modes).map(async (mode) => {
        const [ada, bob] = [await registerPlayer(servers[0]), await registerPlayer(servers[1])];
        const sockets = [await ada.connect(), await bob.connect()];
        expect((await submit(ada, gameId, mode)).status).toBe(201);
        expect((await submit(bob, gameId, mode)).status).toBe(201);
        const news = await Promise.all(
          [ada, bob].map(async (player) => {
            for (;;) {
              const { body } = await player.get('/api/matchmaking/tickets/current');
              if (body.ticket === null) return (await player.get('/api/matchmaking/matches?limit=1')).body.items[0];
              await new Promise((resolve) => setTimeout(resolve, 50));
            }
          }),
        );
        expect(news[0].id).toBe(news[1].id);
        expect(news[0].lobbyId).toBe(news[1].lobbyId);
        sockets.forEach((socket) => socket.close());
      }),
    );
  };
  await matched([one, two]);

  await two.stop();
  await matched([one, one]);
  expect([...(await leaders(one)).keys()]).toHaveLength(1);
}, 60_000);
