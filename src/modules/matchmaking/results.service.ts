import type { ClientSession } from 'mongoose';
import { createBounded } from '../../core/bounded';
import type { Clock } from '../../core/clock';
import { AppError, notFound } from '../../core/errors';
import type { Outbox } from '../../database/outbox';
import type { Transact } from '../../database/transaction';
import type { LobbiesApi } from '../lobbies';
import type { Backfills } from './backfill';
import type { MatchmakingEvents } from './matchmaking.api';
import type { MatchModel, MatchRow, Outcome, RatingModel, RatingRow } from './matchmaking.models';
import { agreedOutcome, NEWCOMER, outcomeOf, sameOutcome } from './matchmaking.policy';
import type { MatchView, ResultReport } from './matchmaking.schemas';
import { ratingChanges } from './rating-changes';
import { oid } from './tickets.store';
import { toMatchView } from './views';

/**
 * Results. Players report what happened; as soon as enough reports agree (a majority of the players, or the host: the rule set
 * says which) the match is completed, once: state, ratings, lobby and the fact in one transaction. Reports that contradict
 * each other wait for more, or for somebody to correct theirs. A team of which all have left, and none has reported, has no say:
 * nobody keeps a loss from counting by leaving. Only versus matches change ratings (rating-changes.ts).
 */
export interface ResultsService {
  /** @throws NOT_FOUND for who is not in the match, MATCH_CLOSED when it has ended otherwise, VALIDATION_FAILED */
  report(userId: string, matchId: string, report: ResultReport): Promise<MatchView>;
  /** Somebody has left: completes the match if those who have a say agree by now. */
  settle(matchId: string): Promise<void>;
}

export interface ResultsDeps {
  Matches: MatchModel;
  Ratings: RatingModel;
  transact: Transact;
  outbox: Outbox<MatchmakingEvents>;
  lobbies: Pick<LobbiesApi, 'closeForMatch' | 'lobbiesOf'>;
  backfills: Pick<Backfills, 'end'>;
  clock: Clock;
}

/**
 * Reports come in crowds, and two of one match collide. All of a crowd in the database together are slow together: they outlive what a
 * transaction may last, and begin again. A few at a time are each done in a moment.
 */
const REPORTS = { atOnce: 8, waiting: 2_000 };

export function createResultsService(deps: ResultsDeps): ResultsService {
  const { Matches, Ratings, transact, outbox, lobbies, backfills, clock } = deps;

  const oneOfFew = createBounded(REPORTS);

  const hostOf = async (match: MatchRow, userId: string): Promise<string | null> => {
    if (match.agreement !== 'host') return null;
    const mine = (await lobbies.lobbiesOf([userId]))(userId);
    return mine.find((lobby) => lobby.matchId === match._id.toHexString())?.hostId ?? null;
  };

  /** New ratings after these ranks, written. */
  const updateRatings = async (
    session: ClientSession,
    match: MatchRow,
    ranks: number[],
  ): Promise<MatchRow['ratings']> => {
    const { gameId, mode } = match;
    const rows = await Ratings.find({ userId: { $in: match.players }, gameId, mode }, null, { session }).lean<
      RatingRow[]
    >();
    const known = new Map(rows.map((row) => [row.userId.toHexString(), row]));
    const changes = ratingChanges(match, ranks, (userId) => known.get(userId.toHexString()) ?? NEWCOMER);
    if (changes.length === 0) return [];
    await Ratings.collection.bulkWrite(
      changes.map(({ userId, after: { mu, sigma } }) => ({
        updateOne: {
          filter: { userId, gameId, mode },
          update: { $set: { mu, sigma, updatedAt: new Date(clock.now()) }, $inc: { matches: 1 } },
          upsert: true,
        },
      })),
      { session },
    );
    return changes;
  };

  const complete = async (session: ClientSession, match: MatchRow, outcome: Outcome): Promise<MatchRow | null> => {
    const ratings = outcome.ranks ? await updateRatings(session, match, outcome.ranks) : [];
    const completed = await Matches.findOneAndUpdate(
      { _id: match._id, state: 'live' },
      {
        $set: {
          state: 'completed',
          live: false,
          livePlayers: [],
          outcome,
          ratings,
          endReason: 'reported',
          endedAt: new Date(clock.now()),
        },
      },
      { session, returnDocument: 'after' },
    ).lean<MatchRow>();
    const matchId = match._id.toHexString();
    await backfills.end(session, match);
    await lobbies.closeForMatch(session, matchId, 'the match is over');
    await outbox.append(session, 'match.completed', matchId, {
      matchId,
      gameId: match.gameId.toHexString(),
      mode: match.mode,
      userIds: match.players.map((id) => id.toHexString()),
    });
    return completed;
  };

  const liveMatch = (session: ClientSession, matchId: string) =>
    Matches.findOne({ _id: matchId, state: 'live' }, null, { session }).lean<MatchRow>();

  /** What those who have a say agree on, or null. */
  const agreedOn = (match: MatchRow, hostId: string | null): Outcome | null => {
    const reports = match.reports.map(({ userId, outcome }) => ({ userId: userId.toHexString(), outcome }));
    const players = votersOf(match);
    return agreedOutcome(
      reports.filter((report) => players.has(report.userId)),
      { agreement: match.agreement, players: players.size, hostId },
    );
  };

  /** Takes in one report; the match as it is afterwards, or null where it is not live. */
  const takeIn = async (
    session: ClientSession,
    matchId: string,
    userId: string,
    outcome: Outcome,
    hostId: string | null,
  ) => {
    const match = await liveMatch(session, matchId);
    if (!match) return null;
    const others = match.reports.filter((report) => report.userId.toHexString() !== userId);
    const reports = [...others, { userId: oid(userId), outcome, at: new Date(clock.now()) }];
    await Matches.collection.updateOne({ _id: match._id, state: 'live' }, { $set: { reports } }, { session });
    const reported = { ...match, reports };
    const agreed = agreedOn(reported, hostId);
    return agreed ? complete(session, reported, agreed) : reported;
  };

  return {
    async report(userId, matchId, report) {
      const match = await Matches.findOne({ _id: matchId, players: userId }).lean<MatchRow>();
      if (!match) throw notFound('match');
      const outcome = outcomeOf(report, match.teams.length);
      const hostId = await hostOf(match, userId);
      const taken = await oneOfFew(() => transact((session) => takeIn(session, matchId, userId, outcome, hostId)));
      outbox.wake();
      if (taken) return toMatchView(taken, userId);
      const now = (await Matches.findById(matchId).lean<MatchRow>()) ?? match;
      // who comes late but agrees has nothing to be told off for
      if (now.state === 'completed' && now.outcome && sameOutcome(now.outcome, outcome))
        return toMatchView(now, userId);
      throw new AppError('MATCH_CLOSED', now.state === 'proposed' ? 'It has not begun.' : `The match is ${now.state}.`);
    },

    async settle(matchId) {
      await transact(async (session) => {
        const match = await liveMatch(session, matchId);
        const agreed = match?.agreement === 'majority' && agreedOn(match, null);
        if (match && agreed) await complete(session, match, agreed);
      });
      outbox.wake();
    },
  };
}

/** Who decides on the result: whoever was replaced has no say in how it went on, and who left has one with their team only. */
function votersOf({ teams, livePlayers, reports }: MatchRow): ReadonlySet<string> {
  const counted = new Set([...livePlayers, ...reports.map(({ userId }) => userId)].map((id) => id.toHexString()));
  const members = teams.map((team) => team.map(({ userId }) => userId.toHexString()));
  return new Set(members.filter((team) => team.some((id) => counted.has(id))).flat());
}
