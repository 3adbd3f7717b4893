import { z } from 'zod';
import { AppError } from '../core/errors';
import { objectId, timestamp } from '../http/schemas';
import { clientEvent, type ClientEvent } from './client-event';
import type { Presence } from './presence';
import { SIGNAL_EVENTS, snapshotView, type Snapshot } from './protocol';
import { sessionRoom } from './rooms';
import type { Admission, SocketData } from './admission';

const PRESENCE = 'presence:';
export const presenceRoom = (userId: string) => `${PRESENCE}${userId}`;

/** The client events that belong to no module. */
export function ownEvents(deps: {
  admit: Admission;
  presence: Presence;
  snapshotOf: (userId: string) => Promise<Snapshot>;
  /** Whom of these this player may see come and go. */
  visibleTo: (userId: string, userIds: readonly string[]) => Promise<ReadonlySet<string>>;
}): ClientEvent[] {
  const { admit, presence, snapshotOf, visibleTo } = deps;
  return [
    clientEvent({
      name: 'sync',
      summary: 'The whole state again, as in `connected`',
      schema: z.strictObject({}),
      answer: snapshotView,
      budget: { max: 10, perSeconds: 10 },
      handler: ({ player }) => snapshotOf(player.userId),
    }),
    clientEvent({
      name: 'auth:refresh',
      summary: 'Goes on with a newer access token of the same user',
      schema: z.strictObject({ token: z.string().min(1).max(4096) }),
      answer: z.object({ expiresAt: timestamp.nullable().describe('When this connection ends') }),
      budget: { max: 10, perSeconds: 10 },
      handler: async ({ socket, player }, { token }) => {
        const { player: owner } = await admit(token);
        if (owner.userId !== player.userId)
          throw new AppError('FORBIDDEN', 'The token belongs to another user: open a new connection.');
        await socket.join(sessionRoom(owner.sessionId));
        // once more: a session that ended before the join did not end this socket
        const next = await admit(token);
        Object.assign(socket.data as SocketData, next);
        socket.handshake.auth = { token };
        // the end of the session it came with is no longer this socket's end
        if (owner.sessionId !== player.sessionId) await socket.leave(sessionRoom(player.sessionId));
        return { expiresAt: next.expiresAt === null ? null : new Date(next.expiresAt).toISOString() };
      },
    }),
    clientEvent({
      name: 'presence:subscribe',
      summary:
        'Whether these users are online, now and whenever it changes; takes the place of the list before. Who does not show themselves to me is offline',
      schema: z.strictObject({ userIds: z.array(objectId).max(100) }),
      answer: z.object({ statuses: z.array(SIGNAL_EVENTS['presence:update']) }),
      handler: async ({ player, socket, join, leave }, { userIds }) => {
        const visible = await visibleTo(player.userId, userIds);
        const before = [...socket.rooms].filter((room) => room.startsWith(PRESENCE));
        for (const room of before) await leave(room);
        for (const userId of visible) await join(presenceRoom(userId));
        const statuses = await presence.statuses([...visible]);
        return { statuses: userIds.map((userId) => ({ userId, status: statuses.get(userId) ?? 'offline' })) };
      },
    }),
  ];
}
