import fc from 'fast-check';
import type { RuleSet } from '../../games/rule-set';
import { exclusions } from './compatibility';
import { propose } from './propose';
import { seekerOf } from './seeker';
import { NOW, rules, ruleSets, ticket, tickets } from './testing/tickets';
import type { Proposal, Ticket } from './ticket';

const duel = rules({ teams: { count: 2, size: { min: 1, max: 1 } } });
const fives = rules({ teams: { count: 1, size: { min: 5, max: 5 } } });
const flexible = rules({ teams: { count: 1, size: { min: 2, max: 5 } } });
const run = (pool: Ticket[], ruleSet: RuleSet, now = NOW, seed = 1) => propose({ tickets: pool, ruleSet, now, seed });
const groups = (proposals: Proposal[]) => proposals.map((p) => [...p.ticketIds].sort().join(' ')).sort();

describe('propose', () => {
  const narrow = { value: 5, steps: [{ afterSeconds: 30, value: 20 }] };
  const near = rules({ teams: { count: 2, size: { min: 1, max: 1 } }, skill: { maxSpread: narrow } });
  const held = rules({
    teams: { count: 1, size: { min: 2, max: 5 } },
    hold: { fillTarget: 4, holdSeconds: 30 },
  });
  const pinged = rules({
    teams: { count: 2, size: { min: 1, max: 1 } },
    latency: { maxMs: { value: 80, steps: [{ afterSeconds: 60, value: 200 }] } },
  });
  const trinity = rules({
    teams: { count: 1, size: { min: 3, max: 3 } },
    roles: { tank: 1, healer: 1, dps: 1 },
  });
  const role = (id: string, ...roles: string[]) => ticket(id, { players: [{ userId: id, mu: 25, sigma: 8, roles }] });

  it.each<[string, RuleSet, Ticket[], string[]]>([
    ['an empty pool gives nothing', duel, [], []],
    ['two players meet', duel, [ticket('a'), ticket('b')], ['a b']],
    ['one alone waits', duel, [ticket('a')], []],
    [
      'the nearest rating is taken',
      duel,
      [ticket('a', { mu: 20, waited: 9 }), ticket('b', { mu: 40 }), ticket('c', { mu: 22 })],
      ['a c'],
    ],
    ['too far apart is no match', near, [ticket('a', { mu: 10 }), ticket('b', { mu: 16 })], []],
    [
      'the limit widens with waiting',
      near,
      [ticket('a', { mu: 10, waited: 30 }), ticket('b', { mu: 16, waited: 31 })],
      ['a b'],
    ],
    ['the stricter of two limits prevails', near, [ticket('a', { mu: 10, waited: 30 }), ticket('b', { mu: 16 })], []],
    [
      'who does not care for skill sets no limit',
      near,
      [ticket('a', { mu: 10, skillPreference: 'any' }), ticket('b', { mu: 40, skillPreference: 'any' })],
      ['a b'],
    ],
    ['one block is enough', duel, [ticket('a', { blocked: new Set(['b']) }), ticket('b')], []],
    [
      'strict regions never yield',
      duel,
      [
        ticket('a', { regions: ['EU'], regionPreference: 'strict', waited: 900 }),
        ticket('b', { regions: ['NA'], regionPreference: 'any' }),
      ],
      [],
    ],
    [
      'preferred regions yield in time',
      duel,
      [ticket('a', { regions: ['EU'], waited: 60 }), ticket('b', { regions: ['NA'], waited: 60 })],
      ['a b'],
    ],
    [
      'preferred regions do not yield before',
      duel,
      [ticket('a', { regions: ['EU'], waited: 59 }), ticket('b', { regions: ['NA'], waited: 60 })],
      [],
    ],
    ['no region means any', duel, [ticket('a', { regions: ['EU'], regionPreference: 'strict' }), ticket('b')], ['a b']],
    [
      'pairs that overlap without one common region do not make a group',
      rules({ teams: { count: 1, size: { min: 3, max: 3 } } }),
      [
        ticket('a', { regions: ['EU', 'NA'], regionPreference: 'strict' }),
        ticket('b', { regions: ['NA', 'AS'], regionPreference: 'strict' }),
        ticket('c', { regions: ['AS', 'EU'], regionPreference: 'strict' }),
      ],
      [],
    ],
    [
      'strict languages have to be shared',
      duel,
      [ticket('a', { languages: ['de'], languagePreference: 'strict' }), ticket('b', { languages: ['en'] })],
      [],
    ],
    [
      'languages nobody insists on do not matter',
      duel,
      [ticket('a', { languages: ['de'] }), ticket('b', { languages: ['en'] })],
      ['a b'],
    ],
    [
      'latency beats names',
      pinged,
      [
        ticket('a', { regions: ['EU'], latencies: { EU: 20, NA: 90 } }),
        ticket('b', { regions: ['NA'], latencies: { EU: 60, NA: 20 } }),
      ],
      ['a b'],
    ],
    [
      'nowhere near enough is no match',
      pinged,
      [ticket('a', { latencies: { EU: 20, NA: 90 } }), ticket('b', { latencies: { EU: 90, NA: 20 } })],
      [],
    ],
    [
      'latency limits widen',
      pinged,
      [
        ticket('a', { latencies: { EU: 20, NA: 90 }, waited: 60 }),
        ticket('b', { latencies: { EU: 90, NA: 20 }, waited: 60 }),
      ],
      ['a b'],
    ],
    ['five make a five', fives, ['a', 'b', 'c', 'd', 'e'].map((id) => ticket(id)), ['a b c d e']],
    ['four do not', fives, ['a', 'b', 'c', 'd'].map((id) => ticket(id)), []],
    [
      'parties stay whole and fill up',
      fives,
      [ticket('p', { party: 3 }), ticket('q', { party: 3 }), ticket('r', { party: 2 })],
      ['p r'],
    ],
    ['a party too big is left alone', duel, [ticket('p', { party: 2 }), ticket('a'), ticket('b')], ['a b']],
    ['a flexible group takes who is there', flexible, ['a', 'b', 'c'].map((id) => ticket(id)), ['a b c']],
    [
      'every wish for a group size holds',
      flexible,
      [
        ticket('a', { groupSize: { min: 2, max: 2 }, waited: 3 }),
        ticket('b', { waited: 2 }),
        ticket('c', { groupSize: { min: 3, max: 5 } }),
      ],
      ['a b'],
    ],
    ['a party that is not full does not match itself', flexible, [ticket('p', { party: 3 })], []],
    ['a full party is a match', fives, [ticket('p', { party: 5 })], ['p']],
    ['holds out for the fill target', held, [ticket('a', { waited: 29 }), ticket('b')], []],
    ['takes the fill target at once', held, ['a', 'b', 'c', 'd'].map((id) => ticket(id)), ['a b c d']],
    ['takes the minimum afterwards', held, [ticket('a', { waited: 30 }), ticket('b')], ['a b']],
    [
      'roles are seated by matching',
      trinity,
      [role('a', 'tank', 'dps'), role('b', 'tank'), role('c', 'tank', 'dps')],
      [],
    ],
    [
      'roles are found where there is a way',
      trinity,
      [role('a', 'tank', 'dps'), role('b', 'tank', 'healer'), role('c', 'tank')],
      ['a b c'],
    ],
    ['no roles means any role', trinity, [role('a'), role('b', 'tank'), role('c')], ['a b c']],
  ])('%s', (_name, ruleSet, pool, expected) => {
    expect(groups(run(pool, ruleSet))).toEqual(expected);
  });

  it('seats everybody in a role that they offered', () => {
    const [match] = run([role('a', 'tank', 'dps'), role('b', 'tank', 'healer'), role('c', 'tank')], trinity);
    expect(Object.fromEntries(match!.teams[0]!.map((m) => [m.userId, m.role]))).toEqual({
      a: 'dps',
      b: 'healer',
      c: 'tank',
    });
  });

  it('plays where the worst latency is lowest', () => {
    const [match] = run(
      [ticket('a', { latencies: { EU: 10, NA: 70 } }), ticket('b', { latencies: { EU: 75, NA: 60 } })],
      pinged,
    );
    expect(match!.region).toBe('NA');
  });

  it('serves the one who waited longest first when only one can be served', () => {
    const pool = [ticket('new', { waited: 1 }), ticket('old', { waited: 50 }), ticket('older', { waited: 90 })];
    expect(groups(run(pool, duel))).toEqual(['old older']);
  });

  it('balances the teams', () => {
    const pool = [10, 20, 30, 40].map((mu, i) => ticket(`t${i}`, { mu }));
    const [match] = run(pool, rules({ teams: { count: 2, size: { min: 2, max: 2 } } }));
    const names = match!.teams
      .map((team) =>
        team
          .map((m) => m.userId)
          .sort()
          .join(' '),
      )
      .sort();
    expect(names).toEqual(['t0 t3', 't1 t2']);
  });
});

