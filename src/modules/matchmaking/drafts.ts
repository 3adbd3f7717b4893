import type { Ids } from '../../core/ids';
import type { NewFact } from '../../database/outbox';
import type { GameMode } from '../games';
import type { PoolProposal } from './engine';
import type { MatchmakingEvents } from './matchmaking.api';
import type { MatchRow } from './matchmaking.models';
import type { PooledTicket } from './pools';
import { oid, type Move } from './tickets.store';
import { ticketsOf, toTeams } from './views';

/** What a proposal writes when it becomes a match. Pure. */

/** What the engine proposes, with its tickets, in its order, as it saw them. */
export interface Found {
  proposal: PoolProposal;
  mode: GameMode;
  tickets: readonly PooledTicket[];
}

/** A match that may come about. */
export interface Draft extends Found {
  match: MatchRow;
  lobbyId: string;
  userIds: string[];
  /** The live match that they join; null for a new match. */
  joins: (Seated & { matchId: string }) | null;
  /** The player's lobby that searched for them, and becomes that of the match; null where the match gets a new one. */
  fills: Seated | null;
}

/** The ticket of those to whom the others come, and where they are. */
interface Seated {
  ticketId: string;
  lobbyId: string;
  userIds: string[];
}

type FactOf<Type extends keyof MatchmakingEvents & string> = NewFact<MatchmakingEvents, Type>;

export function toDraft(found: Found, ids: Ids, now: number): Draft {
  const { proposal, mode, tickets } = found;
  const host = tickets.find((ticket) => ticket.seats !== null);
  const seated = host?.seats ? { ticketId: host.id, lobbyId: host.seats.lobbyId, userIds: host.userIds } : null;
  const joined = host?.seats?.matchId ?? null;
  const match = toMatch(proposal, mode, tickets, joined ?? ids.id(), now);
  const lobbyId = seated?.lobbyId ?? ids.id();
  const { acceptance } = mode.ruleSet;
  // who comes to others does so at once
  if (acceptance && !seated) match.acceptBy = new Date(now + acceptance.seconds * 1000);
  else goLive(match, lobbyId, now);
  return {
    ...found,
    match,
    lobbyId,
    userIds: tickets.flatMap((ticket) => ticket.userIds),
    joins: seated && joined !== null ? { ...seated, matchId: joined } : null,
    fills: joined === null ? seated : null,
  };
}

export const movesOf = ({ match, tickets }: Draft): Move[] =>
  tickets.map(({ id, revision }) => ({
    id,
    revision,
    from: 'queued',
    to: match.live ? 'matched' : 'proposed',
    matchId: match._id.toHexString(),
  }));

export function formedFact(match: MatchRow, lobbyId: string): FactOf<'match.formed'> {
  const matchId = match._id.toHexString();
  const { mode, gameName, quality } = match;
  const gameId = match.gameId.toHexString();
  const [teams, tickets] = [toTeams(match), ticketsOf(match)];
  return {
    type: 'match.formed',
    key: matchId,
    payload: { matchId, lobbyId, gameId, gameName, mode, quality, teams, tickets },
    // else it was told of as a proposal
    isFirst: match.acceptBy === null,
  };
}

/** As `match.formed`, for those who joined a live match; `joined` are the newcomers' tickets. */
export function joinedFact({ match, lobbyId, joins }: Draft): FactOf<'match.joined'> {
  const { key, payload } = formedFact(match, lobbyId);
  const joined = payload.tickets.filter((ticket) => ticket.ticketId !== joins?.ticketId);
  return { type: 'match.joined', key, payload: { ...payload, joined } };
}

export function proposedFact({ match }: Draft): FactOf<'match.proposed'> {
  const matchId = match._id.toHexString();
  return {
    type: 'match.proposed',
    key: matchId,
    isFirst: true,
    payload: {
      matchId,
      gameId: match.gameId.toHexString(),
      mode: match.mode,
      acceptBy: match.acceptBy?.toISOString() ?? '',
      tickets: ticketsOf(match),
    },
  };
}

/** From here on its players are in it. */
export function goLive(match: MatchRow, lobbyId: string, now: number): void {
  match.state = 'live';
  match.live = true;
  match.livePlayers = match.players;
  match.lobbyId = oid(lobbyId);
  match.formedAt = new Date(now);
}

function toMatch(
  proposal: PoolProposal,
  { gameId, gameName, key, ruleSet, version }: GameMode,
  tickets: readonly PooledTicket[],
  matchId: string,
  now: number,
): MatchRow {
  return {
    _id: oid(matchId),
    gameId: oid(gameId),
    gameName,
    mode: key,
    ruleSetVersion: version,
    state: 'proposed',
    live: false,
    players: proposal.teams.flat().map((member) => oid(member.userId)),
    livePlayers: [],
    teams: proposal.teams.map((team) => team.map(({ userId, role }) => ({ userId: oid(userId), role }))),
    tickets: tickets.map((ticket) => ({
      ticketId: oid(ticket.id),
      userIds: ticket.userIds.map(oid),
      waitedMs: Math.max(0, now - ticket.waitingSince),
    })),
    quality: proposal.quality,
    region: proposal.region,
    chances: proposal.chances,
    lobbyId: null,
    acceptBy: null,
    accepted: [],
    agreement: ruleSet.results.agreement,
    reports: [],
    outcome: null,
    ratings: [],
    endReason: null,
    createdAt: new Date(now),
    formedAt: null,
    endedAt: null,
    discardAt: null,
  };
}
