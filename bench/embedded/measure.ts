/** How things are timed: rounds of a fixed time, and their median. */
import { deserialize, serialize } from 'bson';

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Lets `callers` repeat an operation, each one waiting for its own answers. @returns operations per second */
export async function throughput(
  operation: (i: number) => Promise<unknown>,
  callers: number,
  seconds: number,
): Promise<number> {
  const start = performance.now();
  const end = start + seconds * 1000;
  let next = 0;
  const caller = async () => {
    while (performance.now() < end) await operation(next++);
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return (next * 1000) / (performance.now() - start);
}

/** Milliseconds of one operation. */
export async function duration(operation: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await operation();
  return performance.now() - start;
}

/** The yardstick: what this machine does of nothing but BSON. @returns round trips (serialize, then deserialize) per second */
export function bareBson(document: Record<string, unknown>, seconds: number): number {
  const start = performance.now();
  const end = start + seconds * 1000;
  let done = 0;
  while (performance.now() < end) {
    for (let i = 0; i < 500; i += 1) deserialize(serialize(document));
    done += 500;
  }
  return (done * 1000) / (performance.now() - start);
}
