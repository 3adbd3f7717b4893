import type { RuleSet, RuleSetInput } from '../../../games/rule-set';
import { REGIONS, type Ticket } from '../ticket';
import { NOW, rules, ticket } from './tickets';

/** Seeded pools such as small communities have them: a few tickets of all sorts, in a mode drawn with them. */
export function drawnPool(seed: number, size: number): { tickets: Ticket[]; ruleSet: RuleSet } {
  const random = mulberry32(seed);
  const below = (n: number) => Math.floor(random() * n);
  const one = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const mode = one(MODES);
  const tickets = Array.from({ length: size }, (_, i) => {
    const party = random() < 0.25 ? Math.min(2, mode.teams.size.max) : 1;
    const min = mode.teams.count * mode.teams.size.min;
    const max = mode.teams.count * mode.teams.size.max;
    return ticket(`t${i}`, {
      mu: 15 + 20 * random(),
      waited: below(100),
      party,
      regions: random() < 0.6 ? [one(REGIONS.slice(0, 3))] : [],
      regionPreference: one(['strict', 'preferred', 'any'] as const),
      languages: random() < 0.5 ? [one(['en', 'de', 'fr'])] : [],
      languagePreference: one(['strict', 'preferred', 'any', 'any'] as const),
      groupSize: max > min && random() < 0.3 ? { min, max: min + below(max - min + 1) } : null,
      blocked: new Set(random() < 0.1 ? [`t${below(size)}`] : []),
    });
  });
  return { tickets, ruleSet: rules(mode) };
}

const skill = { maxSpread: { value: 6, steps: [{ afterSeconds: 30, value: 12 }] } };
const MODES = [
  { teams: { count: 1, size: { min: 5, max: 5 } }, skill },
  { teams: { count: 1, size: { min: 3, max: 3 } }, skill },
  { teams: { count: 1, size: { min: 2, max: 5 } }, skill },
  { teams: { count: 2, size: { min: 1, max: 1 } }, skill },
  { teams: { count: 2, size: { min: 2, max: 2 } }, skill: { ...skill, maxTeamGap: { value: 3 } } },
  { teams: { count: 2, size: { min: 3, max: 3 } }, skill },
  { teams: { count: 3, size: { min: 1, max: 2 } }, skill },
] satisfies RuleSetInput[];

export const DRAWN_AT = NOW;

export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
