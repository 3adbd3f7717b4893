import type { Chunk, Order, Place } from './order';
import type { Slots } from './slots';

/**
 * Walks through an order outward from a rating: nearest first, and of those with one rating, or equally far to either side, the
 * longest waiting first. Ratings below are met run by run, for a run of equals is read from its beginning. The order must not
 * change meanwhile.
 */
export class Walk {
  private order: Order | undefined;
  private rating = 0;
  private readonly up: Place = { chunk: 0, index: 0 };
  private upChunk: Chunk | undefined;
  /** The run below that is being read, from where it begins, and what is left of it. */
  private readonly run: Place = { chunk: 0, index: 0 };
  private runChunk: Chunk | undefined;
  private readonly down: Place = { chunk: 0, index: 0 };
  private runLeft = 0;
  /** The next one on either side, its class, and how far it is; Infinity where there is none. */
  private upSlot = -1;
  private upCls = 0;
  private above = 0;
  private downSlot = -1;
  private downCls = 0;
  private below = 0;
  /** How far the last slot returned lies from where the walk began, and its class. */
  distance = 0;
  cls = 0;

  constructor(private readonly slots: Slots) {}

  begin(order: Order, rating: number): void {
    this.order = order;
    this.rating = rating;
    order.placeOf(rating, this.up);
    this.upChunk = order.chunkAt(this.up);
    this.run.chunk = this.up.chunk;
    this.run.index = this.up.index;
    this.runChunk = this.upChunk;
    this.runLeft = 0;
    this.readAbove();
    this.readBelow(order);
  }

  /** The next slot, or -1 where none is left within `limit`. */
  next(limit: number): number {
    const { above, below, order } = this;
    const takeUp =
      above < below || (above === below && above < Infinity && this.slots.older(this.upSlot, this.downSlot));
    this.distance = takeUp ? above : below;
    if (!order || this.distance > limit || this.distance === Infinity) return -1;
    if (takeUp) {
      const slot = this.upSlot;
      this.cls = this.upCls;
      this.goUp(order);
      return slot;
    }
    const slot = this.downSlot;
    this.cls = this.downCls;
    this.readBelow(order);
    return slot;
  }

  private goUp(order: Order): void {
    const { up, upChunk } = this;
    if (upChunk && up.index + 1 < upChunk.end) up.index += 1;
    else {
      order.forward(up);
      this.upChunk = order.chunkAt(up);
    }
    this.readAbove();
  }

  private readAbove(): void {
    const { upChunk, up } = this;
    if (!upChunk) {
      this.above = Infinity;
      return;
    }
    this.upSlot = upChunk.slots[up.index] as number;
    this.upCls = upChunk.classes[up.index] as number;
    this.above = (upChunk.ratings[up.index] as number) - this.rating;
  }

  private readBelow(order: Order): void {
    if (this.runLeft > 1) {
      this.runLeft -= 1;
      order.forward(this.down);
      this.readDown(order.chunkAt(this.down) as Chunk, this.down.index);
      return;
    }
    const { runChunk, run } = this;
    const index = run.index - 1;
    // most often one by itself, in the middle of a chunk
    if (runChunk && index > runChunk.begin && runChunk.ratings[index - 1] !== runChunk.ratings[index]) {
      run.index = index;
      this.below = this.rating - (runChunk.ratings[index] as number);
      this.readDown(runChunk, index);
    } else this.nextRun(order);
  }

  private readDown(chunk: Chunk, index: number): void {
    this.downSlot = chunk.slots[index] as number;
    this.downCls = chunk.classes[index] as number;
  }

  /** Goes to the beginning of the run below the present one. */
  private nextRun(order: Order): void {
    const { run, down } = this;
    order.back(run);
    this.runChunk = order.chunkAt(run);
    this.below = Infinity;
    if (!this.runChunk) return;
    const rating = this.runChunk.ratings[run.index] as number;
    this.below = this.rating - rating;
    down.chunk = run.chunk;
    down.index = run.index;
    this.runLeft = order.distanceTo(down, rating, run) + 1;
    down.chunk = run.chunk;
    down.index = run.index;
    const chunk = order.chunkAt(run) as Chunk;
    this.runChunk = chunk;
    this.readDown(chunk, run.index);
  }
}
