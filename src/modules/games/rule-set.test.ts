import { parseInput } from '../../http/validation';
import type { AppError } from '../../core/errors';
import { ruleSetSchema, type RuleSetInput } from './rule-set';

const versus: RuleSetInput = { teams: { count: 2, size: { min: 5, max: 5 } } };
const group: RuleSetInput = { teams: { count: 1, size: { min: 2, max: 4 } } };

/** Where the rule set is at fault, and why. */
function faults(rules: unknown): [path: string, message: string][] {
  try {
    parseInput(ruleSetSchema, rules, '');
    return [];
  } catch (error) {
    return ((error as AppError).errors ?? []).map(({ path, message }) => [path, message]);
  }
}

test('teams are all that has to be said; the rest has defaults', () => {
  expect(ruleSetSchema.parse(versus)).toMatchObject({
    teams: { count: 2, size: { min: 5, max: 5 } },
    skill: { maxSpread: null, maxTeamGap: null },
    roles: null,
    hold: null,
    acceptance: null,
    backfill: false,
    results: { agreement: 'majority' },
  });
});

test('what has been validated is valid again, and stays the same', () => {
  const once = ruleSetSchema.parse({ ...versus, skill: { maxSpread: { value: 5 } }, acceptance: { seconds: 20 } });
  expect(ruleSetSchema.parse(once)).toEqual(once);
});

describe('every fault is named by its path and says what to do', () => {
  const spread = (steps: object[]) => ({ ...versus, skill: { maxSpread: { value: 5, steps } } });
  const step = (afterSeconds: number, value: number) => ({ afterSeconds, value });

  test.each<[string, unknown, string, RegExp]>([
    ['no teams', {}, 'teams', /expected object/],
    ['no team', { teams: { count: 0, size: { min: 1, max: 1 } } }, 'teams.count', />=1/],
    ['half a player', { teams: { count: 2, size: { min: 1.5, max: 2 } } }, 'teams.size.min', /int/],
    ['sizes the wrong way round', { teams: { count: 2, size: { min: 5, max: 4 } } }, 'teams.size.max', /at least min/],
    ['a crowd', { teams: { count: 20, size: { min: 1, max: 11 } } }, 'teams', /at most 200 players/],
    ['a group of one', { teams: { count: 1, size: { min: 1, max: 1 } } }, 'teams.size.max', /room for 2/],
    ['a gap within one team', { ...group, skill: { maxTeamGap: { value: 1 } } }, 'skill.maxTeamGap', /one team/],
    ['steps back in time', spread([step(30, 8), step(30, 9)]), 'skill.maxSpread.steps.1.afterSeconds', /later/],
    ['steps that narrow', spread([step(30, 4)]), 'skill.maxSpread.steps.0.value', /only widens/],
    ['roles that do not add up', { ...versus, roles: { tank: 1, healer: 1 } }, 'roles', /team size \(5\)/],
    ['roles of a flexible team', { ...group, roles: { tank: 1, healer: 3 } }, 'roles', /must be fixed/],
    ['a role with an operator in it', { ...versus, roles: { $where: 5 } }, 'roles.$where', /./],
    ['a role with a dot in it', { ...versus, roles: { 'a.b': 5 } }, 'roles.a.b', /./],
    ['a target beyond the seats', { ...group, hold: { fillTarget: 5, holdSeconds: 30 } }, 'hold.fillTarget', /2 and 4/],
    ['a second to accept', { ...versus, acceptance: { seconds: 1 } }, 'acceptance.seconds', />=5/],
    ['a ticket without end', { ...versus, ticketSeconds: 1e9 }, 'ticketSeconds', /<=86400/],
    ['who decides', { ...versus, results: { agreement: 'loudest' } }, 'results.agreement', /majority/],
    ['words for numbers', { teams: { count: 'two', size: { min: 5, max: 5 } } }, 'teams.count', /number/],
    ['a key of another system', { ...versus, elo: true }, '', /"elo"/],
  ])('%s', (_what, rules, path, message) => {
    const found = faults(rules);
    expect(found.map(([where]) => where)).toContain(path);
    expect(found.find(([where]) => where === path)?.[1]).toMatch(message);
  });

  test('several at once', () => {
    const rules = { teams: { count: 0, size: { min: 0, max: 5 } }, acceptance: { seconds: 1 }, ticketSeconds: 'long' };
    const paths = faults(rules).map(([path]) => path);
    expect(paths.sort()).toEqual(['acceptance.seconds', 'teams.count', 'teams.size.min', 'ticketSeconds']);
  });
});
