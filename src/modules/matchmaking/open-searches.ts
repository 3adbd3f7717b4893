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
    // the tickets first: who is matched in between is seen twice, where the other way round they would be in neither
    const open = await tickets.open(userIds);
    const proposedFor = [...open.values()].flatMap(({ matchId }) => matchId ?? []);
    const [live, proposed] = await Promise.all([
      Matches.find({ livePlayers: { $in: [...userIds] }, live: true }).lean<MatchRow[]>(),
      proposedFor.length === 0 ? [] : Matches.find({ _id: { $in: proposedFor } }).lean<MatchRow[]>(),
    ]);
    const byId = new Map(proposed.map((row) => [row._id.toHexString(), row]));
    const byPlayer = new Map(live.flatMap((row) => row.livePlayers.map((id) => [id.toHexString(), row])));
    return (userId) => {
      const ticket = open.get(userId) ?? null;
      const row = ticket?.matchId ? byId.get(ticket.matchId) : byPlayer.get(userId);
      return { ticket, match: row ? toMatchView(row, userId) : null };
    };
  };
}
