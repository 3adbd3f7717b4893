import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How late a timer was that was due every millisecond, ms. */
export interface Lag {
  p50: number;
  p99: number;
  max: number;
}

/** How late the timer was meanwhile, ms. */
export async function lagOf(work: () => Promise<void>): Promise<Lag & { seconds: number }> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  const begin = performance.now();
  await work();
  const seconds = (performance.now() - begin) / 1000;
  delays.disable();
  // the histogram counts from the last time it ran: one period of it is no delay
  const late = (ns: number) => Math.round(Math.max(0, ns / 1e6 - 1) * 10) / 10;
  return { seconds, p50: late(delays.percentile(50)), p99: late(delays.percentile(99)), max: late(delays.max) };
}
