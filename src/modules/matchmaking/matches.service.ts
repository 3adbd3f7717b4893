import type { Types } from 'mongoose';
import type { Clock } from '../../core/clock';
import { decodeCursor, toPage, type Page } from '../../core/cursor';
import { AppError, notFound } from '../../core/errors';
import type { Transact } from '../../database/transaction';
import type { LobbiesApi } from '../lobbies';
import type { Backfills } from './backfill';
import type { MatchModel, MatchRow } from './matchmaking.models';
import { LONGEST_MATCH_MS } from './matchmaking.policy';
import type { MatchView } from './matchmaking.schemas';
import { oid } from './tickets.store';
import { toMatchView } from './views';

/** Matches as their players see them, and how live ones end without a result. */
export interface MatchesService {
  /** @throws NOT_FOUND for who is not in it */
  view(userId: string, matchId: string): Promise<MatchView>;
  /** Who was in a match that was formed; null where there is none. `endedAt` is 0 until it has ended. */
  played(matchId: string): Promise<{ userIds: string[]; completed: boolean; endedAt: number } | null>;
  /** Matches that were played, newest first. */
  history(userId: string, page: { limit: number; cursor?: string | undefined }): Promise<Page<MatchView>>;
  /**
   * This player has left the match and may search again; the last one to leave ends it.
   * @param removed by the host: the result does not count for them
   */
  leave(matchId: string, userId: string, removed?: boolean): Promise<void>;
  /** Ends a live match without a result; nothing happens where it is not live. */
  abandon(matchId: string, reason: string): Promise<void>;
  /** Ends matches that nobody has reported for hours, with their lobbies. */
  sweep(): Promise<void>;
}

export interface MatchesDeps {
  Matches: MatchModel;
  lobbies: Pick<LobbiesApi, 'closeForMatch'>;
  backfills: Pick<Backfills, 'end'>;
  transact: Transact;
  outbox: { wake(): void };
  clock: Clock;
}

const SWEEP_BATCH = 100;

export function createMatchesService({
  Matches,
  lobbies,
  backfills,
  transact,
  outbox,
  clock,
}: MatchesDeps): MatchesService {
  const ended = (reason: string) => ({
    state: 'abandoned' as const,
    live: false,
    livePlayers: [],
    endReason: reason,
    endedAt: new Date(clock.now()),
  });

  const end = async (which: { _id: Types.ObjectId; livePlayers?: Types.ObjectId[] }, reason: string) => {
    await transact(async (session) => {
      const match = await Matches.findOneAndUpdate({ ...which, live: true }, { $set: ended(reason) }, { session });
      if (match) await backfills.end(session, match);
    });
    outbox.wake();
  };

  return {
    async view(userId, matchId) {
      const match = await Matches.findOne({ _id: matchId, players: userId }).lean<MatchRow>();
      if (!match) throw notFound('match');
      return toMatchView(match, userId);
    },

    async played(matchId) {
      const fields = { players: 1, state: 1, endedAt: 1 };
      const match = await Matches.findOne({ _id: matchId, formedAt: { $ne: null } }, fields).lean<MatchRow>();
      if (!match) return null;
      const userIds = match.players.map((id) => id.toHexString());
      return { userIds, completed: match.state === 'completed', endedAt: match.endedAt?.getTime() ?? 0 };
    },

    async history(userId, { limit, cursor }) {
      const { from, id } = startOf(cursor);
      const older = id === undefined ? {} : { $or: [{ formedAt: { $lt: from } }, { _id: { $lt: oid(id) } }] };
      const rows = await Matches.find({ players: userId, formedAt: { $lte: from }, ...older })
        .sort({ formedAt: -1, _id: -1 })
        .limit(limit + 1)
        .lean<MatchRow[]>();
      return toPage(
        rows,
        limit,
        (row) => toMatchView(row, userId),
        (row) => [row.formedAt?.getTime() ?? 0, row._id.toHexString()],
      );
    },

    async leave(matchId, userId, removed = false) {
      const [match, player] = [oid(matchId), oid(userId)];
      const left = await Matches.updateOne(
        { _id: match, live: true, livePlayers: player, 'livePlayers.1': { $exists: true } },
        { $pull: { livePlayers: player }, ...(removed ? { $addToSet: { removed: player } } : {}) },
      );
      if (left.modifiedCount === 0) await end({ _id: match, livePlayers: [player] }, 'everybody_left');
    },

    abandon: (matchId, reason) => end({ _id: oid(matchId) }, reason),

    async sweep() {
      const due = new Date(clock.now() - LONGEST_MATCH_MS);
      const rows = await Matches.find({ live: true, formedAt: { $lte: due } }, { _id: 1 })
        .sort({ formedAt: 1 })
        .limit(SWEEP_BATCH)
        .lean();
      for (const { _id } of rows)
        await transact(async (session) => {
          const match = await Matches.findOneAndUpdate(
            { _id, live: true },
            { $set: ended('not_reported') },
            { session },
          );
          if (!match) return;
          await backfills.end(session, match);
          await lobbies.closeForMatch(session, _id.toHexString(), 'nobody reported a result');
        });
      if (rows.length > 0) outbox.wake();
    },
  };
}

const LATEST = new Date(8.64e15);

/** Where a page begins. @throws BAD_CURSOR */
function startOf(cursor: string | undefined): { from: Date; id?: string } {
  if (cursor === undefined) return { from: LATEST };
  const [at, id] = decodeCursor(cursor, ['number', 'string']) as [number, string];
  const from = new Date(at);
  if (Number.isNaN(from.getTime()) || !/^[0-9a-f]{24}$/.test(id))
    throw new AppError('BAD_CURSOR', 'Start again without a cursor.');
  return { from, id };
}
