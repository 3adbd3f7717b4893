import { type AppError } from '../../core/errors';
import type { GameMode } from '../games';
import { ruleSetSchema, type RuleSetInput } from '../games/rule-set';
import type { Outcome } from './matchmaking.models';
import {
  agreedOutcome,
  DAY_MS,
  outcomeOf,
  poolKey,
  poolOf,
  possibleTotals,
  primaryLanguage,
  requirePossible,
  scheduleOf,
} from './matchmaking.policy';
import { createWaits } from './waits';

const NOW = Date.UTC(2026, 0, 1);
const mode = (ruleSet: RuleSetInput): GameMode => ({
  gameId: 'a'.repeat(24),
  gameName: 'Chess',
  gameSlug: 'chess',
  key: 'm',
  name: 'Blitz',
  ruleSet: ruleSetSchema.parse(ruleSet),
  version: 1,
});
const teams = (count: number, min: number, max = min) => ({ teams: { count, size: { min, max } } });

function thrown(work: () => unknown): AppError {
  try {
    work();
  } catch (error) {
    return error as AppError;
  }
  throw new Error('nothing was thrown');
}

test.each<[RuleSetInput, number[]]>([
  [teams(1, 2, 4), [2, 3, 4]],
  [teams(2, 1), [2]],
  // two teams are always equal in size
  [teams(2, 2, 4), [4, 6, 8]],
  [teams(3, 1, 2), [3, 4, 5, 6]],
])('%j is played by %j', (ruleSet, totals) => {
  expect(possibleTotals(mode(ruleSet).ruleSet)).toEqual(totals);
});

describe('wishes that can never be met', () => {
  const wishes = (more: object) => ({ partySize: 1, groupSize: null, roles: [], ...more });
  test('a party must fit into one team of every mode', () => {
    const error = thrown(() => requirePossible([mode(teams(1, 2, 4)), mode(teams(2, 1))], wishes({ partySize: 2 })));
    expect(error.code).toBe('PARTY_TOO_BIG');
    expect(error.message).toContain('You are 2, but a team in Chess Blitz has at most 1');
  });
  test.each([
    [{ partySize: 3, groupSize: { min: 1, max: 2 } }, 'body.groupSize.max'],
    [{ groupSize: { min: 5, max: 5 } }, 'body.groupSize'],
    [{ roles: ['bard'] }, 'body.roles'],
    [{ partySize: 2, roles: ['tank', 'bard'] }, 'body.roles'],
    [{ partySize: 3, roles: ['healer'] }, 'body.roles'],
  ])('%j: %s', (more, path) => {
    const error = thrown(() =>
      requirePossible([mode({ ...teams(2, 3), roles: { tank: 1, healer: 2 } })], wishes(more)),
    );
    expect([error.code, error.errors?.[0]?.path]).toEqual(['VALIDATION_FAILED', path]);
  });
  test('a party whose roles no team can seat learns how many seats there are', () => {
    const error = thrown(() =>
      requirePossible(
        [mode({ ...teams(2, 3), roles: { tank: 1, healer: 2 } })],
        wishes({ partySize: 2, roles: ['tank'] }),
      ),
    );
    expect(error.message).toContain('a team in Chess Blitz has 1 of tank, and you are 2');
  });
  test('what can be met passes', () => {
    const roles = mode({ ...teams(2, 3), roles: { tank: 1, healer: 2 } });
    expect(() =>
      requirePossible([roles], wishes({ groupSize: { min: 2, max: 6 }, roles: ['bard', 'tank'] })),
    ).not.toThrow();
    expect(() => requirePossible([roles], wishes({ partySize: 2, roles: ['healer'] }))).not.toThrow();
    expect(() => requirePossible([roles], wishes({ partySize: 3, roles: ['healer', 'tank'] }))).not.toThrow();
  });
});

test.each([
  [undefined, null],
  [new Date(NOW).toISOString(), null],
  // clocks of clients may be late
  [new Date(NOW - 59_000).toISOString(), null],
  [new Date(NOW + 5000).toISOString(), NOW + 5000],
  [new Date(NOW + 7 * DAY_MS).toISOString(), NOW + 7 * DAY_MS],
])('a search scheduled for %s begins at %s', (at, expected) => {
  expect(scheduleOf(at, NOW)).toBe(expected);
});

