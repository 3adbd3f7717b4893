/** Watches things that say by counting that they live, by the watcher's own monotonic clock: clocks of others are never asked. */
export interface Watcher {
  /** What there is now, and what it looks like. */
  look(states: readonly (readonly [id: string, state: string])[]): void;
  /** How long it has looked the same, ms; from when it was first seen so. */
  stillFor(id: string): number;
  /** Whether it has been seen to change: what has only been there may have been dead for long. */
  hasMoved(id: string): boolean;
}

export function createWatcher(monotonic: () => number): Watcher {
  const seen = new Map<string, { state: string; since: number; first: number }>();
  return {
    look(states) {
      const now = monotonic();
      const present = new Set(states.map(([id]) => id));
      for (const id of seen.keys()) if (!present.has(id)) seen.delete(id);
      for (const [id, state] of states) {
        const known = seen.get(id);
        if (known?.state !== state) seen.set(id, { state, since: now, first: known?.first ?? now });
      }
    },
    stillFor: (id) => monotonic() - (seen.get(id)?.since ?? Infinity),
    hasMoved(id) {
      const known = seen.get(id);
      return known !== undefined && known.since > known.first;
    },
  };
}
