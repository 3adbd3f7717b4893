import { AppError } from '../../core/errors';
import type { Clock } from '../../core/clock';
import type { Outbox } from '../../database/outbox';
import { isDuplicateKey, type Transact } from '../../database/transaction';
import type { LobbyView } from '../../realtime/protocol';
import type { GameMode, GamesApi } from '../games';
import type { LobbiesApi, Party } from '../lobbies';
import type { MatchmakingEvents } from './matchmaking.api';
import type { Backfill, TicketRow } from './matchmaking.models';
import { possibleTotals } from './matchmaking.policy';
import type { LobbyFillRequest, TicketView } from './matchmaking.schemas';
import type { Pools } from './pools';
import type { Submissions } from './submissions';
import { oid, type TicketStore } from './tickets.store';
import type { TicketsService } from './tickets.service';

/**
 * Free seats of lobbies that players have made. Its members are one ticket, to which others come: the first who suit all of them
 * begin a match with them, in that very lobby; what is still free then is searched for as in any other match (backfill.ts).
 *
 * The ticket follows the lobby. Whoever comes by invitation or goes is counted at once, and the waiting time stays; it ends when the
 * lobby is full, starts without others or closes.
 *
 *   host: file -> ticket of the members, queued
 *   lobby changes -> follow: the ticket is for those who are there now, or ends
 *   search round -> the match adopts the lobby (formation.ts)
 */
export interface LobbyFills {
  /** @throws CONFLICT where the mode does not allow it, or cannot be played with so few seats, LOBBY_FULL, and what submitting throws */
  file(hostId: string, party: Party, request: LobbyFillRequest): Promise<TicketView>;
  /** Brings the search of this lobby, if there is one, in step with who is in it. */
  follow(lobby: Pick<LobbyView, 'id' | 'state'>): Promise<void>;
}

export interface LobbyFillDeps {
  store: TicketStore;
  tickets: Pick<TicketsService, 'submit'>;
  submissions: Pick<Submissions, 'rated' | 'anyInMatch'>;
  pools: Pick<Pools, 'refresh'>;
  transact: Transact;
  outbox: Pick<Outbox<MatchmakingEvents>, 'wake'>;
  games: Pick<GamesApi, 'mode'>;
  lobbies: Pick<LobbiesApi, 'formingParty' | 'holdParty'>;
  clock: Clock;
}

export function createLobbyFills(deps: LobbyFillDeps): LobbyFills {
  const { store, tickets, submissions, pools, transact, outbox, games, lobbies, clock } = deps;
  const { Tickets } = store;

  /** What the ticket says of those who are in the lobby now. */
  const membersOf = async (party: Party, mode: GameMode, weight: number) => ({
    players: party.userIds.map(oid),
    lobbyVersion: party.version,
    games: await submissions.rated(party.userIds, [{ gameId: party.gameId, mode: party.mode, weight }]),
    groupSize: sizesOf(party, mode),
    backfill: seatsOf(party, mode),
  });

  /** Why the search has to end, or null. */
  const endOf = async (party: Party | null, mode: GameMode | null, state: LobbyView['state']) => {
    if (!party) return state === 'active' ? 'lobby_started' : 'lobby_closed';
    if (!mode?.ruleSet.backfill) return 'mode_changed';
    if (!canGrow(party, mode)) return 'lobby_full';
    return (await submissions.anyInMatch(party.userIds)) ? 'in_live_match' : null;
  };

  const end = (row: TicketRow, reason: string) =>
    transact((session) => store.end(session, row._id.toHexString(), ['queued'], { state: 'cancelled', reason }));

  /** The ticket, at this revision, is for these from now on. Who comes or goes at the same moment makes it throw. */
  const renew = async (row: TicketRow, party: Party, mode: GameMode) => {
    const members = await membersOf(party, mode, row.games[0]?.weight ?? 5);
    await transact(async (session) => {
      await lobbies.holdParty(session, party);
      await Tickets.updateOne(
        { _id: row._id, state: 'queued', revision: row.revision },
        { $set: { ...members, updatedAt: new Date(clock.now()) }, $inc: { revision: 1 } },
        { session },
      );
    });
  };

  const bringInStep = async (row: TicketRow, lobby: Pick<LobbyView, 'id' | 'state'>) => {
    const party = await lobbies.formingParty(lobby.id);
    if (party?.version === row.lobbyVersion) return;
    const mode = party && (await games.mode(party.gameId, party.mode));
    const reason = await endOf(party, mode, lobby.state);
    if (reason !== null || !party || !mode) return end(row, reason ?? 'lobby_closed');
    try {
      await renew(row, party, mode);
    } catch (error) {
      // somebody who came in searches on their own account
      if (isDuplicateKey(error, 'players')) return end(row, 'member_searches');
      // the news of what has just changed again is on its way
      if (!(error instanceof AppError && error.code === 'VERSION_CONFLICT')) throw error;
    }
  };

  return {
    async file(hostId, party, request) {
      const mode = await games.mode(party.gameId, party.mode);
      if (!mode?.ruleSet.backfill)
        throw new AppError('CONFLICT', 'The mode of this lobby does not let others come into it: search as a party.');
      if (party.userIds.length >= party.capacity)
        throw new AppError('LOBBY_FULL', `All ${party.capacity} seats of the lobby are taken.`);
      if (!canGrow(party, mode))
        throw new AppError(
          'CONFLICT',
          `The lobby has ${party.capacity} seats, and ${mode.gameName} ${mode.name} is played by ${possibleTotals(mode.ruleSet).join(', ')}.`,
        );
      const choice = { gameId: party.gameId, mode: party.mode, weight: 5 };
      const wanted = { ...request, games: [choice], groupSize: sizesOf(party, mode) };
      return tickets.submit(hostId, wanted, party, seatsOf(party, mode));
    },

    async follow(lobby) {
      const row = await Tickets.findOne({ lobbyId: lobby.id, open: true }).lean<TicketRow>();
      if (row?.backfill?.matchId !== null) return;
      await bringInStep(row, lobby);
      outbox.wake();
      await pools.refresh([row._id.toHexString()]);
    },
  };
}

/** Friends sit in one team as long as there is room. */
function seatsOf({ userIds, removed }: Party, { ruleSet }: GameMode): Backfill {
  return {
    matchId: null,
    teams: userIds.map((_, i) => Math.floor(i / ruleSet.teams.size.max)),
    roles: userIds.map(() => null),
    gone: removed,
  };
}

const sizesOf = ({ capacity }: Party, { ruleSet: { teams } }: GameMode) => ({
  min: teams.count * teams.size.min,
  max: Math.min(capacity, teams.count * teams.size.max),
});

/** Whether the mode can be played by more than are there, in the seats that there are. */
const canGrow = ({ userIds, capacity }: Party, { ruleSet }: GameMode): boolean =>
  possibleTotals(ruleSet).some((total) => total > userIds.length && total <= capacity);
