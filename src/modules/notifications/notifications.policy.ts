import type { LobbyEvents } from '../lobbies';
import type { MatchmakingEvents } from '../matchmaking';
import type { UserEvents } from '../users';
import { CHANNEL_NAMES, type ChannelName } from './channels';

/** Which facts somebody is notified of, in which words, and by which channels. Pure. */

/** Every kind of notification, and the channels by which it goes out until its user decides otherwise. */
export const DEFAULT_CHANNELS = {
  warned: { inApp: true, email: true, push: true },
  friendRequested: { inApp: true, email: true, push: true },
  friendAccepted: { inApp: true, email: false, push: true },
  lobbyInvited: { inApp: true, email: false, push: true },
  lobbyKicked: { inApp: true, email: false, push: false },
  lobbyHost: { inApp: true, email: false, push: false },
  lobbyClosed: { inApp: true, email: false, push: false },
  matchProposed: { inApp: true, email: false, push: true },
  matchFormed: { inApp: true, email: false, push: true },
  matchFellThrough: { inApp: true, email: false, push: true },
  matchCompleted: { inApp: true, email: false, push: false },
  ticketExpired: { inApp: true, email: false, push: true },
} as const satisfies Record<string, Record<ChannelName, boolean>>;

export type NotificationType = keyof typeof DEFAULT_CHANNELS;
export const NOTIFICATION_TYPES = Object.keys(DEFAULT_CHANNELS) as NotificationType[];

export type Choices = Partial<Record<NotificationType, Partial<Record<ChannelName, boolean>>>>;
export type Settings = Record<NotificationType, Record<ChannelName, boolean>>;

/** What a user has decided, with the defaults in every gap. */
export function settingsOf(choices: Choices): Settings {
  const entries = NOTIFICATION_TYPES.map((type) => [type, { ...DEFAULT_CHANNELS[type], ...choices[type] }]);
  return Object.fromEntries(entries) as Settings;
}

export function channelsOf(choices: Choices, type: NotificationType): ChannelName[] {
  const wanted = settingsOf(choices)[type];
  return CHANNEL_NAMES.filter((name) => wanted[name]);
}

/** The events of a map by their names alone, without its index signature. */
type Named<Events> = { [Type in keyof Events as string extends Type ? never : Type]: Events[Type] };
export type NotifyingEvents = Named<UserEvents> & Named<LobbyEvents> & Named<MatchmakingEvents>;

/** A notification before it is stored: the same words for everybody in `userIds`. */
export interface Draft {
  userIds: string[];
  type: NotificationType;
  title: string;
  body: string;
  /** Ids that lead the client to the right screen. */
  data: Record<string, unknown>;
}

type Drafting = { [Type in keyof NotifyingEvents]?: (payload: NotifyingEvents[Type]) => Draft };

/** What a fact tells whom. A fact without an entry notifies nobody: it is no more than a change on the screen. */
export const DRAFTS = {
  'user.friendRequested': ({ fromId, fromUsername, toId }) => ({
    userIds: [toId],
    type: 'friendRequested',
    title: 'Friend request',
    body: `${fromUsername} would like to be your friend.`,
    data: { userId: fromId },
  }),
  'user.warned': ({ userId, reason }) => ({
    userIds: [userId],
    type: 'warned',
    title: 'A warning',
    body: `A moderator warns you: ${reason}`,
    data: {},
  }),
  'user.friendAccepted': ({ byId, byUsername, toId }) => ({
    userIds: [toId],
    type: 'friendAccepted',
    title: 'New friend',
    body: `${byUsername} accepted your friend request.`,
    data: { userId: byId },
  }),
  'lobby.invited': ({ lobbyId, gameId, mode, userId, byId, byUsername }) => ({
    userIds: [userId],
    type: 'lobbyInvited',
    title: 'Lobby invitation',
    body: `${byUsername} invites you to a lobby.`,
    data: { lobbyId, gameId, mode, userId: byId },
  }),
  'lobby.memberKicked': ({ lobby, userId }) => ({
    userIds: [userId],
    type: 'lobbyKicked',
    title: 'Removed from the lobby',
    body: 'The host removed you from the lobby.',
    data: { lobbyId: lobby.id },
  }),
  'lobby.hostChanged': ({ lobby, hostId }) => ({
    userIds: [hostId],
    type: 'lobbyHost',
    title: 'You are the host',
    body: 'The lobby is yours to lead now.',
    data: { lobbyId: lobby.id },
  }),
  // nobody is told of what they did themselves: mostly it is the host who closes
  'lobby.closed': ({ tell, lobby, reason }) => ({
    userIds: tell.filter((userId) => userId !== lobby.hostId),
    type: 'lobbyClosed',
    title: 'Lobby closed',
    body: `The lobby was closed: ${reason}.`,
    data: { lobbyId: lobby.id },
  }),
  'match.proposed': ({ matchId, gameId, mode, acceptBy, tickets }) => ({
    userIds: playersOf(tickets),
    type: 'matchProposed',
    title: 'Match found',
    body: 'Accept it in time to play.',
    data: { matchId, gameId, mode, acceptBy },
  }),
  'match.formed': ({ matchId, lobbyId, gameId, gameName, mode, tickets }) => ({
    userIds: playersOf(tickets),
    type: 'matchFormed',
    title: `${gameName}: your match is ready`,
    body: 'Your group is waiting for you in the lobby.',
    data: { matchId, lobbyId, gameId, mode },
  }),
  'match.fellThrough': ({ matchId, requeued }) => ({
    userIds: playersOf(requeued),
    type: 'matchFellThrough',
    title: 'Searching again',
    body: 'Somebody did not accept the match. You kept your waiting time.',
    data: { matchId },
  }),
  'match.completed': ({ matchId, gameId, mode, userIds }) => ({
    userIds,
    type: 'matchCompleted',
    title: 'Match completed',
    body: 'The result is final.',
    data: { matchId, gameId, mode },
  }),
  'ticket.expired': ({ ticketId, userIds, gameNames }) => ({
    userIds,
    type: 'ticketExpired',
    title: 'No match this time',
    body: `We found no match for ${gameNames.join(', ') || 'your search'}. Search again whenever you like.`,
    data: { ticketId },
  }),
} satisfies Drafting;

const playersOf = (tickets: readonly { userIds: string[] }[]): string[] => [
  ...new Set(tickets.flatMap((ticket) => ticket.userIds)),
];
