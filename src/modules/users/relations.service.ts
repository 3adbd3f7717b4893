import { Types, type ClientSession, type QueryFilter } from 'mongoose';
import type { Clock } from '../../core/clock';
import { decodeCursor, toPage, type Page } from '../../core/cursor';
import { AppError, notFound } from '../../core/errors';
import type { Outbox } from '../../database/outbox';
import { isDuplicateKey, type Transact } from '../../database/transaction';
import type { Realtime } from '../../realtime/server';
import { friendshipOf, otherOf, pairOf, type RelationModel, type RelationRow } from './relations.models';
import type { UserEvents, UsersApi, UserSummary } from './users.api';
import { toCard } from './users.models';
import type { BlockView, FriendState, FriendView, UserCard } from './users.schemas';

export interface RelationReader {
  between(userId: string, otherId: string): Promise<RelationRow | null>;
  /** What is between the user and each of these, where there is anything. */
  of(userId: string, otherIds: readonly string[]): Promise<Map<string, RelationRow>>;
  /** For each of these, everybody with a block between, whoever set it. */
  blocks: UsersApi['blocks'];
}

/** Friends and blocks. */
export interface RelationsService extends RelationReader {
  /** Asks, or accepts where the other one has asked. May be repeated. @throws NOT_FOUND, BLOCKED, CONFLICT */
  befriend(player: { userId: string; username: string }, otherId: string): Promise<FriendView>;
  /** Declines, takes a request back, or ends a friendship. @throws NOT_FOUND where there is nothing of the kind */
  unfriend(userId: string, otherId: string): Promise<void>;
  friends(userId: string, wanted: PageRequest & { state?: FriendState | undefined }): Promise<Page<FriendView>>;
  /** Ends whatever was between the two. May be repeated. @throws NOT_FOUND, CONFLICT */
  block(userId: string, otherId: string): Promise<void>;
  /** Lifts my block; the other's stays. May be repeated. */
  unblock(userId: string, otherId: string): Promise<void>;
  blocked(userId: string, wanted: PageRequest): Promise<Page<BlockView>>;
}

interface PageRequest {
  limit: number;
  cursor?: string | undefined;
}

export interface RelationsDeps {
  Relations: RelationModel;
  transact: Transact;
  outbox: Outbox<UserEvents>;
  realtime: Pick<Realtime, 'hide'>;
  clock: Clock;
  summaries: UsersApi['summaries'];
}

/** Guards against floods, not rules: parallel requests may slip past them. */
export const MAX_OPEN_REQUESTS = 200;
export const MAX_BLOCKS = 1000;

