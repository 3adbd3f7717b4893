import type { Order } from './order';
import type { Pool } from './pool';
import { Walk } from './walk';

/**
 * A scan of everybody near gives up after so many tickets, and the search goes on class by class: that costs as much as
 * scanning a few more for each class that suits. Which classes do is worked out only for those whom a short scan did not help.
 */
const SCANNED = 256;
const SCANNED_PER_CLASS = 8;
const MOST_SCANNED = 2048;
/** A generation of waiting brings a candidate so much nearer, in rating; having met lately takes it so much farther away. */
const GENERATION_WORTH = 1;
const COMPANY_WORTH = 4;

/**
 * Tickets that suit one ticket, nearest rating first. A dense pool gives enough of them within a few steps outward. Where the
 * neighbours are many and unsuitable, they are gathered class by class instead: only classes that suit are visited at all.
 * Those that have waited longer than the ticket itself come nearer by a little for each generation, and recent company stands
 * back.
 */
export class Candidates {
  count = 0;
  slots = new Int32Array(64);
  /** Whether there is nobody else in the pool that would suit. */
  exhausted = false;
  private distances = new Float64Array(64);
  private readonly walk: Walk;
  private anchor = 0;
  private now = 0;
  private own = 0;
  private reach = 0;
  private generation = 0;
  /** Whether somebody came nearer, so that the order of the walk is not the order wanted. */
  private disordered = false;

  constructor(private readonly pool: Pool) {
    this.walk = new Walk(pool.slots);
  }

  /**
   * Looks outward through everybody near, a short way. `offer` is shown each one that suits, nearest first, until it says
   * that it has enough, or until somebody older should have come before; then `wanted` are collected for `sort`.
   */
  scan(anchor: number, now: number, wanted: number, offer: (slot: number) => boolean): boolean {
    this.begin(anchor, now);
    const { pool, walk } = this;
    const { slots, classes, order } = pool;
    const cls = slots.cls[anchor] as number;
    let most = SCANNED;
    walk.begin(order, slots.rating[anchor] as number);
    for (let scanned = 0; scanned < most; scanned++) {
      if (scanned === SCANNED - 1)
        most = Math.min(MOST_SCANNED, SCANNED + SCANNED_PER_CLASS * classes.compatibleWith(cls).length);
      const slot = walk.next(this.reach);
      if (slot < 0) {
        this.exhausted = true;
        return false;
      }
      if (slot === anchor || !classes.compatible(cls, walk.cls)) continue;
      if (!this.suits(slot, walk.distance)) continue;
      this.keep(slot, walk.distance);
      if (this.disordered ? this.count >= wanted : offer(slot)) return !this.disordered;
    }
    return false;
  }

  /** Whether the pool holds so many players whose class suits that of the anchor, itself included; counted before anybody is looked at. */
  hasWithin(anchor: number, enough: number): boolean {
    const { slots, classes } = this.pool;
    const own = slots.cls[anchor] as number;
    if (classes.playersSpeakingWith(own) < enough) return false;
    // it stands in its class, which counts by itself where two of that class could meet
    let players = classes.compatible(own, own) ? 0 : (slots.size[anchor] as number);
    for (const cls of classes.compatibleWith(own)) {
      players += (classes.open[cls] as number) * (classes.size[cls] as number);
      if (players >= enough) return true;
    }
    return players >= enough;
  }

  /** The nearest `wanted` of each class that suits. */
  gather(anchor: number, now: number, wanted: number): void {
    const { classes, slots } = this.pool;
    this.begin(anchor, now);
    this.exhausted = true;
    for (const cls of classes.compatibleWith(slots.cls[anchor] as number)) {
      if ((classes.open[cls] as number) > 0) this.gatherFrom(classes.orderOf(cls), wanted);
    }
    this.disordered = true;
  }

  /** Whether they stand in the order wanted, as the scan met them. */
  get inOrder(): boolean {
    return !this.disordered;
  }

