import { Schema, Types, type Connection } from 'mongoose';
import { describeData } from '../../database/personal-data';
import type { LobbyView, MessageView } from '../../realtime/protocol';
import { isOpen, type Lobby } from './lobbies.policy';

/** Rows of lobbies and of their chat, and how they read in the policy and outside. */

/** A closed lobby, and a chat message, is kept this long. */
const KEEP_SECONDS = 30 * 86_400;

export interface LobbyRow {
  _id: Types.ObjectId;
  gameId: Types.ObjectId;
  mode: string;
  state: Lobby['state'];
  origin: Lobby['origin'];
  matchId: Types.ObjectId | null;
  visibility: Lobby['visibility'];
  capacity: number;
  hostId: Types.ObjectId;
  members: { userId: Types.ObjectId; username: string; ready: boolean; joinedAt: Date }[];
  invited: Types.ObjectId[];
  removed: Types.ObjectId[];
  /** Kept in step with the rest by every write, for the list of open lobbies. */
  open: boolean;
  version: number;
  /** How often it searched as a party: no other meaning than that a search and a change of the lobby collide. */
  searches: number;
  createdAt: Date;
  updatedAt: Date;
  lastActivityAt: Date;
  startsAt: Date | null;
  closedAt: Date | null;
}

export interface MessageRow {
  _id: Types.ObjectId;
  lobbyId: Types.ObjectId;
  userId: Types.ObjectId | null;
  username: string;
  content: string;
  kind: MessageView['kind'];
  sentAt: Date;
}

const { ObjectId } = Schema.Types;

export function createLobbyModel(connection: Connection) {
  const member = new Schema(
    {
      userId: { type: ObjectId, required: true },
      username: { type: String, required: true },
      ready: { type: Boolean, required: true },
      joinedAt: { type: Date, required: true },
    },
    { _id: false },
  );
  const schema = new Schema<LobbyRow>(
    {
      gameId: { type: ObjectId, required: true },
      mode: { type: String, required: true },
      state: { type: String, required: true },
      origin: { type: String, required: true },
      matchId: { type: ObjectId, default: null },
      visibility: { type: String, required: true },
      capacity: { type: Number, required: true },
      hostId: { type: ObjectId, required: true },
      members: [member],
      invited: [ObjectId],
      removed: [ObjectId],
      open: { type: Boolean, required: true },
      version: { type: Number, required: true },
      searches: { type: Number, default: 0 },
      createdAt: { type: Date, required: true },
      updatedAt: { type: Date, required: true },
      lastActivityAt: { type: Date, required: true },
      startsAt: { type: Date, default: null },
      closedAt: { type: Date, default: null },
    },
    { versionKey: false, collection: 'lobbies' },
  );
  schema.index({ 'members.userId': 1, state: 1, _id: -1 }, { name: 'members_state' });
  schema.index({ gameId: 1, mode: 1, _id: -1 }, { name: 'open', partialFilterExpression: { open: true } });
  // one lobby per match, whatever happens
  schema.index({ matchId: 1 }, { name: 'match', unique: true, partialFilterExpression: { origin: 'match' } });
  schema.index({ state: 1, lastActivityAt: 1 }, { name: 'idle' });
  schema.index({ startsAt: 1 }, { name: 'starting', partialFilterExpression: { state: 'ready' } });
  schema.index({ closedAt: 1 }, { name: 'closed_ttl', expireAfterSeconds: KEEP_SECONDS });
  describeData(schema, {
    what: 'Lobbies: who was in them, invited or removed',
    why: 'To meet before and during a match',
    kept: '30 days after it closed',
    shared: 'members.userId',
    alsoIn: ['hostId', 'invited', 'removed'],
    show: ({ invited: _invited, removed: _removed, ...row }) => row,
  });
  return connection.model('Lobby', schema);
}

