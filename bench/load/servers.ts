import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startOwnServer, type OwnServer } from '../../demo/own-server';
import { startDatabase, startRedis, type Service } from '../../scripts/cluster/services';
import { loadConfig } from '../../src/config/config';
import { developmentSecrets } from '../../src/config/development-secrets';
import { systemClock } from '../../src/core/clock';
import { createReleasers } from '../../src/core/releasers';
import { createAccessTokens, type Claims } from '../../src/modules/auth/access-tokens';

/** What the load goes to: one server that has its database inside, or several with what they share. */
export interface Servers {
  urls: readonly string[];
  /** In words. */
  database: string;
  databaseUri: string;
  /** Signs as they do. */
  issue: (claims: Claims) => string;
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
  /** Undefined: one, without a database of its own process. */
  instances: number | undefined;
  /** Undefined: in memory. */
  directory: string | undefined;
  /** Where instances find the secrets that they share. */
  home: string;
}

/** As it is shipped: compiled (`npm run bench:load` sees to it), with the flags of `npm start`. */
const BUILT = {
  script: join(__dirname, '../../demo/server-process.js'),
  execArgv: ['--max-semi-space-size=64', '--enable-source-maps'],
};

export async function startServers({ instances, directory, home }: ServersOptions): Promise<Servers> {
  // how passwords are hashed is not what is measured here; the players' tokens are made without asking the server for each
  const settings = {
    BCRYPT_COST: '4',
    JWT_SECRET: randomBytes(48).toString('base64url'),
    ACCESS_TOKEN_SECONDS: '86400',
  };
  const issuer = createAccessTokens(
    loadConfig({ ...settings, DATA_DIR: ':memory:' }, developmentSecrets).auth,
    systemClock,
  );
  const issue = (claims: Claims) => issuer.issue(claims);
  if (instances === undefined) {
    const server = await startOwnServer({ ...settings, DATA_DIR: directory ?? ':memory:' }, BUILT);
    const stop = async () => void (await server.stop());
    return { ...server, urls: [server.url], issue, usage: () => usageOf([server]), stop };
  }
  const releasers = createReleasers(() => undefined);
  try {
    const database = await startDatabase({ directory });
    releasers.push('database', () => database.child.stop());
    const redis = instances === 1 ? undefined : await startRedis();
    releasers.push('redis', () => redis?.child.stop());
    const shared = { MONGODB_URI: database.uri, REDIS_URL: redis?.uri ?? '', DATA_DIR: home };
    const servers: OwnServer[] = [];
    // one after the other: the first one makes the secrets that all of them use
    for (let i = 0; i < instances; i++) {
      const server = await startOwnServer({ ...settings, ...shared }, BUILT);
      releasers.push(`instance ${i + 1}`, () => server.stop());
      servers.push(server);
    }
    const words = `embedded server in a process of its own (${directory === undefined ? 'in memory' : 'on disk'})`;
    return {
      urls: servers.map((server) => server.url),
      database: `${words}, ${redis ? 'with' : 'without'} Redis`,
      databaseUri: database.uri,
      issue,
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
