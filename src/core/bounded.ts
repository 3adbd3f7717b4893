import { AppError } from './errors';

/** Runs what it is given, as soon as there is room. @throws UNAVAILABLE where too much waits already */
export type Bounded = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** At most `atOnce` run together; at most `waiting` more stand in line, first come first served. */
export function createBounded({ atOnce, waiting }: { atOnce: number; waiting: number }): Bounded {
  let running = 0;
  const line: (() => void)[] = [];

  return async (work) => {
    if (running < atOnce) running += 1;
    else if (line.length < waiting) await new Promise<void>((resolve) => line.push(resolve));
    else throw new AppError('UNAVAILABLE', 'Too much is asked at the moment: try again shortly.', { retryAfter: 2 });
    try {
      return await work();
    } finally {
      // whoever leaves hands the place over, so that nobody who comes now gets in between
      const next = line.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
