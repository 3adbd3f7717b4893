import { freePort } from './child';
import { createMember, type Member } from './member';
import { startProxy } from './proxy';
import { startDatabase, startRedis, type Service } from './services';

/** Several instances on one machine, with what they share and a proxy in front. */
export interface Cluster {
  readonly url: string;
  readonly database: Service;
  readonly redis: Service | undefined;
  readonly members: readonly Member[];
  /** In order: the instances, the proxy, Redis, the database. */
  stop(): Promise<void>;
}

export interface ClusterOptions {
  instances: number;
  /** Of the proxy; 0: any free one. */
  port: number;
  /** Where the database keeps its data; none: in memory. */
  directory?: string | undefined;
  /** Settings of every instance. */
  env: Record<string, string | undefined>;
  onLine: (who: string, line: string) => void;
  onExit: (who: string, how: string, asked: boolean) => void;
}

/** @throws where something does not start; what had started is stopped */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { instances, port, directory, onLine } = options;
  const releasers: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const release of releasers.splice(0).reverse()) await release();
  };
  try {
    const database = await startDatabase({ directory });
    releasers.push(() => database.child.stop());
    const redis = await startRedis();
    if (redis) releasers.push(() => redis.child.stop());
    const env = {
      ...options.env,
      MONGODB_URI: database.uri,
      REDIS_URL: redis?.uri ?? '',
      TRUST_PROXY_HOPS: '1',
    };
    const ports = await Promise.all(Array.from({ length: instances }, freePort));
    const members = ports.map((own, i) => createMember(String(i + 1), own, { ...options, env, onLine }));
    const proxy = await startProxy(port, members);
    releasers.push(() => proxy.close());
    releasers.push(() => Promise.all(members.map((member) => member.stop())));
    await Promise.all(members.map((member) => member.start()));
    await proxy.look();
    return { url: proxy.url, database, redis, members, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
