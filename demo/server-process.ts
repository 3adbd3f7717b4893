import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pino } from 'pino';
import { loadConfig } from '../src/config/config';
import { developmentSecrets } from '../src/config/development-secrets';
import { createLogger } from '../src/core/logger';
import { createServer } from '../src/server';

/** Of the event loop's delay, which a timer measures. */
const RESOLUTION_MS = 2;

/**
 * A server in a process of its own, for the demo and the benchmarks (see own-server.ts): settings come in as the first argument, the
 * address goes out as a message, logs go to standard error, `usage` is answered with what the process has used so far, and it
 * stops when its parent lets go of it, however that ends.
 */
async function main(): Promise<void> {
  const settings = JSON.parse(process.argv[2] ?? '{}') as Record<string, string>;
  const config = loadConfig(settings, developmentSecrets);
  const server = await createServer(config, { logger: createLogger(config.log, pino.destination(2)) });
  process.once('disconnect', () => void server.stop().then(() => process.exit(0)));
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  process.on('message', (wanted) => {
    if (wanted !== 'usage') return;
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    const late = (ns: number) => Math.max(0, ns / 1e6 - RESOLUTION_MS);
    process.send?.({
      cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
      peakRssBytes: maxRSS * 1024,
      loopDelayP99Ms: late(delay.percentile(99)),
      loopDelayMaxMs: late(delay.max),
    });
    delay.reset();
  });
  // the parent may be gone already
  if (process.connected)
    process.send?.({ url: server.url, database: server.runsOn.database, databaseUri: server.databaseUri });
  else process.emit('disconnect');
}

main().catch((error: unknown) => {
  process.stderr.write(`${String((error as Error).stack ?? error)}\n`);
  process.exit(1);
});
