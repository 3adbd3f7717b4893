import type { Types } from 'mongoose';
import type { Company } from './company';
import type { Ticket as EngineTicket } from './engine';
import type { MatchRow, TicketRow } from './matchmaking.models';
import { primaryLanguage } from './matchmaking.policy';
import type { MatchView, TicketView } from './matchmaking.schemas';

/** How rows read outside, and to the engine. */

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

export const waitingSince = (row: Pick<TicketRow, 'queuedAt' | 'createdAt'>): number =>
  (row.queuedAt ?? row.createdAt).getTime();

const NOBODY: ReadonlySet<string> = new Set();

/** What the engine sees of a queued ticket, for each pool that it stands in. */
export function toEngineTickets(id: string, row: TicketRow, company: Company): [pool: string, EngineTicket][] {
  const players = hex(row.players);
  const languages = [...new Set(row.languages.map(primaryLanguage))];
  const favourite = Math.max(...row.games.map((game) => game.weight));
  // the pools of a ticket stand in the order of its games
  return row.pools.map((pool, i) => {
    const { weight, skills } = gameAt(row, i);
    const ticket = {
      id,
      players: players.map((userId, i) => ({ userId, ...skillOf(skills, i), roles: rolesOf(row, i) })),
      waitingSince: waitingSince(row),
      groupSize: row.groupSize,
      regions: row.regions,
      regionPreference: row.regionPreference,
      languages,
      languagePreference: row.languagePreference,
      skillPreference: row.skillPreference,
      latencies: row.latencies,
      blocked: row.backfill ? new Set([...company.blocked, ...row.backfill.gone]) : company.blocked,
      avoided: company.met.get(pool) ?? NOBODY,
      weight,
      favourite,
      backfill: row.backfill?.teams ?? null,
    };
    return [pool, ticket];
  });
}

function gameAt({ games }: TicketRow, index: number): TicketRow['games'][number] {
  const game = games[index];
  if (!game) throw new Error('a ticket holds a game for each of its pools');
  return game;
}

/** Whoever sits in a match has the role that was given them. */
function rolesOf({ backfill, roles }: TicketRow, index: number): string[] {
  const role = backfill?.roles[index] ?? null;
  return role === null ? roles : [role];
}

function skillOf(skills: TicketRow['games'][number]['skills'], index: number): { mu: number; sigma: number } {
  const skill = skills[index];
  if (!skill) throw new Error('a ticket holds a rating for each of its players');
  return { mu: skill.mu, sigma: skill.sigma };
}
