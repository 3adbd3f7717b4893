import { AppError, notFound } from '../../core/errors';
import type { EventBus } from '../../core/event-bus';
import type { LobbyView } from '../../realtime/protocol';
import type { LobbiesApi, LobbyEvents } from '../lobbies';
import type { UserEvents } from '../users';
import type { MatchesService } from './matches.service';
import type { LobbyTicketRequest, TicketView } from './matchmaking.schemas';
import type { TicketsService } from './tickets.service';

/** Searching as a party: the host of a lobby queues everybody in it. */
export interface LobbyQueue {
  /** @throws NOT_FOUND, NOT_HOST, LOBBY_CLOSED, VERSION_CONFLICT and what submitting a ticket throws */
  queue(hostId: string, lobbyId: string, request: LobbyTicketRequest): Promise<TicketView>;
  /** Any of the party may end it. @throws NOT_FOUND where the lobby does not search */
  unqueue(userId: string, lobbyId: string): Promise<void>;
}

/** Somebody comes or goes in the very moment: the host meant those who are there then. */
const ATTEMPTS = 3;

export function createLobbyQueue({
  tickets,
  lobbies,
}: {
  tickets: TicketsService;
  lobbies: Pick<LobbiesApi, 'partyOf'>;
}): LobbyQueue {
  const queueOnce = async (hostId: string, lobbyId: string, { games, ...wishes }: LobbyTicketRequest) => {
    const party = await lobbies.partyOf(lobbyId, hostId);
    if (party.matchId !== null)
      throw new AppError('CONFLICT', 'The lobby of a match cannot search: make a lobby of your own.');
    const choices = games ?? [{ gameId: party.gameId, mode: party.mode, weight: 5 }];
    return tickets.submit(hostId, { games: choices, ...wishes }, party);
  };

  return {
    async queue(hostId, lobbyId, request) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await queueOnce(hostId, lobbyId, request);
        } catch (error) {
          const changed = error instanceof AppError && error.code === 'VERSION_CONFLICT';
          if (!changed || attempt === ATTEMPTS) throw error;
        }
      }
    },
    async unqueue(userId, lobbyId) {
      const cancelled = await tickets.cancelOfLobby(lobbyId, 'cancelled_by_player', { userId });
      if (!cancelled) throw notFound('search of this lobby');
    },
  };
}

/**
 * A party that changes stops searching; whoever leaves the lobby of a match leaves the match. News of a lobby may come late
 * or twice: they concern only what was queued before them.
 */
export function followLobbies(bus: EventBus<LobbyEvents>, tickets: TicketsService, matches: MatchesService): void {
  const changed = (lobby: LobbyView, reason: string) =>
    unlessMatched(tickets.cancelOfLobby(lobby.id, reason, { queuedBefore: lobby.version }));
  const left = (lobby: LobbyView, userId: string, reason: string) =>
    lobby.matchId === null ? changed(lobby, reason) : matches.leave(lobby.matchId, userId);
  bus.on('lobby.memberJoined', ({ payload: { lobby } }) => changed(lobby, 'member_joined'));
  bus.on('lobby.memberLeft', ({ payload: { lobby, userId } }) => left(lobby, userId, 'member_left'));
  bus.on('lobby.memberKicked', ({ payload: { lobby, userId } }) => left(lobby, userId, 'member_kicked'));
  bus.on('lobby.closed', ({ payload: { lobby, reason } }) =>
    lobby.matchId === null ? changed(lobby, 'lobby_closed') : matches.abandon(lobby.matchId, reason),
  );
}

type Leaving = Pick<UserEvents, 'user.closed' | 'user.barred'>;

/** Whoever closes their account, or is suspended or banned, searches no more. */
export function followAccounts(bus: EventBus<Leaving>, tickets: TicketsService): void {
  const stop = async (userId: string, reason: string) => {
    const open = await tickets.current(userId);
    if (open) await unlessMatched(tickets.cancel(userId, open.id, reason));
  };
  bus.on('user.closed', ({ payload }) => stop(payload.userId, 'account_closed'));
  bus.on('user.barred', ({ payload }) => stop(payload.userId, 'account_barred'));
}

/** A party that was matched before the news arrived is in its match: nothing to cancel. */
async function unlessMatched(cancelling: Promise<unknown>): Promise<void> {
  await cancelling.catch((error: unknown) => {
    if (!(error instanceof AppError && error.code === 'ALREADY_MATCHED')) throw error;
  });
}
