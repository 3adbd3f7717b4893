import { loadConfig } from '../src/config/config';
import { developmentSecrets } from '../src/config/development-secrets';
import { readEnvironment } from '../src/config/environment';
import { createLogger } from '../src/core/logger';
import { connectAsTool } from '../src/database/connect';
import { migrateDown, migrateUp, migrationStatus, type Migration } from '../src/database/migrations';
import { Refusal, runAsCommand } from './command-line';

/**
 * `npm run migrate:up | migrate:down | migrate:status`, in an image `node dist/scripts/migrate.js up`: on the database
 * that the server would use with the same settings, or uses if it runs. `down` takes back one migration, the newest.
 */

const USAGE = 'Usage: migrate up | down | status';

async function main([command]: string[]): Promise<void> {
  if (command !== 'up' && command !== 'down' && command !== 'status') throw new Refusal(USAGE);
  const config = loadConfig(readEnvironment(), developmentSecrets);
  // what has been done is printed below; only what goes wrong is logged besides
  const logger = createLogger({ ...config.log, level: 'warn' });
  const database = await connectAsTool(config.database, logger);
  const { connection } = database;
  try {
    print(`Database: ${database.description}`);
    if (command === 'status') print(table(await migrationStatus(connection)));
    else if (command === 'up') print(told('Applied', await migrateUp(connection, logger), 'Nothing is pending.'));
    else print(told('Taken back', await migrateDown(connection, logger), 'Nothing is applied.'));
  } finally {
    await database.stop();
  }
}

function table(migrations: Migration[]): string {
  const width = Math.max(...migrations.map(({ fileName }) => fileName.length));
  return migrations.map(({ fileName, appliedAt }) => `${fileName.padEnd(width)}  ${appliedAt ?? 'pending'}`).join('\n');
}

function told(what: string, files: string[], nothing: string): string {
  return files.length === 0 ? nothing : files.map((file) => `${what}: ${file}`).join('\n');
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

runAsCommand(main, { refused: 1, failed: 1 });
