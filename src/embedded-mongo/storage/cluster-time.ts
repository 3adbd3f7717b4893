/** A logical clock that moves with every reply, as far as its clients can tell. */
import { Binary, Long, Timestamp } from 'bson';

let lastSecond = 0;
let increment = 0;

export function clusterTime(): Timestamp {
  const second = Math.floor(Date.now() / 1000);
  increment = second > lastSecond ? 1 : increment + 1;
  lastSecond = Math.max(second, lastSecond);
  return new Timestamp({ t: lastSecond, i: increment });
}

/** Of a server that signs nothing. */
export const SIGNATURE = { hash: new Binary(Buffer.alloc(20)), keyId: Long.ZERO };
