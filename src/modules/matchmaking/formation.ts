import type { ClientSession } from 'mongoose';
import type { Clock } from '../../core/clock';
import type { Ids } from '../../core/ids';
import type { Logger } from '../../core/logger';
import { LeaseLost, type LeaseHolder } from '../../database/leases';
import type { Outbox } from '../../database/outbox';
import { isDuplicateKey, type Transact } from '../../database/transaction';
import type { GameMode } from '../games';
import type { LobbiesApi } from '../lobbies';
import type { UsersApi } from '../users';
import type { PoolProposal } from './engine';
import { leaseOf } from './leadership';
import type { MatchmakingEvents } from './matchmaking.api';
import type { MatchModel, MatchRow } from './matchmaking.models';
import { poolKey } from './matchmaking.policy';
import type { PooledTicket, Pools } from './pools';
import { oid, StaleTickets, type TicketStore } from './tickets.store';
import { ticketsOf, toTeams } from './views';
import type { Waits } from './waits';

/**
 * How a proposal of the engine becomes a match. Without acceptance: one transaction that moves every ticket queued -> matched
 * at the revision the engine saw, inserts the match and its lobby, and writes the fact. With acceptance: the tickets become
 * `proposed` and the match waits; when all have accepted, the second transaction does the rest. Any mismatch aborts that match
 * alone; its tickets are read again and go on waiting.
 *
 * The transaction passes the fence of the pool's lease first: an instance that no longer leads the pool commits nothing.
 *
 * The unique index over the players of live matches has the last word on "nobody is in two live matches". Whose ticket
 * runs into it (somebody got into a match by another way) is cancelled with the reason `in_live_match`, so that the
 * others are not proposed with it again and again.
 */
export interface Formation {
  /**
   * True when the match stands (or its proposal does).
   * @param tickets those of the proposal, in its order, at the revisions that the engine saw
   */
  form(proposal: PoolProposal, tickets: readonly PooledTicket[], mode: GameMode): Promise<boolean>;
  /** Makes a proposal that everybody accepted live. False where it is no longer a proposal. */
  confirm(match: MatchRow): Promise<boolean>;
}

export interface FormationDeps {
  Matches: MatchModel;
  store: TicketStore;
  pools: Pools;
  waits: Waits;
  transact: Transact;
  leases: Pick<LeaseHolder, 'fence'>;
  outbox: Outbox<MatchmakingEvents>;
  lobbies: Pick<LobbiesApi, 'createForMatch'>;
  users: Pick<UsersApi, 'blocks'>;
  clock: Clock;
  ids: Ids;
  logger: Logger;
}

