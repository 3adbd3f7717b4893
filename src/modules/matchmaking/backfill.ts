import type { ClientSession } from 'mongoose';
import type { Clock } from '../../core/clock';
import { AppError } from '../../core/errors';
import type { Ids } from '../../core/ids';
import type { Outbox } from '../../database/outbox';
import { isDuplicateKey, type Transact } from '../../database/transaction';
import type { GameMode, GamesApi } from '../games';
import type { LobbiesApi } from '../lobbies';
import type { Draft } from './drafts';
import type { MatchmakingEvents } from './matchmaking.api';
import type { MatchModel, MatchRow, TicketRow } from './matchmaking.models';
import { poolKey } from './matchmaking.policy';
import type { Pools } from './pools';
import { sharedWishes } from './shared-wishes';
import type { Submissions } from './submissions';
import { oid, StaleTickets, type TicketStore } from './tickets.store';

/**
 * Free places of matches that have begun. Where the rule set allows it, a live match that somebody has left searches for others in
 * their place: those who are left are one ticket, which names the match and who sits in which team, and asks for what they all
 * asked for. It ends when it is matched (and another follows while places are free), when somebody else leaves, with the match, or
 * when its host or time ends it.
 *
 *   lobby.memberLeft -> leave the match -> file: end the ticket of those who were there, insert that of those who are left
 *   search round     -> seat: tickets queued -> matched, match and lobby get the newcomers, and the fact: one transaction
 */
export interface Backfills {
  /**
   * Searches for others where somebody is missing; nothing happens where nobody is, or where this search is under way.
   * @returns the ticket, or null
   */
  file(matchId: string): Promise<TicketRow | null>;
  /** Ends the search of a match inside the transaction that ends the match. */
  end(session: ClientSession, match: Pick<MatchRow, '_id' | 'livePlayers'>): Promise<void>;
}

export interface BackfillDeps {
  Matches: MatchModel;
  store: TicketStore;
  pools: Pick<Pools, 'put' | 'remove'>;
  submissions: Pick<Submissions, 'rated'>;
  transact: Transact;
  outbox: Pick<Outbox<MatchmakingEvents>, 'wake'>;
  games: Pick<GamesApi, 'mode'>;
  clock: Clock;
  ids: Ids;
}

export function createBackfills(deps: BackfillDeps): Backfills {
  const { Matches, store, pools, submissions, transact, outbox, games, clock, ids } = deps;
  const { Tickets } = store;

  /** The open search of these for others. */
  const openOf = (match: Pick<MatchRow, '_id' | 'livePlayers'>, session: ClientSession | null = null) =>
    Tickets.findOne({ players: { $in: match.livePlayers }, open: true, 'backfill.matchId': match._id }, null, {
      session,
    }).lean<TicketRow>();

  const toTicket = async (match: MatchRow, mode: GameMode, host: string): Promise<TicketRow> => {
    const now = clock.now();
    const gameId = match.gameId.toHexString();
    const players = match.livePlayers.map((id) => id.toHexString());
    const [games, asked] = await Promise.all([
      submissions.rated(players, [{ gameId, mode: match.mode, weight: 5 }]),
      Tickets.find({ _id: { $in: match.tickets.map((ticket) => ticket.ticketId) } }).lean<TicketRow[]>(),
    ]);
    const seats = match.livePlayers.map((id) => {
      const team = match.teams.findIndex((members) => members.some(({ userId }) => userId.equals(id)));
      return { team, role: match.teams[team]?.find(({ userId }) => userId.equals(id))?.role ?? null };
    });
    return {
      _id: oid(ids.id()),
      submittedBy: oid(host),
      players: match.livePlayers,
      lobbyId: match.lobbyId,
      lobbyVersion: null,
      backfill: {
        matchId: match._id,
        teams: seats.map(({ team }) => team),
        roles: seats.map(({ role }) => role),
        gone: match.players.map((id) => id.toHexString()).filter((userId) => !players.includes(userId)),
      },
      games,
      pools: [poolKey(gameId, match.mode)],
      ...sharedWishes(
        asked.filter((row) => row.players.some((id) => match.livePlayers.some((player) => player.equals(id)))),
        match.region,
      ),
      state: 'queued',
      open: true,
      revision: 1,
      queuedAt: new Date(now),
      scheduledFor: null,
      expiresAt: new Date(now + mode.ruleSet.ticketSeconds * 1000),
      matchId: null,
      reason: null,
      createdAt: new Date(now),
      updatedAt: new Date(now),
      endedAt: null,
    };
  };

  /** Whether the match may search, with places that are free. */
  const wanting = (match: MatchRow, mode: GameMode | null): mode is GameMode =>
    mode !== null &&
    mode.ruleSet.backfill &&
    match.teams.length === mode.ruleSet.teams.count &&
    match.livePlayers.length < match.teams.length * mode.ruleSet.teams.size.max;

  return {
    async file(matchId) {
      const match = await Matches.findOne({ _id: matchId, live: true }).lean<MatchRow>();
      const [host] = match?.livePlayers ?? [];
      if (!match || !host) return null;
      const mode = await games.mode(match.gameId.toHexString(), match.mode);
      const wanted = wanting(match, mode) ? await toTicket(match, mode, host.toHexString()) : null;
      const row = wanted && hasRoom(wanted) ? wanted : null;
      let ended: string | null = null;
      try {
        const filed = await transact(async (session) => {
          ended = null;
          // whoever leaves now conflicts with this, and files anew
          const held = await Matches.updateOne(
            { _id: match._id, live: true, livePlayers: match.livePlayers },
            { $inc: { backfills: 1 } },
            { session },
          );
          const before = await openOf(match, session);
          if (held.matchedCount === 0 || before?.players.length === match.livePlayers.length) return false;
          if (before) {
            ended = before._id.toHexString();
            await store.end(session, ended, ['queued'], { state: 'cancelled', reason: 'member_left' });
          }
          if (row)
            await Tickets.collection.insertOne({ ...row, queuedAt: before?.queuedAt ?? row.queuedAt }, { session });
          return row !== null;
        });
        if (ended !== null) pools.remove(ended);
        outbox.wake();
        const open = await openOf(match);
        if (filed && open) await pools.put([open]);
        return open;
      } catch (error) {
        // one of them searches on their own account by now
        if (isDuplicateKey(error, 'players')) return null;
        throw error;
      }
    },

    async end(session, match) {
      const open = await openOf(match, session);
      if (open)
        await store.end(session, open._id.toHexString(), ['queued'], { state: 'cancelled', reason: 'match_over' });
    },
  };
}

