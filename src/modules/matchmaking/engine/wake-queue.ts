/** Slots by the time at which they are to be looked at: a binary heap in two typed arrays. What is out of date is skipped by the reader. */
export class WakeQueue {
  private times = new Float64Array(64);
  private slots = new Int32Array(64);
  private size = 0;

  push(time: number, slot: number): void {
    if (this.size === this.times.length) this.grow();
    let i = this.size++;
    while (i > 0) {
      const parent = (i - 1) >>> 1;
      if ((this.times[parent] as number) <= time) break;
      this.move(parent, i);
      i = parent;
    }
    this.times[i] = time;
    this.slots[i] = slot;
  }

  /** The earliest time; Infinity when empty. */
  get next(): number {
    return this.size === 0 ? Infinity : (this.times[0] as number);
  }

  /** Removes the earliest entry. @returns its slot */
  pop(): number {
    const slot = this.slots[0] as number;
    const time = this.times[--this.size] as number;
    const moved = this.slots[this.size] as number;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= this.size) break;
      if (child + 1 < this.size && (this.times[child + 1] as number) < (this.times[child] as number)) child++;
      if ((this.times[child] as number) >= time) break;
      this.move(child, i);
      i = child;
    }
    this.times[i] = time;
    this.slots[i] = moved;
    return slot;
  }

  private move(from: number, to: number): void {
    this.times[to] = this.times[from] as number;
    this.slots[to] = this.slots[from] as number;
  }

  private grow(): void {
    const times = new Float64Array(this.times.length * 2);
    const slots = new Int32Array(times.length);
    times.set(this.times);
    slots.set(this.slots);
    this.times = times;
    this.slots = slots;
  }
}
