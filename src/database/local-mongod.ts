import { accessSync, constants } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { localMongodSettings } from '../config/local-mongod-settings';

/**
 * A real `mongod` that is already on this machine: MONGOMS_SYSTEM_BINARY, PATH, or mongodb-memory-server's cache; with
 * `download` also one that it may fetch. Undefined where there is none, or where the development dependency is not installed.
 */
export async function findLocalMongod(download: boolean): Promise<string | undefined> {
  const { systemBinary, path } = localMongodSettings();
  if (systemBinary !== undefined) return systemBinary;
  const onPath = path
    .split(delimiter)
    .map((folder) => join(folder, 'mongod'))
    .find(isExecutable);
  return onPath ?? (await cached(download));
}

async function cached(download: boolean): Promise<string | undefined> {
  try {
    const { DryMongoBinary, MongoBinary } = await import('mongodb-memory-server-core');
    if (!download) return await DryMongoBinary.locateBinary(await DryMongoBinary.generateOptions());
    const { homeCache } = await DryMongoBinary.generatePaths(await DryMongoBinary.generateOptions());
    await mkdir(homeCache, { recursive: true });
    return await MongoBinary.getPath();
  } catch (error) {
    if (download) throw error;
    return undefined;
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
