import type { RuleSet } from '../../games/rule-set';
import { propose } from './propose';
import { NOW, rules, ticket } from './testing/tickets';
import type { Proposal, Ticket } from './ticket';

const duel = rules({ teams: { count: 2, size: { min: 1, max: 1 } } });
const fives = rules({ teams: { count: 1, size: { min: 5, max: 5 } } });
const flexible = rules({ teams: { count: 1, size: { min: 2, max: 5 } } });
const run = (tickets: Ticket[], ruleSet: RuleSet, now = NOW, seed = 1) =>
  propose([{ key: 'pool', tickets, ruleSet }], now, seed);
const groups = (proposals: Proposal[]) => proposals.map((p) => [...p.ticketIds].sort().join(' ')).sort();

describe('propose', () => {
  const narrow = { value: 5, steps: [{ afterSeconds: 30, value: 20 }] };
  const near = rules({ teams: { count: 2, size: { min: 1, max: 1 } }, skill: { maxSpread: narrow, uncertainty: 0 } });
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
