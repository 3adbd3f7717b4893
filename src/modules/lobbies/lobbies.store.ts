import { Types, type ClientSession, type Connection } from 'mongoose';
import type { Clock } from '../../core/clock';
import { AppError, notFound } from '../../core/errors';
import type { Ids } from '../../core/ids';
import type { Outbox } from '../../database/outbox';
import type { Transact } from '../../database/transaction';
import type { MessageView } from '../../realtime/protocol';
import type { LobbyEvents } from './lobbies.api';
import {
  createLobbyModel,
  createMessageModel,
  toFields,
  toLobby,
  toLobbyView,
  toMessageView,
  toRow,
  type LobbyRow,
  type MessageRow,
} from './lobbies.models';
import type { Change, Lobby, News } from './lobbies.policy';

/** Where lobbies live: every change is one transaction of a conditional update and the facts that tell of it. */
export interface LobbyStore {
  readonly Lobbies: ReturnType<typeof createLobbyModel>;
  readonly Messages: ReturnType<typeof createMessageModel>;
  /** @throws NOT_FOUND */
  read(lobbyId: string, session?: ClientSession): Promise<Lobby>;
  create(session: ClientSession, lobbies: readonly Lobby[]): Promise<void>;
  /** Reads, decides and writes in one transaction; `decide` may run again. @returns the lobby as it is then */
  change(lobbyId: string, decide: (lobby: Lobby) => Change | null): Promise<Lobby>;
  /** Writes what was decided of `before` inside the caller's transaction. @throws VERSION_CONFLICT */
  apply(session: ClientSession, before: Lobby, change: Change): Promise<void>;
  /** Adds a line to the chat and tells `tell`. */
  say(session: ClientSession, tell: string[], line: Omit<MessageView, 'id' | 'sentAt'>): Promise<MessageView>;
}

export interface LobbyStoreDeps {
  connection: Connection;
  transact: Transact;
  outbox: Outbox<LobbyEvents>;
  clock: Clock;
  ids: Ids;
}

const LEAVING: News['type'][] = ['lobby.memberLeft', 'lobby.memberKicked'];
/** What whoever has just left is told too: that, and that the lobby closed because they were the last. */
const FAREWELLS: News['type'][] = [...LEAVING, 'lobby.closed'];

export function createLobbyStore({ connection, transact, outbox, clock, ids }: LobbyStoreDeps): LobbyStore {
  const Lobbies = createLobbyModel(connection);
  const Messages = createMessageModel(connection);

  const read: LobbyStore['read'] = async (lobbyId, session) => {
    const row = await Lobbies.findById(lobbyId, null, session ? { session } : {}).lean<LobbyRow>();
    if (!row) throw notFound('lobby');
    return toLobby(row);
  };

  const say: LobbyStore['say'] = async (session, tell, line) => {
    const row: MessageRow = {
      _id: new Types.ObjectId(ids.id()),
      lobbyId: new Types.ObjectId(line.lobbyId),
      userId: line.userId === null ? null : new Types.ObjectId(line.userId),
      username: line.username,
      content: line.content,
      kind: line.kind,
      sentAt: new Date(clock.now()),
    };
    await Messages.create([row], { session });
    const message = toMessageView(row);
    await outbox.append(session, 'lobby.messageSent', line.lobbyId, { tell, message });
    return message;
  };

  const apply: LobbyStore['apply'] = async (session, before, { lobby, news, lines }) => {
    const { matchedCount } = await Lobbies.updateOne(
      { _id: before.id, version: before.version, state: before.state },
      { $set: toFields(lobby) },
      { session },
    );
    if (matchedCount !== 1)
      throw new AppError('VERSION_CONFLICT', 'Somebody changed the lobby at the same moment: try again.');
    const here = lobby.members.map((member) => member.userId);
    const gone = news.flatMap((item) => ('userId' in item && LEAVING.includes(item.type) ? [item.userId] : []));
    const view = toLobbyView(lobby);
    for (const { type, ...details } of news) {
      const tell = FAREWELLS.includes(type) ? [...here, ...gone] : here;
      await outbox.append(session, type, lobby.id, { tell, lobby: view, ...details });
    }
    for (const content of lines)
      await say(session, here, { lobbyId: lobby.id, userId: null, username: '', content, kind: 'system' });
  };

  return {
    Lobbies,
    Messages,
    read,
    apply,
    say,
    async create(session, lobbies) {
      await Lobbies.collection.insertMany(lobbies.map(toRow), { session });
      await outbox.appendAll(
        session,
        lobbies.map((lobby) => {
          const tell = lobby.members.map((member) => member.userId);
          const payload = { tell, lobby: toLobbyView(lobby) };
          return { type: 'lobby.created' as const, key: lobby.id, payload, isFirst: true };
        }),
      );
    },
    async change(lobbyId, decide) {
      const after = await transact(async (session) => {
        const before = await read(lobbyId, session);
        const change = decide(before);
        if (!change) return before;
        await apply(session, before, change);
        return change.lobby;
      });
      outbox.wake();
      return after;
    },
  };
}
