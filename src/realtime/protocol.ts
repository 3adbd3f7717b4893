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
  'matchmaking:proposed': z
    .object({ ...pick('ticketId', 'matchId'), acceptBy: timestamp })
    .describe('A match that everybody in it has to accept in time'),
  'matchmaking:matched': z
    .object({ ...pick('ticketId', 'matchId', 'lobbyId'), teams: teamsView, quality: z.number() })
    .describe('The ticket is matched; the lobby is open'),
  'matchmaking:cancelled': z
    .object({ ...pick('ticketId'), reason: z.string() })
    .describe('The ticket has ended without a match'),
  'matchmaking:expired': z.object(pick('ticketId')).describe('No match was found in the time the ticket had'),
  'lobby:created': z.object({ lobby: lobbyView }).describe('I am in a new lobby'),
  'lobby:update': z.object({ lobby: lobbyView }).describe('The lobby as it is now'),
  'lobby:member:joined': z.object({ ...pick('lobbyId', 'userId'), username: z.string() }).describe('Somebody came in'),
  'lobby:member:left': z.object(pick('lobbyId', 'userId')).describe('Somebody has left'),
  'lobby:member:ready': z
    .object({ ...pick('lobbyId', 'userId'), ready: z.boolean() })
    .describe('Somebody is ready, or no longer'),
  'lobby:member:kicked': z.object(pick('lobbyId', 'userId')).describe('The host has removed somebody'),
  'lobby:host:changed': z.object({ ...pick('lobbyId'), hostId: objectId }).describe('Somebody else hosts the lobby'),
  'lobby:closed': z.object({ ...pick('lobbyId'), reason: z.string() }).describe('The lobby is closed'),
  'chat:message': z.object({ ...pick('lobbyId'), message: messageView }).describe('A line in the chat of a lobby'),
  'notification:new': z.object({ notification: notificationView }).describe('Something I should know'),
  'notification:count': z.object({ unread: z.number().int() }).describe('How many notifications wait to be read'),
} as const;

/** Passing signals: no `seq`, and nothing is lost with one of them. */
export const SIGNAL_EVENTS = {
  'matchmaking:status': z
    .object({
      ticketId: objectId,
      state: ticketState,
      waitedMs: z.number(),
      estimatedWaitMs: z.number().nullable(),
      poolDepth: z.number().int(),
      relaxation: z.number().min(0).max(1),
    })
    .describe('How the search goes, every few seconds to those who subscribed'),
  'chat:typing': z.object({ ...pick('lobbyId', 'userId'), typing: z.boolean() }).describe('Whether somebody is typing'),
  'presence:update': z
    .object({ userId: objectId, status: z.enum(['online', 'offline']) })
    .describe('A player of my presence list has come or gone'),
  'session:expired': z.object({ reason: z.string() }).describe('This connection is about to be closed for good'),
} as const;

export type FactEvents = { [Name in keyof typeof FACT_EVENTS]: z.infer<(typeof FACT_EVENTS)[Name]> };
export type SignalEvents = { [Name in keyof typeof SIGNAL_EVENTS]: z.infer<(typeof SIGNAL_EVENTS)[Name]> };

export const snapshotView = z
  .object({
    userId: objectId,
    ticket: z.unknown().describe('The open ticket, as `GET /api/matchmaking/tickets/current` shows it, or null'),
    match: z.unknown().describe('The live or proposed match, as `GET /api/matchmaking/matches/:id` shows it, or null'),
    lobbies: z.array(lobbyView),
    unread: z.number().int(),
    seq: z.number().int().describe('Of the last fact told to this user: the next one is this plus one'),
    serverTime: timestamp,
  })
  .describe('The state a client needs to draw its screen again, sent on every connect and in answer to `sync`')
  .meta({ id: 'Snapshot' });
export type Snapshot = z.infer<typeof snapshotView>;

function pick<Key extends keyof typeof ids>(...keys: Key[]): Pick<typeof ids, Key> {
  return Object.fromEntries(keys.map((key) => [key, ids[key]])) as Pick<typeof ids, Key>;
}
