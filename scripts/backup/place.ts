import { createHash, type Hash } from 'node:crypto';
import { BackupError } from './records';

/** Where backups are kept: a folder, or `s3://bucket/prefix`. Beside each stands its SHA-256, as `sha256sum --check` reads it. */
export interface Place {
  /** @returns how large it became; nothing that is half written ever bears its name */
  write(name: string, bytes: AsyncIterable<Buffer>): Promise<{ where: string; size: number }>;
  /** Names of backups, the oldest first. */
  list(): Promise<string[]>;
  read(name: string): Promise<AsyncIterable<Buffer>>;
  /** As written beside it, in hex; undefined where there is none. */
  checksum(name: string): Promise<string | undefined>;
  remove(name: string): Promise<void>;
  /** Lets go of connections. */
  close(): void;
}

/** Names sort by age. */
export const nameAt = (time: Date): string => `maoga-${time.toISOString().replace(/[:.]/g, '-')}.backup`;
const BACKUP = /^maoga-\d{4}-\d\d-\d\dT[\d-]+Z\.backup$/;

/** Removes all but the newest. @returns the removed */
export async function keepNewest(place: Place, count: number): Promise<string[]> {
  const old = (await place.list()).slice(0, -count);
  for (const name of old) await place.remove(name);
  return old;
}

/** @throws BackupError where the bytes are not those whose checksum stands beside them */
export async function* verified(place: Place, name: string): AsyncGenerator<Buffer> {
  const expected = await place.checksum(name);
  const hash = createHash('sha256');
  yield* hashed(await place.read(name), hash);
  if (expected !== undefined && hash.digest('hex') !== expected)
    throw new BackupError(`${name} is not what its checksum says: it was changed or is damaged.`);
}

export async function* hashed(bytes: AsyncIterable<Buffer>, hash: Hash, onBytes = (_count: number): void => undefined) {
  for await (const chunk of bytes) {
    hash.update(chunk);
    onBytes(chunk.length);
    yield chunk;
  }
}

export const checksumLine = (hash: string, name: string): string => `${hash}  ${name}\n`;
export const checksumIn = (text: string): string | undefined => /^([0-9a-f]{64}) {2}/.exec(text)?.[1];
export const isBackup = (name: string): boolean => BACKUP.test(name);
