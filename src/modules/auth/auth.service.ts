import type { Clock } from '../../core/clock';
import type { Page } from '../../core/cursor';
import { AppError, notFound } from '../../core/errors';
import type { Transact } from '../../database/transaction';
import type { Identity } from '../../http/route';
import type { PostOffice } from '../../mail/post-office';
import { requireGoodStanding, type Account, type UsersApi } from '../users';
import type { AccessTokens } from './access-tokens';
import type { AuthApi } from './auth.api';
import type { Login, PasswordChange, Registration, SessionView, SignedIn, Tokens } from './auth.schemas';
import { isAName } from './password-rules';
import type { Passwords } from './passwords';
import type { ChallengeView } from './second-factor/second-factor.schemas';
import type { SecondFactor } from './second-factor/second-factor.service';
import { badToken, type Device, type SessionsService } from './sessions.service';
import type { SignIn } from './sign-in';

/** Registering, logging in and out, and who holds an access token. */
export interface AuthService extends AuthApi {
  /** The address is mailed a link to confirm it by. @throws EMAIL_TAKEN, USERNAME_TAKEN, VALIDATION_FAILED */
  register(registration: Registration, device: Device): Promise<SignedIn>;
  /**
   * Tells nobody whether the account is unknown, or the password wrong; its owner is told where it is suspended or banned.
   * @throws BAD_CREDENTIALS, ACCOUNT_SUSPENDED, ACCOUNT_BANNED
   */
  login(login: Login, device: Device): Promise<SignedIn | ChallengeView>;
  /** @throws BAD_REFRESH_TOKEN, ACCOUNT_SUSPENDED, ACCOUNT_BANNED */
  refresh(refreshToken: string, device: Device): Promise<Tokens>;
  logout(player: Identity): Promise<void>;
  logoutAll(player: Identity): Promise<void>;
  sessions(player: Identity, wanted: { limit: number; cursor?: string | undefined }): Promise<Page<SessionView>>;
  /** @throws NOT_FOUND */
  endSession(player: Identity, sessionId: string): Promise<void>;
  /** Ends all sessions but the one that asks. @throws BAD_CREDENTIALS, CONFLICT */
  changePassword(player: Identity, change: PasswordChange): Promise<void>;
}

export interface AuthServiceDeps {
  users: UsersApi;
  sessions: SessionsService;
  passwords: Passwords;
  accessTokens: AccessTokens;
  signIn: SignIn;
  secondFactor: Pick<SecondFactor, 'isRequiredOf'>;
  mail: PostOffice;
  transact: Transact;
  clock: Clock;
  siteName: string;
}

/** How long somebody without a password counts as just having shown who they are. */
const RECENT_MS = 10 * 60_000;

export function createAuthService(deps: AuthServiceDeps): AuthService {
  const { users, sessions, passwords, accessTokens, signIn, secondFactor, mail, transact, clock, siteName } = deps;

  const accountOf = async (userId: string): Promise<Account> => {
    const account = await users.account(userId);
    if (!account) throw sessionOver();
    return account;
  };

  const hashPassword: AuthApi['hashPassword'] = async (password, owner, path) => {
    if (isAName(password, owner, siteName))
      throw new AppError('VALIDATION_FAILED', 'The password is a name: choose another one.', {
        errors: [{ path, message: `must not be your name or address, nor that of ${siteName}` }],
      });
    return passwords.hash(password);
  };

  return {
    async register({ password, ...wanted }, device) {
      const passwordHash = await hashPassword(password, wanted, 'body.password');
      const account = await transact(async (session) => {
        const made = await users.create(session, { ...wanted, passwordHash });
        await mail.wish(session, { purpose: 'verifyEmail', address: made.email, userId: made.userId });
        return made;
      });
      mail.wake();
      return signIn.open(account, device);
    },

    async login({ identifier, password }, device) {
      const account = await users.findForLogin(identifier);
      const matches = await passwords.matches(password, account?.passwordHash ?? null);
      // only whoever knows the password learns that the account is suspended or banned
      const answer = account && matches ? await signIn.enter(account, device) : null;
      if (!account?.passwordHash || !answer)
        throw new AppError('BAD_CREDENTIALS', 'There is no account with this name or address and this password.');
      if (passwords.isOutdated(account.passwordHash))
        await users.rehash(account.userId, account.passwordHash, await passwords.hash(password));
      return answer;
    },

    async refresh(refreshToken, device) {
      const owner = await sessions.ownerOf(refreshToken);
      const account = owner === null ? null : await users.account(owner);
      // before the token is used up: a suspension may end while it is still good
      if (account) requireGoodStanding(account);
      const { userId, tokenVersion, ...opened } = await sessions.rotate(refreshToken, device);
      const now = await users.account(userId);
      if (now?.status !== 'active' || now.tokenVersion !== tokenVersion) throw badToken();
      return signIn.tokensOf(userId, opened);
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
      const [credentials, recipient] = await Promise.all([users.credentials(userId), users.recipient(userId)]);
      const from = credentials?.passwordHash ?? null;
      const matches = await passwords.matches(currentPassword, from);
      if (!credentials || !recipient || !matches)
        throw new AppError('BAD_CREDENTIALS', 'The current password is wrong.');
      const to = await hashPassword(newPassword, credentials, 'body.newPassword');
      const version = await transact(async (session) => {
        const next = await users.changePassword(session, userId, { from, to });
        if (next === null) throw new AppError('CONFLICT', 'The password was changed at the same moment: try again.');
        await sessions.carryOver(session, sessionId, next);
        await mail.post(session, recipient, { kind: 'passwordChanged', values: {} });
        return next;
      });
      mail.wake();
      await sessions.endOutdated(userId, version, 'the password was changed');
    },

    async overOf(players) {
      const [accounts, live] = await Promise.all([
        users.accounts(players.map(({ userId }) => userId)),
        sessions.liveOf(players.map(({ sessionId }) => sessionId)),
      ]);
      const isOver = ({ userId, sessionId }: (typeof players)[number]) => {
        const account = accounts.get(userId);
        return account?.status !== 'active' || live.get(sessionId)?.tokenVersion !== account.tokenVersion;
      };
      return new Set(players.filter(isOver).map(({ sessionId }) => sessionId));
    },

    hashPassword,

    async reauthenticate({ userId, sessionId }, password) {
      const hash = (await users.credentials(userId))?.passwordHash ?? null;
      if (hash === null) {
        const begun = await sessions.begunAt(sessionId);
        if (begun !== null && clock.now() - begun < RECENT_MS) return;
        throw new AppError('REAUTHENTICATE', 'Log in again, and repeat this within ten minutes.');
      }
      if (password === undefined) throw new AppError('REAUTHENTICATE', 'Send your password.');
      if (!(await passwords.matches(password, hash))) throw new AppError('BAD_CREDENTIALS', 'The password is wrong.');
    },

    endOutdated: (userId, tokenVersion, reason) => sessions.endOutdated(userId, tokenVersion, reason),

    async authenticate(accessToken) {
      const { userId, sessionId } = accessTokens.verify(accessToken);
      const [account, session] = await Promise.all([users.account(userId), sessions.live(sessionId, userId)]);
      if (account) requireGoodStanding(account);
      if (!account || session?.tokenVersion !== account.tokenVersion) throw sessionOver();
      // rights that want a second factor are there once it was shown
      const full = session.secondFactor || !secondFactor.isRequiredOf(account);
      return { userId, username: account.username, role: full ? account.role : 'player', sessionId };
    },
  };
}

const sessionOver = () => new AppError('UNAUTHENTICATED', 'The session is over: log in again.');
