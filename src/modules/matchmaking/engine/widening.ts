import type { RuleSet, Widening } from '../../games';

/** A limit that waiting widens, ready for the inner loops: `values[i]` applies from `from[i]` ms of waiting on. */
export interface Limit {
  from: Float64Array;
  values: Float64Array;
  interpolate: boolean;
}

/** How often a limit that grows linearly is looked at on its way from one step to the next. */
const LOOKS_BETWEEN_STEPS = 16;

export const limitOf = ({ value, steps, interpolate }: Widening): Limit => ({
  from: Float64Array.from([0, ...steps.map((step) => step.afterSeconds * 1000)]),
  values: Float64Array.from([value, ...steps.map((step) => step.value)]),
  interpolate,
});

/** The limit after `waitedMs`: the last step reached, or linear between steps where the rule asks for it. */
export function limitAfter({ from, values, interpolate }: Limit, waitedMs: number): number {
  let i = from.length - 1;
  while (i > 0 && waitedMs < (from[i] as number)) i--;
  const value = values[i] as number;
  if (!interpolate || i === from.length - 1) return value;
  const begin = from[i] as number;
  const share = Math.max(0, waitedMs - begin) / ((from[i + 1] as number) - begin);
  return value + ((values[i + 1] as number) - value) * share;
}

/** Every waiting time (ms, ascending) at which some rule of the set becomes more generous. */
export function relaxationsOf(rules: RuleSet): number[] {
  const widenings = [rules.skill.maxSpread, rules.skill.maxTeamGap, rules.latency?.maxMs ?? null];
  const ms = [
    rules.regions.nearbyAfterSeconds,
    rules.regions.relaxAfterSeconds,
    rules.languages.relaxAfterSeconds,
    rules.hold?.holdSeconds ?? null,
    rules.avoid.recentSeconds > 0 ? rules.avoid.relaxAfterSeconds : null,
  ].flatMap((seconds) => (seconds === null ? [] : [seconds * 1000]));
  for (const widening of widenings) if (widening) ms.push(...looksAt(widening));
  return [...new Set(ms)].sort((a, b) => a - b);
}

function looksAt({ steps, interpolate }: Widening): number[] {
  let before = 0;
  return steps.flatMap(({ afterSeconds }) => {
    const begin = before;
    const span = afterSeconds * 1000 - begin;
    before = afterSeconds * 1000;
    if (!interpolate) return [before];
    const looks = Math.min(LOOKS_BETWEEN_STEPS, Math.ceil(span / 1000));
    return Array.from({ length: looks }, (_, i) => begin + Math.round((span * (i + 1)) / looks));
  });
}

/** How far a ticket's rules have relaxed, 0..1: the share of its relaxations that have taken effect; 0 where there are none. */
export function relaxation(rules: RuleSet, waitedMs: number): number {
  const all = relaxationsOf(rules);
  return all.length === 0 ? 0 : all.filter((ms) => waitedMs >= ms).length / all.length;
}
