import type { Clock } from '../../core/clock';
import { AppError, notFound } from '../../core/errors';
import type { Logger } from '../../core/logger';
import type { Outbox } from '../../database/outbox';
import { isDuplicateKey, type Transact } from '../../database/transaction';
import type { Formation } from './formation';
import type { MatchmakingEvents } from './matchmaking.api';
import type { MatchModel, MatchRow, TicketRow } from './matchmaking.models';
import { ACCEPTED_CREDIT_MS, KEEP_FALLEN_MS } from './matchmaking.policy';
import type { MatchView } from './matchmaking.schemas';
import type { Pools } from './pools';
import type { TicketStore } from './tickets.store';
import { playersOf, ticketsOf, toMatchView } from './views';

/**
 * Proposed matches: everybody accepts within the time, or the match falls through. Then the tickets of those who
 * declined, or did not answer in time, end; the others go back to their queues with the time they have waited, and those
 * who had accepted get 30 s on top.
 */
export interface AcceptanceService {
  /** Accepting twice is accepting once. @throws NOT_FOUND, MATCH_CLOSED when it fell through or time is up */
  accept(userId: string, matchId: string): Promise<MatchView>;
  /** @throws NOT_FOUND, ALREADY_MATCHED when everybody had accepted */
  decline(userId: string, matchId: string, reason?: string): Promise<MatchView>;
  /** Ends what time has run out on. */
  sweep(): Promise<void>;
}

export interface AcceptanceDeps {
  Matches: MatchModel;
  store: TicketStore;
  pools: Pools;
  formation: Formation;
  transact: Transact;
  outbox: Outbox<MatchmakingEvents>;
  clock: Clock;
  logger: Logger;
}

/** Why a ticket of a match that fell through ends, or null where it goes back to the queue. */
type Verdict = (userIds: readonly string[], accepted: ReadonlySet<string>) => string | null;

const SWEEP_BATCH = 200;

