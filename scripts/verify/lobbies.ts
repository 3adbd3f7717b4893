import type { LobbyRow } from '../../src/modules/lobbies/lobbies.models';
import type { MatchRow } from '../../src/modules/matchmaking/matchmaking.models';
import type { Finding } from './findings';
import { eachPage, type Source } from './pages';

/** Lobbies that matches opened: the match is there, and names this lobby. */
export function verifyLobbies(source: Source): Promise<number> {
  return eachPage<LobbyRow>(source, 'lobbies', { origin: 'match' }, async (rows, session) => {
    const matches = await source.db
      .collection<MatchRow>('matches')
      .find({ _id: { $in: rows.flatMap((row) => row.matchId ?? []) } }, { session })
      .project<Pick<MatchRow, '_id' | 'lobbyId'>>({ lobbyId: 1 })
      .toArray();
    const lobbyOf = new Map(matches.map((match) => [String(match._id), match.lobbyId]));
    return rows.flatMap((row): Finding[] => {
      const named = lobbyOf.get(String(row.matchId));
      if (named?.equals(row._id)) return [];
      const but = named === undefined ? 'which is not there' : `which names lobby ${String(named)}`;
      return [
        { check: 'lobby-match', what: `lobby ${String(row._id)} belongs to match ${String(row.matchId)}, ${but}` },
      ];
    });
  });
}
