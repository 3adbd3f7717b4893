import { loadConfig } from '../src/config/config';
import { developmentSecrets } from '../src/config/development-secrets';
import { readEnvironment } from '../src/config/environment';
import { createLogger } from '../src/core/logger';
import { connectAsTool } from '../src/database/connect';
import { renewSeals } from '../src/modules/auth';
import { Refusal, runAsCommand } from './command-line';

/** `npm run reseal`, in an image `node dist/scripts/reseal.js`. */
const HELP = `
  npm run reseal

  Encrypts what DATA_PREVIOUS_SECRET has encrypted with DATA_SECRET, while servers that have both go on. docs/accounts.md has
  the steps around it. Changes nothing where nothing is to be done.

  Exit code 0: DATA_SECRET alone opens everything. 1: there are second factors that neither of the two opens.
`;

async function main(args: string[]): Promise<number> {
  if (args[0] === '--help') return print(HELP);
  if (args.length > 0) throw new Refusal(HELP);
  const { auth, database: settings, log } = loadConfig(readEnvironment(), developmentSecrets);
  const database = await connectAsTool(settings, createLogger({ ...log, level: 'warn' }));
  try {
    const { current, previous, lost } = await renewSeals(database.connection, auth.dataSecrets);
    print(`In ${database.description}: ${previous} second factors renewed, ${current} needed nothing.\n`);
    if (lost === 0) return 0;
    throw new Refusal(
      `${lost} are of another secret: give it as DATA_PREVIOUS_SECRET and run this again, or their owners cannot sign in.`,
    );
  } finally {
    await database.stop();
  }
}

function print(text: string): 0 {
  process.stdout.write(text);
  return 0;
}

runAsCommand(main, { refused: 1, failed: 1 });
