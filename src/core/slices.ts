/**
 * Work that would hold up the event loop goes slice by slice: ask often whether a slice is over, and let everybody else have a turn
 * then.
 */
export interface Slices {
  readonly isOver: boolean;
  /** A turn of the event loop; then the next slice begins. */
  pause(): Promise<void>;
}

/** How long work may hold the event loop, ms. */
const SLICE_MS = 4;

/** @param stopwatch milliseconds that never jump */
export function createSlices(stopwatch: () => number = () => performance.now()): Slices {
  let ends = stopwatch() + SLICE_MS;
  return {
    get isOver() {
      return stopwatch() >= ends;
    },
    async pause() {
      await new Promise(setImmediate);
      ends = stopwatch() + SLICE_MS;
    },
  };
}
