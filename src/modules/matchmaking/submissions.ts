import type { Types } from 'mongoose';
import { inRounds } from '../../core/rounds';
import { insertNew } from '../../database/insert-new';
import type { MatchModel, MatchRow, RatingModel, RatingRow, TicketModel, TicketRow } from './matchmaking.models';
import { NEWCOMER, poolKey } from './matchmaking.policy';
import type { TicketRequest } from './matchmaking.schemas';
import { oid } from './tickets.store';

/**
 * What the database is asked and told for a ticket to be submitted. Submissions that come in while others are under way share
 * their commands (see core/rounds.ts), and the one wait for the disk at the end.
 */
export interface Submissions {
  /** The choices with the players' ratings in each mode. */
  rated(userIds: readonly string[], choices: TicketRequest['games']): Promise<TicketRow['games']>;
  /** Whether any of them is in a live match. @param exceptTicketId what came of this ticket does not count */
  anyInMatch(userIds: readonly string[], exceptTicketId?: Types.ObjectId): Promise<boolean>;
  /** @returns false where one of the players has an open ticket: the unique index decides */
  insert(row: TicketRow): Promise<boolean>;
}

type Playing = Pick<MatchRow, 'livePlayers'> & { tickets: Pick<MatchRow['tickets'][number], 'ticketId'>[] };

export function createSubmissions({
  Tickets,
  Matches,
  Ratings,
}: {
  Tickets: TicketModel;
  Matches: MatchModel;
  Ratings: RatingModel;
}): Submissions {
  const ratingsOf = inRounds<
    { userIds: readonly string[]; gameIds: readonly string[] },
    ReadonlyMap<string, RatingRow>
  >(async (asked) => {
    const rows = await Ratings.find({
      userId: { $in: asked.flatMap(({ userIds }) => userIds) },
      gameId: { $in: [...new Set(asked.flatMap(({ gameIds }) => gameIds))] },
    }).lean<RatingRow[]>();
    const known = new Map(
      rows.map((row) => [`${row.userId.toHexString()} ${poolKey(row.gameId.toHexString(), row.mode)}`, row]),
    );
    return asked.map(() => known);
  });

  const liveMatches = inRounds<readonly string[], readonly Playing[]>(async (asked) => {
    const seen = { livePlayers: 1, 'tickets.ticketId': 1 };
    const live = await Matches.find({ live: true, livePlayers: { $in: asked.flat() } }, seen).lean<Playing[]>();
    return asked.map((userIds) =>
      live.filter(({ livePlayers }) => livePlayers.some((id) => userIds.includes(id.toHexString()))),
    );
  });

  const insert = inRounds<TicketRow, boolean>((rows) => insertNew(Tickets.collection, rows));

  return {
    async rated(userIds, choices) {
      const known = await ratingsOf({ userIds, gameIds: choices.map(({ gameId }) => gameId) });
      return choices.map(({ gameId, mode, weight }) => ({
        gameId: oid(gameId),
        mode,
        weight,
        skills: userIds.map((userId) => {
          const { mu, sigma } = known.get(`${userId} ${poolKey(gameId, mode)}`) ?? NEWCOMER;
          return { mu, sigma };
        }),
      }));
    },
    async anyInMatch(userIds, exceptTicketId) {
      const live = await liveMatches(userIds);
      return live.some(({ tickets }) => !tickets.some(({ ticketId }) => ticketId.equals(exceptTicketId)));
    },
    insert,
  };
}
