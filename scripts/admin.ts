import { loadConfig, type Config } from '../src/config/config';
import { developmentSecrets } from '../src/config/development-secrets';
import { readEnvironment } from '../src/config/environment';
import { systemClock } from '../src/core/clock';
import { systemIds } from '../src/core/ids';
import { createLogger } from '../src/core/logger';
import { createAudit } from '../src/database/audit';
import { connectAsTool, type Database } from '../src/database/connect';
import { createTransact } from '../src/database/transaction';
import { createAccounts, createUserModel } from '../src/modules/users';
import { Refusal, runAsCommand } from './command-line';

/**
 * `npm run admin -- <email>`, in an image `node dist/scripts/admin.js <email>`: makes an account an admin, in the database
 * that the server uses with the same settings, also while it runs. It takes effect with the next request.
 */

const USAGE = 'Usage: npm run admin -- <email>   (of an account that is registered)';

async function main([email, ...more]: string[]): Promise<void> {
  if (email === undefined || !email.includes('@') || more.length > 0) throw new Refusal(USAGE);
  const config = loadConfig(readEnvironment(), developmentSecrets);
  requireKept(config.database);
  const database = await connect(config);
  try {
    const { connection } = database;
    const tools = { connection, clock: systemClock, ids: systemIds };
    const accounts = createAccounts({ ...tools, Users: createUserModel(connection) });
    const audit = createAudit(tools);
    const promoted = await createTransact(connection)(async (session) => {
      const userId = await accounts.promoteToAdmin(session, email);
      const act = {
        action: 'user.roleChanged',
        actorId: null,
        reason: 'npm run admin',
        details: { to: 'admin' },
      } as const;
      if (userId !== null) await audit.append(session, { ...act, targetId: userId });
      return userId;
    });
    if (promoted === null)
      throw new Refusal(`There is no account with the address ${email} in ${database.description}. Register it first.`);
    process.stdout.write(`${email} is an admin now, in ${database.description}.\n`);
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

function requireKept({ uri, directory }: Config['database']): void {
  if (uri === undefined && directory === undefined)
    throw new Refusal('DATA_DIR is :memory:, so that no other process can reach the accounts: set it to a folder.');
}

runAsCommand(main, { refused: 1, failed: 1 });
