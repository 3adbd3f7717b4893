import type { QueryFilter } from 'mongoose';
import type { Clock } from '../../core/clock';
import { decodeCursor, toPage, type Page } from '../../core/cursor';
import { AppError, notFound } from '../../core/errors';
import type { Ids } from '../../core/ids';
import type { Outbox } from '../../database/outbox';
import type { Transact } from '../../database/transaction';
import type { Identity } from '../../http/route';
import type { LobbyView } from '../../realtime/protocol';
import type { GameMode, GamesApi } from '../games';
import type { UsersApi } from '../users';
import type { LobbyEvents } from './lobbies.api';
import { toLobby, toLobbyView, type LobbyRow } from './lobbies.models';
import * as policy from './lobbies.policy';
import type { Lobby } from './lobbies.policy';
import type { LobbyStore } from './lobbies.store';

/** What players do with lobbies. Every method throws what the policy throws. */
export interface LobbiesService {
  /** @throws NOT_FOUND unknown game or mode, VALIDATION_FAILED capacity, CONFLICT too many lobbies */
  create(player: Player, wanted: NewLobby): Promise<LobbyView>;
  get(lobbyId: string, userId: string): Promise<LobbyView>;
  mine(userId: string, page: PageRequest): Promise<Page<LobbyView>>;
  open(userId: string, mode: { gameId: string; mode: string }, page: PageRequest): Promise<Page<LobbyView>>;
  join(lobbyId: string, player: Player): Promise<LobbyView>;
  leave(lobbyId: string, userId: string): Promise<void>;
  ready(lobbyId: string, userId: string, ready: boolean): Promise<LobbyView>;
  kick(lobbyId: string, hostId: string, userId: string): Promise<LobbyView>;
  transferHost(lobbyId: string, hostId: string, userId: string): Promise<LobbyView>;
  configure(lobbyId: string, hostId: string, wanted: Settings): Promise<LobbyView>;
  close(lobbyId: string, hostId: string): Promise<LobbyView>;
  invite(lobbyId: string, host: Player, userId: string): Promise<LobbyView>;
}

type Player = Pick<Identity, 'userId' | 'username'>;
export interface NewLobby {
  gameId: string;
  mode: string;
  capacity?: number | undefined;
  visibility?: Lobby['visibility'] | undefined;
}
export interface Settings {
  visibility?: Lobby['visibility'] | undefined;
  capacity?: number | undefined;
  state?: 'active' | undefined;
}
export interface PageRequest {
  limit: number;
  cursor?: string | undefined;
}

export interface LobbiesServiceDeps {
  store: LobbyStore;
  transact: Transact;
  outbox: Outbox<LobbyEvents>;
  clock: Clock;
  ids: Ids;
  users: Pick<UsersApi, 'summaries' | 'blocks'>;
  games: Pick<GamesApi, 'mode'>;
}

/** A guard against floods, not a rule: two parallel requests may slip past it. */
export const MAX_OPEN_PER_PLAYER = 20;
export const NOT_CLOSED = { $in: ['forming', 'ready', 'active'] satisfies Lobby['state'][] };

