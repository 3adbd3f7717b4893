import { loadConfig, type Config } from '../../src/config/config';
import { systemClock, type Clock } from '../../src/core/clock';
import { createServer, type MaogaServer, type ServerOptions } from '../../src/server';

/**
 * A whole server for a test: port 0, a database of its own in memory, no rate limits, loops armed at test speed unless
 * `runLoops: false`. Ended by itself after the file's tests.
 */
export interface TestServerOptions extends ServerOptions {
  env?: Record<string, string>;
}

const running: MaogaServer[] = [];

export function testConfig(env: Record<string, string> = {}): Config {
  const base = {
    NODE_ENV: 'test',
    PORT: '0',
    DATA_DIR: ':memory:',
    BCRYPT_COST: '4',
    RATE_LIMITS: 'false',
    SEED_ON_START: 'false',
    MATCHMAKING_TICK_MS: '50',
  };
  return loadConfig({ ...base, ...env }, () => ({ jwtSecret: 'j'.repeat(32), refreshSecret: 'r'.repeat(32) }));
}

export async function startTestServer({ env = {}, ...options }: TestServerOptions = {}): Promise<MaogaServer> {
  const server = await createServer(testConfig(env), options);
  running.push(server);
  return server;
}

/** The real clock, moved on by hand: what waits for minutes in life waits for nothing in a test. */
export function shiftedClock(): Clock & { advance(ms: number): void } {
  let shift = 0;
  return {
    now: () => systemClock.now() + shift,
    advance: (ms) => {
      shift += ms;
    },
  };
}

afterAll(async () => {
  // the last one first: it may stand on the database of an earlier one
  for (const server of running.splice(0).reverse()) await server.stop();
});
