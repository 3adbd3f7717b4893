import timers from 'node:timers/promises';
import { inRounds } from './rounds';

/** Rounds that end when the test says so. */
function heldRounds(most?: number) {
  const rounds: { items: readonly number[]; answer: () => void; fail: (error: Error) => void }[] = [];
  let begun: () => void = () => undefined;
  const ask = inRounds<number, number>((items) => {
    const done = new Promise<number[]>((resolve, reject) =>
      rounds.push({ items, answer: () => resolve(items.map((item) => item * 2)), fail: reject }),
    );
    begun();
    return done;
  }, most);
  const begins = () => new Promise<void>((resolve) => (begun = resolve));
  return { ask, rounds, begins };
}

test('those who ask together are answered together, each with their own', async () => {
  const { ask, rounds, begins } = heldRounds();
  const answers = Promise.all([1, 2, 3].map(ask));
  await begins();
  rounds[0]!.answer();
  expect(await answers).toEqual([2, 4, 6]);
  expect(rounds).toHaveLength(1);
});

test('who asks while a round runs is answered by the next one, which begins when that one has ended', async () => {
  const { ask, rounds, begins } = heldRounds();
  const first = ask(1);
  await begins();
  const later = Promise.all([ask(2), ask(3)]);
  const next = begins();
  expect(rounds).toHaveLength(1);
  rounds[0]!.answer();
  expect(await first).toBe(2);
  await next;
  expect(rounds[1]!.items).toEqual([2, 3]);
  rounds[1]!.answer();
  expect(await later).toEqual([4, 6]);
});

test('no round is larger than it may be', async () => {
  const ask = inRounds<number, number>(async (items) => items.map(() => items.length), 2);
  expect(await Promise.all([1, 2, 3].map(ask))).toEqual([2, 2, 1]);
});

test('a round that fails fails for those of that round alone', async () => {
  const { ask, rounds, begins } = heldRounds();
  const lost = Promise.allSettled([ask(1), ask(2)]);
  await begins();
  const kept = ask(3);
  const next = begins();
  rounds[0]!.fail(new Error('away'));
  expect((await lost).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await next;
  rounds[1]!.answer();
  expect(await kept).toBe(6);
});

test('in a crowd a round gathers for a moment, and whoever comes alone never waits', async () => {
  // all of it happens in the same moment, however busy the machine is
  const clock = jest.spyOn(performance, 'now').mockReturnValue(0);
  const rounds: (readonly number[])[] = [];
  const ask = inRounds<number, void>(async (items) => {
    rounds.push(items);
    return [];
  });
  await ask(0);
  const crowd = Array.from({ length: 12 }, (_, i) => i + 1);
  await Promise.all(crowd.map(ask));
  // each of these comes when the one before it has been answered: alone, they would be a round each
  const answered: Promise<void>[] = [];
  for (const item of [13, 14, 15]) {
    answered.push(ask(item));
    await new Promise(setImmediate);
    await new Promise(setImmediate);
  }
  await Promise.all(answered);
  clock.mockRestore();
  expect(rounds).toEqual([[0], crowd, [13, 14, 15]]);
});

describe('how long a crowd waits', () => {
  let clock: jest.SpyInstance;
  let waits: number[];
  beforeEach(() => {
    waits = [];
    clock = jest.spyOn(performance, 'now').mockReturnValue(0);
    jest.spyOn(timers, 'setTimeout').mockImplementation(async (ms) => void waits.push(ms ?? 0));
  });
  afterEach(() => jest.restoreAllMocks());

  /** A round is begun, and in the same moment so many call. */
  const waitsOf = async (size: number) => {
    const ask = inRounds<number, void>(async () => []);
    await ask(0);
    await Promise.all(Array.from({ length: size - 1 }, (_, i) => ask(i)));
    return waits.splice(0);
  };

  test.each([
    [4, []],
    [5, [10]],
    [10, [20]],
    [20, [40]],
    [60, [40]],
  ])('%i calls within 40 ms: %j ms', async (size, expected) => {
    expect(await waitsOf(size)).toEqual(expected);
  });

  test('who asks again as soon as they are answered waits in vain once, and then no more for a quarter of a second', async () => {
    const ask = inRounds<number, void>(async () => []);
    const askInTurn = async (times: number) => {
      for (let i = 0; i < times; i += 1) await ask(i);
      return waits.splice(0).length;
    };
    expect(await askInTurn(20)).toBe(1);
    clock.mockReturnValue(249);
    expect(await askInTurn(20)).toBe(0);
    clock.mockReturnValue(250);
    expect(await askInTurn(20)).toBe(1);
  });
});
