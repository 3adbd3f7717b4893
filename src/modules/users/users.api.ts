import type { ClientSession } from 'mongoose';
import type { Page } from '../../core/cursor';
import type { OwnProfile } from './users.schemas';

/** What neighbours may ask of the users module. Ids are 24-hex strings. */
export interface UsersApi {
  /** @throws EMAIL_TAKEN, USERNAME_TAKEN (decided by the unique indexes) */
  create(session: ClientSession, account: NewAccount): Promise<Account>;
  /** By e-mail address or username, whatever the case. */
  findForLogin(identifier: string): Promise<Credentials | null>;
  credentials(userId: string): Promise<Credentials | null>;
  account(userId: string): Promise<Account | null>;
  accounts(userIds: readonly string[]): Promise<ReadonlyMap<string, Account>>;
  /** Reads for a decision: the caller's transaction and any other one that holds the account exclude each other. @throws NOT_FOUND */
  hold(session: ClientSession, userId: string): Promise<Credentials>;
  /** How to write to somebody. */
  recipient(userId: string): Promise<Recipient | null>;
  /** Stores the same password hashed anew, unless it has changed since `from`. */
  rehash(userId: string, from: string, to: string): Promise<void>;
  /**
   * Puts a new password in the place of `from` (of whatever there is, where `from` is undefined), and makes every session so
   * far worthless in the same write.
   * @returns the new token version, or null where the password is no longer `from`
   */
  changePassword(
    session: ClientSession,
    userId: string,
    change: { from?: string | null; to: string },
  ): Promise<number | null>;
  /** @returns false where the account has another address by now */
  confirmEmail(session: ClientSession, userId: string, email: string): Promise<boolean>;
  /** The new address counts as verified. @throws EMAIL_TAKEN @returns false where the old address is no longer `from` */
  changeEmail(session: ClientSession, userId: string, from: string, to: string): Promise<boolean>;
  /** Out of sight, and every session worthless. @param eraseAt null: never @returns the new token version */
  close(session: ClientSession, userId: string, eraseAt: Date | null): Promise<number>;
  /** Brings a closed account back. @returns false where it is being erased already */
  reopen(userId: string): Promise<boolean>;
  /** Claims accounts whose time has come, so that nobody else erases or reopens them. */
  claimErasable(limit: number): Promise<Person[]>;
  /** The own profile, as `GET /api/users/me` shows it. @throws NOT_FOUND */
  profile(userId: string): Promise<OwnProfile>;
  /** Makes every session and access token given so far worthless. @returns the new version */
  bumpTokenVersion(userId: string): Promise<number>;
  /** Makes the account with this address an admin. @returns whose it is, or null where there is none */
  promoteToAdmin(session: ClientSession, email: string): Promise<string | null>;
  /** Who these are, for lists and chat; unknown ids are left out. */
  summaries(userIds: readonly string[]): Promise<Map<string, UserSummary>>;
  preferences(userIds: readonly string[]): Promise<Map<string, Preferences>>;
  /** For those of these who have any: everyone with whom a match or an invitation is barred, blocked by them or blocking them. */
  blocks(userIds: readonly string[]): Promise<Map<string, ReadonlySet<string>>>;
  /** Which of these the viewer may see online: not those with a block between, and private ones only as a friend. */
  visibleTo(viewerId: string, userIds: readonly string[]): Promise<ReadonlySet<string>>;
  standing: Standing;
}

export interface NewAccount {
  email: string;
  emailVerified?: boolean;
  username: string;
  /** Null: signs in by others only. */
  passwordHash: string | null;
  displayName?: string | undefined;
}

/** Left for a while, on the way out, or being erased at this moment. */
export type Closing = 'deactivated' | 'deletion' | 'erasing';

/** Somebody, by everything that could be a trace of them. */
export interface Person {
  userId: string;
  email: string;
  username: string;
}

export interface Account {
  userId: string;
  email: string;
  emailVerified: boolean;
  username: string;
  role: 'player' | 'moderator' | 'admin';
  /** At this moment: a suspension that is over has ended by itself. */
  status: 'active' | 'suspended' | 'banned';
  /** Why, and until when (null: for good), the account is suspended or banned; null where it is active. */
  bar: Bar | null;
  closing: Closing | null;
  /** A session of another version is over. */
  tokenVersion: number;
}

export interface Bar {
  reason: string;
  until: string | null;
}

export interface Credentials extends Account {
  passwordHash: string | null;
}

export interface Recipient {
  userId: string;
  address: string;
  name: string;
  languages: string[];
}

/** What moderators and admins see of accounts, and may change about them. Writes belong to the caller's transaction. */
export interface Standing {
  /** By the beginning of a name, or by a whole address; newest first. Everybody, however they show themselves to others. */
  search(wanted: FileSearch): Promise<Page<UserFile>>;
  file(userId: string): Promise<UserFile | null>;
  /**
   * Suspends or bans somebody of one of these roles, and makes every session worthless in the same write.
   * @param until null: for good @returns the new token version, or null where there is nobody of these roles
   */
  bar(session: ClientSession, userId: string, bar: NewBar, roles: readonly Role[]): Promise<number | null>;
  /** @returns false where there is nobody of these roles who is suspended or banned */
  reinstate(session: ClientSession, userId: string, roles: readonly Role[]): Promise<boolean>;
  /** @returns false where the role is no longer `from` */
  setRole(session: ClientSession, userId: string, from: Role, to: Role): Promise<boolean>;
  /** @returns the sum after it, or null where there is no such account */
  addKarma(session: ClientSession, userId: string, value: number): Promise<number | null>;
}

export type Role = Account['role'];

export interface NewBar {
  status: Exclude<Account['status'], 'active'>;
  reason: string;
  until: Date | null;
}

export interface FileSearch {
  query?: string | undefined;
  status?: Account['status'] | undefined;
  role?: Role | undefined;
  limit: number;
  cursor?: string | undefined;
}

export interface UserFile extends UserSummary, Pick<Account, 'email' | 'role' | 'status' | 'bar'> {
  karma: number;
  createdAt: string;
}

export interface UserSummary {
  userId: string;
  username: string;
  displayName: string;
  avatarUrl: string | null;
}

export interface Preferences {
  competitiveness: 'casual' | 'balanced' | 'competitive';
  regions: string[];
  languages: string[];
  preferredGames: string[];
}

/** Facts that the users module announces. */
export interface UserEvents extends Record<string, object> {
  'user.friendRequested': { fromId: string; fromUsername: string; toId: string };
  'user.friendAccepted': { byId: string; byUsername: string; toId: string };
  /** Deactivated or on the way out: not to be matched or waited for any more. */
  'user.closed': { userId: string };
  /** Suspended or banned. */
  'user.barred': { userId: string };
  'user.warned': { userId: string; reason: string };
}
