import type { ClientSession } from 'mongoose';
import type { Clock } from '../../core/clock';
import type { Ids } from '../../core/ids';
import type { Logger } from '../../core/logger';
import { LeaseLost, type LeaseHolder } from '../../database/leases';
import type { Outbox } from '../../database/outbox';
import { isDuplicateKey, OutcomeUnknown, type Transact } from '../../database/transaction';
import type { LobbiesApi } from '../lobbies';
import type { UsersApi } from '../users';
import { seatInLobby, seatNewcomers } from './backfill';
import { formedFact, goLive, joinedFact, movesOf, proposedFact, toDraft, type Draft, type Found } from './drafts';
import { leaseOf } from './leadership';
import type { MatchmakingEvents } from './matchmaking.api';
import type { MatchMeter } from './matchmaking.metrics';
import type { MatchModel, MatchRow } from './matchmaking.models';
import { poolKey } from './matchmaking.policy';
import type { PooledTicket, Pools } from './pools';
import { oid, StaleTickets, type TicketStore } from './tickets.store';
import type { Waits } from './waits';

/**
 * How proposals of the engine become matches. Without acceptance: one transaction that moves every ticket queued -> matched
 * at the revision the engine saw, inserts the match and its lobby, and writes the fact. With acceptance: the tickets become
 * `proposed` and the match waits; when all have accepted, the second transaction does the rest.
 *
 * Several matches share a transaction, which costs as many commands as one alone. Where one of them cannot be, the transaction
 * aborts and each half is tried by itself, so that in the end any mismatch aborts that match alone; its tickets are read again
 * and go on waiting.
 *
 * A proposal around the ticket of a live match that somebody has left (backfill.ts) adds to that match and its lobby instead; one
 * around a player's lobby that seeks others (lobby-fill.ts) becomes a match in that lobby. Both also where the rules ask for
 * acceptance.
 *
 * The transaction passes the fences of the pools' leases first: an instance that no longer leads a pool commits nothing there.
 *
 * The unique index over the players of live matches has the last word on "nobody is in two live matches". Whose ticket
 * runs into it (somebody got into a match by another way) is cancelled with the reason `in_live_match`, so that the
 * others are not proposed with it again and again.
 */
export interface Formation {
  /** @returns how many of the matches stand (or their proposals do) */
  form(found: readonly Found[]): Promise<number>;
  /** Makes a proposal that everybody accepted live. False where it is no longer a proposal. */
  confirm(match: MatchRow): Promise<boolean>;
}

export interface FormationDeps {
  Matches: MatchModel;
  store: TicketStore;
  pools: Pools;
  waits: Waits;
  meter?: MatchMeter;
  transact: Transact;
  leases: Pick<LeaseHolder, 'fence'>;
  outbox: Outbox<MatchmakingEvents>;
  lobbies: Pick<LobbiesApi, 'createForMatches' | 'seatInMatch'>;
  users: Pick<UsersApi, 'blocks'>;
  clock: Clock;
  ids: Ids;
  logger: Logger;
}

type Live = Pick<Draft, 'match' | 'lobbyId' | 'fills' | 'userIds'>;

