import { z } from 'zod';
import { listQuery, objectId, timestamp } from '../../http/schemas';
import { accountFields, ownProfile } from '../users';
import { currentPassword, newPassword } from './password-rules';
import { challengeView } from './second-factor/second-factor.schemas';

export const registerBody = z.strictObject({
  email: accountFields.email,
  username: accountFields.username,
  password: newPassword,
  displayName: accountFields.displayName.optional(),
});
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

export const loginView = z.union([signedInView, challengeView]).meta({ id: 'LoginAnswer' });

export const sessionView = z
  .object({
    id: objectId,
    current: z.boolean().describe('Whether it is the one that asks'),
    userAgent: z.string(),
    ip: z.string().describe('The network that it was last used from, such as 203.0.113.0/24'),
    createdAt: timestamp,
    lastUsedAt: timestamp,
    expiresAt: timestamp,
  })
  .meta({ id: 'Session' });
export type SessionView = z.output<typeof sessionView>;
