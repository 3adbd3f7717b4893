import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'node:net';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { MongoClient } from 'mongodb';
import { freePort, nodeArgs, startChild, type Child } from './child';

/** What a cluster runs on, each in a process of its own. */
export interface Service {
  readonly uri: string;
  readonly port: number;
  readonly child: Child;
}

const START_MS = 120_000;
/** Of the database's heap, as in `npm start`: most of what a command makes is garbage before it is copied. */
const YOUNG_GENERATION = '--max-semi-space-size=64';

export interface DatabaseOptions {
  /** None: in memory. */
  directory?: string | undefined;
  /** None: any free one. */
  port?: number;
  /** What an instance that is killed in the middle of a transaction has locked is free after this; see docs/operations/database.md. */
  transactionSeconds?: number;
}

/** The embedded MongoDB-compatible server. */
export async function startDatabase(options: DatabaseOptions = {}): Promise<Service> {
  const { directory, port, transactionSeconds = 5 } = options;
  const where = directory === undefined ? [] : ['--dir', directory];
  const taken = port ?? (await freePort());
  const lines: string[] = [];
  const child = await startChild({
    command: process.execPath,
    args: [YOUNG_GENERATION, ...nodeArgs('src/embedded-mongo/cli'), '--port', String(taken), ...where],
    onLine: (line) => void lines.push(line),
  });
  await untilAnswering('the database', taken, child, lines);
  const uri = `mongodb://127.0.0.1:${taken}/maoga?replicaSet=embedded`;
  await limitTransactions(uri, transactionSeconds);
  return { uri, port: taken, child };
}

async function limitTransactions(uri: string, seconds: number): Promise<void> {
  const client = await MongoClient.connect(uri);
  await client.db('admin').command({ setParameter: 1, transactionLifetimeLimitSeconds: seconds });
  await client.close();
}

/** A Redis that keeps nothing, or undefined where there is no redis-server on the PATH. */
export async function startRedis(port?: number): Promise<Service | undefined> {
  if (!isOnPath('redis-server')) return undefined;
  const taken = port ?? (await freePort());
  const lines: string[] = [];
  const child = await startChild({
    command: 'redis-server',
    args: ['--port', String(taken), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    onLine: (line) => void lines.push(line),
  });
  await untilAnswering('Redis', taken, child, lines);
  return { uri: `redis://127.0.0.1:${taken}`, port: taken, child };
}

export function isOnPath(command: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

async function untilAnswering(name: string, port: number, child: Child, lines: readonly string[]): Promise<void> {
  for (const until = Date.now() + START_MS; Date.now() < until && child.running; await delay(50))
    if (await answers(port)) return;
  child.signal('SIGKILL');
  throw new Error(`${name} did not start on port ${port}:\n${lines.slice(-10).join('\n')}`);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(false));
  });
}
