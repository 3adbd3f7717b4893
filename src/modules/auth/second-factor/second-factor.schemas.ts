import { z } from 'zod';
import { currentPassword } from '../password-rules';

/** What clients send to and get from the second factor. */

const code = z
  .string()
  .trim()
  .min(6)
  .max(32)
  .describe('Six digits of the authenticator app, or one of the recovery codes');

export const enrolBody = z.strictObject({
  password: currentPassword.optional().describe('Needed where the account has one'),
});
export const codeBody = z.strictObject({ code });
export const offBody = z.strictObject({ code, password: enrolBody.shape.password });
export type Proof = z.output<typeof offBody>;

export const challengeBody = z.strictObject({ challenge: z.string().min(1).max(128), code });

export const secondFactorView = z
  .object({
    on: z.boolean(),
    required: z.boolean().describe('Without it, this account may do no more than a player'),
    recoveryCodesLeft: z.number().int(),
  })
  .meta({ id: 'SecondFactor' });
export type SecondFactorView = z.output<typeof secondFactorView>;

export const enrolmentView = z
  .object({
    secret: z.string().describe('To be typed into an authenticator app'),
    uri: z.string().describe('The same as an otpauth: address, to be shown as a QR code'),
  })
  .meta({ id: 'SecondFactorEnrolment' });
export type EnrolmentView = z.output<typeof enrolmentView>;

export const recoveryView = z
  .object({
    recoveryCodes: z.array(z.string()).describe('Shown this once: each is good for one sign-in without the app'),
  })
  .meta({ id: 'RecoveryCodes' });
export type RecoveryView = z.output<typeof recoveryView>;

export const challengeView = z
  .object({
    challenge: z.string().describe('Send it with a code to `/api/auth/login/second-factor`'),
    expiresInSeconds: z.number().int(),
  })
  .meta({ id: 'SecondFactorChallenge' });
export type ChallengeView = z.output<typeof challengeView>;
