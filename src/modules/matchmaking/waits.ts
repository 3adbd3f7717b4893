/** How long tickets waited until they were matched: the last thousand of each pool within the hour, in memory. */
export interface Waits {
  record(pool: string, waitedMs: number, at: number): void;
  /** Null where nothing was matched in the last hour. */
  figures(pool: string, now: number): WaitFigures | null;
  /** Pools with any figure. */
  pools(now: number): string[];
  /** How much longer somebody who has waited `waitedMs` may expect to wait, in ms; null without a basis. */
  estimate(pool: string, waitedMs: number, now: number): number | null;
}

export interface WaitFigures {
  p50: number;
  p90: number;
  p95: number;
  count: number;
}

const KEPT = 1024;
const HOUR_MS = 3_600_000;
const REFRESH_MS = 1000;

export function createWaits(): Waits {
  const recent = new Map<string, { entries: { at: number; waitedMs: number }[]; next: number }>();
  const cached = new Map<string, { at: number; figures: WaitFigures | null }>();

  const compute = (pool: string, now: number): WaitFigures | null => {
    const within = recent.get(pool)?.entries.filter((entry) => entry.at > now - HOUR_MS) ?? [];
    if (within.length === 0) {
      recent.delete(pool);
      return null;
    }
    const sorted = within.map((entry) => entry.waitedMs).sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0;
    return { p50: at(0.5), p90: at(0.9), p95: at(0.95), count: sorted.length };
  };

  const figures: Waits['figures'] = (pool, now) => {
    const known = cached.get(pool);
    if (known && now - known.at < REFRESH_MS) return known.figures;
    const fresh = compute(pool, now);
    if (fresh) cached.set(pool, { at: now, figures: fresh });
    else cached.delete(pool);
    return fresh;
  };

  return {
    record(pool, waitedMs, at) {
      const ring = recent.get(pool) ?? { entries: [], next: 0 };
      ring.entries[ring.next] = { at, waitedMs };
      ring.next = (ring.next + 1) % KEPT;
      recent.set(pool, ring);
    },
    figures,
    pools: (now) => [...recent.keys()].filter((pool) => figures(pool, now) !== null),
    estimate(pool, waitedMs, now) {
      const known = figures(pool, now);
      if (!known) return null;
      const whole = [known.p50, known.p90, known.p95].find((wait) => wait > waitedMs);
      return whole === undefined ? null : Math.round(whole - waitedMs);
    },
  };
}
