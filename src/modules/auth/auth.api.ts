import type { Identity } from '../../http/route';
import type { Owner } from './password-rules';

/** What the server's edges and the accounts module may ask of the auth module. */
export interface AuthApi {
  /** Who holds this access token. @throws UNAUTHENTICATED, TOKEN_EXPIRED, ACCOUNT_SUSPENDED, ACCOUNT_BANNED */
  authenticate(token: string): Promise<Identity>;
  /** Which of these sessions are over, by id; past the rounds that requests wait for. */
  overOf(players: readonly Pick<Identity, 'userId' | 'sessionId'>[]): Promise<ReadonlySet<string>>;
  /**
   * That it is the owner who asks, before something that cannot be taken back: by the password, or where the account has none
   * by a session that has just begun. @throws BAD_CREDENTIALS, REAUTHENTICATE
   */
  reauthenticate(player: Identity, password: string | undefined): Promise<void>;
  /** @throws VALIDATION_FAILED where the password is a name of its owner or of this place; `path` says where it was sent */
  hashPassword(password: string, owner: Owner, path: string): Promise<string>;
  /** Ends the sessions of an account whose token version has risen to this, and closes their sockets. */
  endOutdated(userId: string, tokenVersion: number, reason: string): Promise<void>;
}
