import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checksumIn, checksumLine, hashed, isBackup, type Place } from './place';

/** Backups in a folder that only its owner can read. */
export function folder(directory: string): Place {
  const at = (name: string) => join(directory, name);
  return {
    async write(name, bytes) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const draft = at(`${name}.part`);
      const hash = createHash('sha256');
      try {
        const file = await open(draft, 'w', 0o600);
        try {
          await writeFile(file, hashed(bytes, hash));
          await file.sync();
        } finally {
          await file.close();
        }
        await writeFile(at(`${name}.sha256`), checksumLine(hash.digest('hex'), name), { mode: 0o600 });
        await rename(draft, at(name));
      } catch (error) {
        await rm(draft, { force: true });
        await rm(at(`${name}.sha256`), { force: true });
        throw error;
      }
      return { where: at(name), size: (await stat(at(name))).size };
    },
    async list() {
      return (await readdir(directory).catch(orNothing([]))).filter(isBackup).sort();
    },
    read: async (name) => createReadStream(at(name)),
    async checksum(name) {
      return checksumIn(await readFile(at(`${name}.sha256`), 'utf8').catch(orNothing('')));
    },
    async remove(name) {
      await rm(at(name));
      await rm(at(`${name}.sha256`), { force: true });
    },
    close: () => undefined,
  };
}

const orNothing =
  <Nothing>(nothing: Nothing) =>
  (error: NodeJS.ErrnoException): Nothing => {
    if (error.code === 'ENOENT') return nothing;
    throw error;
  };
