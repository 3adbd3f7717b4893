/**
 * A background loop that re-arms after its tick has completed, so that ticks never overlap; the next one begins one period after
 * this one began, or a tenth of a period after its end where it took longer. A failing tick is reported and
 * backed off from (doubling up to 2 s, or a period where that is longer), and never ends the loop. Tests call `tick()` and never start it.
 */
export interface Loop {
  readonly name: string;
  start(): void;
  /** Awaits the running tick; no tick begins afterwards. May be called twice. */
  stop(): Promise<void>;
  /** Runs a tick as soon as possible: now if idle, right after the running one otherwise. */
  wake(): void;
  /** One tick, awaited; never concurrent with another one. Throws what the tick throws. */
  tick(): Promise<void>;
  /** Tells of every tick that has ended: how long it took, and whether it failed. */
  observe(listener: TickListener): void;
}

export type TickListener = (seconds: number, failed: boolean) => void;

export interface LoopOptions {
  name: string;
  everyMs: number;
  tick: () => Promise<void>;
  onError: (error: unknown, loop: string) => void;
}

/** What ticks fail of is mostly the database's being away, and everybody waits for them when it is back. */
const MAX_BACKOFF_MS = 2_000;

export function createLoop({ name, everyMs, tick, onError }: LoopOptions): Loop {
  let timer: NodeJS.Timeout | undefined;
  let current: Promise<void> = Promise.resolve();
  let started = false;
  let busy = false;
  let wanted = false;
  let failures = 0;
  const listeners: TickListener[] = [];

  const timed = async (): Promise<void> => {
    const begun = performance.now();
    let failed = true;
    try {
      await tick();
      failed = false;
    } finally {
      const seconds = (performance.now() - begun) / 1000;
      for (const listener of listeners) listener(seconds, failed);
    }
  };

  const runOnce = (): Promise<void> => {
    const run = current.then(timed);
    current = run.catch(() => undefined);
    return run;
  };

  const arm = (delayMs: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => void cycle(), delayMs);
  };

  const cycle = async () => {
    if (!started || busy) return;
    busy = true;
    wanted = false;
    const begun = performance.now();
    try {
      await runOnce();
      failures = 0;
    } catch (error) {
      failures += 1;
      onError(error, name);
    }
    busy = false;
    if (!started) return;
    if (failures > 0) return arm(Math.min(Math.max(MAX_BACKOFF_MS, everyMs), everyMs * 2 ** failures));
    arm(wanted ? 0 : Math.max(everyMs - (performance.now() - begun), everyMs / 10));
  };

  return {
    name,
    start() {
      if (started) return;
      started = true;
      arm(everyMs);
    },
    async stop() {
      started = false;
      clearTimeout(timer);
      await current;
    },
    wake() {
      wanted = true;
      if (started && !busy && failures === 0) arm(0);
    },
    tick: runOnce,
    observe: (listener) => void listeners.push(listener),
  };
}
