import type { Order } from './order';
import type { Pool } from './pool';
import { Walk } from './walk';

/** A scan of everybody near gives up after so many tickets, and the search goes on class by class. */
const SCANNED = 192;

/**
 * Tickets that suit one ticket, nearest rating first. A dense pool gives enough of them within a few steps outward. Where the
 * neighbours are many and unsuitable, they are gathered class by class instead: only classes that suit are visited at all.
 */
export class Candidates {
  count = 0;
  slots = new Int32Array(64);
  distances = new Float64Array(64);
  /** Whether there is nobody else in the pool that would suit. */
  exhausted = false;
  private readonly walk: Walk;

  constructor(private readonly pool: Pool) {
    this.walk = new Walk(pool.slots);
  }

  /** The nearest `wanted`, as far as a short scan finds them. */
  scan(anchor: number, now: number, wanted: number): void {
    const { pool, walk } = this;
    const { slots, classes, order } = pool;
    const cls = slots.cls[anchor] as number;
    const own = pool.spreadLimit(anchor, now);
    const reach = pool.rules.widestHolds ? Infinity : own;
    this.count = 0;
    this.exhausted = false;
    walk.begin(order, slots.rating[anchor] as number);
    for (let scanned = 0; scanned < SCANNED; scanned++) {
      const slot = walk.next(order, reach);
      if (slot < 0) {
        this.exhausted = true;
        return;
      }
      if (slot === anchor || !classes.compatible(cls, slots.cls[slot] as number)) continue;
      if (!this.suits(anchor, slot, own, walk.distance, now)) continue;
      this.keep(slot, walk.distance);
      if (this.count === wanted) return;
    }
  }

  /** The nearest `wanted` of each class that suits, the nearest of all first. */
  gather(anchor: number, now: number, wanted: number): void {
    const { pool } = this;
    const { slots, classes } = pool;
    const own = pool.spreadLimit(anchor, now);
    this.count = 0;
    this.exhausted = true;
    for (const cls of classes.compatibleWith(slots.cls[anchor] as number)) {
      const order = classes.orders[cls] as Order;
      if (order.size > 0) this.gatherFrom(order, anchor, now, own, wanted);
    }
    this.sort((a, b) => (this.distances[a] as number) - (this.distances[b] as number));
  }

  private gatherFrom(order: Order, anchor: number, now: number, own: number, wanted: number): void {
    const { pool, walk } = this;
    const reach = pool.rules.widestHolds ? Infinity : own;
    walk.begin(order, pool.slots.rating[anchor] as number);
    for (let kept = 0, scanned = 0; kept < wanted; scanned++) {
      const slot = scanned < SCANNED ? walk.next(order, reach) : -1;
      if (slot < 0) {
        if (scanned === SCANNED) this.exhausted = false;
        return;
      }
      if (slot === anchor || !this.suits(anchor, slot, own, walk.distance, now)) continue;
      this.keep(slot, walk.distance);
      kept += 1;
      if (kept === wanted) this.exhausted = false;
    }
  }

  /** Brings those that have waited longer nearer: so much distance for each generation beyond the anchor's. */
  favourOlder(generationOf: (slot: number) => number, anchor: number, worth: number): void {
    const base = generationOf(anchor);
    let any = false;
    for (let i = 0; i < this.count; i++) {
      const older = generationOf(this.slots[i] as number) - base;
      if (older <= 0) continue;
      this.distances[i] = (this.distances[i] as number) - older * worth;
      any = true;
    }
    if (any) this.sort((a, b) => (this.distances[a] as number) - (this.distances[b] as number));
  }

  private suits(anchor: number, slot: number, own: number, distance: number, now: number): boolean {
    const { pool } = this;
    if (distance > 0) {
      const theirs = pool.spreadLimit(slot, now);
      if (distance > (pool.rules.widestHolds ? Math.max(own, theirs) : theirs)) return false;
    }
    return !pool.slots.apart(anchor, slot, now, pool.rules.avoidFor);
  }

  private keep(slot: number, distance: number): void {
    if (this.count === this.slots.length) {
      const slots = new Int32Array(this.count * 2);
      const distances = new Float64Array(this.count * 2);
      slots.set(this.slots);
      distances.set(this.distances);
      this.slots = slots;
      this.distances = distances;
    }
    this.slots[this.count] = slot;
    this.distances[this.count] = distance;
    this.count += 1;
  }

  /** Equal ones stand longest waiting first. */
  private sort(compare: (a: number, b: number) => number): void {
    const order = Array.from({ length: this.count }, (_, i) => i);
    order.sort((a, b) => compare(a, b) || (this.pool.slots.older(this.slots[a] as number, this.slots[b] as number) ? -1 : 1));
    const slots = order.map((i) => this.slots[i] as number);
    const distances = order.map((i) => this.distances[i] as number);
    this.slots.set(slots);
    this.distances.set(distances);
  }
}
