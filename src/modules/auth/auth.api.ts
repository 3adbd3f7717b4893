import type { Identity } from '../../http/route';

/** What the server's edges may ask of the auth module. */
export interface AuthApi {
  /** Who holds this access token. @throws UNAUTHENTICATED, TOKEN_EXPIRED, ACCOUNT_SUSPENDED */
  authenticate(token: string): Promise<Identity>;
}
