import { AppError, notFound } from '../../core/errors';
import type { EventBus } from '../../core/event-bus';
import type { LobbiesApi, LobbyEvents } from '../lobbies';
import type { MatchesService } from './matches.service';
import type { LobbyTicketRequest, TicketView } from './matchmaking.schemas';
import type { TicketsService } from './tickets.service';

/** Searching as a party: the host of a lobby queues everybody in it. */
export interface LobbyQueue {
  /** @throws NOT_FOUND, NOT_HOST, LOBBY_CLOSED and what submitting a ticket throws */
  queue(hostId: string, lobbyId: string, request: LobbyTicketRequest): Promise<TicketView>;
  /** Any of the party may end it. @throws NOT_FOUND where the lobby does not search */
  unqueue(userId: string, lobbyId: string): Promise<void>;
}

export function createLobbyQueue({
  tickets,
  lobbies,
}: {
  tickets: TicketsService;
  lobbies: Pick<LobbiesApi, 'partyOf' | 'lobbiesOf'>;
}): LobbyQueue {
  return {
    async queue(hostId, lobbyId, { games, ...wishes }) {
      const [party, mine] = await Promise.all([lobbies.partyOf(lobbyId, hostId), lobbies.lobbiesOf(hostId)]);
      const lobby = mine.find(({ id }) => id === lobbyId);
      if (!lobby) throw notFound('lobby');
      if (lobby.matchId !== null)
        throw new AppError('CONFLICT', 'The lobby of a match cannot search: make a lobby of your own.');
      const choices = games ?? [{ gameId: lobby.gameId, mode: lobby.mode, weight: 5 }];
      return tickets.submit(hostId, { games: choices, ...wishes }, party);
    },
    async unqueue(userId, lobbyId) {
      const cancelled = await tickets.cancelOfLobby(lobbyId, 'cancelled_by_player', userId);
      if (!cancelled) throw notFound('search of this lobby');
    },
  };
}

/** A party that changes stops searching; whoever leaves the lobby of a match leaves the match. */
export function followLobbies(bus: EventBus<LobbyEvents>, tickets: TicketsService, matches: MatchesService): void {
  const left = async (lobby: { id: string; matchId: string | null }, userId: string, reason: string) => {
    if (lobby.matchId !== null) await matches.leave(lobby.matchId, userId);
    else await unlessMatched(tickets.cancelOfLobby(lobby.id, reason, userId));
  };
  bus.on('lobby.memberLeft', ({ payload: { lobby, userId } }) => left(lobby, userId, 'member_left'));
  bus.on('lobby.memberKicked', ({ payload: { lobby, userId } }) => left(lobby, userId, 'member_kicked'));
  bus.on('lobby.closed', async ({ payload: { lobby, reason } }) => {
    if (lobby.matchId !== null) await matches.abandon(lobby.matchId, reason);
    else await unlessMatched(tickets.cancelOfLobby(lobby.id, 'lobby_closed'));
  });
}

/** A party that was matched before the news arrived is in its match: nothing to cancel. */
async function unlessMatched(cancelling: Promise<unknown>): Promise<void> {
  await cancelling.catch((error: unknown) => {
    if (!(error instanceof AppError && error.code === 'ALREADY_MATCHED')) throw error;
  });
}
