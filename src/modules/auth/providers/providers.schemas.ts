import { z } from 'zod';
import { timestamp } from '../../../http/schemas';
import { accountFields } from '../../users';
import { currentPassword } from '../password-rules';

/** What clients send to and get from signing in by others. */

export const providerParams = z.strictObject({ provider: z.string().regex(/^[a-z0-9-]{1,32}$/) });

const start = {
  redirectUri: z
    .string()
    .min(1)
    .max(2048)
    .describe('Where the browser ends up: exactly one of those that are configured'),
  codeChallenge: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/, 'must be a SHA-256 in base64url')
    .describe('BASE64URL(SHA256(codeVerifier)): nobody else can use the code that goes to the app'),
  state: z.string().max(256).optional().describe('Comes back unchanged'),
};
export const startBody = z.strictObject(start);
export type Start = z.output<typeof startBody>;
export const linkBody = z.strictObject({
  ...start,
  password: currentPassword.optional().describe('Needed where the account has one'),
});
export const unlinkBody = z.strictObject({ password: linkBody.shape.password });

/** Whatever a provider adds to its answer. */
export const callbackQuery = z.object({ state: z.string().min(1).max(256) }).catchall(z.string().max(8192));

export const exchangeBody = z.strictObject({
  code: z.string().min(1).max(128),
  codeVerifier: z.string().regex(/^[A-Za-z0-9._~-]{43,128}$/, 'must be 43 to 128 unreserved characters'),
  username: accountFields.username.optional().describe('For a new account'),
  email: accountFields.email.optional().describe('For a new account, where the provider names no address'),
});
export type Exchange = z.output<typeof exchangeBody>;

export const providersView = z.object({ items: z.array(z.object({ id: z.string(), name: z.string() })) });
export const startedView = z.object({ authorizationUrl: z.string().describe('Open it in the browser') });
export type StartedView = z.output<typeof startedView>;
export const redirectView = z.object({ location: z.string() });
export type RedirectView = z.output<typeof redirectView>;

export const identitiesView = z.object({
  items: z.array(
    z
      .object({ provider: z.string(), name: z.string(), email: z.string().nullable(), linkedAt: timestamp })
      .meta({ id: 'Identity' }),
  ),
});
export type IdentitiesView = z.output<typeof identitiesView>;
