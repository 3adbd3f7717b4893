import { Types } from 'mongoose';
import { calibrate, calibrationText, type FinishedMatch } from './calibration';

const gameId = new Types.ObjectId('65f000000000000000000001');
const match = (chances: number[] | null, ranks: number[] | null, more: Partial<FinishedMatch> = {}): FinishedMatch => ({
  gameId,
  gameName: 'Chess',
  mode: 'blitz',
  chances,
  outcome: { ranks, completed: null },
  ...more,
});

/** @param wins of ten matches in which the first team was given 70 % */
const seventy = (wins: number) => Array.from({ length: 10 }, (_, i) => match([0.7, 0.3], i < wins ? [1, 2] : [2, 1]));

test('chances that come true are what they promise, and better than a coin', async () => {
  const [mode] = await calibrate(seventy(7));
  expect(mode).toMatchObject({ gameName: 'Chess', mode: 'blitz', matches: 10 });
  expect(mode!.brier).toBeCloseTo(0.7 * 0.09 + 0.3 * 0.49, 12);
  expect(mode!.promised).toBeCloseTo(0.21, 12);
  expect(mode!.coin).toBeCloseTo(0.25, 12);
  expect(mode!.skill).toBeCloseTo(0.16, 12);
  const rounded = mode!.buckets.map(({ from, teams, predicted, actual }) => [
    from,
    teams,
    predicted.toFixed(3),
    actual,
  ]);
  expect(rounded).toEqual([
    [0.3, 10, '0.300', 0.3],
    [0.7, 10, '0.700', 0.7],
  ]);
});

test.each<[string, FinishedMatch[], number, number]>([
  ['overconfidence is worse than a coin', seventy(3), 0.7 * 0.49 + 0.3 * 0.09, 0.25],
  ['a sure win that is lost costs all', [match([1, 0], [2, 1])], 1, 0.25],
  ['a draw is half a win for both', [match([0.5, 0.5], [1, 1])], 0, 0],
  ['a draw of unequals', [match([0.8, 0.2], [1, 1])], 0.09, 0],
  [
    'of three teams each counts',
    [match([0.5, 0.3, 0.2], [2, 1, 3])],
    (0.25 + 0.49 + 0.04) / 3,
    (1 / 9 + 4 / 9 + 1 / 9) / 3,
  ],
  [
    'two of three share the first place',
    [match([0.5, 0.25, 0.25], [1, 1, 2])],
    (0 + 0.0625 + 0.0625) / 3,
    (1 / 36 + 1 / 36 + 1 / 9) / 3,
  ],
])('%s', async (_what, matches, brier, coin) => {
  const [mode] = await calibrate(matches);
  expect(mode!.brier).toBeCloseTo(brier, 12);
  expect(mode!.coin).toBeCloseTo(coin, 12);
  if (coin === 0) expect(mode!.skill).toBeNull();
  else expect(mode!.skill).toBeCloseTo(1 - brier / coin, 12);
});

test('modes are counted apart, in the order of their names', async () => {
  const modes = await calibrate([
    match([0.5, 0.5], [1, 2], { mode: 'rapid' }),
    match([0.5, 0.5], [1, 2]),
    match([0.5, 0.5], [1, 2], { gameName: 'Arena', gameId: new Types.ObjectId('65f000000000000000000002') }),
    match([0.5, 0.5], [1, 2], { mode: 'rapid' }),
  ]);
  expect(modes.map(({ gameName, mode, matches }) => [gameName, mode, matches])).toEqual([
    ['Arena', 'blitz', 1],
    ['Chess', 'blitz', 1],
    ['Chess', 'rapid', 2],
  ]);
});

test('what has no chances or no ranks does not count', async () => {
  const rows = [match(null, [1, 2]), match([0.5, 0.5], null), { ...match([0.5, 0.5], null), outcome: null }];
  expect(await calibrate(rows)).toEqual([]);
  expect(calibrationText([])).toMatch(/^No match/);
});

test('is told as a table', async () => {
  expect(calibrationText(await calibrate(seventy(7)))).toBe(`Chess blitz: 10 matches
  Brier score 0.2100, 16 % better than a coin (0.2500); exact chances would give 0.2100
  chance          teams  predicted        won
  30-40 %            10       30 %       30 %
  70-80 %            10       70 %       70 %`);
  expect(calibrationText(await calibrate(seventy(3)))).toContain('48 % worse than a coin');
});
