import { z } from 'zod';
import type { EventBus } from '../../core/event-bus';
import { clientEvent, type ClientEvent } from '../../realtime/client-event';
import { SIGNAL_EVENTS } from '../../realtime/protocol';
import { userRoom } from '../../realtime/rooms';
import type { Realtime } from '../../realtime/server';
import type { AcceptanceService } from './acceptance.service';
import type { MatchmakingEvents } from './matchmaking.api';
import { matchEvent, matchView, ticketEvent, ticketView } from './matchmaking.schemas';
import type { Pools } from './pools';
import { ticketRoom, type StatusBoard } from './status';
import type { TicketsService } from './tickets.service';

/** What clients send about matchmaking. */
export function matchmakingEvents({
  tickets,
  acceptance,
  status,
}: {
  tickets: TicketsService;
  acceptance: AcceptanceService;
  status: StatusBoard;
}): ClientEvent[] {
  return [
    clientEvent({
      name: 'matchmaking:subscribe',
      summary: 'Send me `matchmaking:status` of this ticket every few seconds',
      schema: ticketEvent,
      answer: z.object({ ticket: ticketView, status: SIGNAL_EVENTS['matchmaking:status'].nullable() }),
      handler: async ({ player, join }, { ticketId }) => {
        const ticket = await tickets.view(player.userId, ticketId);
        await join(ticketRoom(ticketId));
        status.watch(ticketId);
        return { ticket, status: await status.status(ticketId) };
      },
    }),
    clientEvent({
      name: 'matchmaking:accept',
      summary: 'Accept a proposed match',
      schema: matchEvent,
      answer: z.object({ match: matchView }),
      handler: async ({ player }, { matchId }) => ({ match: await acceptance.accept(player.userId, matchId) }),
    }),
    clientEvent({
      name: 'matchmaking:decline',
      summary: 'Decline a proposed match',
      schema: matchEvent,
      answer: z.object({ match: matchView }),
      handler: async ({ player }, { matchId }) => ({ match: await acceptance.decline(player.userId, matchId) }),
    }),
  ];
}

/** Tells every player of a ticket what became of it. */
export function tellMatchmakingNews(
  bus: EventBus<MatchmakingEvents>,
  { feed, signal }: Pick<Realtime, 'feed' | 'signal'>,
  { status, pools }: { status: StatusBoard; pools: Pick<Pools, 'refresh'> },
): void {
  bus.on('match.proposed', async ({ eventId, payload: { matchId, acceptBy, tickets } }) => {
    const ticketOf = byPlayer(tickets);
    await feed.tell(eventId, [...ticketOf.keys()], 'matchmaking:proposed', (userId) => ({
      ticketId: ticketOf.get(userId) ?? '',
      matchId,
      acceptBy,
    }));
  });
  const tellMatched = async ({ eventId, payload }: { eventId: string; payload: MatchmakingEvents['match.formed'] }) => {
    const { matchId, lobbyId, teams, quality, tickets } = payload;
    const ticketOf = byPlayer(tickets);
    await feed.tell(eventId, [...ticketOf.keys()], 'matchmaking:matched', (userId) => ({
      ticketId: ticketOf.get(userId) ?? '',
      matchId,
      lobbyId,
      teams,
      quality,
    }));
  };
  bus.on('match.formed', tellMatched);
  bus.on('match.joined', tellMatched);
  bus.on('match.fellThrough', async ({ payload: { requeued } }) => {
    // the news may be here before the tickets are
    await pools.refresh(requeued.map(({ ticketId }) => ticketId));
    for (const { ticketId, userIds } of requeued) {
      const shown = await status.status(ticketId);
      if (shown) for (const userId of userIds) signal(userRoom(userId), 'matchmaking:status', shown);
    }
  });
  bus.on('ticket.cancelled', ({ eventId, payload: { ticketId, userIds, reason } }) =>
    feed.tell(eventId, userIds, 'matchmaking:cancelled', { ticketId, reason }),
  );
  bus.on('ticket.expired', ({ eventId, payload: { ticketId, userIds } }) =>
    feed.tell(eventId, userIds, 'matchmaking:expired', { ticketId }),
  );
}

const byPlayer = (tickets: readonly { ticketId: string; userIds: string[] }[]): Map<string, string> =>
  new Map(tickets.flatMap(({ ticketId, userIds }) => userIds.map((userId) => [userId, ticketId] as const)));
