import type { Plain } from '../../database/row-reader';
import type { Company } from './company';
import type { Ticket as EngineTicket } from './engine';
import type { TicketRow } from './matchmaking.models';
import { primaryLanguage } from './matchmaking.policy';
import type { WishField } from './shared-wishes';

/** How queued tickets read to the memory, and to the engine. */

/** What the memory is made of, ids in hex. */
export interface WaitingRow extends Pick<
  Plain<TicketRow>,
  WishField | '_id' | 'players' | 'lobbyId' | 'backfill' | 'pools' | 'revision' | 'queuedAt' | 'createdAt'
> {
  games: { weight: number; skills: { mu: number; sigma: number }[] }[];
}

/** @param row as the driver reads it */
export function toWaiting(row: TicketRow): WaitingRow {
  const { backfill } = row;
  return {
    ...row,
    _id: row._id.toHexString(),
    players: row.players.map((id) => id.toHexString()),
    lobbyId: row.lobbyId?.toHexString() ?? null,
    backfill: backfill ? { ...backfill, matchId: backfill.matchId?.toHexString() ?? null } : null,
  };
}

export const waitingSince = (row: Pick<WaitingRow, 'queuedAt' | 'createdAt'>): number =>
  (row.queuedAt ?? row.createdAt).getTime();

const NOBODY: ReadonlySet<string> = new Set();

/** What the engine sees of a queued ticket, in the order of its pools. */
export function toEngineTickets(row: WaitingRow, company: Company): EngineTicket[] {
  const languages = distinct(row.languages.map(primaryLanguage));
  const favourite = Math.max(...row.games.map((game) => game.weight));
  const since = waitingSince(row);
  // the pools of a ticket stand in the order of its games
  return row.pools.map((pool, i) => {
    const { weight, skills } = gameAt(row, i);
    return {
      id: row._id,
      players: row.players.map((userId, i) => playerOf(row, skills, userId, i)),
      waitingSince: since,
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
  });
}

const distinct = (names: string[]): string[] => (names.length < 2 ? names : [...new Set(names)]);

function gameAt({ games }: WaitingRow, index: number): WaitingRow['games'][number] {
  const game = games[index];
  if (!game) throw new Error('a ticket holds a game for each of its pools');
  return game;
}

function playerOf(
  { backfill, roles }: WaitingRow,
  skills: WaitingRow['games'][number]['skills'],
  userId: string,
  index: number,
): EngineTicket['players'][number] {
  const skill = skills[index];
  if (!skill) throw new Error('a ticket holds a rating for each of its players');
  // whoever sits in a match has the role that was given them
  const role = backfill?.roles[index] ?? null;
  return { userId, mu: skill.mu, sigma: skill.sigma, roles: role === null ? roles : [role] };
}
