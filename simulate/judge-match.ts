import type { RuleSet } from '../src/modules/games/rule-set';
import type { PoolProposal } from '../src/modules/matchmaking/engine';
import { normalCdf } from '../src/modules/matchmaking/engine/quality';
import type { Arrival } from './arrivals';

export interface PlayedMatch {
  /** When it was found, ms since the epoch. */
  at: number;
  region: string;
  players: number;
  tickets: number;
  /** Highest minus lowest rating of its tickets, the mean of mu for a party. */
  spread: number;
  /** Between the means of the strongest and the weakest team; null for a co-op group. */
  teamGap: number | null;
  quality: number;
  /** The favourite's chance to win as the engine predicts it, and as the real skills make it; null for a co-op group. */
  favourite: { predicted: number; real: number } | null;
  /** Highest minus lowest real skill of its players. */
  skillSpread: number;
}

/** Deviation of one game's performance, as openskill has it. */
const BETA = 25 / 6;

export function judgeMatch(
  proposal: PoolProposal,
  members: readonly Arrival[],
  at: number,
  rules: RuleSet,
): PlayedMatch {
  const mus = new Map<string, number>();
  const skills = new Map<string, number>();
  for (const { ticket, skills: own } of members)
    ticket.players.forEach(({ userId, mu }, i) => {
      mus.set(userId, mu);
      skills.set(userId, own[i] ?? mu);
    });
  const ratings = members.map(({ ticket }) => mean(ticket.players.map((p) => p.mu)));
  const teams = proposal.teams.map((team) => team.map(({ userId }) => userId));
  const means = teams.map((ids) => mean(ids.map((id) => mus.get(id) ?? 0)));
  const versus = rules.teams.count > 1 && proposal.chances !== null;
  return {
    at,
    region: proposal.region ?? 'any',
    players: mus.size,
    tickets: members.length,
    spread: range(ratings),
    teamGap: versus ? range(means) : null,
    quality: proposal.quality,
    favourite: versus
      ? {
          predicted: Math.max(...(proposal.chances ?? [])),
          real: realFavourite(teams.map((ids) => ids.map((id) => skills.get(id) ?? 0))),
        }
      : null,
    skillSpread: range([...skills.values()]),
  };
}

/** The best team's chance where everybody plays as well as they can: the formula of quality.ts without uncertainty. */
function realFavourite(teams: readonly (readonly number[])[]): number {
  const chances = teams.map((own, i) => {
    const others = teams.filter((_, j) => j !== i);
    return mean(
      others.map((other) => normalCdf((sum(own) - sum(other)) / (BETA * Math.sqrt(own.length + other.length)))),
    );
  });
  return Math.max(...chances);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
const range = (values: readonly number[]): number => Math.max(...values) - Math.min(...values);
