import { z } from 'zod';
import { timestamp } from '../../http/schemas';
import { currentPassword, newPassword } from '../auth';
import { accountFields } from '../users';

/** What clients send to and get from the accounts module. */

const token = z.string().min(1).max(128).describe('Out of the link in the mail');

export const tokenBody = z.strictObject({ token });
export const forgotBody = z.strictObject({ email: accountFields.email });
export const resetBody = z.strictObject({ token, newPassword });
export type Reset = z.output<typeof resetBody>;

/** Shows that it is the owner who asks, and not somebody who found the device unlocked. */
export const reauthentication = {
  password: currentPassword
    .optional()
    .describe('Needed where the account has one; without one the session must have begun in the last ten minutes'),
};
export const emailBody = z.strictObject({ email: accountFields.email, ...reauthentication });
export type EmailChange = z.output<typeof emailBody>;
export const closeBody = z.strictObject(reauthentication);
export type Reauthentication = z.output<typeof closeBody>;

export const deletionView = z
  .object({ eraseAt: timestamp.describe('Until then, logging in brings the account back') })
  .meta({ id: 'Deletion' });
export type DeletionView = z.output<typeof deletionView>;

export const exportView = z
  .object({
    exportedAt: timestamp,
    data: z
      .record(z.string(), z.array(z.unknown()))
      .describe('By kind, as they are kept; docs/privacy.md says what each kind is'),
  })
  .meta({ id: 'Export' });
export type ExportView = z.output<typeof exportView>;
