import { createBounded } from './bounded';

/** Work that ends when it is told to. */
function work() {
  let end: (result: string) => void = () => undefined;
  const done = new Promise<string>((resolve) => (end = resolve));
  const started = jest.fn(() => done);
  return { started, end: (result: string) => end(result) };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('no more than the limit run together, and those in line start in the order in which they came', async () => {
  const bounded = createBounded({ atOnce: 2, waiting: 10 });
  const works = [work(), work(), work(), work()];
  const results = works.map((one) => bounded(one.started));
  await settled();
  expect(works.map(({ started }) => started.mock.calls.length)).toEqual([1, 1, 0, 0]);
  works[1]?.end('b');
  await expect(results[1]).resolves.toBe('b');
  await settled();
  expect(works.map(({ started }) => started.mock.calls.length)).toEqual([1, 1, 1, 0]);
  for (const [i, one] of works.entries()) one.end('abcd'.charAt(i));
  await expect(Promise.all(results)).resolves.toEqual(['a', 'b', 'c', 'd']);
});

test('what finds the line full is refused and told to come back', async () => {
  const bounded = createBounded({ atOnce: 1, waiting: 1 });
  const [first, second] = [work(), work()];
  const results = [bounded(first.started), bounded(second.started)];
  await expect(bounded(async () => 'third')).rejects.toMatchObject({ code: 'UNAVAILABLE', retryAfter: 2 });
  first.end('a');
  second.end('b');
  await expect(Promise.all(results)).resolves.toEqual(['a', 'b']);
  await expect(bounded(async () => 'third')).resolves.toBe('third');
});

test('work that fails gives its place back', async () => {
  const bounded = createBounded({ atOnce: 1, waiting: 0 });
  await expect(bounded(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(bounded(async () => 'next')).resolves.toBe('next');
});
