import type { ClientSession } from 'mongoose';
import type { Clock } from '../core/clock';
import { inRounds } from '../core/rounds';
import type { Transact } from '../database/transaction';
import type { Feed } from './feed';
import type { Snapshot } from './protocol';

/** What the modules know of each of these users, read in the session's transaction. */
export type SnapshotSource = (
  session: ClientSession,
  userIds: readonly string[],
) => Promise<(userId: string) => Omit<Snapshot, 'userId' | 'seq' | 'serverTime'>>;

/**
 * The whole state of a user, for `connected` and `sync`. After a failure of the network everybody asks at once: those who ask together are
 * read together. A round is one transaction, so that all of it is of one moment, also where the feed stands: what is told of later
 * has a newer number, what has been told of before is in it.
 */
export function createSnapshots(deps: {
  transact: Transact;
  feed: Pick<Feed, 'positions'>;
  source: SnapshotSource;
  clock: Clock;
}): (userId: string) => Promise<Snapshot> {
  const { transact, feed, source, clock } = deps;
  return inRounds(async (asking) => {
    const userIds = [...new Set(asking)];
    const [seqs, stateOf] = await transact(async (session) => {
      const positions = await feed.positions(session, userIds);
      return [positions, await source(session, userIds)] as const;
    });
    const serverTime = new Date(clock.now()).toISOString();
    const snapshots = new Map(
      userIds.map((userId) => [userId, { userId, ...stateOf(userId), seq: seqs.get(userId) ?? 0, serverTime }]),
    );
    return asking.map((userId) => snapshots.get(userId) as Snapshot);
  });
}
