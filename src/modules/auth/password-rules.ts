import { z } from 'zod';
import { isCommon } from './common-passwords';

/** bcrypt looks at no more than this, so that longer passwords would match each other. */
const MAX_BYTES = 72;
const MIN_CHARACTERS = 8;

/** The same characters, however a keyboard composes them. No rule of what they must be. */
const password = z
  .string()
  .normalize('NFKC')
  .refine((value) => Buffer.byteLength(value) <= MAX_BYTES, `must be at most ${MAX_BYTES} bytes`)
  .refine((value) => !/\p{Surrogate}/u.test(value), 'must not hold half a character (a lone surrogate)')
  .meta({ format: 'password' });

export const currentPassword = password.refine((value) => value !== '', 'must not be empty');
export const newPassword = password
  .refine((value) => [...value].length >= MIN_CHARACTERS, `must be at least ${MIN_CHARACTERS} characters`)
  .refine((value) => !isCommon(value), 'is one of the first that others would try: choose another one');

/** Whose password it is to be, by what others know of them. */
export interface Owner {
  email: string;
  username: string;
  displayName?: string | undefined;
}

/**
 * Whether a password is no more than a name: its owner's, the address's, or that of the place, whatever the case, with digits
 * and signs around it.
 */
export function isAName(password: string, { email, username, displayName = '' }: Owner, site: string): boolean {
  const local = email.slice(0, email.lastIndexOf('@'));
  const names = [email, local, username, displayName, site];
  const same = (form: (text: string) => string) =>
    names.some((name) => form(name) !== '' && form(name) === form(password));
  return same(charactersOf) || same(lettersOf);
}

/** Letters and digits; a text of signs only is what it is. */
function charactersOf(text: string): string {
  const plain = text.normalize('NFKC').toLowerCase();
  return plain.replaceAll(/[^\p{L}\p{N}]/gu, '') || plain;
}

/** Too short for a name where fewer than three are left. */
function lettersOf(text: string): string {
  const letters = charactersOf(text).replaceAll(/\P{L}/gu, '');
  return letters.length < 3 ? '' : letters;
}
