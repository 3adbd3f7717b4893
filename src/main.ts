import { loadConfig } from './config/config';
import { developmentSecrets } from './config/development-secrets';
import { readEnvironment } from './config/environment';
import { createLogger } from './core/logger';
import { createServer } from './server';
import { startUpBlock } from './start-up-block';
import { startUpFailure } from './start-up-failure';

/** env -> config -> server -> signals. */
async function main(): Promise<void> {
  const config = loadConfig(readEnvironment(), developmentSecrets);
  const logger = createLogger(config.log);
  const server = await createServer(config, { logger });
  process.stdout.write(startUpBlock(config, server));

  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) process.exit(1); // a second signal forces
    stopping = true;
    logger.info({ signal }, 'stopping');
    setTimeout(() => process.exit(1), config.shutdownSeconds * 1000).unref();
    void server.stop().then(() => logger.info('stopped'));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

main().catch((error: unknown) => {
  process.stderr.write(`${startUpFailure(error)}\n`);
  process.exitCode = 1;
});
