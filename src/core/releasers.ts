/**
 * Acquire and release in pairs. Every acquisition pushes its releaser; releasing runs them last-in first-out, each
 * exactly once, and one that fails does not keep the others from running.
 */
export interface Releasers {
  push(name: string, release: () => unknown): void;
  /** Runs everything pushed so far. May be called twice: the second call awaits the first. */
  releaseAll(): Promise<void>;
}

export function createReleasers(onError: (name: string, error: unknown) => void): Releasers {
  const stack: { name: string; release: () => unknown }[] = [];
  let running: Promise<void> | undefined;

  const unwind = async () => {
    for (let entry = stack.pop(); entry; entry = stack.pop()) {
      try {
        await entry.release();
      } catch (error) {
        onError(entry.name, error);
      }
    }
  };

  return {
    push: (name, release) => void stack.push({ name, release }),
    releaseAll: () => (running ??= unwind()),
  };
}
