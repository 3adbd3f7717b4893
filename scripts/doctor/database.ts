import mongoose, { type Connection } from 'mongoose';
import type { Config } from '../../src/config/config';
import { createLogger } from '../../src/core/logger';
import { connectAsTool, withDatabase } from '../../src/database/connect';
import { migrateUp, migrationStatus } from '../../src/database/migrations';
import { startEmbeddedMongo } from '../../src/embedded-mongo';
import { renewSeals } from '../../src/modules/auth';
import { failure, ok, warning, type Finding } from './report';

const QUIET = createLogger({ level: 'silent', pretty: false });
const SLOW_MS = 50;
const LONG_TRANSACTION_SECONDS = 10;
const SKEW_WARNING_MS = 1000;
const SKEW_FAILURE_MS = 30_000;

/** The database that the server uses with these settings, or uses if it runs. */
export async function examineDatabase({ database: settings, auth }: Config): Promise<Finding[]> {
  let opened: Awaited<ReturnType<typeof connectAsTool>>;
  try {
    opened = await connectAsTool(settings, QUIET);
  } catch (error) {
    const advice =
      'Check MONGODB_URI, the network (firewall, Atlas IP access list, VPC peering) and the user and password.';
    return [failure('Database', (error as Error).message, advice)];
  }
  const { connection, description } = opened;
  try {
    const answers = await latency(connection);
    return [
      answers > SLOW_MS
        ? warning('Database', `${description} answers in ${answers} ms`, 'Put servers and database into one region.')
        : ok('Database', `${description}, answers in ${answers} ms`),
      await transactions(connection, settings.uri !== undefined),
      await clock(connection),
      ...(await migrationsAndIndexes(connection, settings.migrate)),
      await seals(connection, auth.dataSecrets),
    ];
  } finally {
    await opened.stop();
  }
}

async function latency(connection: Connection): Promise<number> {
  await command(connection, { ping: 1 });
  const begun = performance.now();
  await command(connection, { ping: 1 });
  return Math.round(performance.now() - begun);
}

/** 0 where nobody may ask, as on Atlas. */
async function transactionLimit(connection: Connection): Promise<number> {
  const name = 'transactionLifetimeLimitSeconds';
  const reply = await databaseOf(connection)
    .admin()
    .command({ getParameter: 1, [name]: 1 })
    .catch(() => undefined);
  return Number(reply?.[name] ?? 0);
}

/** @param shared whether it may go on while a server that uses it dies */
async function transactions(connection: Connection, shared: boolean): Promise<Finding> {
  try {
    await connection.transaction((session) => databaseOf(connection).collection('users').findOne({}, { session }));
    const seconds = shared ? await transactionLimit(connection) : 0;
    if (seconds <= LONG_TRANSACTION_SECONDS) return ok('Transactions', 'work');
    return warning(
      'Transactions',
      `work; what a server that is killed has locked stays so for ${seconds} s`,
      'Run mongod with --setParameter transactionLifetimeLimitSeconds=5, where it is yours: docs/operations/database.md.',
    );
  } catch (error) {
    return failure(
      'Transactions',
      (error as Error).message,
      'MongoDB must run as a replica set (one member is enough): mongod --replSet rs0, then rs.initiate().',
    );
  }
}

/** Tokens have times in them, and instances read the database's clock. */
async function clock(connection: Connection): Promise<Finding> {
  const before = Date.now();
  const { localTime } = (await command(connection, { hello: 1 })) as { localTime?: Date };
  if (!localTime) return ok('Clock', 'the database does not tell its time');
  const skew = Math.round(localTime.getTime() - (before + Date.now()) / 2);
  const says = `${Math.abs(skew)} ms ${skew < 0 ? 'ahead of' : 'behind'} the database's`;
  const advice = 'Keep the clocks with NTP or chrony, on this machine and on that of the database.';
  if (Math.abs(skew) > SKEW_FAILURE_MS) return failure('Clock', says, advice);
  return Math.abs(skew) > SKEW_WARNING_MS ? warning('Clock', says, advice) : ok('Clock', says);
}

async function migrationsAndIndexes(connection: Connection, migratesItself: boolean): Promise<Finding[]> {
  const pending = (await migrationStatus(connection)).filter(({ appliedAt }) => appliedAt === null);
  if (pending.length > 0) {
    const says = `${pending.length} pending, first ${pending[0]?.fileName}`;
    return [
      migratesItself
        ? ok('Migrations', `${says}: the server applies them when it starts`)
        : failure(
            'Migrations',
            says,
            'Back up, then run `npm run migrate:up` (in an image node dist/scripts/migrate.js up).',
          ),
    ];
  }
  const missing = await missingIndexes(connection);
  return [
    ok('Migrations', 'all applied'),
    missing.length === 0
      ? ok('Indexes', 'all there')
      : failure(
          'Indexes',
          `missing: ${missing.join(', ')}`,
          'Somebody has dropped them: take the migration that makes them back and apply it again, or create them by hand as it does.',
        ),
  ];
}

/** Whether DATA_SECRET is the one that this database was filled with. */
async function seals(connection: Connection, secrets: Config['auth']['dataSecrets']): Promise<Finding> {
  const { current, previous, lost } = await renewSeals(connection, secrets, { look: true });
  if (lost > 0)
    return failure(
      'Data secret',
      `${lost} second factors are of another DATA_SECRET: their owners cannot sign in`,
      'Give the secret of before as DATA_PREVIOUS_SECRET (docs/accounts.md), then run `npm run reseal`.',
    );
  return previous > 0
    ? warning('Data secret', `${previous} second factors still need DATA_PREVIOUS_SECRET`, 'Run `npm run reseal`.')
    : ok('Data secret', `opens all ${current} second factors`);
}

/** Those that the migrations make on an empty database, and that this one has not. */
async function missingIndexes(connection: Connection): Promise<string[]> {
  const server = await startEmbeddedMongo({});
  try {
    const fresh = await mongoose
      .createConnection(withDatabase(server.uri), { autoIndex: false, autoCreate: false })
      .asPromise();
    try {
      await migrateUp(fresh, QUIET);
      const there = new Set(await indexesOf(connection));
      return (await indexesOf(fresh)).filter((index) => !there.has(index));
    } finally {
      await fresh.close();
    }
  } finally {
    await server.stop();
  }
}

/** As `collection.index`. */
async function indexesOf(connection: Connection): Promise<string[]> {
  const db = databaseOf(connection);
  const collections = await db.listCollections({}, { nameOnly: true }).toArray();
  const all = await Promise.all(
    collections.map(async ({ name }) => (await db.collection(name).indexes()).map((index) => `${name}.${index.name}`)),
  );
  return all.flat().sort();
}

const command = (connection: Connection, what: object) =>
  databaseOf(connection)
    .admin()
    .command({ ...what });

function databaseOf(connection: Connection) {
  if (!connection.db) throw new Error('not connected');
  return connection.db;
}
