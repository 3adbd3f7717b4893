import { createSlices } from './slices';

test('a slice is over after a few milliseconds, others have a turn, and the next one is as long', async () => {
  let now = 0;
  const slices = createSlices(() => now);
  const others: string[] = [];
  setImmediate(() => others.push('had a turn'));
  now = 3;
  expect(slices.isOver).toBe(false);
  now = 4;
  expect(slices.isOver).toBe(true);
  await slices.pause();
  expect(others).toEqual(['had a turn']);
  expect(slices.isOver).toBe(false);
  now = 8;
  expect(slices.isOver).toBe(true);
});