export function createFormation(deps: FormationDeps): Formation {
  const { Matches, store, pools, waits, meter, transact, leases, outbox, lobbies, users, clock, ids, logger } = deps;

  /** New lobbies for these matches. */
  const open = async (session: ClientSession, facts: readonly ReturnType<typeof formedFact>[]) => {
    if (facts.length === 0) return;
    await lobbies.createForMatches(
      session,
      facts.map(({ payload: { teams, ...match } }) => ({
        ...match,
        userIds: teams.flat().map((member) => member.userId),
      })),
    );
  };

  /** Their lobbies, and the facts. */
  const announce = async (session: ClientSession, live: readonly Live[]) => {
    await open(
      session,
      live.flatMap(({ match, lobbyId, fills }) => (fills ? [] : formedFact(match, lobbyId))),
    );
    for (const draft of live) if (draft.fills) await seatInLobby(session, draft, draft.fills, lobbies);
    await outbox.appendAll(
      session,
      live.map(({ match, lobbyId }) => formedFact(match, lobbyId)),
    );
  };

  const commit = (drafts: readonly Draft[]) =>
    transact(async (session) => {
      for (const lease of new Set(drafts.map(({ proposal }) => leaseOf(proposal.pool))))
        await leases.fence(session, lease);
      // known since the tickets came in, but somebody may have been blocked meanwhile
      const blocks = await users.blocks(drafts.flatMap(({ userIds }) => userIds));
      if (drafts.some(({ tickets }) => anyBlocked(tickets, blocks)))
        throw new StaleTickets('somebody is blocked by now');
      await store.move(session, drafts.flatMap(movesOf));
      for (const draft of drafts) if (draft.joins) await seatNewcomers(session, { ...draft, joins: draft.joins }, deps);
      await outbox.appendAll(session, drafts.filter(({ joins }) => joins).map(joinedFact));
      const begun = drafts.filter(({ joins }) => !joins);
      const [first, ...others] = begun.map(({ match }) => match);
      if (!first) return;
      // alone, the driver's error names the index that it ran into
      if (others.length === 0) await Matches.collection.insertOne(first, { session });
      else await Matches.collection.insertMany([first, ...others], { session });
      const [live, proposed] = [begun.filter(({ match }) => match.live), begun.filter(({ match }) => !match.live)];
      await announce(session, live);
      await outbox.appendAll(session, proposed.map(proposedFact));
    });

  /** @param seated the ticket of those to whom the others came */
  const remember = (match: MatchRow, seated?: string) => {
    const pool = poolKey(match.gameId.toHexString(), match.mode);
    for (const { ticketId, waitedMs } of match.tickets)
      if (ticketId.toHexString() !== seated) waits.record(pool, waitedMs, clock.now());
    meter?.formed(match);
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

  /** None of these came about: whoever waits on is read again. */
  const letGo = async (drafts: readonly Draft[], error: unknown) => {
    for (const { userIds, tickets } of isDuplicateKey(error, 'livePlayers') ? drafts : [])
      // those who search for others are in their live match by right
      await endBusy(
        userIds,
        tickets.filter(({ seats }) => !seats?.matchId),
      );
    if (!concernsOne(error)) logger.error({ err: error, matches: drafts.length }, 'matches could not be committed');
    await pools.refresh(drafts.flatMap(({ proposal }) => proposal.ticketIds));
  };

  /** Whether these matches were written after all: all that share a commit, or none. One that others only joined tells nothing. */
  const stand = async (drafts: readonly Draft[]): Promise<boolean> => {
    const begun = drafts.filter(({ joins }) => !joins).map(({ match }) => match._id);
    return begun.length > 0 && (await Matches.exists({ _id: { $in: begun } })) !== null;
  };

  /** @throws what the commit throws, unless its outcome was unknown and the matches are there */
  const commitOrFind = async (drafts: readonly Draft[]): Promise<void> => {
    try {
      await commit(drafts);
    } catch (error) {
      if (!(error instanceof OutcomeUnknown) || !(await stand(drafts))) throw error;
    }
  };

  const formAll = async (drafts: readonly Draft[]): Promise<number> => {
    try {
      await commitOrFind(drafts);
    } catch (error) {
      if (drafts.length > 1 && concernsOne(error)) {
        const half = Math.floor(drafts.length / 2);
        const formed = await Promise.all([formAll(drafts.slice(0, half)), formAll(drafts.slice(half))]);
        return formed[0] + formed[1];
      }
      await letGo(drafts, error);
      return 0;
    }
    for (const { match, tickets, joins, fills } of drafts) {
      for (const { id } of tickets) pools.remove(id);
      if (match.live) remember(match, (joins ?? fills)?.ticketId);
    }
    outbox.wake();
    return drafts.length;
  };

  return {
    form: (found) => formAll(found.map((each) => toDraft(each, ids, clock.now()))),

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
        const move = { from: 'proposed', to: 'matched', matchId } as const;
        await store.move(
          session,
          rows.map(({ _id, revision }) => ({ ...move, id: _id.toHexString(), revision })),
        );
        await announce(session, [{ match: live, lobbyId, fills: null, userIds: [] }]);
        return true;
      });
      if (confirmed) remember(match);
      outbox.wake();
      return confirmed;
    },
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

/** Whether it says that one match cannot be, and nothing of those that share its transaction. */
const concernsOne = (error: unknown): boolean =>
  error instanceof StaleTickets || error instanceof LeaseLost || isDuplicateKey(error);
