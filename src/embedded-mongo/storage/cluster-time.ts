/** A logical clock that moves with every reply, as far as its clients can tell. */
import { Binary, Long, Timestamp } from 'bson';

export class ClusterClock {
  private lastSecond = 0;
  private increment = 0;

  tick(): Timestamp {
    const second = Math.floor(Date.now() / 1000);
    this.increment = second > this.lastSecond ? 1 : this.increment + 1;
    this.lastSecond = Math.max(second, this.lastSecond);
    return new Timestamp({ t: this.lastSecond, i: this.increment });
  }
}

/** Of a server that signs nothing. */
export const SIGNATURE = { hash: new Binary(Buffer.alloc(20)), keyId: Long.ZERO };
