import fc from 'fast-check';
import type { RuleSet } from '../../games/rule-set';
import { Engine } from './engine';
import { propose } from './propose';
import { broken, misshapen } from './testing/oracle';
import { NOW, rules, ruleSets, ticket, tickets } from './testing/tickets';
import type { Proposal, Ticket } from './ticket';

const run = (pool: readonly Ticket[], ruleSet: RuleSet, seed = 1) =>
  propose([{ key: 'pool', tickets: pool, ruleSet }], NOW, seed);

/** Small pools are solved exactly, large ones are not: both kinds. */
const pools = fc.oneof(tickets(12), tickets(70));

function check(pool: readonly Ticket[], ruleSet: RuleSet, proposals: readonly Proposal[], now = NOW): void {
  const byId = new Map(pool.map((t) => [t.id, t]));
  const used = proposals.flatMap((p) => p.ticketIds);
  expect(new Set(used).size).toBe(used.length);
  for (const proposal of proposals) {
    const members = proposal.ticketIds.map((id) => byId.get(id)!);
    expect(broken(members, ruleSet, now)).toEqual([]);
    expect(misshapen(proposal, members, ruleSet, now)).toEqual([]);
  }
}

describe('a pass, whatever the pool', () => {
  it('gives everybody in a match what they asked for, keeps parties whole, uses no ticket twice', () => {
    fc.assert(
      fc.property(pools, ruleSets, (pool, ruleSet) => check(pool, ruleSet, run(pool, ruleSet))),
      { numRuns: 600 },
    );
  });

  it('seats everybody in a role that they offered', () => {
    const trinity = rules({ teams: { count: 2, size: { min: 3, max: 3 } }, roles: { tank: 1, healer: 1, dps: 1 } });
    fc.assert(
      fc.property(tickets(40, { roles: ['tank', 'healer', 'dps'] }), (pool) =>
        check(pool, trinity, run(pool, trinity)),
      ),
      { numRuns: 200 },
    );
  });

  it('does not depend on the order in which tickets came', () => {
    const shuffled = pools.chain((pool) =>
      fc.tuple(fc.constant(pool), fc.shuffledSubarray(pool, { minLength: pool.length })),
    );
    fc.assert(
      fc.property(shuffled, ruleSets, fc.nat(), ([pool, other], ruleSet, seed) => {
        expect(run(other, ruleSet, seed)).toEqual(run(pool, ruleSet, seed));
      }),
      { numRuns: 400 },
    );
  });

  it('is not delayed by a ticket that cannot be matched', () => {
    const hopeless = ticket('hopeless', { waited: 5000, groupSize: { min: 150, max: 150 } });
    const lonely = (pool: Ticket[]) =>
      ticket('lonely', { waited: 5000, blocked: new Set(pool.flatMap((t) => t.players.map((p) => p.userId))) });
    fc.assert(
      fc.property(pools, ruleSets, (pool, ruleSet) => {
        const alone = run(pool, ruleSet);
        expect(run([...pool, hopeless], ruleSet)).toEqual(alone);
        expect(run([lonely(pool), ...pool], ruleSet)).toEqual(alone);
      }),
      { numRuns: 400 },
    );
  });

  it('leaves no two players waiting who could play a duel', () => {
    const duels = ruleSets.map((r) => ({
      ...r,
      teams: { count: 2, size: { min: 1, max: 1 } },
      skill: { ...r.skill, maxTeamGap: null },
      hold: null,
    }));
    fc.assert(
      fc.property(fc.oneof(tickets(12, { maxParty: 1 }), tickets(70, { maxParty: 1 })), duels, (pool, ruleSet) => {
        const used = new Set(run(pool, ruleSet).flatMap((p) => p.ticketIds));
        const left = pool.filter((t) => !used.has(t.id));
        left.forEach((a, i) => left.slice(i + 1).forEach((b) => expect(broken([a, b], ruleSet, NOW)).not.toEqual([])));
      }),
      { numRuns: 400 },
    );
  });

  it('never serves the newer of two like tickets and leaves the older waiting', () => {
    fc.assert(
      fc.property(
        fc.oneof(tickets(9), tickets(60)),
        fc.integer({ min: 1, max: 100 }),
        ruleSets,
        (pool, seconds, ruleSet) => {
          const [first, ...others] = pool;
          if (!first) return;
          const twin = (id: string, older: number): Ticket => ({
            ...first,
            id,
            players: first.players.map((p, i) => ({ ...p, userId: `${id}.${i}` })),
            waitingSince: first.waitingSince - older * 1000,
            // like in everything: also in whom they keep away from
            blocked: new Set(),
            avoided: new Set(),
          });
          const plain = others.map((t) => ({ ...t, blocked: new Set<string>(), avoided: new Set<string>() }));
          const used = new Set(
            run([...plain, twin('newer', 0), twin('older', seconds)], ruleSet).flatMap((p) => p.ticketIds),
          );
          expect(used.has('newer') && !used.has('older')).toBe(false);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('passes over a pool that changes', () => {
  const history = fc.record({
    pool: tickets(30),
    ruleSet: ruleSets,
    steps: fc.array(
      fc.record({ seconds: fc.integer({ min: 0, max: 60 }), leave: fc.nat({ max: 29 }), back: fc.boolean() }),
      { minLength: 1, maxLength: 8 },
    ),
  });

  it('give only what is right at that moment, and never a ticket that has left or is in a match', () => {
    fc.assert(
      fc.property(history, ({ pool, ruleSet, steps }) => {
        const engine = new Engine(1);
        engine.setPool('pool', ruleSet);
        const waiting = new Map<string, Ticket>();
        let now = NOW;
        const coming = [...pool];
        for (const { seconds, leave, back } of steps) {
          for (const t of coming.splice(0, 6)) {
            engine.add('pool', t);
            waiting.set(t.id, t);
          }
          engine.remove(`t${leave}`);
          waiting.delete(`t${leave}`);
          for (const proposal of engine.pass(now)) {
            if (!proposal) continue;
            for (const id of proposal.ticketIds) expect(waiting.has(id)).toBe(true);
            check(pool, ruleSet, [proposal], now);
            for (const id of proposal.ticketIds) {
              const t = waiting.get(id)!;
              waiting.delete(id);
              // one whose match came to nothing waits again
              if (back) {
                engine.add('pool', t);
                waiting.set(id, t);
              } else engine.remove(id);
            }
          }
          for (const id of waiting.keys()) expect(engine.has(id)).toBe(true);
          expect(engine.pool('pool')!.depth).toBe(waiting.size);
          now += seconds * 1000;
        }
      }),
      { numRuns: 300 },
    );
  });

  it('find by waiting alone whatever a fresh search would find for two', () => {
    const pairsOnly = ruleSets.map((r) => ({
      ...r,
      teams: { count: 2, size: { min: 1, max: 1 } },
      skill: { ...r.skill, maxTeamGap: null },
    }));
    const steps = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(tickets(8, { maxParty: 1 }), pairsOnly, steps, (pool, ruleSet, seconds) => {
        // limits that grow linearly are looked at now and then only
        const stepwise = { ...ruleSet, skill: { ...ruleSet.skill, maxSpread: stepped(ruleSet.skill.maxSpread) } };
        const engine = new Engine(1);
        engine.setPool('pool', stepwise);
        for (const t of pool) engine.add('pool', t);
        let now = NOW;
        const left = new Set(pool);
        for (const s of [0, ...seconds]) {
          now += s * 1000;
          for (const proposal of engine.pass(now))
            for (const t of left) if (proposal?.ticketIds.includes(t.id)) left.delete(t);
          expect(propose([{ key: 'pool', ruleSet: stepwise, tickets: [...left] }], now, 1)).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('serves nobody later for wider limits when they are alone with one other', () => {
    fc.assert(
      fc.property(tickets(2, { maxParty: 1 }), ruleSets, fc.integer({ min: 0, max: 200 }), (pair, ruleSet, more) => {
        const pairRules = { ...ruleSet, teams: { count: 2, size: { min: 1, max: 1 } } };
        const later = pair.map((t) => ({ ...t, waitingSince: t.waitingSince - more * 1000 }));
        if (run(pair, pairRules).length > 0) expect(run(later, pairRules)).toHaveLength(1);
      }),
      { numRuns: 300 },
    );
  });
});

const stepped = (widening: RuleSet['skill']['maxSpread']) => widening && { ...widening, interpolate: false };

describe('a ticket that stands in several pools', () => {
  const both = fc.tuple(
    tickets(16),
    ruleSets,
    ruleSets,
    fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 16, maxLength: 16 }),
  );

  it('is taken once, by a pool whose rules it meets', () => {
    fc.assert(
      fc.property(both, ([pool, first, second, weights]) => {
        const inB = pool.filter((_, i) => i % 3 !== 0).map((t, i) => ({ ...t, weight: weights[i] ?? 5 }));
        const favourite = new Map(inB.map((t) => [t.id, t.weight]));
        const named = [
          {
            key: 'a',
            ruleSet: first,
            tickets: pool.map((t) => ({ ...t, favourite: Math.max(t.weight, favourite.get(t.id) ?? 0) })),
          },
          {
            key: 'b',
            ruleSet: second,
            tickets: inB.map((t) => ({ ...t, favourite: Math.max(t.weight, pool.find((p) => p.id === t.id)!.weight) })),
          },
        ];
        const proposals = propose(named, NOW, 1);
        const used = proposals.flatMap((p) => p.ticketIds);
        expect(new Set(used).size).toBe(used.length);
        check(
          pool,
          first,
          proposals.filter((p) => p.pool === 'a'),
        );
        check(
          inB,
          second,
          proposals.filter((p) => p.pool === 'b'),
        );
      }),
      { numRuns: 300 },
    );
  });
});

describe('an open lobby that seeks more', () => {
  const three = rules({ teams: { count: 2, size: { min: 3, max: 3 } } });
  const lobby = (id: string, teams: number[]) => ({ ...ticket(id, { party: teams.length }), backfill: teams });

  it('is filled up, and those who sit already stay where they are', () => {
    const pool = [lobby('lobby', [0, 0, 1, 1]), ticket('a'), ticket('b')];
    const [match, ...more] = run(pool, three);
    expect(more).toEqual([]);
    check(pool, three, [match!]);
    expect(match!.teams.map((team) => team.length)).toEqual([3, 3]);
  });

  it('never merges with another one', () => {
    const coop = rules({ teams: { count: 1, size: { min: 2, max: 6 } } });
    expect(run([lobby('one', [0, 0]), lobby('two', [0, 0])], coop)).toEqual([]);
    expect(run([lobby('one', [0, 0]), lobby('two', [0, 0]), ticket('a')], coop)).toHaveLength(1);
  });
});

describe('an explanation', () => {
  const narrow = rules({
    teams: { count: 2, size: { min: 1, max: 1 } },
    skill: { maxSpread: { value: 2, steps: [{ afterSeconds: 60, value: 10 }] }, uncertainty: 0 },
  });

  it('counts whom each rule excludes, as the oracle does, and says what comes next', () => {
    const engine = new Engine(1);
    engine.setPool('pool', narrow);
    const me = ticket('me', { mu: 25, regions: ['EU'], regionPreference: 'strict' });
    const others = [
      ticket('far', { mu: 30 }),
      ticket('abroad', { mu: 25, regions: ['NA'], regionPreference: 'strict' }),
      ticket('foe', { mu: 25, blocked: new Set(['me']), groupSize: { min: 150, max: 150 } }),
    ];
    for (const each of [me, ...others]) engine.add('pool', each);
    expect([...engine.pass(NOW)].filter(Boolean)).toHaveLength(0);
    expect(engine.explain('pool', 'me', NOW)).toMatchObject({
      candidates: 3,
      compatible: 0,
      excludedBy: { skill: 1, region: 1, blocked: 1, groupSize: 1, language: 0, recent: 0, lobby: 0 },
      // of those that one rule alone keeps away, the nearest first
      nearestMisses: [{ rules: ['region'], excess: 0 }, { rules: ['skill'], distance: 5, excess: 3 }, {}],
      nextExpansion: { at: NOW + 60_000, admits: 1 },
      players: { min: 2, max: 2, available: 1 },
    });
    expect(engine.explain('pool', 'nobody', NOW)).toBeNull();
  });
});
