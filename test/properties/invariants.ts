import { Types } from 'mongoose';
import type { MatchRow, TicketRow } from '../../src/modules/matchmaking/matchmaking.models';
import {
  cancelledIsCancelled,
  ENDED,
  everybodySuits,
  everyTicketEndsOnce,
  nobodyInTwoLiveMatches,
  oneLobbyEach,
  oneOpenTicketEach,
  pairOf,
  suits,
} from './promises';
import type { World } from './world';

/**
 * I1 to I8 of the design, checked from the database and from what players were told, and written without the engine: what one
 * ticket may expect of another is worked out here again.
 */
export interface Watch {
  /** Throws where an invariant does not hold; called after every step. */
  check(): Promise<void>;
  /** After the last step: every promise has come to its end. */
  checkEnds(): Promise<void>;
}

export function createWatch(world: World): Watch {
  const ends = new Map<string, string>();
  const seenMatches = new Set<string>();
  const met = new Set<string>();
  /** Whoever is blocked in the moment of a match may have been blocked after it. */
  let blocksBefore = new Set<string>();
  const userIds = () => world.players.map(({ userId }) => new Types.ObjectId(userId));

  const readAll = async () => {
    const mine = { players: { $in: userIds() } };
    const [tickets, matches, lobbies] = await Promise.all([
      world.database.collection<TicketRow>('tickets').find(mine).toArray(),
      world.database.collection<MatchRow>('matches').find(mine).toArray(),
      world.database
        .collection('lobbies')
        .find({ origin: 'match', gameId: new Types.ObjectId(world.gameId) })
        .toArray(),
    ]);
    return { tickets, matches, lobbies };
  };

  return {
    async check() {
      const { tickets, matches, lobbies } = await readAll();
      const byId = new Map(tickets.map((row) => [String(row._id), row]));
      const formed = matches.filter((match) => match.formedAt !== null);
      const fresh = formed.filter((match) => !seenMatches.has(String(match._id)));
      nobodyInTwoLiveMatches(matches);
      everyTicketEndsOnce(tickets, ends, world.promised);
      oneLobbyEach(formed, lobbies);
      cancelledIsCancelled(world.cancelled, byId, formed);
      oneOpenTicketEach(tickets);
      for (const match of fresh) {
        seenMatches.add(String(match._id));
        const members = match.tickets.map(({ ticketId }) => byId.get(String(ticketId)) as TicketRow);
        everybodySuits(match, members, blocksBefore);
        await everybodyKnows(world, match);
      }
      blocksBefore = new Set(world.blocks);
      const queued = tickets.filter((row) => row.state === 'queued');
      nobodyOvertaken(fresh, byId, queued, met);
      for (const { players } of formed)
        for (const a of players) for (const b of players) if (a !== b) met.add(pairOf(String(a), String(b)));
    },

    async checkEnds() {
      const { tickets } = await readAll();
      expect(tickets.filter((row) => !ENDED.includes(row.state)).map((row) => row.state)).toEqual([]);
      expect(tickets.map((row) => String(row._id)).sort()).toEqual([...world.promised].sort());
      expect(await world.database.collection('outbox').countDocuments({ deliveredAt: null })).toBe(0);
    },
  };
}

/** I7, after a round: whoever could have been matched with each other has been, whatever else waits in the pool. */
export async function nobodyLeftOver(world: World): Promise<void> {
  const rows = await world.database
    .collection<TicketRow>('tickets')
    .find({ state: 'queued', pools: `${world.gameId}:duel`, 'players.1': { $exists: false } })
    .toArray();
  const now = world.clock.now();
  for (const a of rows)
    for (const b of rows)
      if (a !== b && suits(a, b, now, world.blocks) && suits(b, a, now, world.blocks))
        throw new Error(`I7: ${String(a._id)} and ${String(b._id)} suit each other and were left waiting`);
}

/** I5: on the socket, or in the snapshot of one that came later. */
async function everybodyKnows(world: World, match: MatchRow): Promise<void> {
  const matchId = String(match._id);
  for (const [i, player] of world.players.entries()) {
    if (!match.players.some((id) => String(id) === player.userId)) continue;
    const socket = world.sockets[i]!;
    if (socket.snapshot.match?.id === matchId) continue;
    const told = await socket.next('matchmaking:matched', (payload) => payload.matchId === matchId);
    expect(told).toMatchObject({ lobbyId: String(match.lobbyId), quality: match.quality });
  }
}

/**
 * I8: of two who ask for the same, the one who has waited longer is served first. Looked at in duels, among newcomers with equal
 * ratings who have not met before: nothing but the waiting can make the difference.
 */
function nobodyOvertaken(
  fresh: readonly MatchRow[],
  byId: ReadonlyMap<string, TicketRow>,
  queued: readonly TicketRow[],
  met: ReadonlySet<string>,
): void {
  const wish = (row: TicketRow) =>
    JSON.stringify([row.pools, row.regions, row.regionPreference, row.languages, row.languagePreference]);
  for (const match of fresh.filter(({ mode }) => mode === 'duel')) {
    const pair = match.tickets.map(({ ticketId }) => byId.get(String(ticketId)) as TicketRow);
    for (const served of pair) {
      const partner = pair.find((row) => row !== served) as TicketRow;
      const overtaken = queued.find(
        (row) =>
          row.players.length === 1 &&
          row.updatedAt < match.createdAt &&
          wish(row) === wish(served) &&
          (row.queuedAt ?? row.createdAt) < (served.queuedAt ?? served.createdAt) &&
          !met.has(pairOf(String(row.players[0]), String(partner.players[0]))),
      );
      if (overtaken) throw new Error(`I8: ${String(overtaken._id)} was overtaken by ${String(served._id)}`);
    }
  }
}
