import { z } from 'zod';
import { objectId, timestamp } from '../http/schemas';

/**
 * What the server tells clients: every event's payload, as one table that types the code and generates AsyncAPI.
 * Events marked as facts also carry `eventId` (stable over redelivery) and `seq` (increasing per user; a gap means: send `sync`).
 */

const ids = { ticketId: objectId, matchId: objectId, lobbyId: objectId, userId: objectId };

const member = z.object({ userId: objectId, username: z.string(), ready: z.boolean(), host: z.boolean() });

export const lobbyView = z
  .object({
    id: objectId,
    gameId: objectId,
    mode: z.string(),
    state: z.enum(['forming', 'ready', 'active', 'closed']),
    origin: z.enum(['match', 'player']),
    matchId: objectId.nullable(),
    visibility: z.enum(['private', 'public']),
    capacity: z.number().int(),
    hostId: objectId,
    members: z.array(member),
    invited: z.array(objectId),
    version: z.number().int(),
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .meta({ id: 'Lobby' });
export type LobbyView = z.infer<typeof lobbyView>;

export const messageView = z
  .object({
    id: objectId,
    lobbyId: objectId,
    userId: objectId.nullable(),
    username: z.string(),
    content: z.string(),
    kind: z.enum(['text', 'system']),
    sentAt: timestamp,
  })
  .meta({ id: 'Message' });
export type MessageView = z.infer<typeof messageView>;

export const notificationView = z
  .object({
    id: objectId,
    type: z.string(),
    title: z.string(),
    body: z.string(),
    data: z.record(z.string(), z.unknown()),
    read: z.boolean(),
    createdAt: timestamp,
  })
  .meta({ id: 'Notification' });
export type NotificationView = z.infer<typeof notificationView>;

export const ticketState = z.enum(['scheduled', 'queued', 'proposed', 'matched', 'cancelled', 'expired']);
export const teamsView = z.array(z.array(z.object({ userId: objectId, role: z.string().nullable() })));

/** Facts: sent to each member's own room with `eventId` and `seq`. */
export const FACT_EVENTS = {
  'matchmaking:proposed': z.object({ ticketId: objectId, matchId: objectId, acceptBy: timestamp }),
  'matchmaking:matched': z.object({ ...pick('ticketId', 'matchId', 'lobbyId'), teams: teamsView, quality: z.number() }),
  'matchmaking:cancelled': z.object({ ticketId: objectId, reason: z.string() }),
  'matchmaking:expired': z.object({ ticketId: objectId }),
  'lobby:created': z.object({ lobby: lobbyView }),
  'lobby:update': z.object({ lobby: lobbyView }),
  'lobby:member:joined': z.object({ ...pick('lobbyId', 'userId'), username: z.string() }),
  'lobby:member:left': z.object(pick('lobbyId', 'userId')),
  'lobby:member:ready': z.object({ ...pick('lobbyId', 'userId'), ready: z.boolean() }),
  'lobby:member:kicked': z.object(pick('lobbyId', 'userId')),
  'lobby:host:changed': z.object({ lobbyId: objectId, hostId: objectId }),
  'lobby:closed': z.object({ lobbyId: objectId, reason: z.string() }),
  'chat:message': z.object({ lobbyId: objectId, message: messageView }),
  'notification:new': z.object({ notification: notificationView }),
  'notification:count': z.object({ unread: z.number().int() }),
} as const;

/** Passing signals: no `seq`, and nothing is lost with one of them. */
export const SIGNAL_EVENTS = {
  'matchmaking:status': z.object({
    ticketId: objectId,
    state: ticketState,
    waitedMs: z.number(),
    estimatedWaitMs: z.number().nullable(),
    poolDepth: z.number().int(),
    relaxation: z.number().min(0).max(1),
  }),
  'chat:typing': z.object({ ...pick('lobbyId', 'userId'), typing: z.boolean() }),
  'presence:update': z.object({ userId: objectId, status: z.enum(['online', 'offline']) }),
  'session:expired': z.object({ reason: z.string() }),
} as const;

export type FactEvents = { [Name in keyof typeof FACT_EVENTS]: z.infer<(typeof FACT_EVENTS)[Name]> };
export type SignalEvents = { [Name in keyof typeof SIGNAL_EVENTS]: z.infer<(typeof SIGNAL_EVENTS)[Name]> };

/** The state a client needs to draw its screen again, sent on every connect and in answer to `sync`. */
export interface Snapshot {
  userId: string;
  ticket: unknown;
  match: unknown;
  lobbies: LobbyView[];
  unread: number;
  /** The seq of the last fact told to this user: the next one is this plus one. */
  seq: number;
  serverTime: string;
}

function pick<Key extends keyof typeof ids>(...keys: Key[]): Pick<typeof ids, Key> {
  return Object.fromEntries(keys.map((key) => [key, ids[key]])) as Pick<typeof ids, Key>;
}
