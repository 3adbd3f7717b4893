import { createHash } from 'node:crypto';
import { Types } from 'mongoose';
import type { Clock } from '../../../core/clock';
import { AppError } from '../../../core/errors';
import type { Ids } from '../../../core/ids';
import type { Logger } from '../../../core/logger';
import { createSealer, type SealingSecrets } from '../../../core/sealing';
import type { Transact } from '../../../database/transaction';
import type { PostOffice } from '../../../mail/post-office';
import type { Account, UsersApi } from '../../users';
import type { SignedIn } from '../auth.schemas';
import type { ChallengeView } from '../second-factor/second-factor.schemas';
import type { Device } from '../sessions.service';
import type { SignIn } from '../sign-in';
import type { Identities } from './identities.service';
import { ProviderRefused, type Claimed, type ProviderClients } from './provider-clients';
import type { AttemptRow, createAttemptModel } from './providers.models';
import type { Exchange, RedirectView, Start, StartedView } from './providers.schemas';

/**
 * Signing in by others, for apps and web pages alike, without a cookie:
 *
 *   1. The app makes a secret (`codeVerifier`), sends its hash, and opens the address that it gets in the browser.
 *   2. The provider sends the browser back here with its own code. State, PKCE and nonce are checked, and the browser goes on
 *      to the app's address with a code of ours, good once and for a few minutes.
 *   3. The app sends that code with its secret, and gets tokens like those of a password (or is asked for a second factor).
 *
 * So a code that somebody else catches is worth nothing, and whoever is sent through a sign-in that another one has begun
 * ends up signed in nowhere. Linking goes the same way and is done in the third step, for the player who began it.
 */
export interface ProviderSignIn {
  /** @param linkTo who wants to link; null: somebody who wants to sign in @throws NOT_FOUND, VALIDATION_FAILED, UNAVAILABLE */
  start(provider: string, wanted: Start, linkTo: string | null): Promise<StartedView>;
  /** @throws LINK_EXPIRED where nobody waits for this answer */
  callback(provider: string, answer: Record<string, string>): Promise<RedirectView>;
  /** @throws LINK_EXPIRED, BAD_CREDENTIALS, REGISTRATION_NEEDED, EMAIL_TAKEN, USERNAME_TAKEN */
  exchange(exchange: Exchange, device: Device): Promise<SignedIn | ChallengeView>;
  /** @throws LINK_EXPIRED, CONFLICT */
  finishLink(userId: string, exchange: Pick<Exchange, 'code' | 'codeVerifier'>): Promise<void>;
}

export interface ProviderSignInDeps {
  Attempts: ReturnType<typeof createAttemptModel>;
  clients: ProviderClients;
  identities: Identities;
  signIn: SignIn;
  users: UsersApi;
  mail: PostOffice;
  transact: Transact;
  clock: Clock;
  ids: Ids;
  logger: Logger;
  config: { dataSecrets: SealingSecrets; appRedirects: readonly string[] };
}

const CODE_BYTES = 32;
/** Time to sign in there, and then to choose a name here. */
const ATTEMPT_MS = 15 * 60_000;

const hashOf = (text: string) => createHash('sha256').update(text).digest('base64url');

