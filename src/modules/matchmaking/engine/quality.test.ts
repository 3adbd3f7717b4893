import fc from 'fast-check';
import type { RuleSet } from '../../games';
import { Pool } from './pool';
import { propose } from './propose';
import { judge, normalCdf } from './quality';
import { splitIntoTeams } from './teams';
import { DRAWN_AT, drawnPool, mulberry32 } from './testing/drawn-pools';
import { optimum, totalOf } from './testing/optimum';
import { NOW, rules, ticket } from './testing/tickets';
import type { Ticket } from './ticket';

const poolOf = (tickets: readonly Ticket[], ruleSet = rules({ teams: { count: 2, size: { min: 1, max: 5 } } })) => {
  const pool = new Pool(ruleSet, 1);
  const members = tickets.map((each) => pool.add(each));
  for (const _ of pool.advance(NOW));
  return { pool, members };
};
const mus = fc.array(fc.double({ min: 0, max: 50, noNaN: true }), { minLength: 1, maxLength: 5 });

describe('compared with the best there is', () => {
  const drawn = Array.from({ length: 1000 }, (_, seed) => drawnPool(seed, 4 + (seed % 9)));
  const large = Array.from({ length: 15 }, (_, seed) => drawnPool(5000 + seed, 14));
  /** What a pool's matches are worth, of the most that they could be; pools without any match left out. */
  const sharesOf = (pools: { tickets: Ticket[]; ruleSet: RuleSet; best: number }[], circles?: number) =>
    pools
      .filter(({ best }) => best > 0)
      .map(({ tickets, ruleSet, best }) => {
        return totalOf(propose([{ key: 'pool', ruleSet, tickets }], DRAWN_AT, 1, circles)) / best;
      });
  const withBest = (pools: typeof drawn) =>
    pools.map((pool) => ({ ...pool, best: optimum(pool.tickets, pool.ruleSet, DRAWN_AT) }));
  const mean = (shares: number[]) => shares.reduce((sum, share) => sum + share, 0) / shares.length;
  let small: ReturnType<typeof withBest>;
  beforeAll(() => {
    small = withBest(drawn);
  });

  it('is the best total on a thousand small pools', () => {
    const shares = sharesOf(small);
    expect(shares.length).toBeGreaterThan(500);
    // qualities of proposals are rounded to four digits
    expect(Math.min(...shares)).toBeGreaterThan(0.999);
    expect(Math.max(...shares)).toBeLessThan(1.001);
  });

  it('comes within one percent of it on average where no circle is solved exactly', () => {
    const shares = sharesOf(small, 0);
    expect(mean(shares)).toBeGreaterThan(0.99);
    expect(Math.min(...shares)).toBeGreaterThan(0.65);
  });

  it('comes near it in pools too large to be solved exactly', () => {
    const pools = withBest(large);
    expect(mean(sharesOf(pools))).toBeGreaterThan(0.97);
    expect(mean(sharesOf(pools, 0))).toBeGreaterThan(0.96);
  });

  it.each([
    [1, 5, 0],
    [1, 5, 300],
    [2, 1, 60],
    [2, 5, 60],
  ])('groups neighbours in a pool of 3,000: %i teams of %i, waiting up to %i s', (count, size, waits) => {
    const random = mulberry32(count * 100 + size);
    const normal = () => 25 + 6 * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const tickets = Array.from({ length: 3000 }, (_, i) => ticket(`t${i}`, { mu: normal(), waited: waits * random() }));
    const ruleSet = rules({ teams: { count, size: { min: size, max: size } }, skill: { maxSpread: { value: 8 } } });
    const mu = new Map(tickets.map((each) => [each.id, each.players[0]!.mu]));
    const groups = propose([{ key: 'pool', ruleSet, tickets }], NOW, 1).map((match) =>
      match.ticketIds.map((id) => mu.get(id)!).sort((a, b) => a - b),
    );
    const total = (list: number[][]) => list.reduce((sum, group) => sum + group.at(-1)! - group[0]!, 0);
    const players = groups.flat().sort((a, b) => a - b);
    const contiguous = groups.map((_, i) => players.slice(i * count * size, (i + 1) * count * size));
    expect(players.length).toBeGreaterThan(2900);
    expect(total(groups)).toBeLessThanOrEqual(1.1 * total(contiguous));
  });
});