/** Everything that must hold of any answer. */
function check(pool: Ticket[], ruleSet: RuleSet, proposals: Proposal[]): void {
  const byId = new Map(pool.map((t) => [t.id, t]));
  const used = proposals.flatMap((p) => p.ticketIds);
  expect(new Set(used).size).toBe(used.length);
  for (const { ticketIds, teams, quality } of proposals) {
    const members = ticketIds.map((id) => byId.get(id)!);
    const seated = teams.flat().map((m) => m.userId);
    expect([...seated].sort()).toEqual(members.flatMap((t) => t.players.map((p) => p.userId)).sort());
    expect(teams).toHaveLength(ruleSet.teams.count);
    for (const team of teams) {
      expect(team.length).toBeGreaterThanOrEqual(ruleSet.teams.size.min);
      expect(team.length).toBeLessThanOrEqual(ruleSet.teams.size.max);
    }
    if (teams.length === 2) expect(teams[0]!.length).toBe(teams[1]!.length);
    for (const t of members) {
      const sides = teams.filter((team) => team.some((m) => t.players.some((p) => p.userId === m.userId)));
      expect(sides).toHaveLength(1);
      expect(seated.length).toBeGreaterThanOrEqual(t.groupSize?.min ?? 0);
      expect(seated.length).toBeLessThanOrEqual(t.groupSize?.max ?? Infinity);
    }
    const seekers = members.map((t) => seekerOf(t, ruleSet, NOW));
    seekers.forEach((a, i) => seekers.slice(i + 1).forEach((b) => expect(exclusions(a, b)).toEqual([])));
    const mean = (team: Proposal['teams'][number]) =>
      team.reduce((sum, m) => {
        const owner = seekers.find((s) => s.ticket.players.some((p) => p.userId === m.userId))!;
        return sum + owner.rating;
      }, 0) / team.length;
    const means = teams.map(mean);
    const gap = Math.max(...means) - Math.min(...means);
    expect(gap).toBeLessThanOrEqual(Math.min(...seekers.map((s) => s.teamGapLimit)) + 1e-9);
    const ratings = seekers.map((s) => s.rating);
    expect(Math.max(...ratings) - Math.min(...ratings)).toBeLessThanOrEqual(
      Math.min(...seekers.map((s) => s.spreadLimit)),
    );
    expect(quality).toBeGreaterThanOrEqual(0);
    expect(quality).toBeLessThanOrEqual(1);
  }
}