export function createAcceptanceService(deps: AcceptanceDeps): AcceptanceService {
  const { Matches, store, pools, formation, transact, outbox, clock, logger } = deps;
  const { Tickets } = store;

  const find = async (userId: string, matchId: string): Promise<MatchRow> => {
    const match = await Matches.findOne({ _id: matchId, players: userId }).lean<MatchRow>();
    if (!match) throw notFound('match');
    return match;
  };

  const requeue = (row: TicketRow, accepted: ReadonlySet<string>, now: number) => {
    const credit = playersOf(row).every((userId) => accepted.has(userId)) ? ACCEPTED_CREDIT_MS : 0;
    const queuedAt = new Date((row.queuedAt ?? row.createdAt).getTime() - credit);
    return {
      updateOne: {
        filter: { _id: row._id, state: 'proposed' as const, revision: row.revision },
        update: {
          $set: { state: 'queued' as const, matchId: null, queuedAt, updatedAt: new Date(now) },
          $inc: { revision: 1 },
        },
      },
    };
  };

  /** @param only a further condition on the match. @returns false where it does not hold, or the match is no longer a proposal */
  const fallThrough = async (matchId: string, verdict: Verdict, only: object = {}): Promise<boolean> => {
    const requeued = await transact(async (session) => {
      const now = clock.now();
      const match = await Matches.findOneAndUpdate(
        { ...only, _id: matchId, state: 'proposed' },
        { $set: { state: 'fellThrough', endedAt: new Date(now), discardAt: new Date(now + KEEP_FALLEN_MS) } },
        { session, returnDocument: 'after' },
      ).lean<MatchRow>();
      if (!match) return null;
      const accepted = new Set(match.accepted.map((id) => id.toHexString()));
      const rows = await Tickets.find({ _id: { $in: match.tickets.map((t) => t.ticketId) }, state: 'proposed' }, null, {
        session,
      }).lean<TicketRow[]>();
      const back: TicketRow[] = [];
      for (const row of rows) {
        const reason = verdict(playersOf(row), accepted);
        if (reason === null) back.push(row);
        else await store.end(session, row._id.toHexString(), ['proposed'], { state: 'cancelled', reason });
      }
      if (back.length > 0)
        await Tickets.collection.bulkWrite(
          back.map((row) => requeue(row, accepted, now)),
          { session },
        );
      const ids = new Set(back.map((row) => row._id.toHexString()));
      const told = ticketsOf(match).filter((ticket) => ids.has(ticket.ticketId));
      await outbox.append(session, 'match.fellThrough', matchId, { matchId, requeued: told });
      return [...ids];
    });
    if (!requeued) return false;
    await pools.refresh(requeued);
    outbox.wake();
    return true;
  };

  const confirm = async (match: MatchRow): Promise<void> => {
    try {
      await formation.confirm(match);
    } catch (error) {
      if (!isDuplicateKey(error, 'livePlayers')) throw error;
      const live = await Matches.find({ live: true, livePlayers: { $in: match.players } }).lean<MatchRow[]>();
      const busy = new Set(live.flatMap((other) => other.livePlayers.map((id) => id.toHexString())));
      await fallThrough(match._id.toHexString(), (userIds) =>
        userIds.some((userId) => busy.has(userId)) ? 'in_live_match' : null,
      );
    }
  };

  const allAccepted = (match: MatchRow) => match.accepted.length === match.players.length;

  const endDue = async (match: MatchRow) => {
    // accepted by all, and cut off before it could be confirmed
    if (allAccepted(match)) return confirm(match);
    const late: Verdict = (userIds, accepted) =>
      userIds.every((userId) => accepted.has(userId)) ? null : 'not_accepted';
    // somebody who accepted in the last moment is seen by the next sweep
    await fallThrough(match._id.toHexString(), late, { accepted: match.accepted });
  };

  const endRequeued = async (match: MatchRow, userId: string, reason: string) => {
    const ticket = ticketsOf(match).find(({ userIds }) => userIds.includes(userId));
    if (!ticket) return;
    const end = { state: 'cancelled', reason, userId } as const;
    const ended = await transact((session) => store.end(session, ticket.ticketId, ['queued'], end));
    if (!ended) return;
    pools.remove(ticket.ticketId);
    outbox.wake();
  };

  return {
    async accept(userId, matchId) {
      const match = await Matches.findOneAndUpdate(
        { _id: matchId, players: userId, state: 'proposed', acceptBy: { $gt: new Date(clock.now()) } },
        { $addToSet: { accepted: userId } },
        { returnDocument: 'after' },
      ).lean<MatchRow>();
      if (match && !allAccepted(match)) return toMatchView(match, userId);
      if (match) await confirm(match);
      const now = await find(userId, matchId);
      if (now.state === 'fellThrough')
        throw new AppError('MATCH_CLOSED', 'Somebody declined or did not answer in time.');
      if (now.state === 'proposed') throw new AppError('MATCH_CLOSED', 'The time to accept is over.');
      return toMatchView(now, userId);
    },

    async decline(userId, matchId, reason = 'declined') {
      await find(userId, matchId);
      const fell = await fallThrough(matchId, (userIds) => (userIds.includes(userId) ? reason : null));
      const match = await find(userId, matchId);
      if (!fell && match.state !== 'fellThrough')
        throw new AppError('ALREADY_MATCHED', 'Everybody has accepted: the match has begun. Leave its lobby instead.');
      // somebody else was faster, and this ticket is searching again: whoever declines does not want that
      if (!fell) await endRequeued(match, userId, reason);
      return toMatchView(match, userId);
    },

    async sweep() {
      const due = await Matches.find({ state: 'proposed', acceptBy: { $lte: new Date(clock.now()) } })
        .sort({ acceptBy: 1 })
        .limit(SWEEP_BATCH)
        .lean<MatchRow[]>();
      for (const match of due) {
        try {
          await endDue(match);
        } catch (err) {
          logger.error({ err, matchId: match._id.toHexString() }, 'a proposal could not be ended');
        }
      }
    },
  };
}
