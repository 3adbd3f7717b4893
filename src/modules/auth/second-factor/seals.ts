import { createHash } from 'node:crypto';
import { createSealer, type SealingSecrets } from '../../../core/sealing';
import { plainCode } from './recovery-codes';
import type { SecondFactorRow } from './second-factor.models';

/**
 * How the second factor lies in the database. Recovery codes are hashed and the hashes sealed: a key inside the hash could never be
 * changed, as nobody but the owner has the codes.
 */
export interface Seals {
  sealSecret(secret: string, userId: string): string;
  /** @throws where another DATA_SECRET has sealed it */
  openSecret(sealed: string, userId: string): string;
  sealRecoveryCodes(codes: readonly string[], userId: string): string[];
  /** @returns the one of `sealed` that is this code, however it was typed @throws as `openSecret` does */
  findRecoveryCode(sealed: readonly string[], code: string, userId: string): string | undefined;
  /** What of a row is to be written so that the current secret opens it; null where it does. @throws as `openSecret` does */
  renewed(row: Sealed): Sealed | null;
}

export type Sealed = Pick<SecondFactorRow, '_id' | 'secret' | 'recovery'>;

export function createSeals(secrets: SealingSecrets): Seals {
  const sealer = createSealer(secrets, 'second factor');
  const aboutCodes = (userId: string) => `recovery codes of ${userId}`;
  const hashOf = (code: string) => createHash('sha256').update(plainCode(code)).digest('base64url');
  return {
    sealSecret: (secret, userId) => sealer.seal(secret, userId),
    openSecret: (sealed, userId) => sealer.open(sealed, userId),
    sealRecoveryCodes: (codes, userId) => codes.map((code) => sealer.seal(hashOf(code), aboutCodes(userId))),
    findRecoveryCode(sealed, code, userId) {
      const hash = hashOf(code);
      return sealed.find((one) => sealer.open(one, aboutCodes(userId)) === hash);
    },
    renewed({ _id, secret, recovery }) {
      const userId = _id.toHexString();
      const newSecret = sealer.renew(secret, userId);
      const newCodes = recovery.map((one) => sealer.renew(one, aboutCodes(userId)));
      if (newSecret === null && newCodes.every((one) => one === null)) return null;
      return { _id, secret: newSecret ?? secret, recovery: newCodes.map((one, at) => one ?? recovery[at] ?? '') };
    },
  };
}
