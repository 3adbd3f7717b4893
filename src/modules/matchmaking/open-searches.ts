import type { OpenSearch } from './matchmaking.api';
import type { MatchModel, MatchRow } from './matchmaking.models';
import type { TicketsService } from './tickets.service';
import { toMatchView } from './views';

/** The open searches of many players at once. */
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
