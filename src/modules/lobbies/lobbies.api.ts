import type { ClientSession } from 'mongoose';
import type { LobbyView, MessageView } from '../../realtime/protocol';

/** What neighbours may ask of the lobbies module. */
export interface LobbiesApi {
  /** Inserts the one lobby of each match inside the matches' own transaction (unique by matchId), outbox rows included. */
  createForMatches(session: ClientSession, matches: readonly LobbyOfMatch[]): Promise<void>;
  /**
   * Gives newcomers a seat in the lobby of a live match, inside the caller's transaction. A player's lobby becomes that of the match.
   * @throws CONFLICT where others are in it than `present`, or it has begun to play, LOBBY_CLOSED, VERSION_CONFLICT
   */
  seatInMatch(
    session: ClientSession,
    seats: { lobbyId: string; matchId: string; present: readonly string[]; userIds: readonly string[] },
  ): Promise<void>;
  /** Closes the lobby of a match that has ended, inside the caller's transaction. */
  closeForMatch(session: ClientSession, matchId: string, reason: string): Promise<void>;
  /** Who is in the open lobby, for its host. @throws NOT_FOUND for a stranger, NOT_HOST, LOBBY_CLOSED */
  partyOf(lobbyId: string, hostId: string): Promise<Party>;
  /** Who is in a player's lobby that does not play yet; null where it plays, is closed, or belongs to a match. */
  formingParty(lobbyId: string): Promise<Party | null>;
  /**
   * Makes the caller's transaction and every change of the lobby exclude each other: whoever comes or goes does so before, and
   * this throws, or after, and the event that tells of it finds what the transaction wrote. @throws VERSION_CONFLICT
   */
  holdParty(session: ClientSession, party: Party): Promise<void>;
  /** A line of a lobby that the user is in, or was when it closed; null for others. */
  messageFor(userId: string, messageId: string): Promise<MessageView | null>;
  /** Every lobby that each of them is in and that is not closed, the newest first. */
  lobbiesOf(userIds: readonly string[]): Promise<(userId: string) => LobbyView[]>;
}

export interface LobbyOfMatch {
  lobbyId: string;
  matchId: string;
  gameId: string;
  mode: string;
  /** The first one hosts. */
  userIds: readonly string[];
}

/** The members of a lobby that wants to do something together. */
export interface Party {
  lobbyId: string;
  /** Of the lobby: counts up with every change of it. */
  version: number;
  gameId: string;
  mode: string;
  matchId: string | null;
  userIds: string[];
  /** Seats, those taken included. */
  capacity: number;
  /** Whom the host has removed. */
  removed: string[];
}

/** Who is told: everybody in the lobby at that moment, plus whoever has just left. */
interface Told {
  tell: string[];
}

export interface LobbyEvents extends Record<string, object> {
  'lobby.created': Told & { lobby: LobbyView };
  'lobby.updated': Told & { lobby: LobbyView };
  'lobby.memberJoined': Told & { lobby: LobbyView; userId: string; username: string };
  'lobby.memberLeft': Told & { lobby: LobbyView; userId: string };
  'lobby.memberReady': Told & { lobby: LobbyView; userId: string; ready: boolean };
  'lobby.memberKicked': Told & { lobby: LobbyView; userId: string };
  'lobby.hostChanged': Told & { lobby: LobbyView; hostId: string };
  'lobby.closed': Told & { lobby: LobbyView; reason: string };
  'lobby.invited': { lobbyId: string; gameId: string; mode: string; userId: string; byId: string; byUsername: string };
  'lobby.messageSent': Told & { message: MessageView };
}
