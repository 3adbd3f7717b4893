import type { Clock } from '../../core/clock';
import type { Page } from '../../core/cursor';
import { AppError } from '../../core/errors';
import type { Outbox } from '../../database/outbox';
import type { Transact } from '../../database/transaction';
import type { Identity } from '../../http/route';
import type { MessageView } from '../../realtime/protocol';
import type { LobbyEvents } from './lobbies.api';
import { toMessageView, type MessageRow } from './lobbies.models';
import { requireMember, requirePossible } from './lobbies.policy';
import type { LobbyStore } from './lobbies.store';

/** The chat of a lobby: for its members, until it closes; readable by those who were there then. */
export interface MessagesService {
  /** @throws NOT_FOUND, FORBIDDEN, LOBBY_CLOSED */
  send(lobbyId: string, player: Pick<Identity, 'userId' | 'username'>, content: string): Promise<MessageView>;
  /** Newest first. @param before id of a message: only older ones. @throws NOT_FOUND, FORBIDDEN, BAD_CURSOR */
  history(
    lobbyId: string,
    userId: string,
    page: { before?: string | undefined; limit: number },
  ): Promise<Page<MessageView>>;
  /** Whether this player may be heard in the lobby now. @throws NOT_FOUND, FORBIDDEN, LOBBY_CLOSED */
  requireVoice(lobbyId: string, userId: string): Promise<void>;
}

export interface MessagesDeps {
  store: LobbyStore;
  transact: Transact;
  outbox: Outbox<LobbyEvents>;
  clock: Clock;
}

/** Talking keeps a lobby open; written at most this often, so that chat does not collide with changes of the lobby. */
const ACTIVITY_EVERY_MS = 60_000;

export function createMessagesService({ store, transact, outbox, clock }: MessagesDeps): MessagesService {
  const { Lobbies, Messages } = store;

  return {
    async send(lobbyId, player, content) {
      const message = await transact(async (session) => {
        const lobby = await store.read(lobbyId, session);
        requireMember(lobby, player.userId);
        requirePossible(lobby, 'talk');
        const now = clock.now();
        if (now - lobby.lastActivityAt >= ACTIVITY_EVERY_MS)
          await Lobbies.updateOne({ _id: lobbyId }, { $max: { lastActivityAt: new Date(now) } }, { session });
        const tell = lobby.members.map((member) => member.userId);
        const { userId, username } = player;
        return store.say(session, tell, { lobbyId, userId, username, content, kind: 'text' });
      });
      outbox.wake();
      return message;
    },

    async history(lobbyId, userId, { before, limit }) {
      requireMember(await store.read(lobbyId), userId);
      const rows = await Messages.find(before === undefined ? { lobbyId } : await olderThan(lobbyId, before))
        .sort({ sentAt: -1, _id: -1 })
        .limit(limit + 1)
        .lean<MessageRow[]>();
      const items = rows.slice(0, limit).map(toMessageView);
      return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
    },

    async requireVoice(lobbyId, userId) {
      const lobby = await store.read(lobbyId);
      requireMember(lobby, userId);
      requirePossible(lobby, 'talk');
    },
  };

  async function olderThan(lobbyId: string, before: string) {
    const last = await Messages.findOne({ _id: before, lobbyId }, { sentAt: 1 }).lean<MessageRow>();
    if (!last) throw new AppError('BAD_CURSOR', '`before` must be the id of a message of this lobby.');
    return { lobbyId, $or: [{ sentAt: { $lt: last.sentAt } }, { sentAt: last.sentAt, _id: { $lt: last._id } }] };
  }
}
