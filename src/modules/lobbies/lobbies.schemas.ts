import { z } from 'zod';
import { limitParam, listQuery, objectId, text } from '../../http/schemas';

export const modeKey = text(1, 64);
const capacity = z.number().int().min(2).max(200);
const visibility = z.enum(['private', 'public']);

export const newLobby = z.strictObject({
  gameId: objectId,
  mode: modeKey,
  capacity: capacity.optional().describe('Seats; by default as many as the mode has'),
  visibility: visibility.optional().describe('private by default: only by invitation'),
});

export const lobbySettings = z
  .strictObject({
    visibility: visibility.optional(),
    capacity: capacity.optional(),
    state: z.literal('active').optional().describe('Starts a lobby that is ready; sent alone'),
  })
  .refine((body) => Object.values(body).some((value) => value !== undefined), 'send at least one field')
  .refine(
    ({ state, ...settings }) =>
      state === undefined || (settings.visibility === undefined && settings.capacity === undefined),
    {
      path: ['state'],
      message: 'is sent alone',
    },
  );

export const openQuery = listQuery({ gameId: objectId, mode: modeKey });
export const messagesQuery = z.strictObject({ limit: limitParam, before: objectId.optional() });
export const readyBody = z.strictObject({ ready: z.boolean() });
export const userBody = z.strictObject({ userId: objectId });

const content = text(1, 1000);
export const messageBody = z.strictObject({ content });

export const lobbyRef = z.strictObject({ lobbyId: objectId });
export const readyEvent = z.strictObject({ lobbyId: objectId, ready: z.boolean() });
export const chatEvent = z.strictObject({ lobbyId: objectId, content });
export const typingEvent = z.strictObject({ lobbyId: objectId, typing: z.boolean() });
