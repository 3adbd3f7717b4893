import { isOnPath, startRedis, type Service } from '../../scripts/cluster/services';
import { withDatabase } from '../../src/database/connect';
import { startEmbeddedMongo } from '../../src/embedded-mongo';
import type { MaogaServer } from '../../src/server';
import { ended, playerOf, registerPlayer, request, type Player } from '../support/client';
import { startTestServer } from '../support/server';
import { registerStaff } from '../support/staff';

/** Two whole servers, and sockets on both: what ends a player's sessions closes all of them, and presence is the same on both. */

const WITHIN_MS = 5_000;
/** Long enough to connect on a busy machine; the promise is about what follows. */
const TIMEOUT_MS = 120_000;

describe.each([
  ['with Redis', isOnPath('redis-server') ? describe : describe.skip],
  ['without Redis', describe],
] as const)('two instances %s', (name, suite) => {
  suite('', () => {
    let database: Awaited<ReturnType<typeof startEmbeddedMongo>>;
    let redis: Service | undefined;
    let one: MaogaServer;
    let two: MaogaServer;

    beforeAll(async () => {
      database = await startEmbeddedMongo({});
      redis = name === 'with Redis' ? await startRedis() : undefined;
      const env = { MONGODB_URI: withDatabase(database.uri), ...(redis ? { REDIS_URL: redis.uri } : {}) };
      [one, two] = [await startTestServer({ env }), await startTestServer({ env })];
    }, TIMEOUT_MS);
    afterAll(async () => {
      await two?.stop();
      await one?.stop();
      await redis?.child.stop();
      await database.stop();
    }, TIMEOUT_MS);

    /** A socket at each instance, and how each ends. */
    const connectTwice = async (player: Player) => {
      const sockets = [await player.connect(), await playerOf(two, player).connect()];
      return { sockets, ends: sockets.map(ended) };
    };

    test.each([
      ['logging out everywhere', async (player: Player) => player.post('/api/auth/logout-all')],
      [
        'a ban',
        async (player: Player) => {
          const judge = await registerStaff(one, 'admin');
          return judge.patch(`/api/admin/users/${player.userId}`, { status: 'banned', reason: 'because of a test' });
        },
      ],
      ['leaving for good', async (player: Player) => player.delete('/api/users/me', { password: player.password })],
    ])(
      '%s closes the sockets at both within 5 s, and neither takes the token any more',
      async (_what, end) => {
        const [player, bystander] = [await registerPlayer(one), await registerPlayer(one)];
        const { ends } = await connectTwice(player);
        const others = await connectTwice(bystander);
        const answer = await end(player);
        expect(answer.status).toBeLessThan(300);
        const begun = performance.now();
        const refused = await Promise.all(
          [one, two].map((server) => request(server, 'GET', '/api/users/me', { token: player.accessToken })),
        );
        expect(refused.every(({ status }) => status === 401 || status === 403)).toBe(true);
        expect(await Promise.all(ends)).toEqual(['io server disconnect', 'io server disconnect']);
        expect(performance.now() - begun).toBeLessThan(WITHIN_MS);
        for (const { socket } of others.sockets) expect(socket.connected).toBe(true);
        others.sockets.forEach(({ close }) => close());
      },
      TIMEOUT_MS,
    );

    if (name === 'with Redis')
      test(
        'a player is online to watchers at either as long as one socket of theirs is open at any',
        async () => {
          const [friend, here, there] = [
            await registerPlayer(one),
            await registerPlayer(one),
            await registerPlayer(two),
          ];
          const watchers = [await here.connect(), await there.connect()];
          const statuses = () =>
            Promise.all(
              watchers.map(async ({ send }) => {
                const { data } = await send('presence:subscribe', { userIds: [friend.userId] });
                return data.statuses[0].status as string;
              }),
            );
          const news = (status: string) =>
            Promise.all(watchers.map(({ next }) => next('presence:update', (update) => update.status === status)));
          expect(await statuses()).toEqual(['offline', 'offline']);
          const { sockets } = await connectTwice(friend);
          await news('online');
          expect(await statuses()).toEqual(['online', 'online']);
          sockets[0]!.close();
          // whoever goes on at the other one has not gone
          await one.loops.get('presence')!.tick();
          expect(await statuses()).toEqual(['online', 'online']);
          sockets[1]!.close();
          await news('offline');
          const updates = watchers.map(({ heard }) => heard.filter((event) => event.name === 'presence:update').length);
          expect(updates).toEqual([2, 2]);
          watchers.forEach(({ close }) => close());
        },
        TIMEOUT_MS,
      );
  });
});