describe('propose, whatever the pool', () => {
  it('gives everybody in a match what they asked for, keeps parties whole, uses no ticket twice', () => {
    fc.assert(
      fc.property(tickets(14), ruleSets, (pool, ruleSet) => check(pool, ruleSet, run(pool, ruleSet))),
      { numRuns: 400 },
    );
  });

  it('does not depend on the order in which tickets lie in memory', () => {
    const shuffled = tickets(14).chain((pool) =>
      fc.tuple(fc.constant(pool), fc.shuffledSubarray(pool, { minLength: pool.length })),
    );
    fc.assert(
      fc.property(shuffled, ruleSets, fc.nat(), ([pool, other], ruleSet, seed) => {
        expect(run(other, ruleSet, NOW, seed)).toEqual(run(pool, ruleSet, NOW, seed));
      }),
      { numRuns: 300 },
    );
  });

  it('is not delayed by a ticket that cannot be matched', () => {
    const hopeless = ticket('hopeless', { waited: 5000, groupSize: { min: 150, max: 150 } });
    const lonely = (pool: Ticket[]) =>
      ticket('lonely', { waited: 5000, blocked: new Set(pool.flatMap((t) => t.players.map((p) => p.userId))) });
    fc.assert(
      fc.property(tickets(12), ruleSets, (pool, ruleSet) => {
        const alone = run(pool, ruleSet);
        expect(run([...pool, hopeless], ruleSet)).toEqual(alone);
        // fits into nothing else either: a match of its own is only possible where one player is a full match
        expect(run([lonely(pool), ...pool], ruleSet)).toEqual(alone);
      }),
      { numRuns: 300 },
    );
  });

  it('leaves no two players waiting who could play a duel', () => {
    const solo = tickets(12, { maxParty: 1 });
    fc.assert(
      fc.property(solo, widened(), (pool, ruleSet) => {
        const used = new Set(run(pool, ruleSet).flatMap((p) => p.ticketIds));
        const left = pool.filter((t) => !used.has(t.id)).map((t) => seekerOf(t, ruleSet, NOW));
        left.forEach((a, i) => left.slice(i + 1).forEach((b) => expect(exclusions(a, b)).not.toEqual([])));
      }),
      { numRuns: 300 },
    );
  });

  it('never serves the newer of two like tickets and leaves the older waiting', () => {
    const twin = fc.tuple(tickets(9), fc.integer({ min: 1, max: 100 }));
    fc.assert(
      fc.property(twin, ruleSets, ([pool, seconds], ruleSet) => {
        const [first, ...others] = pool;
        if (!first) return;
        const rename = (t: Ticket, id: string, older: number): Ticket => ({
          ...t,
          id,
          players: t.players.map((p, i) => ({ ...p, userId: `${id}.${i}` })),
          waitingSince: t.waitingSince - older * 1000,
          // like in everything: also in whom they block
          blocked: new Set(),
        });
        const plain = others.map((t) => ({ ...t, blocked: new Set<string>() }));
        const used = new Set(
          run([...plain, rename(first, 'newer', 0), rename(first, 'older', seconds)], ruleSet).flatMap(
            (p) => p.ticketIds,
          ),
        );
        expect(used.has('newer') && !used.has('older')).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

const widened = () =>
  ruleSets.map((r) => ({
    ...r,
    teams: { count: 2, size: { min: 1, max: 1 } },
    skill: { ...r.skill, maxTeamGap: null },
    hold: null,
  }));
