import { parseArgs } from 'node:util';
import { loadConfig } from '../src/config/config';
import { developmentSecrets } from '../src/config/development-secrets';
import { readEnvironment } from '../src/config/environment';
import { createLogger } from '../src/core/logger';
import { connectAsTool } from '../src/database/connect';
import { Refusal, runAsCommand } from './command-line';
import { tableOf, verifyInvariants } from './verify/invariants';

/**
 * `npm run verify:invariants`, in an image `node dist/scripts/verify-invariants.js`: checks the database that the server uses with
 * the same settings, while it runs or when it does not. Exit code 0: everything holds; 1: something does not; 2: it could not look.
 */
const HELP = `
  npm run verify:invariants -- [options]

  Reads the whole database, and writes nothing: nobody in two matches or searches, every ticket in the match that holds
  it, one lobby for each match, every match told, members who asked for each other.

    --at-rest         no server runs on this database (a restored copy): what is over time is not counted as stuck
    --patience <s>    seconds that a running server may take for what it does by itself   (default 60)
    --help            this text

  Exit code 0: everything holds. 1: something does not, and is named. 2: the check could not be made.
`;

interface Options {
  patienceMs: number | null;
  help: boolean;
}

function optionsOf(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      'at-rest': { type: 'boolean', default: false },
      patience: { type: 'string', default: '60' },
      help: { type: 'boolean', default: false },
    },
  });
  const seconds = /^\d{1,6}$/.test(values.patience) ? Number(values.patience) : Number.NaN;
  if (Number.isNaN(seconds)) throw new Refusal(`--patience must be a number of seconds, not "${values.patience}".`);
  return { patienceMs: values['at-rest'] ? null : seconds * 1000, help: values.help };
}

async function main(args: string[]): Promise<number> {
  const { help, patienceMs } = optionsOf(args);
  if (help) {
    process.stdout.write(HELP);
    return 0;
  }
  const { database: settings, log } = loadConfig(readEnvironment(), developmentSecrets);
  if (settings.uri === undefined && settings.directory === undefined)
    throw new Refusal(
      'DATA_DIR is :memory:, which no other process can reach: set it to a folder, or set MONGODB_URI.',
    );
  const database = await connectAsTool(settings, createLogger({ ...log, level: 'warn' }));
  try {
    process.stdout.write(`\n  Checking ${database.description}\n`);
    const verdict = await verifyInvariants(database.connection, { patienceMs });
    process.stdout.write(tableOf(verdict));
    return verdict.findings.total === 0 ? 0 : 1;
  } finally {
    await database.stop();
  }
}

runAsCommand(main, { refused: 2, failed: 2 });
