import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startOwnServer, type OwnServer } from '../demo/own-server';
import { startProxy } from '../scripts/cluster/proxy';
import { startDatabase, startRedis, type Service } from '../scripts/cluster/services';
import { createReleasers } from '../src/core/releasers';

/** What the load goes to: one server that has its database inside, or several with what they share. */
export interface Servers {
  url: string;
  /** In words. */
  database: string;
  usage(): Promise<ServersUsage>;
  stop(): Promise<void>;
}

export interface ServersUsage {
  /** Of all instances. */
  cpuSeconds: number;
  /** Of the database where it is a process of its own, and the system says (Linux). */
  databaseCpuSeconds: number | null;
  /** Of the instance that was the latest. */
  loopDelayP99Ms: number;
  /** Of the largest instance. */
  peakRssBytes: number;
}

export interface ServersOptions {
  /** Undefined: one, without a database of its own process, Redis or a load balancer. */
  instances: number | undefined;
  /** Undefined: in memory. */
  directory: string | undefined;
  /** Where instances find the secrets that they share. */
  home: string;
}

/** As it is shipped: compiled (`npm run bench:load` sees to it), with the flags of `npm start`. */
const BUILT = {
  script: join(__dirname, '../dist/bench/demo/server-process.js'),
  execArgv: ['--enable-source-maps'],
};
/** How passwords are hashed is not what is measured here. */
const SETTINGS = { BCRYPT_COST: '4' };

export async function startServers({ instances, directory, home }: ServersOptions): Promise<Servers> {
  if (instances === undefined) {
    const server = await startOwnServer({ ...SETTINGS, DATA_DIR: directory ?? ':memory:' }, BUILT);
    const stop = async () => void (await server.stop());
    return { url: server.url, database: server.database, usage: () => usageOf([server]), stop };
  }
  const releasers = createReleasers(() => undefined);
  try {
    const database = await startDatabase(directory);
    releasers.push('database', () => database.child.stop());
    const redis = await startRedis();
    releasers.push('redis', () => redis?.child.stop());
    const shared = { MONGODB_URI: database.uri, REDIS_URL: redis?.uri ?? '', DATA_DIR: home, TRUST_PROXY_HOPS: '1' };
    const servers: OwnServer[] = [];
    // one after the other: the first one makes the secrets that all of them use
    for (let i = 0; i < instances; i++) {
      const server = await startOwnServer({ ...SETTINGS, ...shared }, BUILT);
      releasers.push(`instance ${i + 1}`, () => server.stop());
      servers.push(server);
    }
    const proxy = await startProxy(
      0,
      servers.map(({ url }) => ({ port: Number(new URL(url).port) })),
    );
    releasers.push('proxy', () => proxy.close());
    const words = `embedded server in a process of its own (${directory === undefined ? 'in memory' : 'on disk'})`;
    return {
      url: proxy.url,
      database: `${words}, ${redis ? 'with' : 'without'} Redis`,
      usage: () => usageOf(servers, database),
      stop: () => releasers.releaseAll(),
    };
  } catch (error) {
    await releasers.releaseAll();
    throw error;
  }
}

async function usageOf(servers: readonly OwnServer[], database?: Service): Promise<ServersUsage> {
  const all = await Promise.all(servers.map((server) => server.usage()));
  return {
    cpuSeconds: all.reduce((sum, each) => sum + each.cpuSeconds, 0),
    databaseCpuSeconds: database ? cpuSecondsOf(database.child.pid) : null,
    loopDelayP99Ms: Math.max(...all.map((each) => each.loopDelayP99Ms)),
    peakRssBytes: Math.max(...all.map((each) => each.peakRssBytes)),
  };
}

/** User and system time in /proc/<pid>/stat, after the name in brackets, in hundredths of a second. */
function cpuSecondsOf(pid: number): number | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return null;
  }
}
