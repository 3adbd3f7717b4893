import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { split } from './bytes';
import { BackupError } from './records';

/**
 * How the bytes of a dump become those of a file: gzip, and with a passphrase AES-256-GCM around it (64 GiB at most). The file says
 * at its beginning what it is:
 *
 *   15 bytes  "MAOGA-BACKUP-1" and a letter: "P" plain, "E" encrypted
 *   then, if encrypted, 16 bytes of salt (scrypt makes the key of it and the passphrase) and 12 of nonce; the file's last 16 are the tag
 */
const MAGIC = 'MAOGA-BACKUP-1';
const SALT = 16;
const NONCE = 12;
const TAG = 16;

export async function* wrap(contents: AsyncIterable<Buffer>, passphrase?: string): AsyncGenerator<Buffer> {
  const zipped = through(contents, createGzip());
  if (passphrase === undefined) {
    yield Buffer.from(`${MAGIC}P`, 'latin1');
    yield* zipped;
    return;
  }
  const salt = randomBytes(SALT);
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', keyOf(passphrase, salt), nonce);
  yield Buffer.concat([Buffer.from(`${MAGIC}E`, 'latin1'), salt, nonce]);
  for await (const chunk of zipped) yield cipher.update(chunk);
  yield cipher.final();
  yield cipher.getAuthTag();
}

/** @throws BackupError where the file is none, or was changed, or the passphrase is not the one it was made with */
export async function* unwrap(file: AsyncIterable<Buffer>, passphrase?: string): AsyncGenerator<Buffer> {
  try {
    const { head, rest } = await split(file, MAGIC.length + 1);
    const kind = head.toString('latin1');
    if (kind === `${MAGIC}P`) yield* through(rest, createGunzip());
    else if (kind !== `${MAGIC}E`) throw new BackupError('This is no backup of this server.');
    else if (passphrase === undefined)
      throw new BackupError('The backup is encrypted: set BACKUP_PASSPHRASE to what it was made with.');
    else yield* through(decrypt(rest, passphrase), createGunzip());
  } catch (error) {
    if (error instanceof BackupError || !isOfTheFile(error)) throw error;
    throw new BackupError('The backup is damaged or cut off, or BACKUP_PASSPHRASE is not what it was made with.', {
      cause: error,
    });
  }
}

async function* decrypt(file: AsyncIterable<Buffer>, passphrase: string): AsyncGenerator<Buffer> {
  const { head, rest } = await split(file, SALT + NONCE);
  const key = keyOf(passphrase, head.subarray(0, SALT));
  const decipher = createDecipheriv('aes-256-gcm', key, head.subarray(SALT));
  let tail: Buffer = Buffer.alloc(0); // may be the tag
  for await (const chunk of rest) {
    const bytes = Buffer.concat([tail, chunk]);
    const end = Math.max(0, bytes.length - TAG);
    if (end > 0) yield decipher.update(bytes.subarray(0, end));
    tail = bytes.subarray(end);
  }
  if (tail.length < TAG) throw new BackupError('The backup is cut off.');
  decipher.setAuthTag(tail);
  yield decipher.final();
}

/** An error on either side destroys `transform`, so that whoever reads it gets it. */
function through(bytes: AsyncIterable<Buffer>, transform: Transform): AsyncIterable<Buffer> {
  pipeline(Readable.from(bytes, { objectMode: false }), transform).catch(() => undefined);
  return transform;
}

const keyOf = (passphrase: string, salt: Buffer): Buffer =>
  scryptSync(passphrase, salt, 32, { N: 2 ** 15, maxmem: 2 ** 26 });

/** Errors of zlib and of the cipher, whose words help nobody. */
const isOfTheFile = (error: unknown): boolean => {
  const { code, message } = error as NodeJS.ErrnoException;
  return (
    code?.startsWith('Z_') === true || code === 'ERR_CRYPTO_INVALID_AUTH_TAG' || /unable to authenticate/.test(message)
  );
};
