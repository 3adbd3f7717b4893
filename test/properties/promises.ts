import type { RuleSetInput } from '../../src/modules/games/rule-set';
import type { MatchRow, TicketRow } from '../../src/modules/matchmaking/matchmaking.models';

/** What must hold of tickets, matches and lobbies as they stand in the database, written without the engine. */

export const MODES = {
  duel: { teams: { count: 2, size: { min: 1, max: 1 } } },
  band: { teams: { count: 1, size: { min: 2, max: 4 } }, hold: { fillTarget: 3, holdSeconds: 20 } },
  pairs: { teams: { count: 2, size: { min: 2, max: 2 } } },
  asked: { teams: { count: 2, size: { min: 1, max: 1 } }, acceptance: { seconds: 15 } },
} satisfies Record<string, RuleSetInput>;
export type ModeName = keyof typeof MODES;

/** When a `preferred` region or language yields: the default of rule sets. */
export const RELAX_MS = 60_000;

export const ENDED = ['matched', 'cancelled', 'expired'];

export const pairOf = (a: string, b: string): string => [a, b].sort().join(' ');

export function nobodyInTwoLiveMatches(matches: readonly MatchRow[]): void {
  const live = matches.filter((match) => match.live).flatMap((match) => match.livePlayers.map(String));
  if (new Set(live).size !== live.length) throw new Error('I1: a player is in two live matches');
}

export function everyTicketEndsOnce(
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

export function oneOpenTicketEach(tickets: readonly TicketRow[]): void {
  const searching = tickets.filter((row) => row.open).flatMap((row) => row.players.map(String));
  if (new Set(searching).size !== searching.length) throw new Error('a player has two open tickets');
}

export function oneLobbyEach(formed: readonly MatchRow[], lobbies: readonly object[]): void {
  for (const match of formed) {
    const own = (lobbies as { _id: unknown; matchId: unknown }[]).filter(
      (lobby) => String(lobby.matchId) === String(match._id),
    );
    if (own.length !== 1 || String(own[0]?._id) !== String(match.lobbyId))
      throw new Error(`I3: match ${String(match._id)} has ${own.length} lobbies`);
  }
}

export function cancelledIsCancelled(
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

/** I6: everybody asked for everybody else, at the moment at which the match was proposed. */
export function everybodySuits(match: MatchRow, members: readonly TicketRow[], blocks: ReadonlySet<string>): void {
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
export function suits(a: TicketRow, b: TicketRow, now: number, blocks: ReadonlySet<string>): boolean {
  const relaxed = now - (a.queuedAt ?? a.createdAt).getTime() >= RELAX_MS;
  const insists = (preference: string) => preference === 'strict' || (preference === 'preferred' && !relaxed);
  const apart = (mine: readonly string[], theirs: readonly string[]) =>
    mine.length > 0 && theirs.length > 0 && !mine.some((one) => theirs.includes(one));
  if (insists(a.regionPreference) && apart(a.regions, b.regions)) return false;
  if (insists(a.languagePreference) && apart(a.languages, b.languages)) return false;
  return !a.players.some((one) => b.players.some((other) => blocks.has(pairOf(String(one), String(other)))));
}
