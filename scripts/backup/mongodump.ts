import type { Connection } from 'mongoose';
import { Refusal } from '../command-line';
import { feed, findTool, outputOf, type Tool } from './tool';

/**
 * Backups by MongoDB's own tools. `--oplog` makes them of one moment, and that only of a whole instance: so the instance must
 * hold no other database, and its user must have the role `backup` (to restore: `restore`, and any action on any resource, for
 * `--oplogReplay`). Compressing is left to the envelope, which does it for every kind of backup.
 */
const DUMP = ['--archive', '--oplog'];
/** Users and settings stay those of where it is restored. */
const RESTORE = ['--archive', '--oplogReplay', '--nsExclude=admin.*', '--nsExclude=config.*', '--stopOnError'];
const OF_MONGODB = ['admin', 'config', 'local'];

export const dumpArchive = (tool: Tool, uri: string): AsyncGenerator<Buffer> =>
  outputOf(tool, DUMP, ofWholeInstance(uri));

/** @throws Error with the tool's last words where not all of it was restored */
export const restoreArchive = (tool: Tool, uri: string, archive: AsyncIterable<Buffer>): Promise<void> =>
  feed(tool, RESTORE, ofWholeInstance(uri), archive);

export type Way = { tool: Tool } | { tool: undefined; because: string };

/**
 * Whether this database is backed up by `mongodump`.
 * @param wanted `driver`, `mongodump`, or undefined: mongodump where that is possible
 * @throws Refusal where mongodump is wanted and not possible
 */
export async function chooseWay(
  wanted: string | undefined,
  directory: string | undefined,
  connection: Connection,
): Promise<Way> {
  if (wanted === 'driver') return { tool: undefined, because: 'as asked for' };
  const tool = await findTool('mongodump', directory);
  const because =
    tool === undefined
      ? `there is no mongodump ${directory === undefined ? 'on the PATH' : `in ${directory}`}`
      : await obstacle(connection);
  if (tool !== undefined && because === undefined) return { tool };
  if (wanted === 'mongodump') throw new Refusal(`mongodump cannot be used: ${because}.`);
  return { tool: undefined, because: because ?? '' };
}

/** Why a whole instance cannot be dumped as of one moment, in words that end a sentence. */
async function obstacle(connection: Connection): Promise<string | undefined> {
  const client = connection.getClient();
  try {
    // only members of a replica set keep one, and only the role `backup` may read it
    if ((await client.db('local').collection('oplog.rs').findOne({})) === null) return 'the database keeps no oplog';
    const { databases } = await client.db('admin').admin().listDatabases({ nameOnly: true });
    const others = databases.map(({ name }) => name).filter((name) => ![...OF_MONGODB, connection.name].includes(name));
    return others.length === 0 ? undefined : `the instance also holds other databases (${others.join(', ')})`;
  } catch (error) {
    return `its user needs the role backup (${(error as Error).message})`;
  }
}

/** The same address without the name of a database, which would make the tools take only that one. */
export function ofWholeInstance(uri: string): string {
  const [, scheme = '', authority = '', database = '', query = ''] =
    /^(mongodb(?:\+srv)?:\/\/)([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/.exec(uri) ?? [];
  // the database named was also where the user is looked up; with +srv that is said by DNS
  const implied =
    database !== '' && authority.includes('@') && scheme === 'mongodb://' && !/auth(Source|Mechanism)=/i.test(query);
  const options = [query, implied ? `authSource=${database}` : ''].filter((part) => part !== '').join('&');
  return `${scheme}${authority}/${options === '' ? '' : `?${options}`}`;
}
