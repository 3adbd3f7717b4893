import { Types } from 'mongoose';
import type { MatchRow, TicketRow } from '../../src/modules/matchmaking/matchmaking.models';
import { MODES, pairOf, RELAX_MS, type ModeName, type World } from './world';

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

const ENDED = ['matched', 'cancelled', 'expired'];

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

function nobodyInTwoLiveMatches(matches: readonly MatchRow[]): void {
  const live = matches.filter((match) => match.live).flatMap((match) => match.livePlayers.map(String));
  if (new Set(live).size !== live.length) throw new Error('I1: a player is in two live matches');
}

function everyTicketEndsOnce(
  tickets: readonly TicketRow[],
  ends: Map<string, string>,
  promised: ReadonlySet<string>,
): void {
  const known = new Set(tickets.map((row) => String(row._id)));
  for (const id of promised) if (!known.has(id)) throw new Error(`I2: ticket ${id} was promised and is gone`);
  for (const row of tickets) {
    const before = ends.get(String(row._id));
    if (before !== undefined && before !== row.state)
      throw new Error(`I2: ticket ${String(row._id)} ended as ${before} and is ${row.state} now`);
    if (ENDED.includes(row.state)) ends.set(String(row._id), row.state);
    if (row.open === ENDED.includes(row.state)) throw new Error(`I2: ticket ${String(row._id)} is open and ended`);
  }
}

function oneOpenTicketEach(tickets: readonly TicketRow[]): void {
  const searching = tickets.filter((row) => row.open).flatMap((row) => row.players.map(String));
  if (new Set(searching).size !== searching.length) throw new Error('a player has two open tickets');
}

function oneLobbyEach(formed: readonly MatchRow[], lobbies: readonly object[]): void {
  for (const match of formed) {
    const own = (lobbies as { _id: unknown; matchId: unknown }[]).filter(
      (lobby) => String(lobby.matchId) === String(match._id),
    );
    if (own.length !== 1 || String(own[0]?._id) !== String(match.lobbyId))
      throw new Error(`I3: match ${String(match._id)} has ${own.length} lobbies`);
  }
}

function cancelledIsCancelled(
  cancelled: ReadonlySet<string>,
  byId: ReadonlyMap<string, TicketRow>,
  formed: readonly MatchRow[],
): void {
  const matched = new Set(formed.flatMap((match) => match.tickets.map(({ ticketId }) => String(ticketId))));
  for (const id of cancelled) {
    if (matched.has(id)) throw new Error(`I4: ticket ${id} was matched although its cancel was answered`);
    const state = byId.get(id)?.state;
    if (state !== 'cancelled' && state !== 'expired') throw new Error(`I4: a cancelled ticket is ${state}`);
  }
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

/** I6: everybody asked for everybody else, at the moment at which the match was proposed. */
function everybodySuits(match: MatchRow, members: readonly TicketRow[], blocks: ReadonlySet<string>): void {
  const now = match.createdAt.getTime();
  const size = match.players.length;
  const { teams } = MODES[match.mode as ModeName];
  if (size < teams.count * teams.size.min || size > teams.count * teams.size.max)
    throw new Error(`I6: ${match.mode} was formed with ${size}`);
  for (const row of members) {
    if (!match.teams.some((team) => row.players.every((id) => team.some((m) => String(m.userId) === String(id)))))
      throw new Error(`I6: the party of ${String(row._id)} was torn apart`);
    for (const other of members)
      if (row !== other && !suits(row, other, now, blocks))
        throw new Error(`I6: ${String(row._id)} did not ask for ${String(other._id)}`);
  }
}

/** Whether `a` asked for `b` at this moment, regions and languages and blocks. */
function suits(a: TicketRow, b: TicketRow, now: number, blocks: ReadonlySet<string>): boolean {
  const relaxed = now - (a.queuedAt ?? a.createdAt).getTime() >= RELAX_MS;
  const insists = (preference: string) => preference === 'strict' || (preference === 'preferred' && !relaxed);
  const apart = (mine: readonly string[], theirs: readonly string[]) =>
    mine.length > 0 && theirs.length > 0 && !mine.some((one) => theirs.includes(one));
  if (insists(a.regionPreference) && apart(a.regions, b.regions)) return false;
  if (insists(a.languagePreference) && apart(a.languages, b.languages)) return false;
  return !a.players.some((one) => b.players.some((other) => blocks.has(pairOf(String(one), String(other)))));
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
