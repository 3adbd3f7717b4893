import type { RuleSet } from '../../games';
import { hasRelaxed, limitAfter } from './widening';
import { REGIONS, type Region, type Ticket } from './ticket';

/** A ticket as the rules see it at one moment: every limit is worked out for its own waiting time. */
export interface Seeker {
  ticket: Ticket;
  size: number;
  waitedMs: number;
  /** A party counts as one rating: the mean of its members. */
  rating: number;
  /** Highest minus lowest rating that it accepts in a match; Infinity where it does not care. */
  spreadLimit: number;
  teamGapLimit: number;
  /** Players in the match, itself included. */
  minPlayers: number;
  maxPlayers: number;
  /** Bit i: REGIONS[i]. */
  regions: number;
  /** Whether it insists on a shared region now. */
  needsRegion: boolean;
  /** Empty: any. */
  languages: readonly string[];
  needsLanguage: boolean;
}

export const ANY_REGION = (1 << REGIONS.length) - 1;

export function seekerOf(ticket: Ticket, rules: RuleSet, now: number): Seeker {
  const waitedMs = Math.max(0, now - ticket.waitingSince);
  const caresForSkill = ticket.skillPreference === 'similar';
  const { maxSpread, maxTeamGap } = rules.skill;
  const { count, size } = rules.teams;
  const languageYields =
    ticket.languagePreference === 'preferred' && hasRelaxed(rules.languages.relaxAfterSeconds, waitedMs);
  return {
    ticket,
    size: ticket.players.length,
    waitedMs,
    rating: ticket.players.reduce((sum, player) => sum + player.mu, 0) / ticket.players.length,
    spreadLimit: maxSpread && caresForSkill ? limitAfter(maxSpread, waitedMs) : Infinity,
    teamGapLimit: maxTeamGap && caresForSkill ? limitAfter(maxTeamGap, waitedMs) : Infinity,
    minPlayers: Math.max(ticket.groupSize?.min ?? 0, count * size.min),
    maxPlayers: Math.min(ticket.groupSize?.max ?? Infinity, count * size.max),
    ...regionsOf(ticket, rules, waitedMs),
    languages: ticket.languages,
    needsLanguage: ticket.languagePreference !== 'any' && ticket.languages.length > 0 && !languageYields,
  };
}

/** Measured latencies beat names: where the rules limit latency and the ticket brings some, only regions near enough count. */
function regionsOf(ticket: Ticket, rules: RuleSet, waitedMs: number): Pick<Seeker, 'regions' | 'needsRegion'> {
  const named = ticket.regions.length === 0 ? ANY_REGION : maskOf(ticket.regions);
  if (rules.latency && Object.keys(ticket.latencies).length > 0) {
    const limit = limitAfter(rules.latency.maxMs, waitedMs);
    const near = maskOf(REGIONS.filter((region) => (ticket.latencies[region] ?? Infinity) <= limit));
    return { regions: ticket.regionPreference === 'strict' ? near & named : near, needsRegion: true };
  }
  const yields = ticket.regionPreference === 'preferred' && hasRelaxed(rules.regions.relaxAfterSeconds, waitedMs);
  return {
    regions: named,
    needsRegion: ticket.regionPreference !== 'any' && ticket.regions.length > 0 && !yields,
  };
}

export const maskOf = (regions: readonly Region[]): number =>
  regions.reduce((mask, region) => mask | (1 << REGIONS.indexOf(region)), 0);
