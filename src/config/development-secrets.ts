import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigError, type GeneratedSecrets } from './config';

const fileSchema = z.object({ jwtSecret: z.string().min(32), refreshSecret: z.string().min(32) });

const fresh = (): GeneratedSecrets => ({
  jwtSecret: randomBytes(48).toString('base64url'),
  refreshSecret: randomBytes(48).toString('base64url'),
});

/**
 * Secrets for an environment that brings none: made once, kept in `<dataDir>/secrets.json` (mode 0600), so that tokens
 * survive a restart. `:memory:` makes new ones at every start. An unreadable file is an error and never overwritten.
 */
export function developmentSecrets(dataDir: string): GeneratedSecrets {
  if (dataDir === ':memory:') return fresh();
  const file = join(dataDir, 'secrets.json');
  const text = keptIn(dataDir, file);
  const parsed = fileSchema.safeParse(parseJson(text));
  if (!parsed.success)
    throw new ConfigError(`${file} is damaged: restore it, or remove it to sign everybody out and make new secrets.`);
  return parsed.data;
}

/** What the file says, made now if there is none. */
function keptIn(dataDir: string, file: string): string {
  try {
    fs.mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    if (!fs.existsSync(file)) create(file);
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(
      `DATA_DIR: ${(error as Error).message}. It must be a folder that this user may write to and whose files it may read.`,
      { cause: error },
    );
  }
}

/** What a file system answers that has no links, such as FAT, and some shares. */
const NO_LINKS = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']);

/** Several processes may start at once: the first one decides, and nobody ever finds half a file. */
function create(file: string): void {
  const draft = `${file}.${process.pid}-${randomBytes(4).toString('hex')}`;
  fs.writeFileSync(draft, JSON.stringify(fresh(), null, 2), { mode: 0o600, flag: 'wx' });
  try {
    fs.linkSync(draft, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // there, several who start at once may begin with secrets that differ
    if (code !== undefined && NO_LINKS.has(code)) fs.renameSync(draft, file);
    else if (code !== 'EEXIST') throw error;
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
