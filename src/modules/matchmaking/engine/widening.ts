import type { RuleSet } from '../../games';

/** A limit that waiting widens, as in a rule set. */
export type Widening = NonNullable<RuleSet['skill']['maxSpread']>;

/** The limit after `waitedMs`: the last step reached, or linear between steps where the rule asks for it. */
export function limitAfter({ value, steps, interpolate }: Widening, waitedMs: number): number {
  let reached = { afterSeconds: 0, value };
  for (const next of steps) {
    const begins = next.afterSeconds * 1000;
    if (waitedMs < begins) {
      if (!interpolate) break;
      const from = reached.afterSeconds * 1000;
      return reached.value + ((next.value - reached.value) * Math.max(0, waitedMs - from)) / (begins - from);
    }
    reached = next;
  }
  return reached.value;
}

/** Whether `preferred` has yielded. @param relaxAfterSeconds null: never */
export const hasRelaxed = (relaxAfterSeconds: number | null, waitedMs: number): boolean =>
  relaxAfterSeconds !== null && waitedMs >= relaxAfterSeconds * 1000;

/** Every waiting time (ms, ascending) at which some rule of the set becomes more generous. */
export function relaxationsOf(rules: RuleSet): number[] {
  const seconds = [
    ...[rules.skill.maxSpread, rules.skill.maxTeamGap, rules.latency?.maxMs].flatMap(
      (rule) => rule?.steps.map((step) => step.afterSeconds) ?? [],
    ),
    rules.regions.relaxAfterSeconds,
    rules.languages.relaxAfterSeconds,
    rules.hold?.holdSeconds ?? null,
  ];
  return [...new Set(seconds.filter((s): s is number => s !== null))].sort((a, b) => a - b).map((s) => s * 1000);
}

/** How far a ticket's rules have relaxed, 0..1: the share of its relaxations that have taken effect; 0 where there are none. */
export function relaxation(rules: RuleSet, waitedMs: number): number {
  const all = relaxationsOf(rules);
  return all.length === 0 ? 0 : all.filter((ms) => waitedMs >= ms).length / all.length;
}

/** The next moment at which waiting alone changes what one of these accepts; Infinity where nothing will. */
export function nextRelaxation(rules: RuleSet, tickets: Iterable<{ waitingSince: number }>, now: number): number {
  const all = relaxationsOf(rules);
  const gradual = [rules.skill.maxSpread, rules.skill.maxTeamGap, rules.latency?.maxMs].some(
    (rule) => rule?.interpolate && rule.steps.length > 0,
  );
  let next = Infinity;
  for (const { waitingSince } of tickets) {
    const step = all.find((ms) => waitingSince + ms > now);
    if (step === undefined) continue;
    if (gradual) return now;
    next = Math.min(next, waitingSince + step);
  }
  return next;
}
