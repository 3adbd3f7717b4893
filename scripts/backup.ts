import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig, type Config } from '../src/config/config';
import { developmentSecrets } from '../src/config/development-secrets';
import { readEnvironment } from '../src/config/environment';
import { createLogger } from '../src/core/logger';
import { createLoop } from '../src/core/loop';
import { connectAsTool, type Database } from '../src/database/connect';
import { Refusal, runAsCommand, wordsFor } from './command-line';
import { asContents } from './backup/contents';
import { dump } from './backup/dump';
import { wrap } from './backup/envelope';
import { chooseWay, dumpArchive } from './backup/mongodump';
import { keepNewest, nameAt } from './backup/place';
import { openPlace } from './backup/places';
import { createProgress } from './backup/progress';

/**
 * `npm run backup`, in an image `node dist/scripts/backup.js`: the whole database as it is at one moment, in one file, while servers
 * go on. docs/operations/backup.md has the rest.
 */
const HELP = `
  npm run backup -- [options]

  Writes the database that the server uses with the same settings into one compressed file, as it is at one moment. With
  BACKUP_PASSPHRASE set the file is encrypted. Its SHA-256 is written beside it.

    --to <folder | s3://bucket/prefix>   where to                       (default: backups in DATA_DIR, or .data)
    --keep <n>                           removes all but the newest n   (default: keeps all)
    --every <hours>                      goes on, one backup each time  (default: one, and ends)
    --with <driver | mongodump>          mongodump is on the PATH or in MONGODB_TOOLS_DIR, and dumps an instance that holds
                                         nothing else; the driver can always do it  (default: mongodump where possible)
    --help                               this text

  Exit code 0: it is written. 1: it is not, and nothing is left of the attempt.
`;

const HOUR_MS = 3_600_000;

interface Options {
  to: string | undefined;
  keep: number | undefined;
  everyHours: number | undefined;
  way: string | undefined;
  help: boolean;
}

function optionsOf(args: string[]): Options {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args,
    options: { to: text, keep: text, every: text, with: text, help: { type: 'boolean', default: false } },
  });
  const number = (name: 'keep' | 'every') => {
    const given = values[name];
    if (given === undefined) return undefined;
    if (!/^[1-9]\d{0,3}$/.test(given)) throw new Refusal(`--${name} must be a whole number above 0, not "${given}".`);
    return Number(given);
  };
  const { to, with: way, help } = values;
  if (way !== undefined && !['driver', 'mongodump'].includes(way))
    throw new Refusal(`--with must be driver or mongodump, not "${way}".`);
  return { to, keep: number('keep'), everyHours: number('every'), way, help };
}

async function main(args: string[]): Promise<void> {
  const options = optionsOf(args);
  if (options.help) return void process.stdout.write(HELP);
  const config = loadConfig(readEnvironment(), developmentSecrets);
  const { everyHours } = options;
  if (everyHours === undefined) return backUp(config, options);

  const loop = createLoop({
    name: 'backup',
    everyMs: everyHours * HOUR_MS,
    tick: () => backUp(config, options),
    onError: (error) => void process.stderr.write(`The backup failed: ${wordsFor(error)}\n`),
  });
  process.once('SIGTERM', () => void loop.stop());
  process.once('SIGINT', () => void loop.stop());
  loop.start();
  loop.wake();
}

/** One backup, on a connection of its own: days may lie between two. */
async function backUp(config: Config, { to, keep, way }: Options): Promise<void> {
  const place = openPlace(to ?? join(config.database.directory ?? '.data', 'backups'));
  try {
    const database = await connectAsTool(config.database, createLogger({ ...config.log, level: 'warn' }));
    const progress = createProgress('documents');
    try {
      const contents = await contentsFrom(database, config, way, progress.tell);
      const written = await place.write(nameAt(new Date()), wrap(contents, config.backups.passphrase));
      progress.end();
      const encrypted = config.backups.passphrase === undefined ? 'not encrypted' : 'encrypted';
      print(`Written: ${written.where} (${megabytes(written.size)}, ${encrypted})`);
    } finally {
      progress.end();
      await database.stop();
    }
    if (keep !== undefined) for (const name of await keepNewest(place, keep)) print(`Removed: ${name}`);
  } finally {
    place.close();
  }
}

async function contentsFrom(
  { connection, uri, description }: Database,
  { backups }: Config,
  wanted: string | undefined,
  onProgress: (documents: number) => void,
): Promise<AsyncIterable<Buffer>> {
  const way = await chooseWay(wanted, backups.toolsDirectory, connection);
  if (way.tool !== undefined) {
    print(`Backing up ${description}, with ${way.tool.version}`);
    return asContents(dumpArchive(way.tool, uri), { madeBy: way.tool.version, database: connection.name });
  }
  print(`Backing up ${description}, with the driver (${way.because})`);
  if (!connection.db) throw new Error('not connected');
  const client = connection.getClient() as unknown as Parameters<typeof dump>[0];
  return dump(client, connection.db as unknown as Parameters<typeof dump>[1], onProgress);
}

const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 24 ? 2 : 0)} MB`;
const print = (line: string) => void process.stdout.write(`${line}\n`);

runAsCommand(main, { refused: 1, failed: 1 });