export function createRelationsService({
  Relations,
  transact,
  outbox,
  realtime,
  clock,
  summaries,
}: RelationsDeps): RelationsService {
  const requireOther = async (userId: string, otherId: string): Promise<UserSummary> => {
    if (userId === otherId) throw new AppError('CONFLICT', 'This is yourself.');
    const other = (await summaries([otherId])).get(otherId);
    if (!other) throw notFound('player');
    return other;
  };

  /** One step towards friendship, from whatever is there. @returns the row as it is then */
  const step = async (
    session: ClientSession,
    player: { userId: string; username: string },
    otherId: string,
  ): Promise<RelationRow> => {
    const { userId, username } = player;
    const _id = pairOf(userId, otherId);
    const before = await Relations.findById(_id, null, { session }).lean<RelationRow>();
    if (before?.state === 'blocked') throw refusal(before, userId);
    if (before && friendshipOf(before, userId) !== 'incoming') return before;
    const since = new Date(clock.now());
    if (before) {
      await Relations.updateOne({ _id, state: 'pending' }, { $set: { state: 'friends', since } }, { session });
      await outbox.append(session, 'user.friendAccepted', _id, { byId: userId, byUsername: username, toId: otherId });
      return { ...before, state: 'friends', since };
    }
    const asked = newRow(userId, otherId, { state: 'pending', requestedBy: new Types.ObjectId(userId), since });
    await Relations.create([asked], { session });
    await outbox.append(session, 'user.friendRequested', _id, {
      fromId: userId,
      fromUsername: username,
      toId: otherId,
    });
    return asked;
  };

  const listed = async <Item>(
    filter: QueryFilter<RelationRow>,
    userId: string,
    { limit, cursor }: PageRequest,
    show: (row: RelationRow, user: UserCard) => Item,
  ): Promise<Page<Item>> => {
    const rows = await Relations.find(cursor === undefined ? filter : { $and: [filter, after(cursor)] })
      .sort({ since: -1, _id: -1 })
      .limit(limit + 1)
      .lean<RelationRow[]>();
    const users = await summaries(rows.map((row) => otherOf(row, userId)));
    const showOne = (row: RelationRow): Item[] => {
      const user = users.get(otherOf(row, userId));
      return user ? [show(row, toCard(user))] : [];
    };
    const page = toPage(rows, limit, showOne, (row) => [row.since.getTime(), row._id]);
    return { ...page, items: page.items.flat() };
  };

  return {
    between: (userId, otherId) => Relations.findById(pairOf(userId, otherId)).lean<RelationRow>(),

    async of(userId, otherIds) {
      const pairs = otherIds.map((otherId) => pairOf(userId, otherId));
      const rows = await Relations.find({ _id: { $in: pairs } }).lean<RelationRow[]>();
      return new Map(rows.map((row) => [otherOf(row, userId), row]));
    },

    async blocks(userIds) {
      const asked = new Set(userIds);
      const found = new Map<string, Set<string>>();
      if (asked.size === 0) return found;
      const note = (userId: string, otherId: string) => {
        const others = found.get(userId);
        if (others) others.add(otherId);
        else if (asked.has(userId)) found.set(userId, new Set([otherId]));
      };
      const rows = await Relations.find({ users: { $in: [...asked] }, state: 'blocked' }, { _id: 1 }).lean();
      for (const { _id } of rows) {
        const [low = '', high = ''] = _id.split('_');
        note(low, high);
        note(high, low);
      }
      return found;
    },

    async befriend(player, otherId) {
      const { userId } = player;
      const other = await requireOther(userId, otherId);
      const open = await Relations.countDocuments({ users: userId, state: 'pending', requestedBy: userId });
      if (open >= MAX_OPEN_REQUESTS)
        throw new AppError(
          'CONFLICT',
          `${MAX_OPEN_REQUESTS} of your requests wait for an answer: take one back first.`,
        );
      const row = await onceMore(() => transact((session) => step(session, player, otherId)));
      outbox.wake();
      return {
        user: toCard(other),
        state: friendshipOf(row, userId) ?? 'outgoing',
        since: row.since.toISOString(),
      };
    },

    async unfriend(userId, otherId) {
      const { deletedCount } = await Relations.deleteOne({ _id: pairOf(userId, otherId), state: { $ne: 'blocked' } });
      if (deletedCount === 0) throw notFound('friend or request');
    },

    friends(userId, { state, ...wanted }) {
      const show = (row: RelationRow, user: UserCard): FriendView => ({
        user,
        state: friendshipOf(row, userId) ?? 'friends',
        since: row.since.toISOString(),
      });
      return listed({ users: userId, ...friendFilter(state, userId) }, userId, wanted, show);
    },

    async block(userId, otherId) {
      await requireOther(userId, otherId);
      if ((await Relations.countDocuments({ blockedBy: userId })) >= MAX_BLOCKS)
        throw new AppError('CONFLICT', `You have blocked ${MAX_BLOCKS} players: lift a block first.`);
      const _id = pairOf(userId, otherId);
      const me = new Types.ObjectId(userId);
      await onceMore(() =>
        transact(async (session) => {
          const before = await Relations.findById(_id, null, { session }).lean<RelationRow>();
          if (before?.blockedBy.some((id) => id.equals(me))) return;
          const blockedBy = [...(before?.blockedBy ?? []), me];
          const since = before?.state === 'blocked' ? before.since : new Date(clock.now());
          const row = newRow(userId, otherId, { state: 'blocked', blockedBy, since });
          await Relations.replaceOne({ _id }, row, { session, upsert: true });
        }),
      );
      realtime.hide(userId, otherId);
      realtime.hide(otherId, userId);
    },

    async unblock(userId, otherId) {
      const _id = pairOf(userId, otherId);
      const me = new Types.ObjectId(userId);
      await transact(async (session) => {
        const row = await Relations.findOne({ _id, blockedBy: me }, null, { session }).lean<RelationRow>();
        if (!row) return;
        if (row.blockedBy.length === 1) await Relations.deleteOne({ _id }, { session });
        else await Relations.updateOne({ _id }, { $pull: { blockedBy: me } }, { session });
      });
    },

    blocked: (userId, wanted) =>
      listed({ blockedBy: userId }, userId, wanted, (row, user) => ({ user, since: row.since.toISOString() })),
  };
}

type Novelty = Pick<RelationRow, 'state' | 'since'> & Partial<Pick<RelationRow, 'requestedBy' | 'blockedBy'>>;

function newRow(userId: string, otherId: string, novelty: Novelty): RelationRow {
  const _id = pairOf(userId, otherId);
  const users = _id.split('_').map((id) => new Types.ObjectId(id));
  return { _id, users, requestedBy: null, blockedBy: [], ...novelty };
}

/** Whom I have blocked I know; who has blocked me is not mine to know of. */
function refusal(row: RelationRow, userId: string): AppError {
  const mine = row.blockedBy.some((id) => id.toHexString() === userId);
  return mine ? new AppError('BLOCKED', 'You have blocked this player: lift the block first.') : notFound('player');
}

function friendFilter(state: FriendState | undefined, userId: string): QueryFilter<RelationRow> {
  if (state === 'friends') return { state };
  if (state === 'outgoing') return { state: 'pending', requestedBy: userId };
  if (state === 'incoming') return { state: 'pending', requestedBy: { $ne: userId } };
  return { state: { $in: ['friends', 'pending'] } };
}

function after(cursor: string): QueryFilter<RelationRow> {
  const [since, _id] = decodeCursor(cursor, ['number', 'string']);
  const time = new Date(Number(since));
  if (Number.isNaN(time.getTime())) throw new AppError('BAD_CURSOR', 'Start again without a cursor.');
  return { $or: [{ since: { $lt: time } }, { since: time, _id: { $lt: String(_id) } }] };
}

/** Two who write the first row of a pair at the same moment: the second one looks at what the first one wrote. */
async function onceMore<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return work();
  }
}
