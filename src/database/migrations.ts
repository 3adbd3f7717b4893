import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from 'mongoose';
import type { Logger } from '../core/logger';
import { createDatabaseClock } from './database-clock';
import { createLoop } from '../core/loop';
import { isDuplicateKey } from './transaction';

/**
 * Migrations by migrate-mongo, on a connection that is open already. Its configuration is global to the process but holds
 * nothing of a connection, so servers side by side share it. Its own lock is a check followed by a write; two instances
 * that start at once are kept apart by the lock here, which a crashed holder loses by itself.
 */

export interface Migration {
  fileName: string;
  /** ISO time, or null while it is pending. */
  appliedAt: string | null;
}

const CHANGELOG = 'migrations';
const LOCKS = 'migrationLocks';
const LOCK_MS = 30_000;
const LOOK_AGAIN_MS = 100;

/** Applies what is pending, in order. @returns the files that were applied here (another instance may have been first) */
export async function migrateUp(connection: Connection, logger: Logger): Promise<string[]> {
  if ((await pending(connection)).length === 0) return [];
  return withLock(connection, logger, async () => {
    const { up } = await migrateMongo();
    const applied = await up(databaseOf(connection), connection.getClient());
    if (applied.length > 0) logger.info({ applied }, 'migrated the database');
    return applied;
  });
}

/** Takes the newest applied migration back. @returns the file, or nothing when none is applied */
export async function migrateDown(connection: Connection, logger: Logger): Promise<string[]> {
  return withLock(connection, logger, async () => {
    const { down } = await migrateMongo();
    const undone = await down(databaseOf(connection), connection.getClient());
    if (undone.length > 0) logger.info({ undone }, 'took a migration back');
    return undone;
  });
}

export async function migrationStatus(connection: Connection): Promise<Migration[]> {
  const { status } = await migrateMongo();
  const rows = await status(databaseOf(connection));
  return rows.map(({ fileName, appliedAt }) => ({ fileName, appliedAt: appliedAt === 'PENDING' ? null : appliedAt }));
}

async function pending(connection: Connection): Promise<Migration[]> {
  return (await migrationStatus(connection)).filter((migration) => migration.appliedAt === null);
}

async function migrateMongo() {
  const tool = await import('migrate-mongo');
  tool.config.set({
    migrationsDir: migrationsDirectory(),
    changelogCollectionName: CHANGELOG,
    moduleSystem: 'commonjs',
  });
  return tool;
}

/** `migrations/` of the nearest folder above: the sources and the build stand at different depths below it. */
function migrationsDirectory(): string {
  for (let folder = __dirname; folder !== dirname(folder); folder = dirname(folder))
    if (existsSync(join(folder, 'migrations')) && existsSync(join(folder, 'package.json')))
      return join(folder, 'migrations');
  throw new Error('There is no migrations/ folder beside package.json above this file.');
}

function databaseOf(connection: Connection) {
  if (!connection.db) throw new Error('The connection is not open.');
  return connection.db;
}

interface Lock {
  _id: string;
  owner: string;
  until: Date;
}

/** One at a time over all processes. The lock is extended while `work` runs and expires after a crash. */
async function withLock<Result>(connection: Connection, logger: Logger, work: () => Promise<Result>): Promise<Result> {
  const locks = databaseOf(connection).collection<Lock>(LOCKS);
  const owner = randomUUID();
  // the clocks of two machines may differ by more than the lock lasts
  const clock = await createDatabaseClock(connection, logger);
  const until = () => new Date(clock.now() + LOCK_MS);
  for (let tries = 0; !(await take()); tries++) {
    if (tries === 0) logger.info('waiting for another instance that is migrating');
    await delay(LOOK_AGAIN_MS);
  }
  const extend = createLoop({
    name: 'migration lock',
    everyMs: LOCK_MS / 3,
    tick: async () => void (await locks.updateOne({ _id: 'migrate', owner }, { $set: { until: until() } })),
    onError: (err) => logger.warn({ err }, 'the migration lock could not be extended'),
  });
  extend.start();
  try {
    return await work();
  } finally {
    await extend.stop();
    await locks.deleteOne({ _id: 'migrate', owner });
  }

  async function take(): Promise<boolean> {
    try {
      await locks.updateOne(
        { _id: 'migrate', until: { $lt: new Date(clock.now()) } },
        { $set: { owner, until: until() } },
        { upsert: true },
      );
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }
}
