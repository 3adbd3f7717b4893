import { ruleSetSchema } from '../src/modules/games/rule-set';
import { figuresOf, frameOf } from './figures';
import { simulate } from './run';
import { BY_HAND, DUEL, smallPopulation } from './testing/duels';
import { traceOf } from './trace';

const duel = ruleSetSchema.parse(DUEL);
const run = (seed = 1, source = smallPopulation(1)) => simulate(duel, source, { seed, tickMs: 1000 });

describe('a run over tickets whose fate can be told by hand', () => {
  const source = traceOf(BY_HAND, 'by-hand.ndjson', undefined);
  const log = run(1, source);
  const figures = figuresOf(log, frameOf(source));
  const fates = Object.fromEntries(log.ended.map((each) => [each.arrival.ticket.id, each]));

  it('matches those who suit each other at the tick at which the second one comes', () => {
    expect(fates['anna']).toMatchObject({ outcome: 'matched', waitedMs: 4000 });
    expect(fates['ben']).toMatchObject({ outcome: 'matched', waitedMs: 0 });
    expect(log.matches).toHaveLength(1);
  });

  it('knows the spread, the gap and the balance of the match', () => {
    expect(log.matches[0]).toMatchObject({ spread: 1, teamGap: 1, players: 2, tickets: 2, region: 'EU' });
    // Phi(1 / sqrt(2 beta^2 + 2^2 + 2^2)), and Phi(1 / sqrt(2 beta^2)), with beta = 25/6
    expect(log.matches[0]?.favourite?.predicted).toBeCloseTo(0.5608, 4);
    expect(log.matches[0]?.favourite?.real).toBeCloseTo(0.5674, 4);
  });

  it('lets those go whose patience is over, with the reason that the engine gives', () => {
    expect(fates['dan']).toMatchObject({ outcome: 'gaveUp', waitedMs: 8000, why: { reason: 'skill' } });
    expect(fates['dan']?.why?.excluded.skill).toBe(1);
    expect(fates['cleo']).toMatchObject({ outcome: 'gaveUp', waitedMs: 20_000, why: { reason: 'tooFew' } });
  });

  it('ends the others by the rules: too big a party, a player who left for good, a ticket that expires', () => {
    expect(fates['pair']).toMatchObject({ outcome: 'refused', waitedMs: 0 });
    expect(fates['cleo again']).toMatchObject({ outcome: 'stayedAway' });
    expect(fates['eve']).toMatchObject({ outcome: 'expired', waitedMs: 600_000 });
  });

  it('sums all that up', () => {
    expect(figures.outcomes).toEqual({ matched: 2, gaveUp: 2, expired: 1, refused: 1, stayedAway: 1 });
    expect(figures.matched).toBeCloseTo(2 / 5);
    expect(figures.waits).toEqual({ median: 0, p90: 4, p95: 4, p99: 4 });
    expect(figures.reasons).toMatchObject({ tooFew: 2, skill: 1, noGroup: 0, region: 0 });
    expect(figures.excluded.skill).toBeCloseTo(1 / 3);
    expect(figures.matchesByRegion).toEqual([
      { region: 'any', matches: 0 },
      { region: 'EU', matches: 1 },
    ]);
    expect(figures.experience.map(({ name, tickets, unmatched }) => [name, tickets, unmatched])).toEqual([
      ['newcomers', 1, 1],
      ['settled', 4, 0.5],
    ]);
    // two slots of a minute; anna waited at 0:00 only, eve after 1:00
    expect(figures.slots.map(({ arrived, matches, depth }) => [arrived, matches, depth])).toEqual([
      [6, 1, 1],
      [1, 0, 1],
    ]);
  });
});

describe('a run over a population', () => {
  it('is the same for the same seed, and another for another', () => {
    const log = run();
    expect(run()).toEqual(log);
    expect(run(1, smallPopulation(2))).not.toEqual(log);
  });

  it('ends every counted ticket exactly once', () => {
    const ids = run().ended.map(({ arrival }) => arrival.ticket.id);
    expect(ids).toHaveLength(300);
    expect(new Set(ids).size).toBe(300);
  });

  it('keeps those apart who have just met, where the rules say so', () => {
    const twice = [0, 60].flatMap((at) =>
      ['anna', 'ben'].map((userId) => JSON.stringify({ at, players: [{ userId, mu: 25 }], patienceSeconds: 30 })),
    );
    const outcomes = (relaxAfterSeconds: number) => {
      const rules = ruleSetSchema.parse({ ...DUEL, avoid: { recentSeconds: 1800, relaxAfterSeconds } });
      const source = traceOf(twice.join('\n'), 'twice', undefined);
      return simulate(rules, source, { seed: 1, tickMs: 1000 }).ended.map((each) => each.why?.reason ?? each.outcome);
    };
    expect(outcomes(0)).toEqual(['matched', 'matched', 'matched', 'matched']);
    expect(outcomes(600)).toEqual(['matched', 'matched', 'recent', 'tooFew']);
  });
});
