import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/**
 * Where the database of a running server is. A server without MONGODB_URI holds its data directory for itself; it leaves the
 * address of its database there, so that tools beside it (`npm run admin`, `npm run migrate:status`) can work while it
 * runs. After a crash the file is stale: the process it names is gone.
 */

const fileSchema = z.object({ pid: z.number().int().positive(), uri: z.string().startsWith('mongodb://') });

const fileIn = (directory: string) => join(directory, 'running.json');

/** Call it when the directory is held. @returns takes the file away again, unless another process has written its own */
export function announceDatabase(directory: string, uri: string): () => void {
  const file = fileIn(directory);
  const draft = `${file}.${process.pid}`;
  const announced = JSON.stringify({ pid: process.pid, uri });
  writeFileSync(draft, announced, { mode: 0o600 });
  renameSync(draft, file); // nobody ever reads half of it
  return () => {
    if (readText(file) === announced) rmSync(file, { force: true });
  };
}

/** The address that a running server has left, or undefined where none runs. */
export function findRunningDatabase(directory: string): string | undefined {
  const parsed = fileSchema.safeParse(parseJson(readText(fileIn(directory))));
  return parsed.success && isAlive(parsed.data.pid) ? parsed.data.uri : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // somebody else's, but alive
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
