import { ruleSetSchema, type RuleSetInput } from '../../src/modules/games/rule-set';
import { figuresOf, frameOf } from '../figures';
import { createPopulation } from '../population';
import { profileSchema } from '../profile';
import type { Report, RunReport } from '../report/report';
import { simulate } from '../run';
import type { Source } from '../arrivals';

/** Duels of players at most 5 apart. */
export const DUEL: RuleSetInput = {
  teams: { count: 2, size: { min: 1, max: 1 } },
  skill: { maxSpread: { value: 5 }, uncertainty: 0 },
};

/** Seven tickets whose fate can be told by hand. */
export const BY_HAND = [
  { at: 0, id: 'anna', players: [{ userId: 'anna', mu: 25, sigma: 2 }], regions: ['EU'] },
  { at: 4, id: 'ben', players: [{ userId: 'ben', mu: 26, sigma: 2 }], regions: ['EU'] },
  { at: 10, id: 'cleo', players: [{ userId: 'cleo', mu: 40, sigma: 2 }], patienceSeconds: 20, leavesForGood: true },
  { at: 12, id: 'dan', players: [{ userId: 'dan', mu: 10, sigma: 2 }], patienceSeconds: 8 },
  { at: 20, id: 'pair', players: [{ mu: 25 }, { mu: 25 }] },
  { at: 50, id: 'cleo again', players: [{ userId: 'cleo', mu: 40, sigma: 2 }] },
  { at: 60, id: 'eve', players: [{ userId: 'eve', mu: 25 }] },
]
  .map((line) => JSON.stringify(line))
  .join('\n');

export const smallPopulation = (seed: number, count = 300): Source =>
  createPopulation({ profile: profileSchema.parse({}), count, hours: 2, players: 200, seed, roles: null });

export function reportOn(source: Source, rules: Record<string, RuleSetInput>, seed = 1): Report {
  const frame = frameOf(source);
  const runs = Object.entries(rules).map(([name, input]): RunReport => {
    const ruleSet = ruleSetSchema.parse(input);
    const log = simulate(ruleSet, source, { seed, tickMs: 1000 });
    return { name, ruleSet, figures: figuresOf(log, frame), matches: log.matches };
  });
  return { source, frame, runs, tickMs: 1000 };
}
