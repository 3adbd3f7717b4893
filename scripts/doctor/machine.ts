import { accessSync, constants, mkdirSync, readFileSync, statfsSync } from 'node:fs';
import semver from 'semver';
import type { Config } from '../../src/config/config';
import { failure, ok, warning, type Finding } from './report';

const NEEDED_NODE = '>=20.19';
const ROOM_MB = 1024;
const FILES = 4096;

/** The machine or container that the server is to run on. */
export function examineMachine({ database }: Config): Finding[] {
  return [node(), ...(database.uri === undefined ? [disk(database.directory)] : []), ...openFiles()];
}

function node(): Finding {
  const { version } = process;
  if (semver.satisfies(version, NEEDED_NODE)) return ok('Node', version);
  return failure('Node', `${version} is too old`, `Install Node ${NEEDED_NODE}.`);
}

function disk(directory: string | undefined): Finding {
  if (directory === undefined) return warning('Data', 'nothing is kept', 'Set DATA_DIR to a folder to keep data.');
  try {
    mkdirSync(directory, { recursive: true });
    accessSync(directory, constants.W_OK);
    const { bavail, bsize } = statfsSync(directory);
    const freeMb = Math.round((bavail * bsize) / 2 ** 20);
    if (freeMb > ROOM_MB) return ok('Data', `${directory}, ${freeMb} MB free`);
    return warning('Data', `${directory} has only ${freeMb} MB left`, 'Make room, or move DATA_DIR.');
  } catch (error) {
    return failure('Data', (error as Error).message, 'DATA_DIR must be a folder that this user may write to.');
  }
}

/** Every socket is an open file. @returns how many this process may have; known on Linux only, else Infinity */
export function maxOpenFiles(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Infinity);
  } catch {
    return Infinity;
  }
}

function openFiles(): Finding[] {
  const most = maxOpenFiles();
  if (most === Infinity) return [];
  if (most >= FILES) return [ok('Open files', `up to ${most}`)];
  return [
    warning('Open files', `at most ${most}, and each connected player is one`, `Raise the limit: ulimit -n 65536.`),
  ];
}