export function createProviderSignIn(deps: ProviderSignInDeps): ProviderSignIn {
  const { Attempts, clients, identities, signIn, users, mail, transact, clock, ids, logger, config } = deps;
  const sealer = createSealer(config.dataSecrets, 'sign-in attempts');
  const alive = () => ({ expiresAt: { $gt: new Date(clock.now()) } });

  /** Whom the provider vouches for, as the app that began it may ask. */
  const claimedOf = async ({ code, codeVerifier }: Pick<Exchange, 'code' | 'codeVerifier'>) => {
    const mine = { codeHash: hashOf(code), appChallenge: hashOf(codeVerifier), answered: true, ...alive() };
    const row = await Attempts.findOne(mine).lean<AttemptRow>();
    if (!row?.claimed) throw codeExpired();
    return { ...row, claimed: row.claimed };
  };

  /** Uses the code up. @throws LINK_EXPIRED where somebody else did */
  const use = async ({ _id }: AttemptRow, session?: Parameters<Parameters<Transact>[0]>[0]) => {
    const { deletedCount } = await Attempts.deleteOne({ _id }, session ? { session } : {});
    if (deletedCount !== 1) throw codeExpired();
  };

  const register = async (
    attempt: AttemptRow & { claimed: Claimed },
    { username, email }: Exchange,
  ): Promise<Account> => {
    const { claimed, provider } = attempt;
    const address = claimed.email ?? email;
    if (username === undefined || address === undefined)
      throw new AppError('REGISTRATION_NEEDED', 'There is no account yet: send what is missing with the same code.', {
        errors: [
          ...(username === undefined ? [{ path: 'body.username', message: 'choose one' }] : []),
          ...(address === undefined ? [{ path: 'body.email', message: 'the provider names none' }] : []),
        ],
      });
    const account = await transact(async (session) => {
      const made = await users.create(session, {
        email: address,
        emailVerified: claimed.emailVerified,
        username,
        passwordHash: null,
      });
      await identities.link(session, made.userId, provider, claimed);
      if (!claimed.emailVerified) await mail.wish(session, { purpose: 'verifyEmail', address, userId: made.userId });
      await use(attempt, session);
      return made;
    });
    mail.wake();
    return account;
  };

  const toApp = ({ redirectUri, appState }: AttemptRow, parameter: Record<string, string>): RedirectView => {
    const url = new URL(redirectUri);
    const all = appState === null ? parameter : { ...parameter, state: appState };
    for (const [name, value] of Object.entries(all)) url.searchParams.set(name, value);
    return { location: url.href };
  };

  return {
    async start(provider, { redirectUri, codeChallenge, state: appState }, linkTo) {
      if (!config.appRedirects.includes(redirectUri))
        throw new AppError('VALIDATION_FAILED', 'No app of this server is at that address.', {
          errors: [{ path: 'body.redirectUri', message: 'must be exactly one of SIGN_IN_REDIRECTS' }],
        });
      const { url, state, nonce, verifier } = await clients.begin(provider);
      const row: AttemptRow = {
        _id: hashOf(state),
        provider,
        nonce,
        verifier: sealer.seal(verifier, state),
        redirectUri,
        appState: appState ?? null,
        appChallenge: codeChallenge,
        linkTo: linkTo === null ? null : new Types.ObjectId(linkTo),
        answered: false,
        codeHash: null,
        claimed: null,
        expiresAt: new Date(clock.now() + ATTEMPT_MS),
      };
      await Attempts.create([row]);
      return { authorizationUrl: url };
    },

    async callback(provider, answer) {
      const state = answer['state'] ?? '';
      const waiting = { _id: hashOf(state), provider, answered: false, ...alive() };
      const attempt = await Attempts.findOneAndUpdate(waiting, { $set: { answered: true } }).lean<AttemptRow>();
      if (!attempt) throw codeExpired();
      try {
        const verifier = sealer.open(attempt.verifier, state);
        const claimed = await clients.finish(provider, answer, { state, nonce: attempt.nonce, verifier });
        const code = ids.secret(CODE_BYTES);
        await Attempts.updateOne({ _id: attempt._id }, { $set: { claimed, codeHash: hashOf(code) } });
        return toApp(attempt, { code });
      } catch (err) {
        if (!(err instanceof ProviderRefused) && !(err instanceof AppError)) throw err;
        const denied = answer['error'] === 'access_denied';
        if (!denied) logger.warn({ err, provider }, 'a sign-in by a provider failed');
        await Attempts.deleteOne({ _id: attempt._id });
        return toApp(attempt, { error: denied ? 'access_denied' : 'sign_in_failed' });
      }
    },

    async exchange(exchange, device) {
      const attempt = await claimedOf(exchange);
      if (attempt.linkTo) throw codeExpired();
      const owner = await identities.ownerOf(attempt.provider, attempt.claimed.subject);
      if (owner === null) return signIn.open(await register(attempt, exchange), device);
      await use(attempt);
      const account = await users.account(owner);
      const answer = account && (await signIn.enter(account, device));
      if (!answer) throw new AppError('BAD_CREDENTIALS', 'This account cannot be logged in to.');
      return answer;
    },

    async finishLink(userId, exchange) {
      const attempt = await claimedOf(exchange);
      if (attempt.linkTo?.toHexString() !== userId) throw codeExpired();
      await use(attempt);
      await identities.linkAndTell(userId, attempt.provider, attempt.claimed);
    },
  };
}

const codeExpired = () =>
  new AppError(
    'LINK_EXPIRED',
    'The sign-in took too long, was finished already, or belongs to another app: begin again.',
  );