  /** Puts the nearest `most` into order; the others are dropped. */
  sort(most: number): void {
    if (this.count > most) this.exhausted = false;
    if (this.disordered) this.count = this.selectNearest(Math.min(most, this.count));
    else this.count = Math.min(most, this.count);
    this.disordered = false;
  }

  private begin(anchor: number, now: number): void {
    const { pool } = this;
    this.anchor = anchor;
    this.now = now;
    this.own = pool.spreadLimit(anchor, now);
    this.reach = pool.rules.widestHolds ? Infinity : this.own;
    this.generation = pool.generation(anchor, now);
    this.count = 0;
    this.exhausted = false;
    this.disordered = false;
  }

  private gatherFrom(order: Order, wanted: number): void {
    const { walk, pool } = this;
    walk.begin(order, pool.slots.rating[this.anchor] as number);
    for (let kept = 0, scanned = 0; kept < wanted; scanned++) {
      const slot = scanned < SCANNED ? walk.next(this.reach) : -1;
      if (slot < 0) {
        if (scanned === SCANNED) this.exhausted = false;
        return;
      }
      if (slot === this.anchor || !this.suits(slot, walk.distance)) continue;
      this.keep(slot, walk.distance);
      kept += 1;
      if (kept === wanted) this.exhausted = false;
    }
  }

  private suits(slot: number, distance: number): boolean {
    const { pool, anchor } = this;
    if (distance > pool.narrowest) {
      const theirs = pool.spreadLimit(slot, this.now);
      if (distance > (pool.rules.widestHolds ? Math.max(this.own, theirs) : theirs)) return false;
    }
    return pool.slots.apart(anchor, slot, this.now, pool.rules.avoidFor) === null;
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
    const place = distance + this.detour(slot);
    if (place !== distance) this.disordered = true;
    this.slots[this.count] = slot;
    this.distances[this.count] = place;
    this.count += 1;
  }

  /** By how much the ticket stands farther away, or nearer, than its rating. */
  private detour(slot: number): number {
    const { pool, anchor } = this;
    const company = pool.slots.metLately(anchor, slot) ? COMPANY_WORTH : 0;
    // those that this pass has yet to search for will have their turn
    if (pool.isFresh(slot)) return company;
    return company - GENERATION_WORTH * Math.max(0, pool.generation(slot, this.now) - this.generation);
  }

  private before(a: number, b: number): boolean {
    const byDistance = (this.distances[a] as number) - (this.distances[b] as number);
    return byDistance !== 0 ? byDistance < 0 : this.pool.slots.older(this.slots[a] as number, this.slots[b] as number);
  }

  /** The nearest `most` in order, at the front: taken off a heap one by one. */
  private selectNearest(most: number): number {
    const { slots, distances, count } = this;
    for (let i = (count >>> 1) - 1; i >= 0; i--) this.siftDown(i, count);
    // each one taken goes behind the shrinking heap, so that they end up in reverse
    for (let left = count; left > count - most; left--) {
      this.swap(0, left - 1);
      this.siftDown(0, left - 1);
    }
    slots.subarray(count - most, count).reverse();
    distances.subarray(count - most, count).reverse();
    slots.copyWithin(0, count - most, count);
    distances.copyWithin(0, count - most, count);
    return most;
  }

  private siftDown(from: number, size: number): void {
    for (let i = from; ;) {
      let child = 2 * i + 1;
      if (child >= size) return;
      if (child + 1 < size && this.before(child + 1, child)) child += 1;
      if (!this.before(child, i)) return;
      this.swap(i, child);
      i = child;
    }
  }

  private swap(a: number, b: number): void {
    const { slots, distances } = this;
    const slot = slots[a] as number;
    const distance = distances[a] as number;
    slots[a] = slots[b] as number;
    distances[a] = distances[b] as number;
    slots[b] = slot;
    distances[b] = distance;
  }
}
