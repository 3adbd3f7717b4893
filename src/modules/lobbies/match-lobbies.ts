import type { Clock } from '../../core/clock';
import { AppError } from '../../core/errors';
import type { LobbyView } from '../../realtime/protocol';
import type { UsersApi } from '../users';
import type { LobbiesApi, LobbyOfMatch, Party } from './lobbies.api';
import { toLobby, toLobbyView, toMessageView, type LobbyRow, type MessageRow } from './lobbies.models';
import { adopt, close, POSSIBLE_IN, requireHost, requirePossible, seat, type Lobby } from './lobbies.policy';
import { emptyLobby, NOT_CLOSED } from './lobbies.service';
import type { LobbyStore } from './lobbies.store';

/** What the neighbours ask: lobbies of matches, and the party of a host. */
export function createLobbiesApi(deps: {
  store: LobbyStore;
  clock: Clock;
  users: Pick<UsersApi, 'summaries'>;
}): LobbiesApi {
  const { store, clock, users } = deps;
  const { Lobbies, Messages } = store;

  return {
    async createForMatches(session, matches) {
      const names = await users.summaries(matches.flatMap(({ userIds }) => userIds));
      const now = clock.now();
      const nameOf = (userId: string) => names.get(userId)?.username ?? 'somebody';
      await store.create(
        session,
        matches.map((match) => lobbyOf(match, nameOf, now)),
      );
    },

    async seatInMatch(session, { lobbyId, matchId, present, userIds }) {
      const names = await users.summaries(userIds);
      const lobby = await store.read(lobbyId, session);
      const newcomers = userIds.map((userId) => ({ userId, username: names.get(userId)?.username ?? 'somebody' }));
      const now = clock.now();
      const change =
        lobby.matchId === null ? adopt(lobby, matchId, present, newcomers, now) : seat(lobby, present, newcomers, now);
      await store.apply(session, lobby, change);
    },

    async closeForMatch(session, matchId, reason) {
      const row = await Lobbies.findOne({ matchId, origin: 'match' }, null, { session }).lean<LobbyRow>();
      if (!row) return;
      const lobby = toLobby(row);
      const change = close(lobby, null, reason, clock.now());
      if (change) await store.apply(session, lobby, change);
    },

    async partyOf(lobbyId, hostId) {
      const lobby = await store.read(lobbyId);
      requireHost(lobby, hostId);
      requirePossible(lobby, lobby.matchId === null ? 'queue' : 'refill');
      return toParty(lobby);
    },

    async formingParty(lobbyId) {
      const row = await Lobbies.findOne({
        _id: lobbyId,
        origin: 'player',
        state: { $in: POSSIBLE_IN.queue },
      }).lean<LobbyRow>();
      return row ? toParty(toLobby(row)) : null;
    },

    async holdParty(session, { lobbyId, version }) {
      const { matchedCount } = await Lobbies.updateOne(
        { _id: lobbyId, version },
        { $inc: { searches: 1 }, $set: { lastActivityAt: new Date(clock.now()) } },
        { session },
      );
      if (matchedCount !== 1)
        throw new AppError('VERSION_CONFLICT', 'Somebody changed the lobby at the same moment: try again.');
    },

    async messageFor(userId, messageId) {
      const row = await Messages.findOne({ _id: messageId, kind: 'text' }).lean<MessageRow>();
      const member = row && (await Lobbies.exists({ _id: row.lobbyId, 'members.userId': userId }));
      return member ? toMessageView(row) : null;
    },

    async lobbiesOf(userIds) {
      const theirs = { 'members.userId': { $in: [...userIds] }, state: NOT_CLOSED };
      const rows = await Lobbies.find(theirs).sort({ _id: -1 }).lean<LobbyRow[]>();
      const byUser = new Map(userIds.map((userId): [string, LobbyView[]] => [userId, []]));
      for (const row of rows) {
        const view = toLobbyView(toLobby(row));
        for (const { userId } of view.members) byUser.get(userId)?.push(view);
      }
      return (userId) => byUser.get(userId) ?? [];
    },
  };
}

function toParty({ id, version, gameId, mode, matchId, members, capacity, removed }: Lobby): Party {
  const userIds = members.map((member) => member.userId);
  return { lobbyId: id, version, gameId, mode, matchId, userIds, capacity, removed };
}

function lobbyOf(
  { lobbyId, matchId, gameId, mode, userIds }: LobbyOfMatch,
  nameOf: (userId: string) => string,
  now: number,
): Lobby {
  const [hostId] = userIds;
  if (hostId === undefined) throw new Error('a match has players');
  return {
    ...emptyLobby(now),
    id: lobbyId,
    gameId,
    mode,
    origin: 'match',
    matchId,
    visibility: 'private',
    capacity: userIds.length,
    hostId,
    members: userIds.map((userId) => ({ userId, username: nameOf(userId), ready: false, joinedAt: now })),
  };
}
