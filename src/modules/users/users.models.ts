import { Schema, type Connection, type Types } from 'mongoose';
import { describeData } from '../../database/personal-data';
import type { Account, Bar, Closing, Preferences, UserSummary } from './users.api';
import type { GameProfileView, OwnProfile, PublicUser, UserCard } from './users.schemas';

/** Rows of accounts, and how they read to their owner and to others. */

export interface GameProfileRow {
  gameId: Types.ObjectId;
  inGameName: string;
  rank: string | null;
  skillLevel: number | null;
  roles: string[];
  updatedAt: Date;
}

export interface ClosingRow {
  kind: Closing;
  at: Date;
  /** When it is to be erased; null where it is not. */
  eraseAt: Date | null;
}

export interface SanctionRow {
  reason: string;
  /** Null: for good. */
  until: Date | null;
}

export interface UserRow {
  _id: Types.ObjectId;
  email: string;
  /** Null until its owner has shown that mail reaches them there. */
  emailVerifiedAt: Date | null;
  username: string;
  /** Null where its owner only signs in by others. */
  passwordHash: string | null;
  displayName: string;
  /** Derived from the names, for order and search. */
  sortName: string;
  searchKeys: string[];
  role: Account['role'];
  status: Account['status'];
  /** Why, and until when, the status is not `active`. */
  sanction: SanctionRow | null;
  /** The sum of what those they played with gave them. */
  karma: number;
  /** Null while the account is in use. */
  closing: ClosingRow | null;
  tokenVersion: number;
  bio: string;
  avatarUrl: string | null;
  platforms: OwnProfile['platforms'];
  visibility: OwnProfile['visibility'];
  automatedLobbyMessage: string;
  preferences: Preferences;
  gameProfiles: GameProfileRow[];
  createdAt: Date;
  updatedAt: Date;
}

export type UserModel = ReturnType<typeof createUserModel>;

/** How names and addresses are compared: `Ann` is `ann`. */
export const CASE_INSENSITIVE = { locale: 'en', strength: 2 } as const;

export function createUserModel(connection: Connection) {
  const gameProfile = new Schema<GameProfileRow>(
    {
      gameId: { type: Schema.Types.ObjectId, required: true },
      inGameName: { type: String, required: true },
      rank: { type: String, default: null },
      skillLevel: { type: Number, default: null },
      roles: [String],
      updatedAt: { type: Date, required: true },
    },
    { _id: false },
  );
  const preferences = new Schema<Preferences>(
    {
      competitiveness: { type: String, required: true },
      regions: [String],
      languages: [String],
      preferredGames: [String],
    },
    { _id: false },
  );
  const closing = new Schema<ClosingRow>(
    {
      kind: { type: String, required: true },
      at: { type: Date, required: true },
      eraseAt: { type: Date, default: null },
    },
    { _id: false },
  );
  const sanction = new Schema<SanctionRow>(
    { reason: { type: String, required: true }, until: { type: Date, default: null } },
    { _id: false },
  );
  const schema = new Schema<UserRow>(
    {
      email: { type: String, required: true },
      emailVerifiedAt: { type: Date, default: null },
      username: { type: String, required: true },
      passwordHash: { type: String, default: null },
      displayName: { type: String, required: true },
      sortName: { type: String, required: true },
      searchKeys: [String],
      role: { type: String, required: true },
      status: { type: String, required: true },
      sanction: { type: sanction, default: null },
      karma: { type: Number, default: 0 },
      closing: { type: closing, default: null },
      tokenVersion: { type: Number, required: true },
      bio: { type: String, default: '' },
      avatarUrl: { type: String, default: null },
      platforms: [String],
      visibility: { type: String, required: true },
      automatedLobbyMessage: { type: String, default: '' },
      preferences: { type: preferences, required: true },
      gameProfiles: [gameProfile],
      createdAt: { type: Date, required: true },
      updatedAt: { type: Date, required: true },
    },
    { versionKey: false, minimize: false, collection: 'users' },
  );
  schema.index({ email: 1 }, { name: 'email', unique: true, collation: CASE_INSENSITIVE });
  schema.index({ username: 1 }, { name: 'username', unique: true, collation: CASE_INSENSITIVE });
  schema.index({ searchKeys: 1 }, { name: 'search' });
  schema.index({ status: 1, _id: -1 }, { name: 'status' });
  schema.index({ role: 1, _id: -1 }, { name: 'role' });
  const erasable = { partialFilterExpression: { 'closing.eraseAt': { $exists: true } } };
  schema.index({ 'closing.eraseAt': 1 }, { name: 'erase_due', ...erasable });
  describeData(schema, {
    what: 'The account: address, names, password (hashed), profile, preferences, game profiles',
    why: 'To sign in, and to be found by those who want to play',
    kept: 'Until the account is deleted, and the grace period after that',
    owner: '_id',
    hidden: ['passwordHash', 'searchKeys', 'sortName'],
  });
  return connection.model('User', schema);
}

export function toAccount(row: UserRow, now: number): Account {
  const status = statusAt(row, now);
  return {
    userId: row._id.toHexString(),
    email: row.email,
    emailVerified: Boolean(row.emailVerifiedAt),
    username: row.username,
    role: row.role,
    status,
    bar: status === 'active' ? null : toBar(row.sanction),
    closing: row.closing?.kind ?? null,
    tokenVersion: row.tokenVersion,
  };
}

/** A suspension ends by itself. */
export function statusAt({ status, sanction }: Pick<UserRow, 'status' | 'sanction'>, now: number): Account['status'] {
  const over = status === 'suspended' && sanction?.until && sanction.until.getTime() <= now;
  return over ? 'active' : status;
}

/** The condition that an account is active then. */
export const activeAt = (now: number) => ({
  $or: [{ status: 'active' as const }, { status: 'suspended' as const, 'sanction.until': { $lte: new Date(now) } }],
});

export const toBar = (sanction: SanctionRow | null | undefined): Bar => ({
  reason: sanction?.reason ?? '',
  until: sanction?.until?.toISOString() ?? null,
});

export function toSummary({ _id, username, displayName, avatarUrl }: UserRow): UserSummary {
  return { userId: _id.toHexString(), username, displayName, avatarUrl };
}

export function toCard({ userId, username, displayName, avatarUrl }: UserSummary): UserCard {
  return { id: userId, username, displayName, avatarUrl };
}

export function toGameProfileView(row: GameProfileRow): GameProfileView {
  return { ...row, gameId: row.gameId.toHexString(), updatedAt: row.updatedAt.toISOString() };
}

export function toOwnProfile(row: UserRow): OwnProfile {
  return {
    ...toCard(toSummary(row)),
    email: row.email,
    emailVerified: Boolean(row.emailVerifiedAt),
    role: row.role,
    karma: row.karma ?? 0,
    bio: row.bio,
    platforms: row.platforms,
    visibility: row.visibility,
    automatedLobbyMessage: row.automatedLobbyMessage,
    preferences: row.preferences as OwnProfile['preferences'],
    gameProfiles: row.gameProfiles.map(toGameProfileView),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

/** @param shown whether the viewer may see more than the name */
export function toPublicUser(row: UserRow, friendship: PublicUser['friendship'], shown: boolean): PublicUser {
  const { bio, platforms, preferences, gameProfiles, karma, createdAt } = toOwnProfile(row);
  return {
    ...toCard(toSummary(row)),
    friendship,
    profile: shown ? { bio, platforms, preferences, gameProfiles, karma, createdAt } : null,
  };
}
