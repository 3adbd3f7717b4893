import type { Clock } from '../../core/clock';
import { AppError } from '../../core/errors';
import type { UsersApi } from '../users';
import type { LobbiesApi } from './lobbies.api';
import { toLobby, toLobbyView, type LobbyRow } from './lobbies.models';
import { close, requireHost, requirePossible, type Lobby } from './lobbies.policy';
import { emptyLobby } from './lobbies.service';
import type { LobbyStore } from './lobbies.store';

/** What the neighbours ask: lobbies of matches, and the party of a host. */
export function createLobbiesApi(deps: {
  store: LobbyStore;
  clock: Clock;
  users: Pick<UsersApi, 'summaries'>;
}): LobbiesApi {
  const { store, clock, users } = deps;
  const { Lobbies } = store;

  return {
    async createForMatch(session, { lobbyId, matchId, gameId, mode, userIds }) {
      const names = await users.summaries(userIds);
      const now = clock.now();
      const members = userIds.map((userId) => ({
        userId,
        username: names.get(userId)?.username ?? 'somebody',
        ready: false,
        joinedAt: now,
      }));
      const [host] = members;
      if (!host) throw new Error('a match has players');
      const lobby: Lobby = {
        ...emptyLobby(now),
        id: lobbyId,
        gameId,
        mode,
        origin: 'match',
        matchId,
        visibility: 'private',
        capacity: members.length,
        hostId: host.userId,
        members,
      };
      await store.create(session, lobby);
      return toLobbyView(lobby);
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
      requirePossible(lobby, 'queue');
      const { version, gameId, mode, matchId } = lobby;
      return { lobbyId, version, gameId, mode, matchId, userIds: lobby.members.map((member) => member.userId) };
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

    async lobbiesOf(userId) {
      const rows = await Lobbies.find({ 'members.userId': userId, state: { $in: ['forming', 'ready', 'active'] } })
        .sort({ _id: -1 })
        .lean<LobbyRow[]>();
      return rows.map((row) => toLobbyView(toLobby(row)));
    },
  };
}
