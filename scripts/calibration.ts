import { loadConfig, type Config } from '../src/config/config';
import { developmentSecrets } from '../src/config/development-secrets';
import { readEnvironment } from '../src/config/environment';
import { createLogger } from '../src/core/logger';
import { connectAsTool, type Database } from '../src/database/connect';
import { calibrationOf, calibrationText } from '../src/modules/matchmaking';
import { startUpFailure } from '../src/start-up-failure';

/**
 * `npm run calibration`, in an image `node dist/scripts/calibration.js`: compares the chances that teams were given with who won,
 * over the finished matches in the database that the server uses with the same settings, also while it runs. Changes nothing.
 */

const USAGE = 'Usage: npm run calibration [-- --json]';

async function main(args: string[]): Promise<void> {
  const json = args[0] === '--json';
  if (args.length > (json ? 1 : 0)) throw new Refusal(USAGE);
  const config = loadConfig(readEnvironment(), developmentSecrets);
  const { uri, directory } = config.database;
  if (uri === undefined && directory === undefined)
    throw new Refusal('DATA_DIR is :memory:, so that no other process can reach the matches: set it to a folder.');
  const database = await connect(config);
  try {
    const modes = await calibrationOf(database.connection);
    const text = json ? JSON.stringify(modes, null, 2) : `${calibrationText(modes)}\n\nFrom ${database.description}.`;
    process.stdout.write(`${text}\n`);
  } finally {
    await database.stop();
  }
}

async function connect({ database, log }: Config): Promise<Database> {
  try {
    return await connectAsTool(database, createLogger({ ...log, level: 'warn' }));
  } catch (error) {
    throw new Refusal(`The database cannot be opened: ${(error as Error).message}`);
  }
}

class Refusal extends Error {}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Refusal ? error.message : startUpFailure(error)}\n`);
  process.exitCode = 1;
});
