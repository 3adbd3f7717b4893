import { seededRandom } from '../../src/core/random';

/**
 * Time and chance of everything in this process while a simulation runs, the driver and the embedded database included: timers fire
 * only when time is moved on, and every draw comes from the seed.
 */
export interface VirtualTime {
  /** Milliseconds since the beginning. */
  readonly passed: number;
  advance(ms: number): void;
  end(): void;
}

const BEGINNING = Date.UTC(2030, 0, 1);
const LEFT_REAL = ['nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate', 'hrtime'] as const;

export function startVirtualTime(seed: number): VirtualTime {
  jest.useFakeTimers({ now: BEGINNING, doNotFake: [...LEFT_REAL] });
  const chance = jest.spyOn(Math, 'random').mockImplementation(seededRandom(seed));
  return {
    get passed() {
      return Date.now() - BEGINNING;
    },
    advance: (ms) => jest.advanceTimersByTime(ms),
    end() {
      chance.mockRestore();
      jest.useRealTimers();
    },
  };
}
