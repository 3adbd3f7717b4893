import type { ClientSession } from 'mongoose';
import type { MatchModel, MatchRow } from './matchmaking.models';
import type { MatchView, TicketView } from './matchmaking.schemas';
import type { TicketsService } from './tickets.service';
import { toMatchView } from './views';

/** Where players are in their search: what they have to see first when they come back. */
export interface OpenSearch {
  /** The open ticket. */
  ticket: TicketView | null;
  /** The match that the ticket is proposed for, else the live one. */
  match: MatchView | null;
}

/** Those of many players at once, read in the caller's transaction. */
export function createOpenSearches({
  tickets,
  Matches,
}: {
  tickets: Pick<TicketsService, 'open'>;
  Matches: MatchModel;
}) {
  return async (session: ClientSession, userIds: readonly string[]): Promise<(userId: string) => OpenSearch> => {
    const open = await tickets.open(session, userIds);
    const proposedFor = [...open.values()].flatMap(({ matchId }) => matchId ?? []);
    const proposed =
      proposedFor.length === 0
        ? []
        : await Matches.find({ _id: { $in: proposedFor } }, null, { session }).lean<MatchRow[]>();
    const live = await Matches.find({ livePlayers: { $in: [...userIds] }, live: true }, null, { session }).lean<
      MatchRow[]
    >();
    const byId = new Map(proposed.map((row) => [row._id.toHexString(), row]));
    const byPlayer = new Map(live.flatMap((row) => row.livePlayers.map((id) => [id.toHexString(), row])));
    return (userId) => {
      const ticket = open.get(userId) ?? null;
      const row = ticket?.matchId ? byId.get(ticket.matchId) : byPlayer.get(userId);
      return { ticket, match: row ? toMatchView(row, userId) : null };
    };
  };
}
