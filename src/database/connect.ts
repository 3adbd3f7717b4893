import { join } from 'node:path';
import mongoose, { type Connection, type ConnectOptions } from 'mongoose';
import type { Config } from '../config/config';
import type { Logger } from '../core/logger';
import { startEmbeddedMongo } from '../embedded-mongo';
import { AttentiveConnection } from './driver-connection';
import { findLocalMongod } from './local-mongod';
import { announceDatabase, findRunningDatabase } from './running';

/** What the server runs on, in words for people, and how to let go of it. */
export interface Database {
  connection: Connection;
  description: string;
  uri: string;
  /** Whether it is this process's own, so that no other instance of the server can share it. */
  alone: boolean;
  stop(): Promise<void>;
}

interface Host {
  uri: string;
  description: string;
  stop(): Promise<void>;
}

/** A server that is frozen or cut off without a word is given up after the two together, and what waits for it is refused. */
const NOTICING_SILENCE = { heartbeatFrequencyMS: 5000, connectTimeoutMS: 5000 };

/**
 * Chooses and connects the database: `MONGODB_URI` if set; else a real `mongod` if one is on this machine (or may be
 * downloaded); else the embedded server. Indexes are made by migrations, never by a model.
 * @param options.monitorCommands whether the driver tells of every command; somebody has to want that, as it costs a little
 */
export async function connectDatabase(
  config: Config['database'],
  logger: Logger,
  { monitorCommands = false } = {},
): Promise<Database> {
  const host = await chooseHost(config, logger);
  try {
    const connection = await mongoose
      .createConnection(host.uri, {
        autoIndex: false,
        autoCreate: false,
        serverSelectionTimeoutMS: 5000,
        maxPoolSize: 50,
        monitorCommands,
        writeConcern: { w: 'majority' },
        connectionType: AttentiveConnection,
        ...NOTICING_SILENCE,
      } as ConnectOptions)
      .asPromise();
    const stop = async () => {
      await connection.close();
      await host.stop();
    };
    return { connection, description: host.description, uri: host.uri, alone: config.uri === undefined, stop };
  } catch (error) {
    await host.stop();
    throw error;
  }
}

/** For tools: where a server holds the data directory, its database; else as `connectDatabase`. */
export async function connectAsTool(config: Config['database'], logger: Logger): Promise<Database> {
  const running =
    config.uri === undefined && config.directory !== undefined ? findRunningDatabase(config.directory) : undefined;
  if (running === undefined) return connectDatabase(config, logger);
  try {
    const database = await connectDatabase({ ...config, uri: running }, logger);
    return { ...database, description: `the database of the server that runs on ${config.directory}` };
  } catch (err) {
    logger.debug({ err }, 'the address in the data directory is stale');
    return connectDatabase(config, logger);
  }
}

async function chooseHost(config: Config['database'], logger: Logger): Promise<Host> {
  if (config.uri !== undefined)
    return {
      uri: config.uri,
      description: `MongoDB at ${withoutCredentials(config.uri)}`,
      stop: async () => undefined,
    };
  if (!config.allowEmbedded)
    throw new Error('MONGODB_URI is required here: the embedded database is for development only.');
  const host = (await localMongod(config, logger)) ?? (await embedded(config));
  return config.directory === undefined ? host : announce(host, config.directory);
}

/** Held by this process, and findable by tools until it stops. */
async function announce(host: Host, directory: string): Promise<Host> {
  try {
    const withdraw = announceDatabase(directory, host.uri);
    const stop = async () => {
      withdraw();
      await host.stop();
    };
    return { ...host, stop };
  } catch (error) {
    await host.stop();
    throw error;
  }
}

async function embedded(config: Config['database']): Promise<Host> {
  const directory = config.directory === undefined ? undefined : join(config.directory, 'database');
  const server = await startEmbeddedMongo(directory === undefined ? {} : { directory });
  const where = directory === undefined ? 'in memory, nothing is kept' : `data in ${directory}`;
  return {
    uri: withDatabase(server.uri),
    description: `embedded MongoDB-compatible server (${where})`,
    stop: () => server.stop(),
  };
}

/** A `mongod` by mongodb-memory-server, or nothing: it is a development dependency and must never make a start fail. */
async function localMongod(config: Config['database'], logger: Logger): Promise<Host | undefined> {
  const binary = await findLocalMongod(config.download);
  if (binary === undefined) return undefined;
  const { MongoMemoryReplSet } = await import('mongodb-memory-server-core');
  const dbPath = config.directory === undefined ? undefined : join(config.directory, 'mongod');
  logger.debug({ binary }, 'starting a local mongod');
  const server = await MongoMemoryReplSet.create({
    binary: { systemBinary: binary },
    instanceOpts: [{ ...(dbPath === undefined ? {} : { dbPath }), storageEngine: 'wiredTiger' }],
    replSet: { count: 1 },
  });
  const stop = async () => {
    await server.stop({ doCleanup: dbPath === undefined });
  };
  return {
    uri: server.getUri('maoga'),
    description: `mongod ${binary}${dbPath === undefined ? ' (in memory)' : ` (data in ${dbPath})`}`,
    stop,
  };
}

export function withDatabase(uri: string): string {
  const url = new URL(uri);
  if (url.pathname === '' || url.pathname === '/') url.pathname = '/maoga';
  return url.toString();
}

/** The URI without the password, for logs. */
export function withoutCredentials(uri: string): string {
  const [address = ''] = uri.split('?');
  return address.replace(/\/\/[^@/]*@/, '//***@');
}
