import { Types } from 'mongoose';
import type { Clock } from '../../core/clock';
import { AppError, notFound } from '../../core/errors';
import type { Ids } from '../../core/ids';
import { isDuplicateKey, type Transact } from '../../database/transaction';
import type { MatchmakingApi } from '../matchmaking';
import type { UsersApi } from '../users';
import type { KarmaModel, KarmaRow } from './moderation.models';
import { KARMA_WITHIN_MS } from './moderation.policy';
import type { KarmaGift } from './moderation.schemas';

/** What players think of each other after a match that they played: once for each other player, and not to be taken back. */
export interface KarmaService {
  /** @throws NOT_FOUND where the two were not in this match; CONFLICT where it was not played, is long over, or it was given */
  give(fromId: string, toId: string, gift: KarmaGift): Promise<void>;
}

export interface KarmaDeps {
  Karma: KarmaModel;
  users: Pick<UsersApi, 'standing'>;
  matchmaking: Pick<MatchmakingApi, 'played'>;
  transact: Transact;
  clock: Clock;
  ids: Ids;
}

export function createKarmaService({ Karma, users, matchmaking, transact, clock, ids }: KarmaDeps): KarmaService {
  const requireTogether = async (fromId: string, toId: string, matchId: string): Promise<void> => {
    const match = await matchmaking.played(matchId);
    if (!match?.userIds.includes(fromId)) throw notFound('match');
    if (!match.userIds.includes(toId)) throw notFound('player in this match');
    if (!match.completed) throw new AppError('CONFLICT', 'The match has not been played to its end.');
    if (clock.now() > match.endedAt + KARMA_WITHIN_MS)
      throw new AppError('CONFLICT', 'The match was over a week ago: that is too long.');
  };

  return {
    async give(fromId, toId, { matchId, value }) {
      if (fromId === toId) throw new AppError('CONFLICT', 'This is yourself.');
      await requireTogether(fromId, toId, matchId);
      const oid = (id: string) => new Types.ObjectId(id);
      const row: KarmaRow = {
        _id: oid(ids.id()),
        matchId: oid(matchId),
        fromId: oid(fromId),
        toId: oid(toId),
        value,
        at: new Date(clock.now()),
      };
      try {
        await transact(async (session) => {
          await Karma.create([row], { session });
          if ((await users.standing.addKarma(session, toId, value)) === null) throw notFound('player');
        });
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        throw new AppError('CONFLICT', 'You have given them karma for this match already.');
      }
    },
  };
}
