import { poolOf } from './matchmaking.policy';
import type { PoolView } from './matchmaking.schemas';
import type { Pools } from './pools';
import type { Waits } from './waits';

/** Depth, players and waits of one pool. */
export function toPoolView(key: string, pools: Pools, waits: Waits, now: number): PoolView {
  const recent = waits.figures(key, now);
  return {
    ...poolOf(key),
    ...pools.figures(key),
    waitMs: recent && { p50: recent.p50, p90: recent.p90, p95: recent.p95, sample: recent.count },
  };
}

/** Every pool in which somebody waits, or somebody was matched within the hour. */
export function poolViews(
  { gameId, mode }: { gameId?: string | undefined; mode?: string | undefined },
  pools: Pools,
  waits: Waits,
  now: number,
): PoolView[] {
  const keys = [...new Set([...pools.keys(), ...waits.pools(now)])].sort();
  return keys
    .map((key) => toPoolView(key, pools, waits, now))
    .filter((pool) => (gameId === undefined || pool.gameId === gameId) && (mode === undefined || pool.mode === mode));
}