test.each([NOW - 61_000, NOW + 7 * DAY_MS + 1000])('a search cannot be scheduled for %d', (at) => {
  expect(thrown(() => scheduleOf(new Date(at).toISOString(), NOW)).code).toBe('VALIDATION_FAILED');
});

test.each<[Parameters<typeof outcomeOf>[0], number, Outcome | 'refused']>([
  [{ winner: 0 }, 2, { ranks: [1, 2], completed: null }],
  [{ winner: 2 }, 3, { ranks: [2, 2, 1], completed: null }],
  [{ winner: 'draw' }, 2, { ranks: [1, 1], completed: null }],
  // the same result in other numbers is the same result
  [{ placement: [4, 1, 4] }, 3, { ranks: [2, 1, 2], completed: null }],
  [{ completed: true }, 1, { ranks: null, completed: true }],
  [{ winner: 2 }, 2, 'refused'],
  [{ placement: [1, 2] }, 3, 'refused'],
  [{ completed: true }, 2, 'refused'],
  [{ winner: 0 }, 1, 'refused'],
])('the report %j of %d teams is %j', (report, count, expected) => {
  if (expected === 'refused') expect(thrown(() => outcomeOf(report, count)).code).toBe('VALIDATION_FAILED');
  else expect(outcomeOf(report, count)).toEqual(expected);
});

describe('agreement', () => {
  const won: Outcome = { ranks: [1, 2], completed: null };
  const lost: Outcome = { ranks: [2, 1], completed: null };
  const reports = (...outcomes: Outcome[]) => outcomes.map((outcome, i) => ({ userId: `u${i}`, outcome }));
  test.each<[string, Outcome[], number, Outcome | null]>([
    ['half is no majority', [won, won], 4, null],
    ['more than half of all players is', [won, lost, won, won], 4, won],
    ['one of two is not', [won], 2, null],
    ['both are', [won, won], 2, won],
    ['nobody has reported', [], 2, null],
  ])('%s', (_what, outcomes, players, expected) => {
    const rule = { agreement: 'majority' as const, players, hostId: null };
    expect(agreedOutcome(reports(...outcomes), rule)).toEqual(expected);
  });
  test('the host alone decides, where the rule says so', () => {
    const rule = { agreement: 'host' as const, players: 4, hostId: 'u2' };
    expect(agreedOutcome(reports(won, won), rule)).toBeNull();
    expect(agreedOutcome(reports(won, won, lost), rule)).toEqual(lost);
    expect(agreedOutcome(reports(won, won, lost), { ...rule, hostId: null })).toBeNull();
  });
});

test('keys of pools lead back, and languages are compared by their first part', () => {
  expect(poolOf(poolKey('f'.repeat(24), 'ranked:2v2'))).toEqual({ gameId: 'f'.repeat(24), mode: 'ranked:2v2' });
  expect(['pt-BR', 'PT', 'zh-Hans-CN'].map(primaryLanguage)).toEqual(['pt', 'pt', 'zh']);
});

describe('waits', () => {
  test('are those of the last hour, by nearest rank', () => {
    const waits = createWaits();
    for (let i = 1; i <= 100; i++) waits.record('p', i * 1000, NOW);
    expect(waits.figures('p', NOW)).toEqual({ p50: 50_000, p90: 90_000, p95: 95_000, count: 100 });
    expect(waits.figures('q', NOW)).toBeNull();
    expect(waits.pools(NOW)).toEqual(['p']);
    expect(waits.figures('p', NOW + 3_600_000)).toBeNull();
    expect(waits.pools(NOW + 3_600_000)).toEqual([]);
  });
  test('an estimate is what is left of the next figure that was not reached yet', () => {
    const waits = createWaits();
    for (let i = 1; i <= 100; i++) waits.record('p', i * 1000, NOW);
    const left = [0, 49_000, 50_000, 94_000, 95_000].map((waited) => waits.estimate('p', waited, NOW));
    expect(left).toEqual([50_000, 1000, 40_000, 1000, null]);
  });
  test('only the last thousand of a pool count', () => {
    const waits = createWaits();
    for (let i = 0; i < 3000; i++) waits.record('p', i < 1500 ? 1 : 9, NOW);
    expect(waits.figures('p', NOW)).toEqual({ p50: 9, p90: 9, p95: 9, count: 1024 });
  });
});
