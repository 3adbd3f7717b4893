import type { PoolProposal } from '../engine';
import type { RecordedTicket } from './operations';

/** A match as comparisons see it. Times in ms. */
export interface MatchFacts {
  pool: string;
  /** The same for the same tickets in the same pool. */
  key: string;
  ticketIds: readonly string[];
  quality: number;
  /** Highest minus lowest ticket rating. */
  spread: number;
  /** How long each ticket has waited. */
  waits: number[];
}

export interface Figures {
  matches: number;
  tickets: number;
  /** Of the tickets that were matched; null where none was. */
  waits: { mean: number; p50: number; p90: number; p95: number; max: number } | null;
  meanSpread: number | null;
  meanQuality: number | null;
}

/** @param ticketOf the tickets of the match's pool by their ids */
export function factsOf(
  match: PoolProposal,
  ticketOf: (id: string) => RecordedTicket | undefined,
  now: number,
): MatchFacts {
  const tickets = match.ticketIds.flatMap((id) => ticketOf(id) ?? []);
  const ratings = tickets.map(({ players }) => mean(players.map((player) => player.mu)) ?? 0);
  return {
    pool: match.pool,
    key: `${match.pool} ${[...match.ticketIds].sort().join(' ')}`,
    ticketIds: match.ticketIds,
    quality: match.quality,
    spread: Math.max(...ratings) - Math.min(...ratings),
    waits: tickets.map((ticket) => Math.max(0, now - ticket.waitingSince)),
  };
}

export function figuresOf(matches: readonly MatchFacts[]): Figures {
  const waits = matches.flatMap((match) => match.waits).sort((a, b) => a - b);
  const percentile = (share: number) => waits[Math.min(waits.length - 1, Math.floor(share * waits.length))] ?? 0;
  return {
    matches: matches.length,
    tickets: waits.length,
    waits:
      waits.length === 0
        ? null
        : {
            mean: mean(waits) ?? 0,
            p50: percentile(0.5),
            p90: percentile(0.9),
            p95: percentile(0.95),
            max: waits.at(-1) ?? 0,
          },
    meanSpread: mean(matches.map((match) => match.spread)),
    meanQuality: mean(matches.map((match) => match.quality)),
  };
}

const mean = (list: readonly number[]): number | null =>
  list.length === 0 ? null : list.reduce((sum, x) => sum + x, 0) / list.length;
