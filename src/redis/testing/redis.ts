import { Redis } from 'ioredis';
import { isOnPath, startRedis, type Service } from '../../../scripts/cluster/services';

/** For what wants a real redis-server: where none is on the PATH it is skipped. */
export const withRedis = isOnPath('redis-server') ? describe : describe.skip;

/** A redis-server for the tests of this block, and connections to it; all of it is gone after them. */
export function redisForTests() {
  let service: Service;
  const links: Redis[] = [];
  beforeAll(async () => {
    service = (await startRedis())!;
  });
  afterAll(async () => {
    for (const link of links) link.disconnect();
    await service.child.stop();
  });
  return {
    /** Fails at once while the server is away, as the connection of an instance does. */
    async connect(): Promise<Redis> {
      const link = new Redis(service.uri, { lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 1 });
      link.on('error', () => undefined);
      links.push(link);
      await link.connect();
      return link;
    },
    async kill(): Promise<void> {
      service.child.signal('SIGKILL');
      await service.child.exited;
    },
  };
}
