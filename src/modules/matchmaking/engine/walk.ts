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
  private rating = 0;
  /** How far the last slot returned lies from where the walk began. */
  distance = 0;

  constructor(private readonly slots: Slots) {}

  begin(order: Order, rating: number): void {
    this.rating = rating;
    order.placeOf(rating, this.up);
    this.scout.chunk = this.up.chunk;
    this.scout.index = this.up.index;
    this.upSlot = order.at(this.up);
    this.runLeft = 0;
    this.nextBelow(order);
  }

  /** The next slot, or -1 where none is left within `limit`. */
  next(order: Order, limit: number): number {
    const ratings = this.slots.rating;
    const above = this.upSlot < 0 ? Infinity : (ratings[this.upSlot] as number) - this.rating;
    const below = this.downSlot < 0 ? Infinity : this.rating - (ratings[this.downSlot] as number);
    const takeUp = above < below || (above === below && above < Infinity && this.slots.older(this.upSlot, this.downSlot));
    this.distance = takeUp ? above : below;
    if (this.distance > limit || this.distance === Infinity) return -1;
    if (takeUp) {
      const slot = this.upSlot;
      order.forward(this.up);
      this.upSlot = order.at(this.up);
      return slot;
    }
    const slot = this.downSlot;
    this.nextBelow(order);
    return slot;
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
    if (last < 0) return;
    const rating = this.slots.rating[last] as number;
    this.down.chunk = this.scout.chunk;
    this.down.index = this.scout.index;
    order.back(this.scout);
    const before = order.at(this.scout);
    const single = before < 0 || (this.slots.rating[before] as number) !== rating;
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
