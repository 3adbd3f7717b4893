import type { Ids } from '../../../core/ids';

/** Codes for who has lost their authenticator: 80 random bits each, in groups that can be read aloud. */

export const RECOVERY_CODES = 10;
const BYTES = 10;
/** 32 of them, none that looks like another one. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz234567890';

export function makeRecoveryCodes(ids: Pick<Ids, 'secret'>): string[] {
  return Array.from({ length: RECOVERY_CODES }, () => {
    const bits = [...Buffer.from(ids.secret(BYTES), 'base64url')].map((byte) => byte.toString(2).padStart(8, '0'));
    const letters = (bits.join('').match(/.{5}/g) ?? []).map((five) => ALPHABET[parseInt(five, 2)]);
    return (letters.join('').match(/.{4}/g) ?? []).join('-');
  });
}

/** As it is hashed, however it was typed. */
export const plainCode = (typed: string): string => typed.toLowerCase().replaceAll(/[\s-]/g, '');
