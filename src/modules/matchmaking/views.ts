import type { Types } from 'mongoose';
import type { MatchRow, TicketRow } from './matchmaking.models';
import type { MatchView, TicketView } from './matchmaking.schemas';

/** How rows read outside. */

const hex = (ids: readonly Types.ObjectId[]): string[] => ids.map((id) => id.toHexString());
const iso = (date: Date | null): string | null => date?.toISOString() ?? null;

export const playersOf = (row: Pick<TicketRow, 'players'>): string[] => hex(row.players);

export const waitedMs = (row: Pick<TicketRow, 'queuedAt' | 'endedAt'>, now: number): number =>
  row.queuedAt === null ? 0 : Math.max(0, (row.endedAt?.getTime() ?? now) - row.queuedAt.getTime());

export function toTicketView(row: TicketRow, now: number, estimatedWaitMs: number | null): TicketView {
  return {
    id: row._id.toHexString(),
    state: row.state,
    players: hex(row.players),
    submittedBy: row.submittedBy.toHexString(),
    lobbyId: row.lobbyId?.toHexString() ?? null,
    backfillOf: row.backfill?.matchId?.toHexString() ?? null,
    fillsLobby: row.backfill?.matchId === null,
    games: row.games.map(({ gameId, mode, weight }) => ({ gameId: gameId.toHexString(), mode, weight })),
    groupSize: row.groupSize && { min: row.groupSize.min, max: row.groupSize.max },
    regions: row.regions,
    regionPreference: row.regionPreference,
    languages: row.languages,
    languagePreference: row.languagePreference,
    skillPreference: row.skillPreference,
    roles: row.roles,
    latencies: row.latencies,
    scheduledFor: iso(row.scheduledFor),
    queuedAt: iso(row.queuedAt),
    expiresAt: row.expiresAt.toISOString(),
    createdAt: row.createdAt.toISOString(),
    endedAt: iso(row.endedAt),
    waitedMs: waitedMs(row, now),
    estimatedWaitMs,
    matchId: row.matchId?.toHexString() ?? null,
    reason: row.reason,
    revision: row.revision,
  };
}

/** Who the others are stays unsaid until everybody has accepted. */
export function toMatchView(row: MatchRow, viewerId: string): MatchView {
  return {
    id: row._id.toHexString(),
    gameId: row.gameId.toHexString(),
    gameName: row.gameName,
    mode: row.mode,
    ruleSetVersion: row.ruleSetVersion,
    state: row.state,
    playerCount: row.teams.flat().length,
    teams: row.formedAt === null ? [] : toTeams(row),
    quality: row.quality,
    region: row.region,
    lobbyId: row.lobbyId?.toHexString() ?? null,
    acceptBy: iso(row.acceptBy),
    acceptedCount: row.accepted.length,
    youAccepted: hex(row.accepted).includes(viewerId),
    reports: row.reports.map(({ userId, outcome }) => ({ userId: userId.toHexString(), outcome })),
    outcome: row.outcome,
    ratings: row.ratings.map(({ userId, before, after }) => ({ userId: userId.toHexString(), before, after })),
    endReason: row.endReason,
    createdAt: row.createdAt.toISOString(),
    formedAt: iso(row.formedAt),
    endedAt: iso(row.endedAt),
  };
}

export const toTeams = (row: Pick<MatchRow, 'teams'>): { userId: string; role: string | null }[][] =>
  row.teams.map((team) => team.map(({ userId, role }) => ({ userId: userId.toHexString(), role })));

export const ticketsOf = (row: Pick<MatchRow, 'tickets'>): { ticketId: string; userIds: string[] }[] =>
  row.tickets.map(({ ticketId, userIds }) => ({ ticketId: ticketId.toHexString(), userIds: hex(userIds) }));