/**
 * Seats newcomers in the match that searched for them, inside the caller's transaction: exactly those whom the search has seen
 * still play it, and are still in its lobby.
 * @throws StaleTickets where that is not so
 */
export async function seatNewcomers(
  session: ClientSession,
  { match, joins, userIds }: Draft & { joins: NonNullable<Draft['joins']> },
  { Matches, lobbies }: { Matches: MatchModel; lobbies: Pick<LobbiesApi, 'seatInMatch'> },
): Promise<void> {
  const present = joins.userIds.map(oid);
  const coming = userIds.filter((userId) => !joins.userIds.includes(userId));
  const before = await Matches.findOne({ _id: match._id, live: true, livePlayers: present }, null, {
    session,
  }).lean<MatchRow>();
  if (!before) throw new StaleTickets('the match is over, or somebody has left it');
  await Matches.collection.updateOne(
    { _id: match._id },
    {
      $set: {
        teams: match.teams,
        quality: match.quality,
        chances: match.chances,
        left: leftOf(before),
        late: [...(before.late ?? []), ...coming.map(oid)],
        livePlayers: [...present, ...coming.map(oid)],
        players: [...before.players, ...coming.map(oid)],
        tickets: [...before.tickets, ...match.tickets.filter((ticket) => !ticket.ticketId.equals(joins.ticketId))],
      },
    },
    { session },
  );
  await seatInLobby(session, { match, userIds }, joins, lobbies);
}

/** Whoever plays the match and is not in its lobby yet comes into it. @throws StaleTickets where others are in it by now */
export async function seatInLobby(
  session: ClientSession,
  { match, userIds }: Pick<Draft, 'match' | 'userIds'>,
  { lobbyId, userIds: present }: { lobbyId: string; userIds: readonly string[] },
  lobbies: Pick<LobbiesApi, 'seatInMatch'>,
): Promise<void> {
  const coming = userIds.filter((userId) => !present.includes(userId));
  try {
    await lobbies.seatInMatch(session, { lobbyId, matchId: match._id.toHexString(), present, userIds: coming });
  } catch (error) {
    if (error instanceof AppError) throw new StaleTickets(error.message);
    throw error;
  }
}

/** Whether those who are left asked for more than they are. */
const hasRoom = ({ groupSize, players }: TicketRow): boolean => groupSize === null || players.length < groupSize.max;

/** Who has left a match: those of before, and whoever sits in a team of it without playing any more. */
function leftOf({ teams, livePlayers, left = [] }: MatchRow): NonNullable<MatchRow['left']> {
  const playing = new Set(livePlayers.map((id) => id.toHexString()));
  const gone = teams.flatMap((members, team) => members.map(({ userId }) => ({ userId, team })));
  return [...left, ...gone.filter(({ userId }) => !playing.has(userId.toHexString()))];
}
