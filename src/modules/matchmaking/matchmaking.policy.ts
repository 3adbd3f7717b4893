import { AppError, type FieldError } from '../../core/errors';
import type { GameMode, RuleSet } from '../games';
import type { Outcome } from './matchmaking.models';
import type { ResultReport } from './matchmaking.schemas';

/** The rules of matchmaking that need no database. Times in ms. */

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** How far ahead a search can be scheduled, and how late a clock of a client may be. */
export const LONGEST_SCHEDULE_MS = 7 * DAY_MS;
export const CLOCK_TOLERANCE_MS = 60_000;
/** A live match that nobody reports ends by itself, and changes no rating. */
export const LONGEST_MATCH_MS = 6 * HOUR_MS;
/** Waiting time given to those who accepted a match that others let fall through. */
export const ACCEPTED_CREDIT_MS = 30_000;
/** How long a proposal that fell through can still be looked at. */
export const KEEP_FALLEN_MS = DAY_MS;

/** Ratings of a newcomer: the defaults of openskill. */
export const NEWCOMER = { mu: 25, sigma: 25 / 3 } as const;

export const poolKey = (gameId: string, mode: string): string => `${gameId}:${mode}`;

export function poolOf(key: string): { gameId: string; mode: string } {
  const at = key.indexOf(':');
  return { gameId: key.slice(0, at), mode: key.slice(at + 1) };
}

/** Speakers of `pt-BR` and `pt` understand each other: rules compare primary subtags. */
export const primaryLanguage = (tag: string): string => (tag.split('-')[0] ?? tag).toLowerCase();

/** What a ticket asks of its modes. */
export interface Wishes {
  partySize: number;
  groupSize: { min: number; max: number } | null;
  roles: readonly string[];
}

/**
 * Whether these wishes can ever be met in every one of the modes.
 * @throws PARTY_TOO_BIG naming the mode, VALIDATION_FAILED naming the field
 */
export function requirePossible(
  modes: readonly Pick<GameMode, 'gameName' | 'name' | 'ruleSet'>[],
  wishes: Wishes,
): void {
  const { partySize, groupSize } = wishes;
  for (const { gameName, name, ruleSet } of modes)
    if (partySize > ruleSet.teams.size.max)
      throw new AppError(
        'PARTY_TOO_BIG',
        `You are ${partySize}, but a team in ${gameName} ${name} has at most ${ruleSet.teams.size.max} players.`,
      );
  const errors: FieldError[] = [];
  if (groupSize && groupSize.max < partySize)
    errors.push({ path: 'body.groupSize.max', message: `must leave room for the ${partySize} of you` });
  for (const { gameName, name, ruleSet } of modes) {
    if (groupSize && !possibleTotals(ruleSet).some((total) => total >= groupSize.min && total <= groupSize.max))
      errors.push({
        path: 'body.groupSize',
        message: `${gameName} ${name} is played by ${possibleTotals(ruleSet).join(', ')}`,
      });
    const roles = Object.keys(ruleSet.roles ?? {});
    if (roles.length > 0 && wishes.roles.length > 0 && !wishes.roles.some((role) => roles.includes(role)))
      errors.push({ path: 'body.roles', message: `${gameName} ${name} has the roles ${roles.join(', ')}` });
    else if (roles.length > 0 && wishes.roles.length > 0) {
      // each of the party would play any of these
      const offered = roles.filter((role) => wishes.roles.includes(role));
      const seats = offered.reduce((sum, role) => sum + (ruleSet.roles?.[role] ?? 0), 0);
      if (partySize > seats)
        errors.push({
          path: 'body.roles',
          message: `a team in ${gameName} ${name} has ${seats} of ${offered.join(', ')}, and you are ${partySize}`,
        });
    }
  }
  const [first] = errors;
  if (first) throw new AppError('VALIDATION_FAILED', `${first.path}: ${first.message}`, { errors });
}

/** Numbers of players with which a match of this mode can begin. Two teams are always equal in size. */
export function possibleTotals({ teams: { count, size } }: RuleSet): number[] {
  const totals: number[] = [];
  for (let total = count * size.min; total <= count * size.max; total++)
    if (count !== 2 || total % 2 === 0) totals.push(total);
  return totals;
}

/** The start of a scheduled search, or null for "now". @throws VALIDATION_FAILED outside now .. +7 days */
export function scheduleOf(scheduledFor: string | undefined, now: number): number | null {
  if (scheduledFor === undefined) return null;
  const at = Date.parse(scheduledFor);
  if (at < now - CLOCK_TOLERANCE_MS || at > now + LONGEST_SCHEDULE_MS)
    throw new AppError('VALIDATION_FAILED', 'body.scheduledFor: must lie between now and 7 days ahead', {
      errors: [{ path: 'body.scheduledFor', message: 'must lie between now and 7 days ahead' }],
    });
  return at <= now ? null : at;
}

/** A report in one form: ranks made dense (1, 2, 2, 3), so that equal results compare equal. @throws VALIDATION_FAILED */
export function outcomeOf(report: ResultReport, teamCount: number): Outcome {
  const invalid = (path: string, message: string) =>
    new AppError('VALIDATION_FAILED', `body.${path}: ${message}`, { errors: [{ path: `body.${path}`, message }] });
  if ('completed' in report) {
    if (teamCount > 1) throw invalid('completed', 'is for co-op; send `winner` or `placement`');
    return { ranks: null, completed: report.completed };
  }
  if (teamCount === 1) throw invalid('completed', 'a co-op group reports `{completed: true | false}`');
  if ('winner' in report) {
    const { winner } = report;
    if (winner !== 'draw' && winner >= teamCount) throw invalid('winner', `must be 0 to ${teamCount - 1}, or draw`);
    const ranks = Array.from({ length: teamCount }, (_, team) => (winner === 'draw' || team === winner ? 1 : 2));
    return { ranks, completed: null };
  }
  if (report.placement.length !== teamCount) throw invalid('placement', `needs a place for each of ${teamCount} teams`);
  const places = [...new Set(report.placement)].sort((a, b) => a - b);
  return { ranks: report.placement.map((place) => places.indexOf(place) + 1), completed: null };
}

export const sameOutcome = (a: Outcome, b: Outcome): boolean =>
  a.completed === b.completed && JSON.stringify(a.ranks) === JSON.stringify(b.ranks);

/**
 * The outcome on which enough reports agree, or null. `majority`: more than half of all players. `host`: the host of the
 * match's lobby says so.
 */
export function agreedOutcome(
  reports: readonly { userId: string; outcome: Outcome }[],
  rule: { agreement: 'majority' | 'host'; players: number; hostId: string | null },
): Outcome | null {
  if (rule.agreement === 'host') return reports.find((report) => report.userId === rule.hostId)?.outcome ?? null;
  const agreeing = (outcome: Outcome) => reports.filter((report) => sameOutcome(report.outcome, outcome)).length;
  return reports.find((report) => agreeing(report.outcome) * 2 > rule.players)?.outcome ?? null;
}
