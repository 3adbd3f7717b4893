import type { Wishes } from './cast';
import type { Heard, Snapshot } from './player';

/**
 * The books of the demo: what players were promised (a ticket answered 201, a cancel answered 204) against what they were told.
 * It knows nothing of the server's inside; whatever does not add up is a broken promise, in words.
 */
export interface Ledger {
  /** A ticket was answered 201, or is known to have been made where that answer was lost. */
  promised(ticket: Promised): void;
  /** A cancel of this ticket was answered 2xx. */
  cancelled(ticketId: string): void;
  /** This player must never meet that one. */
  blocked(by: string, who: string): void;
  /** Takes in what a player heard. @returns false where facts before it are missing */
  heard(userId: string, event: Heard): boolean;
  /** The connection of this player is gone: what is told until the next greeting is missed, and found there. */
  dropped(userId: string): void;
  /** Takes in the snapshot of a new connection. */
  greeted(userId: string, snapshot: Pick<Snapshot, 'seq'>): void;
  /** How the ticket ended for this player, as soon as they are told. */
  endOf(ticketId: string, userId: string): Promise<End>;
  /** The ticket of a match that this player was told of, where nobody saw it answered. */
  unpromised(userId: string): string | null;
  /** This player is out of the match: its lobby was closed. */
  released(userId: string, matchId: string): void;
  /** Something that must not happen has happened. */
  broken(what: string): void;
  /** Everything that is wrong once all is over. */
  audit(): string[];
  readonly matches: ReadonlyMap<string, MatchEntry>;
  readonly tickets: ReadonlyMap<string, Promised>;
}

export interface Promised {
  ticketId: string;
  userIds: string[];
  wishes: Wishes;
  /** When it was answered, ms since the epoch. */
  at: number;
}

export type End =
  | { kind: 'matched'; matchId: string; lobbyId: string; teams: Teams; at: number }
  | { kind: 'cancelled'; reason: string; at: number }
  | { kind: 'expired'; at: number };
export type Teams = { userId: string; role: string | null }[][];

export interface MatchEntry {
  matchId: string;
  lobbyId: string;
  teams: Teams;
  /** Who was told of it, and of which ticket. */
  told: Map<string, string>;
}

export function createLedger(): Ledger {
  const tickets = new Map<string, Promised>();
  const cancels = new Set<string>();
  const blocks: [string, string][] = [];
  const matches = new Map<string, MatchEntry>();
  const matchOfLobby = new Map<string, string>();
  const liveMatch = new Map<string, string>();
  const lastSeq = new Map<string, number>();
  const ends = new Map<string, End>();
  const waiting = new Map<string, ((end: End) => void)[]>();
  const wrong: string[] = [];
  const broken = (what: string) => void wrong.push(what);
  const keyOf = (ticketId: string, userId: string) => `${ticketId} ${userId}`;

  const ended = (userId: string, ticketId: string, end: End) => {
    const key = keyOf(ticketId, userId);
    const before = ends.get(key);
    if (before) {
      // facts are told at least once: the same end again is no second end
      if (before.kind !== end.kind) broken(`ticket ${ticketId} ended as ${before.kind}, and then as ${end.kind}`);
      else if (before.kind === 'matched' && end.kind === 'matched' && before.matchId !== end.matchId)
        broken(`ticket ${ticketId} ended in match ${before.matchId}, and then in match ${end.matchId}`);
      return;
    }
    ends.set(key, end);
    for (const tell of waiting.get(key) ?? []) tell(end);
    waiting.delete(key);
  };

  const matched = (userId: string, ticketId: string, { matchId, lobbyId, teams }: MatchEntry) => {
    const known = matches.get(matchId);
    const entry = known ?? { matchId, lobbyId, teams, told: new Map<string, string>() };
    matches.set(matchId, entry);
    if (entry.lobbyId !== lobbyId) broken(`match ${matchId} has two lobbies: ${entry.lobbyId} and ${lobbyId}`);
    if (JSON.stringify(entry.teams) !== JSON.stringify(teams))
      broken(`members of match ${matchId} were told different teams`);
    const other = matchOfLobby.get(lobbyId) ?? matchId;
    matchOfLobby.set(lobbyId, other);
    if (other !== matchId) broken(`lobby ${lobbyId} belongs to the matches ${other} and ${matchId}`);
    if (!teams.flat().some((member) => member.userId === userId))
      broken(`player ${userId} was told of match ${matchId} and is not in it`);
    if (!entry.told.has(userId)) {
      const live = liveMatch.get(userId);
      if (live !== undefined && live !== matchId)
        broken(`player ${userId} is in two live matches: ${live} and ${matchId}`);
      liveMatch.set(userId, matchId);
    }
    entry.told.set(userId, ticketId);
    ended(userId, ticketId, { kind: 'matched', matchId, lobbyId, teams, at: Date.now() });
  };

  /** @returns whether it is the next one, or one of those before */
  const counted = (userId: string, seq: unknown): boolean => {
    if (typeof seq !== 'number') return true;
    const last = lastSeq.get(userId);
    lastSeq.set(userId, Math.max(last ?? 0, seq));
    return last === undefined || seq <= last + 1;
  };

  return {
    matches,
    tickets,
    broken,
    promised: (ticket) => void tickets.set(ticket.ticketId, ticket),
    cancelled: (ticketId) => void cancels.add(ticketId),
    blocked: (by, who) => void blocks.push([by, who]),
    dropped: (userId) => void lastSeq.delete(userId),
    greeted: (userId, { seq }) => void lastSeq.set(userId, Math.max(lastSeq.get(userId) ?? 0, seq)),
    heard(userId, { name, payload }) {
      const isComplete = name === 'connected' || counted(userId, payload?.seq);
      if (name === 'matchmaking:matched') matched(userId, payload.ticketId, payload);
      if (name === 'matchmaking:expired') ended(userId, payload.ticketId, { kind: 'expired', at: Date.now() });
      if (name === 'matchmaking:cancelled')
        ended(userId, payload.ticketId, { kind: 'cancelled', reason: payload.reason, at: Date.now() });
      return isComplete;
    },
    endOf(ticketId, userId) {
      const key = keyOf(ticketId, userId);
      const end = ends.get(key);
      if (end) return Promise.resolve(end);
      return new Promise((resolve) => waiting.set(key, [...(waiting.get(key) ?? []), resolve]));
    },
    unpromised(userId) {
      const told = [...matches.values()].flatMap((match) => match.told.get(userId) ?? []);
      return told.find((ticketId) => !tickets.has(ticketId)) ?? null;
    },
    released(userId, matchId) {
      if (liveMatch.get(userId) === matchId) liveMatch.delete(userId);
    },
    audit: () => [
      ...wrong,
      ...[...tickets.values()].flatMap((ticket) => endsAmiss(ticket, ends, cancels, keyOf)),
      ...[...matches.values()].flatMap((match) => [...membersAmiss(match, tickets), ...wishesAmiss(match, tickets)]),
      ...[...matches.values()].flatMap((match) => meetingsAmiss(match, blocks)),
    ],
  };
}

