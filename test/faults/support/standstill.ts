import type { Figures } from './figures';

const LOOK_EVERY_MS = 100;

/** Keeps the longest time for which this process did not run. @returns what ends it */
export function watchStandstill(figures: Pick<Figures, 'stoodStillMs'>): () => void {
  let last = performance.now();
  const timer = setInterval(() => {
    figures.stoodStillMs = Math.max(figures.stoodStillMs, Math.round(performance.now() - last - LOOK_EVERY_MS));
    last = performance.now();
  }, LOOK_EVERY_MS);
  return () => clearInterval(timer);
}
