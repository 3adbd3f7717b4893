import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** Keeps secrets that have to be read again, so that a copy of the database alone does not tell them: AES-256-GCM. */
export interface Sealer {
  /** @param about what it is sealed for: one owner's cannot be put in another's place */
  seal(text: string, about: string): string;
  /** @throws where none of the secrets has sealed it so */
  open(sealed: string, about: string): string;
  /** The same under the current secret; null where it is already. @throws as `open` does */
  renew(sealed: string, about: string): string | null;
}

export interface SealingSecrets {
  current: string;
  /** Still opens, while secrets are changed. */
  previous: string | undefined;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** @param purpose keeps what one secret is used for apart */
export function createSealer({ current, previous }: SealingSecrets, purpose: string): Sealer {
  const keyOf = (secret: string) => Buffer.from(hkdfSync('sha256', secret, '', purpose, 32));
  const key = keyOf(current);
  const keys = [key, ...(previous === undefined ? [] : [keyOf(previous)])];

  const seal = (text: string, about: string) => {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(about));
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
  };

  /** The tag tells which of the keys it was. */
  const openWith = (sealed: string, about: string) => {
    for (const candidate of keys) {
      const text = opened(candidate, sealed, about);
      if (text !== undefined) return { text, isCurrent: candidate === key };
    }
    throw new Error('Nothing sealed it with this secret, or it was changed: DATA_SECRET is another one than it was.');
  };

  return {
    seal,
    open: (sealed, about) => openWith(sealed, about).text,
    renew(sealed, about) {
      const { text, isCurrent } = openWith(sealed, about);
      return isCurrent ? null : seal(text, about);
    },
  };
}

/** @returns undefined where this key has not sealed it */
function opened(key: Buffer, sealed: string, about: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const [nonce, tag] = [bytes.subarray(0, NONCE_BYTES), bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES)];
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(about)).setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch {
    return undefined; // GCM has no other way to say so
  }
}
