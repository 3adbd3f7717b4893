import { inTurn } from './in-turn';

test('everybody has a turn, a few at a time, and then again', () => {
  const next = inTurn(() => 'abcde');
  expect([next(2), next(2), next(2), next(2)]).toEqual([['a', 'b'], ['c', 'd'], ['e'], ['a', 'b']]);
});

test('a round ends although others come all the time', () => {
  const there = new Set([1, 2, 3]);
  const next = inTurn(() => there);
  const seen: number[] = [];
  for (let turn = 0; turn < 4; turn++) {
    seen.push(...next(1));
    there.add(4 + turn);
  }
  expect(seen).toEqual([1, 2, 3, 1]);
});

test('nobody is there', () => {
  expect(inTurn(() => [])(3)).toEqual([]);
});
