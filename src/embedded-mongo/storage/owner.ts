/**
 * One process at a time has a data directory: the file `owner` in it names the process by its number and its start time, so that a number given anew to
 * another process is not taken for the owner. A file left behind by a process that is gone is taken over.
 */
import { readFileSync } from 'node:fs';
import { link, open, readFile, rename, rm, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';

interface Owner {
  pid: number;
  /** Of that process; null where the system does not tell. */
  started: string | null;
  host: string;
  /** Tells this holder from another one in the same process. */
  id: string;
}

/** @returns what gives the directory up. @throws Error that names the owner, with the code EBUSY */
export async function own(directory: string): Promise<() => Promise<void>> {
  const file = join(directory, 'owner');
  const me: Owner = { pid: process.pid, started: startTime(process.pid), host: hostname(), id: randomUUID() };
  const draft = join(directory, `owner.${me.id}`);
  await writeDurably(draft, JSON.stringify(me));
  try {
    while (!(await take(draft, file))) {
      const owner = await read(file);
      if (owner && isAlive(owner))
        throw Object.assign(new Error(`The data directory ${directory} is in use by process ${owner.pid} on ${owner.host}: stop that one first, or use another directory.`), { code: 'EBUSY' }); // prettier-ignore
      await evict(file, owner, directory);
    }
  } finally {
    await rm(draft, { force: true });
  }
  return async () => {
    if ((await read(file))?.id === me.id) await rm(file, { force: true });
  };
}

/** A link is made only if there is no such file, whoever else tries at the same moment. */
async function take(draft: string, file: string): Promise<boolean> {
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Moves a dead owner's file away; of several that try, each looks at what it has really moved. */
async function evict(file: string, dead: Owner | undefined, directory: string): Promise<void> {
  const aside = join(directory, `owner.${randomUUID()}`);
  try {
    await rename(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = await read(aside);
  // somebody else was faster: it is given back
  if (moved && moved.id !== dead?.id && isAlive(moved)) await link(aside, file).catch(() => undefined);
  await unlink(aside);
}

async function read(file: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

function isAlive({ pid, started, host }: Owner): boolean {
  // nothing is known about processes of another machine
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = startTime(pid);
  return started === null || now === null || now === started;
}

/** The 22nd field of /proc/pid/stat: ticks after the start of the machine. */
function startTime(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
