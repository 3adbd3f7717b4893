/**
 * Snapshot reads outside of transactions: the first one names the time that it saw, later ones may ask for that time again. What is needed for
 * that is kept as long as mongod keeps it (minSnapshotHistoryWindowInSeconds).
 */
import { type Timestamp } from 'bson';
import { MongoError } from '../errors';
import { type Store } from '../storage/store';
import { type View, type Writer } from '../storage/versions';

const KEPT_MS = 300_000;

export class Snapshots {
  /** By the time that clients know it by; a transaction that never writes holds it open. */
  private readonly pinned = new Map<bigint, { holder: Writer; until: number }>();

  constructor(private readonly store: Store) {}

  pin(time: Timestamp, now = Date.now()): View {
    const holder = this.store.begin(true);
    this.pinned.set(time.toBigInt(), { holder, until: now + KEPT_MS });
    return { time: holder.time };
  }

  at(time: Timestamp): View {
    const pinned = this.pinned.get(time.toBigInt());
    if (!pinned) throw new MongoError(239, 'Read timestamp is older than the oldest available timestamp.');
    return { time: pinned.holder.time };
  }

  expire(now = Date.now()): void {
    for (const [time, { holder, until }] of this.pinned) {
      if (until > now) continue;
      this.store.abort(holder);
      this.pinned.delete(time);
    }
  }
}
