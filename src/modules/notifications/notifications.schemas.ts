import { z } from 'zod';
import { listQuery, objectId } from '../../http/schemas';
import { CHANNEL_NAMES, type ChannelName } from './channels';
import { NOTIFICATION_TYPES, type NotificationType } from './notifications.policy';

export const listOfMine = listQuery({
  unread: z.enum(['true', 'false']).optional().describe('`true`: only those I have not read'),
});
export const notificationParams = z.strictObject({ id: objectId });
export const countView = z.object({ unread: z.number().int() });
export const readAllView = z.object({ read: z.number().int().describe('How many had not been read') });

function recordOf<Key extends string, Value extends z.ZodType>(keys: readonly Key[], value: Value) {
  return Object.fromEntries(keys.map((key) => [key, value])) as Record<Key, Value>;
}

const choices = z.strictObject(
  recordOf<ChannelName, z.ZodOptional<z.ZodBoolean>>(CHANNEL_NAMES, z.boolean().optional()),
);
export const settingsBody = z
  .strictObject({
    types: z.strictObject(
      recordOf<NotificationType, z.ZodOptional<typeof choices>>(NOTIFICATION_TYPES, choices.optional()),
    ),
  })
  .describe('Takes the place of all decisions before; what is not named is as by default')
  .meta({ id: 'NotificationChoices' });

export const settingsView = z
  .object({
    types: z.object(recordOf(NOTIFICATION_TYPES, z.object(recordOf(CHANNEL_NAMES, z.boolean())))),
    channels: z
      .array(z.enum(CHANNEL_NAMES))
      .describe('By which this server delivers today; decisions on the others are kept until it does'),
  })
  .meta({ id: 'NotificationSettings' });

export const deviceParams = z.strictObject({
  token: z
    .string()
    .regex(/^[\x21-\x7e]{8,1024}$/, 'must be the token of a push service: 8 to 1024 visible ASCII characters'),
});
export const deviceBody = z.strictObject({ platform: z.enum(['ios', 'android', 'web']) });
