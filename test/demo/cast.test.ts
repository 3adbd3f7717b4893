import { seededRandom } from '../../src/core/random';
import { castOf } from '../../demo/cast';
import { possibleTotals, type PlayableMode } from '../../demo/catalogue';
import { demoOptions } from '../../demo/options';
import { percentile } from '../../demo/statistics';

const mode = (slug: string, count: number, min: number, max = min, more: Partial<PlayableMode> = {}): PlayableMode => ({
  gameId: slug.padEnd(24, '0'),
  slug,
  game: slug,
  mode: 'm',
  teams: { count, size: { min, max } },
  roles: null,
  asksToAccept: false,
  holdSeconds: 0,
  ...more,
});
const MODES = [
  mode('duel', 2, 1),
  mode('band', 1, 2, 4),
  mode('fives', 2, 5, 5, { asksToAccept: true }),
  mode('royale', 20, 3),
  mode('slow', 1, 2, 4, { holdSeconds: 120 }),
];

test('the same seed makes the same cast, another seed another one', () => {
  const cast = (seed: number) => castOf(seededRandom(seed), 50, MODES);
  expect(cast(1)).toEqual(cast(1));
  expect(cast(1).groups).not.toEqual(cast(2).groups);
});

test.each([2, 3, 17, 200, 500])('%i players are each in one group, in modes that they can fill', (players) => {
  const { groups, modes, blocks } = castOf(seededRandom(7), players, MODES);
  expect(groups.flatMap((group) => group.members).sort((a, b) => a - b)).toEqual([...Array(players).keys()]);
  for (const each of modes) expect(possibleTotals(each)[0]).toBeLessThanOrEqual(players);
  expect(modes.map(({ slug }) => slug)).not.toContain('slow');
  for (const { members, wishes } of groups)
    for (const { gameId } of wishes.games)
      expect(modes.find((each) => each.gameId === gameId)!.teams.size.max).toBeGreaterThanOrEqual(members.length);
  for (const [by, who] of blocks)
    expect(groups.some(({ members }) => members.includes(by) && members.includes(who))).toBe(false);
});

test('a mode that so few cannot play is not tried', () => {
  expect(() => castOf(seededRandom(1), 4, [mode('royale', 20, 3)])).toThrow('can be played by 4');
});

test.each([
  [['--players', '1'], '--players must be a whole number from 2 to 5000'],
  [['--players', 'many'], 'not "many"'],
  [['--url', 'ftp://x'], '--url must be the address of a running server'],
  [['--nope'], 'The options are --players'],
])('%j is refused with what to do instead', (args, said) => {
  expect(() => demoOptions(args)).toThrow(said);
});

test('percentiles are values that occurred (nearest rank)', () => {
  const values = [5, 1, 4, 2, 3];
  expect([0, 0.5, 0.95, 1].map((share) => percentile(values, share))).toEqual([1, 3, 5, 5]);
  expect(percentile([], 0.5)).toBeNull();
});
