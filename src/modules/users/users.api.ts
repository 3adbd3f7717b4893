import type { OwnProfile } from './users.schemas';

/** What neighbours may ask of the users module. Ids are 24-hex strings. */
export interface UsersApi {
  /** @throws EMAIL_TAKEN, USERNAME_TAKEN (decided by the unique indexes) */
  create(account: {
    email: string;
    username: string;
    passwordHash: string;
    displayName?: string | undefined;
  }): Promise<Account>;
  /** By e-mail address or username, whatever the case. */
  findForLogin(identifier: string): Promise<Credentials | null>;
  credentials(userId: string): Promise<Credentials | null>;
  account(userId: string): Promise<Account | null>;
  /** Stores the same password hashed anew, unless it has changed since `from`. */
  rehash(userId: string, from: string, to: string): Promise<void>;
  /**
   * Puts a new password in the place of `from`, and makes every session so far worthless in the same write.
   * @returns the new token version, or null where the password is no longer `from`
   */
  changePassword(userId: string, from: string, to: string): Promise<number | null>;
  /** The own profile, as `GET /api/users/me` shows it. @throws NOT_FOUND */
  profile(userId: string): Promise<OwnProfile>;
  /** Makes every session and access token given so far worthless. @returns the new version */
  bumpTokenVersion(userId: string): Promise<number>;
  /** Makes the account with this address an admin. @returns false where there is none */
  promoteToAdmin(email: string): Promise<boolean>;
  /** Who these are, for lists and chat; unknown ids are left out. */
  summaries(userIds: readonly string[]): Promise<Map<string, UserSummary>>;
  preferences(userIds: readonly string[]): Promise<Map<string, Preferences>>;
  /** For each of these, everyone with whom a match or an invitation is barred: blocked by them, or blocking them. */
  blocks(userIds: readonly string[]): Promise<Map<string, ReadonlySet<string>>>;
}

export interface Account {
  userId: string;
  email: string;
  username: string;
  role: 'player' | 'moderator' | 'admin';
  status: 'active' | 'suspended' | 'banned';
  /** A session of another version is over. */
  tokenVersion: number;
}

export interface Credentials extends Account {
  passwordHash: string;
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
}