export function createLobbiesService(deps: LobbiesServiceDeps): LobbiesService {
  const { store, transact, outbox, clock, ids, users, games } = deps;
  const { Lobbies } = store;

  const blocksOf = async (userId: string): Promise<ReadonlySet<string>> =>
    (await users.blocks([userId])).get(userId) ?? new Set();

  const listed = async (
    filter: QueryFilter<LobbyRow>,
    { limit, cursor }: PageRequest,
    viewerId: string,
  ): Promise<Page<LobbyView>> => {
    const before = cursor === undefined ? undefined : idOf(cursor);
    const rows = await Lobbies.find(before === undefined ? filter : { ...filter, _id: { $lt: before } })
      .sort({ _id: -1 })
      .limit(limit + 1)
      .lean<LobbyRow[]>();
    const show = (row: LobbyRow) => toLobbyView(toLobby(row), viewerId);
    return toPage(rows, limit, show, (row) => [row._id.toHexString()]);
  };

  return {
    async create(player, { gameId, mode, capacity, visibility = 'private' }) {
      const gameMode = await games.mode(gameId, mode);
      if (!gameMode) throw notFound('game with such a mode');
      const seats = seatsOf(gameMode);
      requireCapacity(capacity, seats);
      const mine = { 'members.userId': player.userId, state: NOT_CLOSED };
      if ((await Lobbies.countDocuments(mine)) >= MAX_OPEN_PER_PLAYER)
        throw new AppError('CONFLICT', `You are in ${MAX_OPEN_PER_PLAYER} lobbies already: leave one first.`);
      const now = clock.now();
      const lobby: Lobby = {
        ...emptyLobby(now),
        id: ids.id(),
        gameId,
        mode,
        origin: 'player',
        matchId: null,
        visibility,
        capacity: capacity ?? seats,
        hostId: player.userId,
        members: [{ userId: player.userId, username: player.username, ready: false, joinedAt: now }],
      };
      await transact((session) => store.create(session, [lobby]));
      outbox.wake();
      return toLobbyView(lobby);
    },

    async get(lobbyId, userId) {
      const lobby = await store.read(lobbyId);
      policy.requireVisible(lobby, userId);
      return toLobbyView(lobby, userId);
    },

    mine: (userId, page) => listed({ 'members.userId': userId, state: NOT_CLOSED }, page, userId),

    async open(userId, { gameId, mode }, page) {
      const blocked = [...(await blocksOf(userId))];
      const filter = { open: true, gameId, mode, removed: { $ne: userId }, 'members.userId': { $nin: blocked } };
      return listed(filter, page, userId);
    },

    async join(lobbyId, player) {
      const who = { userId: player.userId, username: player.username };
      const blocked = await blocksOf(player.userId);
      return toLobbyView(await store.change(lobbyId, (lobby) => policy.join(lobby, who, blocked, clock.now())));
    },

    async leave(lobbyId, userId) {
      await store.change(lobbyId, (lobby) => policy.leave(lobby, userId, clock.now()));
    },

    async ready(lobbyId, userId, ready) {
      return toLobbyView(await store.change(lobbyId, (lobby) => policy.setReady(lobby, userId, ready, clock.now())));
    },

    async kick(lobbyId, hostId, userId) {
      return toLobbyView(await store.change(lobbyId, (lobby) => policy.kick(lobby, hostId, userId, clock.now())));
    },

    async transferHost(lobbyId, hostId, userId) {
      return toLobbyView(
        await store.change(lobbyId, (lobby) => policy.transferHost(lobby, hostId, userId, clock.now())),
      );
    },

    async configure(lobbyId, hostId, { state, ...settings }) {
      if (state === 'active')
        return toLobbyView(await store.change(lobbyId, (lobby) => policy.start(lobby, hostId, clock.now())));
      const seats = await seatsOfLobby(lobbyId, hostId);
      requireCapacity(settings.capacity, seats);
      return toLobbyView(
        await store.change(lobbyId, (lobby) => policy.configure(lobby, hostId, settings, clock.now())),
      );
    },

    async close(lobbyId, hostId) {
      const decide = (lobby: Lobby) => policy.close(lobby, hostId, 'the host closed it', clock.now());
      return toLobbyView(await store.change(lobbyId, decide));
    },

    async invite(lobbyId, host, userId) {
      policy.requireHost(await store.read(lobbyId), host.userId);
      if (!(await users.summaries([userId])).has(userId)) throw notFound('player');
      if ((await blocksOf(host.userId)).has(userId))
        throw new AppError('BLOCKED', 'There is a block between you and this player.');
      const after = await transact(async (session) => {
        const before = await store.read(lobbyId, session);
        const change = policy.invite(before, host.userId, userId, clock.now());
        if (!change) return before;
        await store.apply(session, before, change);
        const { gameId, mode } = before;
        const invitation = { lobbyId, gameId, mode, userId, byId: host.userId, byUsername: host.username };
        await outbox.append(session, 'lobby.invited', lobbyId, invitation);
        return change.lobby;
      });
      outbox.wake();
      return toLobbyView(after);
    },
  };

  /** @returns undefined where the mode is gone from the catalogue: nothing to hold the capacity against */
  async function seatsOfLobby(lobbyId: string, hostId: string): Promise<number | undefined> {
    const lobby = await store.read(lobbyId);
    policy.requireHost(lobby, hostId);
    const gameMode = await games.mode(lobby.gameId, lobby.mode);
    return gameMode ? seatsOf(gameMode) : undefined;
  }
}

/** A new lobby but for what it is about. */
export function emptyLobby(now: number) {
  return {
    state: 'forming',
    invited: [],
    removed: [],
    version: 1,
    createdAt: now,
    updatedAt: now,
    lastActivityAt: now,
    startsAt: null,
    closedAt: null,
  } satisfies Partial<Lobby>;
}

/** How many can play the mode together. */
const seatsOf = ({ ruleSet }: GameMode): number => Math.max(2, ruleSet.teams.count * ruleSet.teams.size.max);

function requireCapacity(capacity: number | undefined, seats: number | undefined): void {
  if (capacity === undefined || seats === undefined || capacity <= seats) return;
  const message = `the mode seats at most ${seats}`;
  throw new AppError('VALIDATION_FAILED', `body.capacity: ${message}`, {
    errors: [{ path: 'body.capacity', message }],
  });
}

function idOf(cursor: string): string {
  const [id] = decodeCursor(cursor, ['string']);
  if (!/^[0-9a-f]{24}$/.test(String(id))) throw new AppError('BAD_CURSOR', 'Start again without a cursor.');
  return String(id);
}