/** A ticket ends once, in the same way for all its players, and not in a match once its cancel was answered. */
function endsAmiss(
  { ticketId, userIds }: Promised,
  ends: ReadonlyMap<string, End>,
  cancels: ReadonlySet<string>,
  keyOf: (ticketId: string, userId: string) => string,
): string[] {
  const kinds = userIds.map((userId) => ends.get(keyOf(ticketId, userId))?.kind);
  const amiss: string[] = [];
  if (kinds.includes(undefined)) amiss.push(`ticket ${ticketId} never ended for all of its players`);
  if (new Set(kinds.filter((kind) => kind !== undefined)).size > 1)
    amiss.push(`ticket ${ticketId} ended as ${kinds.join(' and ')}`);
  if (cancels.has(ticketId) && kinds.includes('matched'))
    amiss.push(`ticket ${ticketId} was matched although its cancel was answered`);
  return amiss;
}

/** Whoever is in a match was told of it, and the match consists of whole tickets. */
function membersAmiss({ matchId, teams, told }: MatchEntry, tickets: ReadonlyMap<string, Promised>): string[] {
  const members = teams.flat().map((member) => member.userId);
  const amiss = members
    .filter((userId) => !told.has(userId))
    .map((userId) => `player ${userId} was never told of match ${matchId}`);
  const expected = new Set([...told.values()].flatMap((ticketId) => tickets.get(ticketId)?.userIds ?? []));
  if (new Set(members).size !== members.length) amiss.push(`match ${matchId} has a player twice`);
  if (expected.size !== members.length || !members.every((userId) => expected.has(userId)))
    amiss.push(`match ${matchId} is not made of whole tickets`);
  return amiss;
}

/** What anybody insisted on holds for everybody they met. */
function wishesAmiss({ matchId, told }: MatchEntry, tickets: ReadonlyMap<string, Promised>): string[] {
  const met = [...new Set(told.values())].flatMap((ticketId) => tickets.get(ticketId) ?? []);
  const pairs = met.flatMap((a) => met.filter((b) => b !== a).map((b) => [a.wishes, b.wishes] as const));
  const amiss: string[] = [];
  if (pairs.some(([a, b]) => a.regionPreference === 'strict' && areApart(a.regions, b.regions)))
    amiss.push(`match ${matchId} has members from regions that another one excluded`);
  const spoken = ({ languages }: Wishes) => languages.map((tag) => tag.split('-')[0] ?? tag);
  if (pairs.some(([a, b]) => a.languagePreference === 'strict' && areApart(spoken(a), spoken(b))))
    amiss.push(`match ${matchId} has members without a language that another one insisted on`);
  return amiss;
}

/** None means any. */
const areApart = (a: readonly string[], b: readonly string[]): boolean =>
  a.length > 0 && b.length > 0 && !a.some((item) => b.includes(item));

function meetingsAmiss({ matchId, teams }: MatchEntry, blocks: readonly [string, string][]): string[] {
  const members = new Set(teams.flat().map((member) => member.userId));
  return blocks
    .filter(([by, who]) => members.has(by) && members.has(who))
    .map(([by, who]) => `player ${by} had blocked ${who}, and met them in match ${matchId}`);
}
