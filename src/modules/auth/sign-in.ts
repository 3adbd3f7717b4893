import { createHash } from 'node:crypto';
import { Types } from 'mongoose';
import type { Clock } from '../../core/clock';
import { AppError } from '../../core/errors';
import type { Ids } from '../../core/ids';
import { requireGoodStanding, type Account, type UsersApi } from '../users';
import type { AccessTokens } from './access-tokens';
import type { SignedIn, Tokens } from './auth.schemas';
import type { ChallengeRow, createChallengeModel } from './second-factor/second-factor.models';
import type { ChallengeView } from './second-factor/second-factor.schemas';
import type { SecondFactor } from './second-factor/second-factor.service';
import type { Device, Opened, SessionsService } from './sessions.service';

/** The last steps of every way to sign in: the second factor where there is one, and the session. */
export interface SignIn {
  /**
   * For somebody who has shown the first factor. Brings a closed account back.
   * @returns null where the account is being erased @throws ACCOUNT_SUSPENDED, ACCOUNT_BANNED: its owner may know
   */
  enter(account: Account, device: Device): Promise<SignedIn | ChallengeView | null>;
  /** @throws CHALLENGE_EXPIRED, BAD_CODE, RATE_LIMITED */
  answer(challenge: string, code: string, device: Device): Promise<SignedIn>;
  /** For a new account: there is nothing to ask for. */
  open(account: Account, device: Device): Promise<SignedIn>;
  tokensOf(userId: string, opened: Opened): Tokens;
}

export interface SignInDeps {
  Challenges: ReturnType<typeof createChallengeModel>;
  users: UsersApi;
  sessions: SessionsService;
  secondFactor: SecondFactor;
  accessTokens: AccessTokens;
  clock: Clock;
  ids: Ids;
}

const CHALLENGE_BYTES = 32;
const CHALLENGE_SECONDS = 600;
const hashOf = (challenge: string) => createHash('sha256').update(challenge).digest('base64url');

export function createSignIn(deps: SignInDeps): SignIn {
  const { Challenges, users, sessions, secondFactor, accessTokens, clock, ids } = deps;

  const tokensOf = (userId: string, { sessionId, refreshToken }: Opened): Tokens => ({
    accessToken: accessTokens.issue({ userId, sessionId }),
    refreshToken,
  });

  /** @returns false where the account may not be entered */
  const mayEnter = async ({ userId, status, closing }: Account): Promise<boolean> =>
    status === 'active' && (closing === null || users.reopen(userId));

  const open = async (account: Account, device: Device, withSecondFactor = false): Promise<SignedIn> => {
    const opened = await sessions.open(account, device, withSecondFactor);
    return { user: await users.profile(account.userId), ...tokensOf(account.userId, opened) };
  };

  const challenge = async ({ userId, tokenVersion }: Account): Promise<ChallengeView> => {
    const token = ids.secret(CHALLENGE_BYTES);
    const row: ChallengeRow = {
      _id: hashOf(token),
      userId: new Types.ObjectId(userId),
      tokenVersion,
      expiresAt: new Date(clock.now() + CHALLENGE_SECONDS * 1000),
    };
    await Challenges.create([row]);
    return { challenge: token, expiresInSeconds: CHALLENGE_SECONDS };
  };

  return {
    async enter(account, device) {
      requireGoodStanding(account);
      // a closed account comes back when everything has been shown, not before
      if (await secondFactor.isOn(account.userId)) return challenge(account);
      return (await mayEnter(account)) ? open(account, device) : null;
    },

    async answer(token, code, device) {
      const good = { _id: hashOf(token), expiresAt: { $gt: new Date(clock.now()) } };
      const row = await Challenges.findOne(good).lean<ChallengeRow>();
      const account = row && (await users.account(row.userId.toHexString()));
      if (!account || account.tokenVersion !== row.tokenVersion) throw challengeExpired();
      await secondFactor.check(account.userId, code);
      const { deletedCount } = await Challenges.deleteOne(good);
      if (deletedCount !== 1 || !(await mayEnter(account))) throw challengeExpired();
      return open(account, device, true);
    },

    open: (account, device) => open(account, device),
    tokensOf,
  };
}

const challengeExpired = () =>
  new AppError('CHALLENGE_EXPIRED', 'It took too long, or was done already: log in again.');
