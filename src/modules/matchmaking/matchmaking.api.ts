import type { MatchView, TicketView } from './matchmaking.schemas';

/** What neighbours may ask of the matchmaking module. */
export interface MatchmakingApi {
  /** For `connected` and `sync`: the open ticket and the proposed or live match of each of them. */
  openSearches(userIds: readonly string[]): Promise<(userId: string) => OpenSearch>;
  /** Who was in a match that was formed, and whether it was played to its end; null where there is none. */
  played(matchId: string): Promise<{ userIds: string[]; completed: boolean; endedAt: number } | null>;
  /** Rebuilds the in-memory pools from the database: once, before the server listens. */
  restore(): Promise<void>;
}

/** Where a player is in their search: what they have to see first when they come back. */
export interface OpenSearch {
  /** The open ticket. */
  ticket: TicketView | null;
  /** The match that the ticket is proposed for, else the live one. */
  match: MatchView | null;
}

export interface TeamMember {
  userId: string;
  role: string | null;
}

export interface MatchmakingEvents extends Record<string, object> {
  'match.proposed': {
    matchId: string;
    gameId: string;
    mode: string;
    acceptBy: string;
    tickets: { ticketId: string; userIds: string[] }[];
  };
  'match.formed': {
    matchId: string;
    lobbyId: string;
    gameId: string;
    gameName: string;
    mode: string;
    quality: number;
    teams: TeamMember[][];
    tickets: { ticketId: string; userIds: string[] }[];
  };
  /** Others came in place of those who had left a live match: told to all of them. `joined` are the newcomers. */
  'match.joined': MatchmakingEvents['match.formed'] & { joined: { ticketId: string; userIds: string[] }[] };
  /** Somebody declined, or time ran out: these tickets are back in the queue with their waiting time. */
  'match.fellThrough': { matchId: string; requeued: { ticketId: string; userIds: string[] }[] };
  'match.completed': { matchId: string; gameId: string; mode: string; userIds: string[] };
  'ticket.cancelled': { ticketId: string; userIds: string[]; reason: string };
  'ticket.expired': { ticketId: string; userIds: string[]; gameNames: string[] };
}
