import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Connection } from 'mongoose';
import { loadConfig, type Config } from '../src/config/config';
import { developmentSecrets } from '../src/config/development-secrets';
import { readEnvironment } from '../src/config/environment';
import { createLogger } from '../src/core/logger';
import { connectAsTool, type Database } from '../src/database/connect';
import { Refusal, runAsCommand } from './command-line';
import { unwrap } from './backup/envelope';
import { checkContents, contentsOf, type Contents, type Origin } from './backup/contents';
import { load, sameCounts, type Loaded } from './backup/load';
import { restoreArchive } from './backup/mongodump';
import { verified } from './backup/place';
import { findBackup } from './backup/places';
import { createProgress } from './backup/progress';
import { findTool, type Tool } from './backup/tool';
import { tableOf, verifyInvariants } from './verify/invariants';

/**
 * `npm run restore -- <backup>` and `npm run restore:drill -- <backup>`, in an image `node dist/scripts/restore.js`.
 * docs/operations/backup.md says when and how.
 */
const HELP = `
  npm run restore -- <backup | folder | s3://bucket/prefix> [options]
  npm run restore:drill -- <backup | folder | s3://bucket/prefix>

  Reads the backup (of a place, the newest) to its end first, and writes nothing if it is damaged. Then fills the database
  that the server uses with the same settings, compares the counts, and checks the invariants. Stop all servers before.

    --replace   empties the database first; without it, a database that holds anything is refused
    --drill     restores into a database of its own that is thrown away: a rehearsal
    --help      this text

  Exit code 0: restored, and everything holds. 1: it is not, or something does not hold. 2: nothing was begun.
`;

interface Options {
  address: string;
  replace: boolean;
  drill: boolean;
  help: boolean;
}

function optionsOf(args: string[]): Options {
  const flag = { type: 'boolean', default: false } as const;
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { replace: flag, drill: flag, help: flag },
  });
  const [address = '', ...more] = positionals;
  if (!values.help && (address === '' || more.length > 0))
    throw new Refusal(`Name one backup, or where they are.${HELP}`);
  return { address, ...values };
}

async function main(args: string[]): Promise<number> {
  const { help, address, drill, replace } = optionsOf(args);
  if (help) {
    print(HELP);
    return 0;
  }
  const config = loadConfig(readEnvironment(), developmentSecrets);
  const { place, name } = await findBackup(address);
  const open = () => contentsOf(unwrap(verified(place, name), config.backups.passphrase));
  print(`Reading ${name}`);
  const origin = await checkContents(await open());
  const tool = origin && (await toolFor(origin, drill, config));

  const database = drill ? await openDrill(config) : await openOwn(config);
  try {
    requireName(database.connection, origin);
    print(`Restoring into ${database.description}`);
    await empty(database.connection, replace);
    return await judge(database.connection, await fill(database, await open(), tool));
  } finally {
    await database.stop();
    place.close();
  }
}

/** What an archive is restored with. */
async function toolFor({ madeBy }: Origin, drill: boolean, { backups }: Config): Promise<Tool> {
  if (drill)
    throw new Refusal(
      `This backup is of ${madeBy}, which the database of a drill does not understand. Rehearse in an empty MongoDB: MONGODB_URI=… npm run restore -- <backup>`,
    );
  const tool = await findTool('mongorestore', backups.toolsDirectory);
  if (tool) return tool;
  throw new Refusal(`This backup is of ${madeBy}: it needs mongorestore on the PATH or in MONGODB_TOOLS_DIR.`);
}

/** An archive with an oplog cannot be restored under another name. */
function requireName({ name }: Connection, origin: Origin | undefined): void {
  if (origin && origin.database !== name)
    throw new Refusal(`The backup is of a database named ${origin.database}: MONGODB_URI must name that, not ${name}.`);
}

/** @returns what the counts should be and are, where the backup knows them */
async function fill({ connection, uri }: Database, contents: Contents, tool?: Tool): Promise<Loaded | undefined> {
  if (contents.kind === 'archive') {
    if (tool) await restoreArchive(tool, uri, contents.archive);
    return undefined;
  }
  const progress = createProgress('documents');
  const loaded = await load(databaseOf(connection), contents.records, progress.tell);
  progress.end();
  return loaded;
}

async function openOwn({ database, log }: Config): Promise<Database> {
  if (database.uri === undefined && database.directory === undefined)
    throw new Refusal('DATA_DIR is :memory:, which keeps nothing: set it to a folder, or set MONGODB_URI.');
  return connectAsTool(database, createLogger({ ...log, level: 'warn' }));
}

/** An embedded database in a folder that is removed afterwards. */
async function openDrill({ database, log }: Config): Promise<Database> {
  const directory = await mkdtemp(join(tmpdir(), 'maoga-drill-'));
  const settings = { ...database, uri: undefined, directory, allowEmbedded: true };
  const opened = await connectAsTool(settings, createLogger({ ...log, level: 'warn' }));
  const stop = async () => {
    await opened.stop();
    await rm(directory, { recursive: true, force: true });
  };
  return { ...opened, stop };
}

async function empty(connection: Connection, replace: boolean): Promise<void> {
  const db = databaseOf(connection);
  const collections = await db.listCollections({}, { nameOnly: true }).toArray();
  if (collections.length === 0) return;
  if (!replace)
    throw new Refusal(
      'The database is not empty. Stop all servers and give --replace to put the backup in its place; --drill only rehearses.',
    );
  await db.dropDatabase();
}

/** Whether what is there now is what was backed up, and a sound one. @returns the exit code */
async function judge(connection: Connection, loaded: Loaded | undefined): Promise<number> {
  if (loaded && !isComplete(loaded)) return 1;
  const verdict = await verifyInvariants(connection, { patienceMs: null });
  process.stdout.write(tableOf(verdict));
  return verdict.findings.total === 0 ? 0 : 1;
}

function isComplete({ expected, taken }: Loaded): boolean {
  const width = Math.max(...Object.keys(expected).map((name) => name.length));
  for (const [name, count] of Object.entries(expected))
    print(`  ${name.padEnd(width)}  ${String(taken[name] ?? 0).padStart(8)} of ${count}`);
  const complete = sameCounts(expected, taken);
  if (!complete) print('Documents are missing: this is not what was backed up.');
  return complete;
}

function databaseOf(connection: Connection): Parameters<typeof load>[0] {
  if (!connection.db) throw new Error('not connected');
  return connection.db as unknown as Parameters<typeof load>[0];
}

const print = (text: string) => void process.stdout.write(`${text}\n`);

runAsCommand(main, { refused: 2, failed: 1 });