export function createFormation(deps: FormationDeps): Formation {
  const { Matches, store, pools, waits, transact, leases, outbox, lobbies, users, clock, ids, logger } = deps;

  const announce = async (session: ClientSession, match: MatchRow, lobbyId: string) => {
    const matchId = match._id.toHexString();
    const gameId = match.gameId.toHexString();
    const { mode, gameName, quality } = match;
    const teams = toTeams(match);
    const userIds = teams.flat().map((member) => member.userId);
    await lobbies.createForMatch(session, { lobbyId, matchId, gameId, mode, userIds });
    const tickets = ticketsOf(match);
    await outbox.append(session, 'match.formed', matchId, {
      matchId,
      lobbyId,
      gameId,
      gameName,
      mode,
      quality,
      teams,
      tickets,
    });
  };

  const remember = (match: MatchRow) => {
    const pool = poolKey(match.gameId.toHexString(), match.mode);
    for (const ticket of match.tickets) waits.record(pool, ticket.waitedMs, clock.now());
  };

  /** Cancels the tickets of those who are in a live match already. */
  const endBusy = async (userIds: readonly string[], ticketsOfThem: readonly { id: string; userIds: string[] }[]) => {
    const live = await Matches.find({ live: true, livePlayers: { $in: userIds } }, { livePlayers: 1 }).lean<
      MatchRow[]
    >();
    const busy = new Set(live.flatMap((match) => match.livePlayers.map((id) => id.toHexString())));
    for (const ticket of ticketsOfThem) {
      if (!ticket.userIds.some((userId) => busy.has(userId))) continue;
      const end = { state: 'cancelled', reason: 'in_live_match' } as const;
      await transact((session) => store.end(session, ticket.id, ['queued'], end));
    }
    outbox.wake();
  };

  return {
    async form(proposal, tickets, mode) {
      const userIds = tickets.flatMap((ticket) => ticket.userIds);
      const match = toMatch(proposal, mode, tickets, ids.id(), clock.now());
      const matchId = match._id.toHexString();
      const { acceptance } = mode.ruleSet;
      const lobbyId = ids.id();
      if (!acceptance) goLive(match, lobbyId, clock.now());
      else match.acceptBy = new Date(clock.now() + acceptance.seconds * 1000);
      try {
        await transact(async (session) => {
          await leases.fence(session, leaseOf(proposal.pool));
          // known since the tickets came in, but somebody may have been blocked meanwhile
          if (anyBlocked(tickets, await users.blocks(userIds))) throw new StaleTickets('somebody is blocked by now');
          await store.move(session, tickets, { from: 'queued', to: acceptance ? 'proposed' : 'matched', matchId });
          await Matches.collection.insertOne(match, { session });
          if (!acceptance) return announce(session, match, lobbyId);
          await outbox.append(session, 'match.proposed', matchId, {
            matchId,
            gameId: match.gameId.toHexString(),
            mode: match.mode,
            acceptBy: match.acceptBy?.toISOString() ?? '',
            tickets: ticketsOf(match),
          });
        });
      } catch (error) {
        if (isDuplicateKey(error, 'livePlayers')) await endBusy(userIds, tickets);
        else if (!(error instanceof StaleTickets || error instanceof LeaseLost))
          logger.error({ err: error, matchId }, 'a match could not be committed');
        await pools.refresh(proposal.ticketIds);
        return false;
      }
      for (const { id } of tickets) pools.remove(id);
      if (!acceptance) remember(match);
      outbox.wake();
      return true;
    },

    async confirm(match) {
      const matchId = match._id.toHexString();
      const lobbyId = ids.id();
      const confirmed = await transact(async (session) => {
        const live = { ...match };
        goLive(live, lobbyId, clock.now());
        const { state, live: isLive, livePlayers, formedAt } = live;
        const result = await Matches.collection.updateOne(
          { _id: match._id, state: 'proposed' },
          { $set: { state, live: isLive, livePlayers, formedAt, lobbyId: oid(lobbyId) } },
          { session },
        );
        if (result.matchedCount === 0) return false;
        const mine = { _id: { $in: match.tickets.map((ticket) => ticket.ticketId) }, state: 'proposed' as const };
        const rows = await store.Tickets.find(mine, { revision: 1 }, { session }).lean();
        if (rows.length !== match.tickets.length) throw new Error(`match ${matchId} lost a ticket while proposed`);
        const tickets = rows.map((row) => ({ id: row._id.toHexString(), revision: row.revision }));
        await store.move(session, tickets, { from: 'proposed', to: 'matched', matchId });
        await announce(session, live, lobbyId);
        return true;
      });
      if (confirmed) remember(match);
      outbox.wake();
      return confirmed;
    },
  };
}

function goLive(match: MatchRow, lobbyId: string, now: number): void {
  match.state = 'live';
  match.live = true;
  match.livePlayers = match.players;
  match.lobbyId = oid(lobbyId);
  match.formedAt = new Date(now);
}

function toMatch(
  proposal: PoolProposal,
  { gameId, gameName, key, ruleSet, version }: GameMode,
  tickets: readonly PooledTicket[],
  matchId: string,
  now: number,
): MatchRow {
  return {
    _id: oid(matchId),
    gameId: oid(gameId),
    gameName,
    mode: key,
    ruleSetVersion: version,
    state: 'proposed',
    live: false,
    players: proposal.teams.flat().map((member) => oid(member.userId)),
    livePlayers: [],
    teams: proposal.teams.map((team) => team.map(({ userId, role }) => ({ userId: oid(userId), role }))),
    tickets: tickets.map((ticket) => ({
      ticketId: oid(ticket.id),
      userIds: ticket.userIds.map(oid),
      waitedMs: Math.max(0, now - ticket.waitingSince),
    })),
    quality: proposal.quality,
    region: proposal.region,
    chances: proposal.chances,
    lobbyId: null,
    acceptBy: null,
    accepted: [],
    agreement: ruleSet.results.agreement,
    reports: [],
    outcome: null,
    ratings: [],
    endReason: null,
    createdAt: new Date(now),
    formedAt: null,
    endedAt: null,
    discardAt: null,
  };
}

/** Whether somebody of one ticket is barred from somebody of another. */
function anyBlocked(tickets: readonly PooledTicket[], blocks: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  return tickets.some((mine) =>
    mine.userIds.some((userId) => {
      const barred = blocks.get(userId);
      return (
        barred !== undefined &&
        tickets.some((theirs) => theirs !== mine && theirs.userIds.some((other) => barred.has(other)))
      );
    }),
  );
}
