import type { Clock } from '../../core/clock';
import { AppError, notFound } from '../../core/errors';
import type { Ids } from '../../core/ids';
import type { Logger } from '../../core/logger';
import type { Outbox } from '../../database/outbox';
import { isDuplicateKey, type Transact } from '../../database/transaction';
import type { GameMode, GamesApi } from '../games';
import type { LobbiesApi, Party } from '../lobbies';
import type { UsersApi } from '../users';
import type { AcceptanceService } from './acceptance.service';
import type { MatchmakingEvents } from './matchmaking.api';
import type { Backfill, TicketRow } from './matchmaking.models';
import { poolKey, requirePossible, scheduleOf } from './matchmaking.policy';
import type { TicketChange, TicketRequest, TicketView } from './matchmaking.schemas';
import { type Pools } from './pools';
import type { Submissions } from './submissions';
import { oid, type TicketStore } from './tickets.store';
import { playersOf, toTicketView, waitedMs } from './views';
import type { Waits } from './waits';

/** Tickets as their players handle them. A 201 is a promise: the ticket ends matched, cancelled or expired, once. */
export interface TicketsService {
  /**
   * @param party everybody who searches together, the submitter among them
   * @param seats where they sit, if others are to come to them
   * @throws ALREADY_QUEUED (decided by the unique index), IN_LIVE_MATCH, PARTY_TOO_BIG, NOT_FOUND for an unknown mode,
   * VERSION_CONFLICT where the party is no longer the same
   */
  submit(userId: string, request: TicketRequest, party?: Party, seats?: Backfill): Promise<TicketView>;
  current(userId: string): Promise<TicketView | null>;
  /** The current ticket of each player who has one. */
  open(userIds: readonly string[]): Promise<ReadonlyMap<string, TicketView>>;
  /** The ticket, for one of its players. @throws NOT_FOUND */
  view(userId: string, ticketId: string): Promise<TicketView>;
  /** Changes what the ticket accepts; its waiting time stays. @throws FORBIDDEN for who did not submit it, TICKET_CLOSED, … */
  change(userId: string, ticketId: string, change: TicketChange): Promise<TicketView>;
  /** Cancelling what is cancelled or expired is fine. While proposed it declines. @throws ALREADY_MATCHED, NOT_FOUND */
  cancel(userId: string, ticketId: string, reason?: string): Promise<void>;
  /** Cancels the open ticket of a lobby, if there is one that `which` fits: `queuedBefore` means parties only. */
  cancelOfLobby(lobbyId: string, reason: string, which: { userId?: string; queuedBefore?: number }): Promise<boolean>;
}

export interface TicketsDeps {
  store: TicketStore;
  submissions: Submissions;
  pools: Pools;
  waits: Waits;
  acceptance: AcceptanceService;
  transact: Transact;
  outbox: Outbox<MatchmakingEvents>;
  users: Pick<UsersApi, 'preferences'>;
  games: Pick<GamesApi, 'mode'>;
  lobbies: Pick<LobbiesApi, 'holdParty'>;
  clock: Clock;
  ids: Ids;
  logger: Logger;
}

type Choice = TicketRequest['games'][number];

const NOTHING_ASKED: Awaited<ReturnType<UsersApi['preferences']>> = new Map();

/** A conditional write that lost against another one is tried again this often. */
const ATTEMPTS = 5;

