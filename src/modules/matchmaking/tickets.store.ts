import { Types, type ClientSession } from 'mongoose';
import type { Clock } from '../../core/clock';
import { groupBy } from '../../core/group-by';
import type { Outbox } from '../../database/outbox';
import type { GamesApi } from '../games';
import type { MatchmakingEvents } from './matchmaking.api';
import type { TicketModel, TicketRow, TicketState } from './matchmaking.models';
import { playersOf } from './views';

export const oid = (id: string): Types.ObjectId => new Types.ObjectId(id);

/** A commit saw a ticket that has changed since: nothing of it may stand. */
export class StaleTickets extends Error {
  override name = 'StaleTickets';
}

/** Writes of tickets that several services share. All of them are conditional, and belong to the caller's transaction. */
export interface TicketStore {
  Tickets: TicketModel;
  /** Moves exactly these tickets, at these revisions, from one state to another. @throws StaleTickets where one does not fit */
  move(session: ClientSession, moves: readonly Move[]): Promise<void>;
  /** Ends a ticket that is in one of these states, and tells its players. Null where it is not. */
  end(session: ClientSession, ticketId: string, from: readonly TicketState[], end: Ending): Promise<TicketRow | null>;
}

export interface Move {
  id: string;
  revision: number;
  from: TicketState;
  to: 'proposed' | 'matched';
  matchId: string;
}

export interface Ending {
  state: 'cancelled' | 'expired';
  reason: string;
  /** Only a ticket of this player. */
  userId?: string;
}

/** Moves that are alike but for the ticket, as an update. */
function movement(moves: readonly Move[], now: Date) {
  const [{ revision, from, to, matchId }] = moves as readonly [Move];
  const change = { state: to, open: to === 'proposed', matchId: oid(matchId), updatedAt: now };
  return {
    filter: { _id: { $in: moves.map(({ id }) => oid(id)) }, state: from, revision },
    update: { $set: to === 'matched' ? { ...change, endedAt: now } : change, $inc: { revision: 1 } },
  };
}

export function createTicketStore({
  Tickets,
  clock,
  outbox,
  games,
}: {
  Tickets: TicketModel;
  clock: Clock;
  outbox: Pick<Outbox<MatchmakingEvents>, 'append'>;
  games: Pick<GamesApi, 'mode'>;
}): TicketStore {
  const gameNamesOf = async (row: TicketRow): Promise<string[]> => {
    const modes = await Promise.all(row.games.map(({ gameId, mode }) => games.mode(gameId.toHexString(), mode)));
    return [...new Set(modes.flatMap((mode) => (mode ? [mode.gameName] : [])))];
  };

  return {
    Tickets,
    async move(session, moves) {
      const now = new Date(clock.now());
      // one statement for the tickets of a match that have changed equally often: mostly all of them
      const alike = groupBy(moves, ({ matchId, revision, from, to }) => `${matchId} ${revision} ${from} ${to}`);
      const result = await Tickets.collection.bulkWrite(
        [...alike.values()].map((together) => ({ updateMany: movement(together, now) })),
        { session },
      );
      if (result.matchedCount !== moves.length) throw new StaleTickets('a ticket has changed meanwhile');
    },
    async end(session, ticketId, from, { state, reason, userId }) {
      const now = new Date(clock.now());
      const row = await Tickets.findOneAndUpdate(
        { _id: ticketId, state: { $in: [...from] }, ...(userId === undefined ? {} : { players: userId }) },
        { $set: { state, open: false, reason, endedAt: now, updatedAt: now }, $inc: { revision: 1 } },
        { session, returnDocument: 'after' },
      ).lean<TicketRow>();
      if (!row) return null;
      const userIds = playersOf(row);
      if (state === 'cancelled')
        await outbox.append(session, 'ticket.cancelled', ticketId, { ticketId, userIds, reason });
      else
        await outbox.append(session, 'ticket.expired', ticketId, {
          ticketId,
          userIds,
          gameNames: await gameNamesOf(row),
        });
      return row;
    },
  };
}
