import type { Page } from '../../core/cursor';
import { AppError, notFound } from '../../core/errors';
import type { Identity } from '../../http/route';
import type { Account, UsersApi } from '../users';
import type { AccessTokens } from './access-tokens';
import type { Login, PasswordChange, Registration, SessionView, SignedIn, Tokens } from './auth.schemas';
import type { Passwords } from './passwords';
import { badToken, type Device, type Opened, type SessionsService } from './sessions.service';

/** Registering, logging in and out, and who holds an access token. */
export interface AuthService {
  /** @throws EMAIL_TAKEN, USERNAME_TAKEN */
  register(registration: Registration, device: Device): Promise<SignedIn>;
  /** Tells nobody whether the account is unknown, closed, or the password wrong. @throws BAD_CREDENTIALS */
  login(login: Login, device: Device): Promise<SignedIn>;
  /** @throws BAD_REFRESH_TOKEN */
  refresh(refreshToken: string, device: Device): Promise<Tokens>;
  logout(player: Identity): Promise<void>;
  logoutAll(player: Identity): Promise<void>;
  sessions(player: Identity, wanted: { limit: number; cursor?: string | undefined }): Promise<Page<SessionView>>;
  /** @throws NOT_FOUND */
  endSession(player: Identity, sessionId: string): Promise<void>;
  /** Ends all sessions but the one that asks. @throws BAD_CREDENTIALS, CONFLICT */
  changePassword(player: Identity, change: PasswordChange): Promise<void>;
  /** @throws UNAUTHENTICATED, TOKEN_EXPIRED, ACCOUNT_SUSPENDED */
  authenticate(accessToken: string): Promise<Identity>;
}

export interface AuthServiceDeps {
  users: UsersApi;
  sessions: SessionsService;
  passwords: Passwords;
  accessTokens: AccessTokens;
}

export function createAuthService({ users, sessions, passwords, accessTokens }: AuthServiceDeps): AuthService {
  const tokensOf = (userId: string, { sessionId, refreshToken }: Opened): Tokens => ({
    accessToken: accessTokens.issue({ userId, sessionId }),
    refreshToken,
  });

  const signIn = async (account: Account, device: Device): Promise<SignedIn> => {
    const opened = await sessions.open(account, device);
    return { user: await users.profile(account.userId), ...tokensOf(account.userId, opened) };
  };

  const accountOf = async (userId: string): Promise<Account> => {
    const account = await users.account(userId);
    if (!account) throw sessionOver();
    return account;
  };

  return {
    async register({ password, ...account }, device) {
      const passwordHash = await passwords.hash(password);
      return signIn(await users.create({ ...account, passwordHash }), device);
    },

    async login({ identifier, password }, device) {
      const account = await users.findForLogin(identifier);
      const matches = await passwords.matches(password, account?.passwordHash ?? null);
      if (!account || !matches || account.status !== 'active')
        throw new AppError('BAD_CREDENTIALS', 'There is no account with this name or address and this password.');
      if (passwords.isOutdated(account.passwordHash))
        await users.rehash(account.userId, account.passwordHash, await passwords.hash(password));
      return signIn(account, device);
    },

    async refresh(refreshToken, device) {
      const { userId, tokenVersion, ...opened } = await sessions.rotate(refreshToken, device);
      const account = await users.account(userId);
      if (account?.status !== 'active' || account.tokenVersion !== tokenVersion) throw badToken();
      return tokensOf(userId, opened);
    },

    async logout({ userId, sessionId }) {
      await sessions.end(userId, sessionId, 'logged out');
    },

    async logoutAll({ userId }) {
      const version = await users.bumpTokenVersion(userId);
      await sessions.endOutdated(userId, version, 'logged out everywhere');
    },

    sessions: async ({ userId, sessionId }, wanted) => sessions.list(await accountOf(userId), sessionId, wanted),

    async endSession({ userId }, sessionId) {
      if (!(await sessions.end(userId, sessionId, 'ended from another session'))) throw notFound('session');
    },

    async changePassword({ userId, sessionId }, { currentPassword, newPassword }) {
      const credentials = await users.credentials(userId);
      const matches = await passwords.matches(currentPassword, credentials?.passwordHash ?? null);
      if (!credentials || !matches) throw new AppError('BAD_CREDENTIALS', 'The current password is wrong.');
      const hash = await passwords.hash(newPassword);
      const version = await users.changePassword(userId, credentials.passwordHash, hash);
      if (version === null) throw new AppError('CONFLICT', 'The password was changed at the same moment: try again.');
      await sessions.carryOver(sessionId, version);
      await sessions.endOutdated(userId, version, 'the password was changed');
    },

    async authenticate(accessToken) {
      const { userId, sessionId } = accessTokens.verify(accessToken);
      const [account, version] = await Promise.all([users.account(userId), sessions.versionOf(sessionId, userId)]);
      if (account && account.status !== 'active')
        throw new AppError('ACCOUNT_SUSPENDED', `The account is ${account.status}.`);
      if (!account || version !== account.tokenVersion) throw sessionOver();
      return { userId, username: account.username, role: account.role, sessionId };
    },
  };
}

const sessionOver = () => new AppError('UNAUTHENTICATED', 'The session is over: log in again.');
