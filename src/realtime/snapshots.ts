import type { Socket } from 'socket.io';
import type { Clock } from '../core/clock';
import { inRounds } from '../core/rounds';
import type { SocketData } from './admission';
import type { Feed } from './feed';
import type { Snapshot } from './protocol';

/** What the modules know of each of these users. */
export type SnapshotSource = (
  userIds: readonly string[],
) => Promise<(userId: string) => Omit<Snapshot, 'userId' | 'seq' | 'serverTime'>>;

export type SnapshotOf = (userId: string) => Promise<Snapshot>;

/**
 * The whole state of a user, for `connected` and `sync`. After a failure of the network everybody asks at once: those who ask together are
 * read together, with as many questions as one of them alone.
 */
export function createSnapshots(deps: {
  feed: Pick<Feed, 'positions'>;
  source: SnapshotSource;
  clock: Clock;
}): SnapshotOf {
  const { feed, source, clock } = deps;
  return inRounds(async (asking) => {
    const userIds = [...new Set(asking)];
    // the positions first: a fact told meanwhile shows as a newer seq, never as a gap nobody sees
    const seqs = await feed.positions(userIds);
    const stateOf = await source(userIds);
    const serverTime = new Date(clock.now()).toISOString();
    const snapshots = new Map(
      userIds.map((userId) => [userId, { userId, ...stateOf(userId), seq: seqs.get(userId) ?? 0, serverTime }]),
    );
    return asking.map((userId) => snapshots.get(userId) as Snapshot);
  });
}

/** Reads again, for somebody who is told something all the time. */
const MOST_READS = 5;

/**
 * Sends `connected` to a socket that stands in its user's room already. What it was told while the snapshot was being read is in it: a
 * client draws what it is greeted with, whatever it has drawn before.
 * @param refusal why it may not stay after all, or nothing
 * @returns the refusal, else what it was greeted with
 */
export async function greet(
  socket: Socket,
  snapshotOf: SnapshotOf,
  refusal: Promise<string | undefined>,
): Promise<string | Snapshot> {
  const { userId } = (socket.data as SocketData).player;
  let told = 0;
  const note = (_name: string, fact?: { seq?: number }) => void (told = Math.max(told, fact?.seq ?? 0));
  socket.onAnyOutgoing(note);
  const [first, reason] = await Promise.all([snapshotOf(userId), refusal]);
  if (reason !== undefined) return reason;
  let snapshot = first;
  for (let reads = 1; snapshot.seq < told && reads < MOST_READS; reads++) snapshot = await snapshotOf(userId);
  socket.offAnyOutgoing(note);
  socket.emit('connected', snapshot);
  return snapshot;
}
