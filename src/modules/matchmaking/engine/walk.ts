import type { Order, Place } from './order';
import type { Slots } from './slots';

/**
 * Walks through an order outward from a rating: nearest first, and of those with one rating, or equally far to either side, the
 * longest waiting first. Ratings below are met run by run, for a run of equals is read from its beginning.
 */
export class Walk {
  private readonly up: Place = { chunk: 0, index: 0 };
  /** The run below that is being read, and where it ends. */
  private readonly down: Place = { chunk: 0, index: 0 };
  private readonly scout: Place = { chunk: 0, index: 0 };
  private runLeft = 0;
  private upSlot = -1;
  private downSlot = -1;
  /** How far those two are; Infinity where there is none. */
  private above = 0;
  private below = 0;
  private rating = 0;
  /** How far the last slot returned lies from where the walk began. */
  distance = 0;

  constructor(private readonly slots: Slots) {}

  begin(order: Order, rating: number): void {
    this.rating = rating;
    order.placeOf(rating, this.up);
    this.scout.chunk = this.up.chunk;
    this.scout.index = this.up.index;
    this.runLeft = 0;
    this.readAbove(order);
    this.nextBelow(order);
  }

  /** The next slot, or -1 where none is left within `limit`. */
  next(order: Order, limit: number): number {
    const { above, below } = this;
    const takeUp =
      above < below || (above === below && above < Infinity && this.slots.older(this.upSlot, this.downSlot));
    this.distance = takeUp ? above : below;
    if (this.distance > limit || this.distance === Infinity) return -1;
    if (takeUp) {
      const slot = this.upSlot;
      order.forward(this.up);
      this.readAbove(order);
      return slot;
    }
    const slot = this.downSlot;
    this.nextBelow(order);
    return slot;
  }

  private readAbove(order: Order): void {
    this.upSlot = order.at(this.up);
    this.above = this.upSlot < 0 ? Infinity : order.ratingAt(this.up) - this.rating;
  }

  private nextBelow(order: Order): void {
    if (this.runLeft > 1) {
      this.runLeft -= 1;
      order.forward(this.down);
      this.downSlot = order.at(this.down);
      return;
    }
    this.nextRun(order);
  }

  /** `scout` stands at the beginning of the run above; finds the beginning of the run below it. */
  private nextRun(order: Order): void {
    order.back(this.scout);
    const last = order.at(this.scout);
    this.downSlot = last;
    this.runLeft = 1;
    this.below = Infinity;
    if (last < 0) return;
    const rating = order.ratingAt(this.scout);
    this.below = this.rating - rating;
    this.down.chunk = this.scout.chunk;
    this.down.index = this.scout.index;
    order.back(this.scout);
    const before = order.at(this.scout);
    const single = before < 0 || order.ratingAt(this.scout) !== rating;
    if (single) {
      this.scout.chunk = this.down.chunk;
      this.scout.index = this.down.index;
      return;
    }
    this.runLeft = order.distanceTo(this.down, rating, this.scout) + 1;
    this.down.chunk = this.scout.chunk;
    this.down.index = this.scout.index;
    this.downSlot = order.at(this.down);
  }
}
