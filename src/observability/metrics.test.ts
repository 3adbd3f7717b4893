import { measureExternalCalls } from './external-calls';
import { createMetrics, largest, type Metrics } from './metrics';

describe('metrics', () => {
  let metrics: Metrics;
  let url: string;
  beforeEach(async () => {
    metrics = createMetrics();
    url = (await metrics.listen(0, '127.0.0.1')) ?? '';
  });
  afterEach(() => metrics.stop());
  const scrape = async () => (await fetch(url)).text();

  test('a value that cannot be read, or not in time, is left out and counted; all others are told', async () => {
    metrics.gauge('maoga_good', 'Good', () => 7);
    metrics.gauge('maoga_broken', 'Broken', () => Promise.reject(new Error('the database is away')));
    metrics.gauges('maoga_hanging', 'Hanging', 'state', () => new Promise(() => undefined));
    await scrape();
    const text = await scrape();
    expect(text).toMatch(/^maoga_good 7$/m);
    expect(text).not.toMatch(/^maoga_(broken|hanging)/m);
    expect(text).toMatch(/^maoga_metrics_read_failures_total\{metric="maoga_broken"\} [12]$/m);
    expect(text).toMatch(/^maoga_metrics_read_failures_total\{metric="maoga_hanging"\} [12]$/m);
  });

  test('what is no longer there is no longer told', async () => {
    let levels: Record<string, number> = { a: 1, b: 2 };
    metrics.gauges('maoga_level', 'Levels', 'pool', () => levels);
    expect(await scrape()).toContain('maoga_level{pool="b"} 2');
    levels = { a: 3 };
    expect((await scrape()).match(/^maoga_level.*$/gm)).toEqual(['maoga_level{pool="a"} 3']);
  });

  test('calls to others are timed by how they ended, and end as they would', async () => {
    const calls = measureExternalCalls(metrics);
    expect(await calls.measure('catalogue', async () => 'answer')).toBe('answer');
    const slow = Object.assign(new Error('too slow'), { name: 'TimeoutError' });
    await expect(calls.measure('catalogue', () => Promise.reject(slow))).rejects.toBe(slow);
    await expect(calls.measure('mail', () => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
    const counts = (await scrape()).match(/^maoga_external_call_duration_seconds_count.*$/gm);
    expect(counts).toEqual([
      'maoga_external_call_duration_seconds_count{service="catalogue",outcome="ok"} 1',
      'maoga_external_call_duration_seconds_count{service="catalogue",outcome="timeout"} 1',
      'maoga_external_call_duration_seconds_count{service="mail",outcome="error"} 1',
    ]);
  });

  test('nothing but /metrics is served', async () => {
    expect((await fetch(url.replace('/metrics', '/'))).status).toBe(404);
  });
});

test('of many values the largest are told, and the sum of the others', () => {
  const many = Array.from({ length: 100 }, (_, i) => [`pool-${i}`, i] as const);
  expect(largest(many, 2)).toEqual({ 'pool-99': 99, 'pool-98': 98, other: (97 * 98) / 2 });
  expect(largest(many.slice(0, 2), 2)).toEqual({ 'pool-0': 0, 'pool-1': 1 });
});
