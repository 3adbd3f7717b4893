import { readArguments } from './config/arguments';
import { loadConfig } from './config/config';
import { developmentSecrets } from './config/development-secrets';
import { readEnvironment } from './config/environment';
import { createLogger } from './core/logger';
import { changeLogLevelOnSignal } from './log-level-on-signal';
import { createServer } from './server';
import { startUpBlock } from './start-up-block';
import { startUpFailure } from './start-up-failure';
import { stopOnSignals } from './stop-on-signals';

/** env, arguments -> config -> server -> signals. */
async function main(): Promise<void> {
  const variables = { ...readEnvironment(), ...readArguments(process.argv.slice(2)) };
  const config = loadConfig(variables, developmentSecrets, process.stdout.isTTY);
  const logger = createLogger(config.log);
  changeLogLevelOnSignal(process, logger);
  const server = await createServer(config, { logger });
  process.stdout.write(startUpBlock(config, server));

  stopOnSignals(process, {
    stop(signal) {
      logger.info({ signal }, 'stopping');
      setTimeout(() => process.exit(1), config.shutdownSeconds * 1000).unref();
      void server.stop().then(() => logger.info('stopped'));
    },
    force: () => process.exit(1),
  });
}

main().catch((error: unknown) => {
  process.stderr.write(`${startUpFailure(error)}\n`);
  process.exitCode = 1;
});
