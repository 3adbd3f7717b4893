/**
 * Which lease a pool stands under. Pools are shared out over the instances in a fixed number of parts: whoever holds the part
 * proposes matches for its pools, and every commit passes the fence of that part.
 */
const PARTS = 16;

export const POOL_LEASES: readonly string[] = Array.from({ length: PARTS }, (_, i) => `pools:${i}`);

/** The same on every instance and in every version: FNV-1a of the pool's key. */
export function leaseOf(pool: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < pool.length; i++) hash = Math.imul(hash ^ pool.charCodeAt(i), 0x01000193) >>> 0;
  return `pools:${hash % PARTS}`;
}
