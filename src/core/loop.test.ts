import { createLoop } from './loop';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test('a loop that has failed for long is soon there again when what it failed of is over', async () => {
  let away = true;
  const done: number[] = [];
  const loop = createLoop({
    name: 'test',
    everyMs: 250,
    onError: () => undefined,
    async tick() {
      if (away) throw new Error('the database is away');
      done.push(Date.now());
    },
  });
  loop.start();
  await jest.advanceTimersByTimeAsync(10 * 60_000);
  away = false;
  await jest.advanceTimersByTimeAsync(2_000);
  expect(done.length).toBeGreaterThan(0);
  await loop.stop();
});

test('one that runs rarely does not run more often because it fails', async () => {
  let ticks = 0;
  const tick = () => Promise.reject(new Error(`the ${(ticks += 1)}th`));
  const loop = createLoop({ name: 'test', everyMs: 60_000, tick, onError: () => undefined });
  loop.start();
  await jest.advanceTimersByTimeAsync(10 * 60_000);
  expect(ticks).toBe(10);
  await loop.stop();
});
