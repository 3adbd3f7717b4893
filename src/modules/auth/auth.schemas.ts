import { z } from 'zod';
import { listQuery, objectId, timestamp } from '../../http/schemas';
import { accountFields, ownProfile } from '../users';

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

const currentPassword = password.refine((value) => value !== '', 'must not be empty');
const newPassword = password.refine(
  (value) => [...value].length >= MIN_CHARACTERS,
  `must be at least ${MIN_CHARACTERS} characters`,
);

export const registerBody = z
  .strictObject({
    email: accountFields.email,
    username: accountFields.username,
    password: newPassword,
    displayName: accountFields.displayName.optional(),
  })
  .refine(
    ({ email, username, password: secret }) =>
      ![email, username].some((known) => known.toLowerCase() === secret.toLowerCase()),
    { path: ['password'], message: 'must not be your address or your username' },
  );
export type Registration = z.output<typeof registerBody>;

export const loginBody = z.strictObject({
  identifier: z.string().trim().min(1).max(254).describe('E-mail address or username, whatever the case'),
  password: currentPassword,
});
export type Login = z.output<typeof loginBody>;

export const refreshBody = z.strictObject({ refreshToken: z.string().min(1).max(512) });
export const passwordBody = z.strictObject({ currentPassword, newPassword });
export type PasswordChange = z.output<typeof passwordBody>;
export const sessionsQuery = listQuery({});

const tokens = {
  accessToken: z.string().describe('Send as `Authorization: Bearer`; short-lived'),
  refreshToken: z.string().describe('Good for one refresh; using it twice ends the session'),
};
export const refreshedView = z.object(tokens).meta({ id: 'Tokens' });
export type Tokens = z.output<typeof refreshedView>;
export const signedInView = z.object({ user: ownProfile, ...tokens }).meta({ id: 'SignedIn' });
export type SignedIn = z.output<typeof signedInView>;

export const sessionView = z
  .object({
    id: objectId,
    current: z.boolean().describe('Whether it is the one that asks'),
    userAgent: z.string(),
    ip: z.string().describe('Where it was last used from'),
    createdAt: timestamp,
    lastUsedAt: timestamp,
    expiresAt: timestamp,
  })
  .meta({ id: 'Session' });
export type SessionView = z.output<typeof sessionView>;
