import type { RuleSet } from '../../games';
import { roleTable, type RoleTable } from './roles';
import { limitOf, relaxationsOf, type Limit } from './widening';

/** A rule set, ready for the inner loops. Times in ms. */
export interface Rules {
  set: RuleSet;
  teamCount: number;
  teamMin: number;
  teamMax: number;
  /** Players in a match. */
  fewest: number;
  most: number;
  spread: Limit | null;
  gap: Limit | null;
  latency: Limit | null;
  /** Whether the most generous limit of a match's tickets holds, instead of the strictest. */
  widestHolds: boolean;
  roles: RoleTable | null;
  hold: { target: number; ms: number } | null;
  nearbyAfter: number;
  regionsYieldAfter: number;
  languagesYieldAfter: number;
  avoidFor: number;
  /** Waiting times at which some rule becomes more generous, ascending. */
  relaxations: Float64Array;
}

const ms = (seconds: number | null): number => (seconds === null ? Infinity : seconds * 1000);

export function compileRules(set: RuleSet): Rules {
  const { count, size } = set.teams;
  return {
    set,
    teamCount: count,
    teamMin: size.min,
    teamMax: size.max,
    fewest: count * size.min,
    most: count * size.max,
    spread: set.skill.maxSpread && limitOf(set.skill.maxSpread),
    gap: set.skill.maxTeamGap && limitOf(set.skill.maxTeamGap),
    latency: set.latency && limitOf(set.latency.maxMs),
    widestHolds: set.skill.mutual === 'widest',
    roles: set.roles && roleTable(set.roles),
    hold: set.hold && { target: set.hold.fillTarget, ms: set.hold.holdSeconds * 1000 },
    nearbyAfter: ms(set.regions.nearbyAfterSeconds),
    regionsYieldAfter: ms(set.regions.relaxAfterSeconds),
    languagesYieldAfter: ms(set.languages.relaxAfterSeconds),
    avoidFor: set.avoid.recentSeconds > 0 ? set.avoid.relaxAfterSeconds * 1000 : 0,
    relaxations: Float64Array.from(relaxationsOf(set)),
  };
}

/** The next waiting time after `waited` at which something relaxes; Infinity where nothing will. */
export function nextRelaxation({ relaxations }: Rules, waited: number): number {
  for (let i = 0; i < relaxations.length; i++) if ((relaxations[i] as number) > waited) return relaxations[i] as number;
  return Infinity;
}