export function createTicketsService(deps: TicketsDeps): TicketsService {
  const { store, submissions, pools, waits, acceptance, transact, outbox, users, games, lobbies, clock, ids, logger } =
    deps;
  const { Tickets } = store;

  const modesOf = (choices: readonly Choice[]): Promise<GameMode[]> =>
    Promise.all(
      choices.map(async ({ gameId, mode }) => {
        const found = await games.mode(gameId, mode);
        if (!found) throw notFound(`game mode as ${mode}`);
        return found;
      }),
    );

  const estimate = (row: TicketRow, now: number): number | null => {
    if (row.state !== 'queued') return null;
    const estimates = row.pools
      .map((pool) => waits.estimate(pool, waitedMs(row, now), now))
      .filter((ms) => ms !== null);
    return estimates.length === 0 ? null : Math.min(...estimates);
  };

  const present = (row: TicketRow): TicketView => toTicketView(row, clock.now(), estimate(row, clock.now()));

  const find = async (userId: string, ticketId: string): Promise<TicketRow> => {
    const row = await Tickets.findOne({ _id: ticketId, players: userId }).lean<TicketRow>();
    if (!row) throw notFound('ticket');
    return row;
  };

  const requireChangeable = (row: TicketRow, userId: string) => {
    if (row.submittedBy.toHexString() !== userId)
      throw new AppError('FORBIDDEN', 'Only who submitted the ticket may change it. You may cancel it.');
    if (row.state === 'matched') throw new AppError('ALREADY_MATCHED', 'The ticket has been matched.');
    if (row.state === 'proposed') throw new AppError('CONFLICT', 'Accept or decline the proposed match first.');
    if (row.backfill)
      throw new AppError(
        'CONFLICT',
        'This search is of a lobby: end it, and begin another that asks for something else.',
      );
    if (!row.open) throw new AppError('TICKET_CLOSED', `The ticket is ${row.state}: submit a new one.`);
  };

  const changeOnce = async (userId: string, ticketId: string, change: TicketChange): Promise<TicketRow | null> => {
    const row = await find(userId, ticketId);
    requireChangeable(row, userId);
    const { games: choices, expiresInSeconds, ...wishes } = change;
    const userIds = playersOf(row);
    const named = choices ?? row.games.map((game) => ({ ...game, gameId: game.gameId.toHexString() }));
    const [modes, rated] = await Promise.all([
      modesOf(named),
      choices ? submissions.rated(userIds, choices) : row.games,
    ]);
    const { groupSize = row.groupSize, roles = row.roles } = wishes;
    requirePossible(modes, { partySize: userIds.length, groupSize, roles });
    const now = clock.now();
    return Tickets.findOneAndUpdate(
      { _id: row._id, revision: row.revision, state: row.state },
      {
        $set: {
          ...wishes,
          games: rated,
          pools: rated.map((game) => poolKey(game.gameId.toHexString(), game.mode)),
          ...(expiresInSeconds === undefined ? {} : { expiresAt: expiryOf(row.scheduledFor, expiresInSeconds, now) }),
          updatedAt: new Date(now),
        },
        $inc: { revision: 1 },
      },
      { returnDocument: 'after' },
    ).lean<TicketRow>();
  };

  /** @returns false where one of the party has an open ticket */
  const insertHeld = async (row: TicketRow, party: Party): Promise<boolean> => {
    try {
      await transact(async (session) => {
        await lobbies.holdParty(session, party);
        await Tickets.collection.insertOne(row, { session });
      });
      return true;
    } catch (error) {
      if (isDuplicateKey(error, 'players')) return false;
      throw error;
    }
  };

  /** Ends a ticket that nobody has been promised yet. Where it has gone on meanwhile it stands. @throws IN_LIVE_MATCH */
  const takeBack = async ({ _id, submittedBy }: TicketRow): Promise<TicketView> => {
    const ticketId = _id.toHexString();
    const end = { state: 'cancelled', reason: 'in_live_match' } as const;
    const ended = await transact((session) => store.end(session, ticketId, ['scheduled', 'queued'], end));
    if (!ended) return present(await find(submittedBy.toHexString(), ticketId));
    pools.remove(ticketId);
    outbox.wake();
    throw inLiveMatch();
  };

  const cancel: TicketsService['cancel'] = async (userId, ticketId, reason = 'cancelled_by_player') => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const ended = await transact((session) =>
        store.end(session, ticketId, ['scheduled', 'queued'], { state: 'cancelled', reason, userId }),
      );
      if (ended) {
        pools.remove(ticketId);
        outbox.wake();
        return;
      }
      const row = await find(userId, ticketId);
      if (row.state === 'cancelled' || row.state === 'expired') return;
      if (row.state === 'matched')
        throw new AppError('ALREADY_MATCHED', 'The ticket was matched before it could be cancelled.');
      if (row.state === 'proposed' && row.matchId) await acceptance.decline(userId, row.matchId.toHexString(), reason);
    }
    throw new AppError('CONFLICT', 'The ticket keeps changing: try again.');
  };

  return {
    async submit(userId, request, party, seats) {
      const now = clock.now();
      const userIds = party?.userIds ?? [userId];
      const scheduled = scheduleOf(request.scheduledFor, now);
      const modes = await modesOf(request.games);
      const partySize = seats ? largestOf(seats) : userIds.length;
      requirePossible(modes, { partySize, groupSize: request.groupSize, roles: request.roles });
      const says = request.regions && request.languages;
      const [preferences, rated, inMatch] = await Promise.all([
        says ? NOTHING_ASKED : users.preferences([userId]),
        submissions.rated(userIds, request.games),
        submissions.anyInMatch(userIds),
      ]);
      if (inMatch) throw inLiveMatch();
      const mine = preferences.get(userId);
      const seconds = request.expiresInSeconds ?? Math.max(...modes.map((mode) => mode.ruleSet.ticketSeconds));
      const row: TicketRow = {
        _id: oid(ids.id()),
        submittedBy: oid(userId),
        players: userIds.map(oid),
        lobbyId: party ? oid(party.lobbyId) : null,
        lobbyVersion: party?.version ?? null,
        backfill: seats ?? null,
        games: rated,
        pools: request.games.map(({ gameId, mode }) => poolKey(gameId, mode)),
        groupSize: request.groupSize,
        regions: request.regions ?? ((mine?.regions ?? []) as TicketRow['regions']),
        regionPreference: request.regionPreference,
        languages: request.languages ?? mine?.languages ?? [],
        languagePreference: request.languagePreference,
        skillPreference: request.skillPreference,
        roles: request.roles,
        latencies: request.latencies,
        state: scheduled === null ? 'queued' : 'scheduled',
        open: true,
        revision: 1,
        queuedAt: scheduled === null ? new Date(now) : null,
        scheduledFor: scheduled === null ? null : new Date(scheduled),
        expiresAt: expiryOf(scheduled === null ? null : new Date(scheduled), seconds, now),
        matchId: null,
        reason: null,
        createdAt: new Date(now),
        updatedAt: new Date(now),
        endedAt: null,
      };
      if (!(await (party ? insertHeld(row, party) : submissions.insert(row))))
        throw new AppError(
          'ALREADY_QUEUED',
          `${userIds.length > 1 ? 'Somebody of you has' : 'You have'} an open ticket: cancel or change that one.`,
        );
      // an earlier search of theirs, whose answer was lost, may have been matched between the first look and the insert: now it shows
      if (await submissions.anyInMatch(userIds, row._id)) return takeBack(row);
      // the ticket stands: if it cannot be taken in now, the next catch-up does it
      if (row.state === 'queued')
        await pools.put([row]).catch((err: unknown) => logger.warn({ err }, 'a ticket was not taken in at once'));
      return present(row);
    },

    async current(userId) {
      const row = await Tickets.findOne({ players: userId, open: true }).lean<TicketRow>();
      return row && present(row);
    },

    async open(userIds) {
      const rows = await Tickets.find({ players: { $in: [...userIds] }, open: true }).lean<TicketRow[]>();
      return new Map(rows.map(present).flatMap((ticket) => ticket.players.map((userId) => [userId, ticket])));
    },

    view: async (userId, ticketId) => present(await find(userId, ticketId)),

    async change(userId, ticketId, change) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const row = await changeOnce(userId, ticketId, change);
        if (!row) continue;
        await pools.refresh([ticketId]);
        return present(row);
      }
      throw new AppError('CONFLICT', 'The ticket keeps changing: try again.');
    },

    cancel,

    async cancelOfLobby(lobbyId, reason, { userId, queuedBefore }) {
      const filter = {
        lobbyId,
        open: true,
        ...(userId === undefined ? {} : { players: userId }),
        ...(queuedBefore === undefined ? {} : { lobbyVersion: { $lt: queuedBefore }, backfill: null }),
      };
      const row = await Tickets.findOne(filter).lean<TicketRow>();
      if (!row) return false;
      await cancel(userId ?? row.submittedBy.toHexString(), row._id.toHexString(), reason);
      return true;
    },
  };
}

const inLiveMatch = () => new AppError('IN_LIVE_MATCH', 'Report its result or leave its lobby first.');

/** How many sit in the fullest team. */
const largestOf = ({ teams }: Backfill): number =>
  Math.max(...teams.map((team) => teams.filter((other) => other === team).length));

const expiryOf = (scheduledFor: Date | null, seconds: number, now: number): Date =>
  new Date(Math.max(scheduledFor?.getTime() ?? 0, now) + seconds * 1000);