export function createMessageModel(connection: Connection) {
  const schema = new Schema<MessageRow>(
    {
      lobbyId: { type: ObjectId, required: true },
      userId: { type: ObjectId, default: null },
      username: { type: String, default: '' },
      content: { type: String, required: true },
      kind: { type: String, required: true },
      sentAt: { type: Date, required: true },
    },
    { versionKey: false, collection: 'messages' },
  );
  schema.index({ lobbyId: 1, sentAt: -1, _id: -1 }, { name: 'lobby_time' });
  schema.index({ userId: 1, sentAt: -1 }, { name: 'author' });
  schema.index({ sentAt: 1 }, { name: 'ttl', expireAfterSeconds: KEEP_SECONDS });
  describeData(schema, {
    what: 'Chat of lobbies, and lines of the system in it',
    why: 'To talk with those one plays with',
    kept: '30 days',
    owner: 'userId',
    lines: { field: 'content', where: { kind: 'system' } },
  });
  return connection.model('Message', schema);
}

export function toLobby(row: LobbyRow): Lobby {
  return {
    id: row._id.toHexString(),
    gameId: row.gameId.toHexString(),
    mode: row.mode,
    state: row.state,
    origin: row.origin,
    matchId: row.matchId?.toHexString() ?? null,
    visibility: row.visibility,
    capacity: row.capacity,
    hostId: row.hostId.toHexString(),
    members: row.members.map((member) => ({
      userId: member.userId.toHexString(),
      username: member.username,
      ready: member.ready,
      joinedAt: member.joinedAt.getTime(),
    })),
    invited: row.invited.map((id) => id.toHexString()),
    removed: row.removed.map((id) => id.toHexString()),
    version: row.version,
    createdAt: row.createdAt.getTime(),
    updatedAt: row.updatedAt.getTime(),
    lastActivityAt: row.lastActivityAt.getTime(),
    startsAt: row.startsAt?.getTime() ?? null,
    closedAt: row.closedAt?.getTime() ?? null,
  };
}

/** A new lobby, as it is inserted. */
export function toRow(lobby: Lobby): LobbyRow {
  const oid = (id: string) => new Types.ObjectId(id);
  const date = (at: number | null) => (at === null ? null : new Date(at));
  const { id, members, ...plain } = lobby;
  return {
    ...plain,
    _id: oid(id),
    gameId: oid(lobby.gameId),
    matchId: lobby.matchId === null ? null : oid(lobby.matchId),
    hostId: oid(lobby.hostId),
    members: members.map((member) => ({
      ...member,
      userId: oid(member.userId),
      joinedAt: new Date(member.joinedAt),
    })),
    invited: lobby.invited.map(oid),
    removed: lobby.removed.map(oid),
    open: isOpen(lobby),
    searches: 0,
    createdAt: new Date(lobby.createdAt),
    updatedAt: new Date(lobby.updatedAt),
    lastActivityAt: new Date(lobby.lastActivityAt),
    startsAt: date(lobby.startsAt),
    closedAt: date(lobby.closedAt),
  };
}

/** What a write sets; ids and times are cast by the model. */
export function toFields({ id: _id, ...lobby }: Lobby) {
  return { ...lobby, open: isOpen(lobby) };
}

/** @param viewerId somebody who is no member sees of the invited only themselves */
export function toLobbyView(lobby: Lobby, viewerId?: string): LobbyView {
  const inside = viewerId === undefined || lobby.members.some((member) => member.userId === viewerId);
  return {
    id: lobby.id,
    gameId: lobby.gameId,
    mode: lobby.mode,
    state: lobby.state,
    origin: lobby.origin,
    matchId: lobby.matchId,
    visibility: lobby.visibility,
    capacity: lobby.capacity,
    hostId: lobby.hostId,
    members: lobby.members.map(({ userId, username, ready }) => ({
      userId,
      username,
      ready,
      host: userId === lobby.hostId,
    })),
    invited: inside ? lobby.invited : lobby.invited.filter((id) => id === viewerId),
    version: lobby.version,
    createdAt: new Date(lobby.createdAt).toISOString(),
    updatedAt: new Date(lobby.updatedAt).toISOString(),
  };
}

export function toMessageView(row: MessageRow): MessageView {
  return {
    id: row._id.toHexString(),
    lobbyId: row.lobbyId.toHexString(),
    userId: row.userId?.toHexString() ?? null,
    username: row.username,
    content: row.content,
    kind: row.kind,
    sentAt: row.sentAt.toISOString(),
  };
}
