import type { MatchModel, MatchRow } from './matchmaking.models';
import type { MatchView, TicketView } from './matchmaking.schemas';
import type { TicketsService } from './tickets.service';
import { toMatchView } from './views';

/** Where a player is in their search: what they have to see first when they come back. */
export interface OpenSearch {
  /** The open ticket. */
  ticket: TicketView | null;
  /** The match that the ticket is proposed for, else the live one. */
  match: MatchView | null;
}

/** Those of many players at once. */
export function createOpenSearches({
  tickets,
  Matches,
}: {
  tickets: Pick<TicketsService, 'open'>;
  Matches: MatchModel;
}) {
  return async (userIds: readonly string[]): Promise<(userId: string) => OpenSearch> => {
    const [open, live] = await Promise.all([
      tickets.open(userIds),
      Matches.find({ livePlayers: { $in: [...userIds] }, live: true }).lean<MatchRow[]>(),
    ]);
    const proposedFor = [...open.values()].flatMap(({ matchId }) => matchId ?? []);
    const proposed =
      proposedFor.length === 0 ? [] : await Matches.find({ _id: { $in: proposedFor } }).lean<MatchRow[]>();
    const byId = new Map(proposed.map((row) => [row._id.toHexString(), row]));
    const byPlayer = new Map(live.flatMap((row) => row.livePlayers.map((id) => [id.toHexString(), row])));
    return (userId) => {
      const ticket = open.get(userId) ?? null;
      const row = ticket?.matchId ? byId.get(ticket.matchId) : byPlayer.get(userId);
      return { ticket, match: row ? toMatchView(row, userId) : null };
    };
  };
}