describe('teams', () => {
  it('have the smallest gap that whole parties allow, up to ten players', () => {
    const parties = fc.array(fc.record({ size: fc.integer({ min: 1, max: 3 }), mus }), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(parties, (drawn) => {
        const tickets = drawn.map(({ size, mus: [mu = 25] }, i) => ticket(`t${i}`, { party: size, mu }));
        const players = drawn.reduce((sum, { size }) => sum + size, 0);
        const { pool, members } = poolOf(tickets);
        let best = Infinity;
        for (let mask = 0; mask < 1 << tickets.length; mask++) {
          const side = (wanted: number) =>
            tickets.filter((_, i) => ((mask >> i) & 1) === wanted).flatMap((t) => t.players);
          const [one, two] = [side(0), side(1)];
          if (one.length !== two.length || one.length > 5) continue;
          const mean = (team: typeof one) => team.reduce((sum, player) => sum + player.mu, 0) / team.length;
          best = Math.min(best, Math.abs(mean(one) - mean(two)));
        }
        const split = players > 10 ? null : splitIntoTeams(pool, members);
        if (best === Infinity || players > 10) expect(split).toBeNull();
        else expect(split!.gap).toBeCloseTo(best, 9);
      }),
      { numRuns: 300 },
    );
  });
});

describe('quality', () => {
  it('predicts an even chance for equal teams, and more for the stronger one', () => {
    const duel = (a: number, b: number, sigma = 2) => {
      const tickets = [a, b].map((mu, i) => ticket(`t${i}`, { players: [{ userId: `t${i}`, mu, sigma, roles: [] }] }));
      const { pool, members } = poolOf(tickets, rules({ teams: { count: 2, size: { min: 1, max: 1 } } }));
      return judge(pool, members, splitIntoTeams(pool, members)!, NOW);
    };
    expect(duel(25, 25).chances).toEqual([0.5, 0.5]);
    const [strong = 0, weak = 0] = [...duel(30, 25).chances!].sort((a, b) => b - a);
    expect(strong + weak).toBeCloseTo(1, 6);
    expect(strong).toBeCloseTo(normalCdf(5 / Math.sqrt(2 * (25 / 6) ** 2 + 8)), 5);
    // the less is known, the less is predicted
    expect(Math.max(...duel(30, 25, 8).chances!)).toBeLessThan(strong);
    expect(duel(25, 25).quality).toBeGreaterThan(duel(30, 25).quality);
  });

  it('rises with waiting, fullness and wishes that are met', () => {
    const coop = rules({ teams: { count: 1, size: { min: 2, max: 5 } } });
    const qualityOf = (tickets: Ticket[]) => {
      const { pool, members } = poolOf(tickets, coop);
      return judge(pool, members, splitIntoTeams(pool, members)!, NOW).quality;
    };
    const three = ['a', 'b', 'c'].map((id) => ticket(id));
    const plain = qualityOf(three.slice(0, 2));
    expect(qualityOf(three)).toBeGreaterThan(plain);
    expect(qualityOf(three.slice(0, 2).map((t) => ({ ...t, waitingSince: NOW - 60_000 })))).toBeGreaterThan(plain);
    const apart = three.slice(0, 2).map((t, i) => ({ ...t, languages: [i ? 'de' : 'en'] }));
    expect(qualityOf(apart)).toBeLessThan(plain);
    expect(qualityOf(three.slice(0, 2).map((t) => ({ ...t, avoided: new Set(['a', 'b']) })))).toBeLessThan(plain);
  });
});
