import { AppError, notFound } from '../../core/errors';
import type { EventBus } from '../../core/event-bus';
import type { LobbyView } from '../../realtime/protocol';
import type { LobbiesApi, LobbyEvents, Party } from '../lobbies';
import type { UserEvents } from '../users';
import type { Backfills } from './backfill';
import type { LobbyFills } from './lobby-fill';
import type { MatchesService } from './matches.service';
import type { LobbyFillRequest, LobbyTicketRequest, TicketView } from './matchmaking.schemas';
import type { ResultsService } from './results.service';
import type { TicketsService } from './tickets.service';

/** Searches of a lobby: its host queues everybody in it as a party, or has others come into it. */
export interface LobbyQueue {
  /** @throws NOT_FOUND, NOT_HOST, LOBBY_CLOSED, VERSION_CONFLICT and what submitting a ticket throws */
  queue(hostId: string, lobbyId: string, request: LobbyTicketRequest): Promise<TicketView>;
  /**
   * Searches for players for the free seats; in the lobby of a live match for what its players asked for, whatever the request says.
   * @throws as `queue`, CONFLICT, LOBBY_FULL
   */
  backfill(hostId: string, lobbyId: string, request: LobbyFillRequest): Promise<TicketView>;
  /** Any of them may end either. @throws NOT_FOUND where the lobby does not search */
  unqueue(userId: string, lobbyId: string): Promise<void>;
}

/** Somebody comes or goes in the very moment: the host meant those who are there then. */
const ATTEMPTS = 3;

export function createLobbyQueue({
  tickets,
  backfills,
  fills,
  lobbies,
}: {
  tickets: TicketsService;
  backfills: Backfills;
  fills: LobbyFills;
  lobbies: Pick<LobbiesApi, 'partyOf'>;
}): LobbyQueue {
  const searchAs = async (
    hostId: string,
    lobbyId: string,
    search: (party: Party) => Promise<TicketView>,
  ): Promise<TicketView> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await search(await lobbies.partyOf(lobbyId, hostId));
      } catch (error) {
        const changed = error instanceof AppError && error.code === 'VERSION_CONFLICT';
        if (!changed || attempt === ATTEMPTS) throw error;
      }
    }
  };

  const refill = async (hostId: string, matchId: string): Promise<TicketView> => {
    const filed = await backfills.file(matchId);
    if (filed) return tickets.view(hostId, filed._id.toHexString());
    throw new AppError('CONFLICT', 'Nobody is missing in this match, or its mode does not let others come.');
  };

  return {
    queue: (hostId, lobbyId, { games, ...wishes }) =>
      searchAs(hostId, lobbyId, (party) => {
        if (party.matchId !== null)
          throw new AppError('CONFLICT', 'Those in a match cannot search for another: look for players for its lobby.');
        const choices = games ?? [{ gameId: party.gameId, mode: party.mode, weight: 5 }];
        return tickets.submit(hostId, { games: choices, ...wishes }, party);
      }),
    backfill: (hostId, lobbyId, request) =>
      searchAs(hostId, lobbyId, (party) =>
        party.matchId === null ? fills.file(hostId, party, request) : refill(hostId, party.matchId),
      ),
    async unqueue(userId, lobbyId) {
      const cancelled = await tickets.cancelOfLobby(lobbyId, 'cancelled_by_player', { userId });
      if (!cancelled) throw notFound('search of this lobby');
    },
  };
}

export interface FollowDeps {
  tickets: TicketsService;
  matches: MatchesService;
  results: Pick<ResultsService, 'settle'>;
  backfills: Backfills;
  fills: LobbyFills;
}

/**
 * A party that changes stops searching, and a lobby that seeks players seeks as many as it still has seats for. Whoever leaves the
 * lobby of a match leaves the match, and others are searched for where its mode allows that. News of a lobby may come late or twice:
 * they concern only what was queued before them.
 */
export function followLobbies(
  bus: EventBus<LobbyEvents>,
  { tickets, matches, results, backfills, fills }: FollowDeps,
): void {
  const changed = async (lobby: LobbyView, reason: string) => {
    await unlessMatched(tickets.cancelOfLobby(lobby.id, reason, { queuedBefore: lobby.version }));
    await fills.follow(lobby);
  };
  const left = async (lobby: LobbyView, userId: string, reason: string) => {
    if (lobby.matchId === null) return changed(lobby, reason);
    await matches.leave(lobby.matchId, userId, reason === 'member_kicked');
    await results.settle(lobby.matchId);
    await backfills.file(lobby.matchId);
  };
  bus.on('lobby.updated', ({ payload: { lobby } }) =>
    lobby.matchId === null ? fills.follow(lobby) : Promise.resolve(),
  );
  bus.on('lobby.memberJoined', ({ payload: { lobby } }) =>
    // of a match that still has places, the next search is for these
    lobby.matchId === null ? changed(lobby, 'member_joined') : backfills.file(lobby.matchId).then(() => undefined),
  );
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
    // a lobby that seeks players seeks on without them as soon as they have left it
    if (open && !open.fillsLobby) await unlessMatched(tickets.cancel(userId, open.id, reason));
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
