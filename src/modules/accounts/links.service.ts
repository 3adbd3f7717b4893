import { createHash } from 'node:crypto';
import { Types, type ClientSession } from 'mongoose';
import type { Clock } from '../../core/clock';
import { AppError } from '../../core/errors';
import type { Ids } from '../../core/ids';
import type { Letter } from '../../mail/letters/letters';
import type { LinkWish, PostOffice, Purpose } from '../../mail/post-office';
import type { UsersApi } from '../users';
import type { LinkTokenModel, LinkTokenRow } from './accounts.models';

/**
 * Links in mails. Each holds a random token that is good once and not for long; here is only its hash. The token is made
 * when the mail is sent, so that it never waits anywhere, and stands behind the `#` of the address, which browsers send to
 * nobody. Whether an address has an account is looked up then, too: who asks for a link cannot tell by the answer's time.
 */
export interface Links {
  /** Makes the token that a wish is for, and mails it; does nothing where nobody is to get one. */
  fulfil(wish: LinkWish, id: string): Promise<void>;
  /** Uses the token up, and with it the other ones for the same purpose. @throws LINK_EXPIRED */
  redeem(session: ClientSession, purpose: Purpose, token: string): Promise<{ userId: string; address: string }>;
  /** Whose token it is, leaving it good. @throws LINK_EXPIRED */
  peek(purpose: Purpose, token: string): Promise<{ userId: string }>;
  /** Makes links to this account worthless. */
  revoke(session: ClientSession, userId: string, purpose: Purpose): Promise<void>;
}

export interface LinksDeps {
  LinkTokens: LinkTokenModel;
  users: Pick<UsersApi, 'findForLogin' | 'account' | 'recipient'>;
  mail: Pick<PostOffice, 'send'>;
  clock: Clock;
  ids: Ids;
  pageUrl: string;
}

const TOKEN_BYTES = 32;
const MINUTE_MS = 60_000;
const LIFE_MINUTES: Record<Purpose, number> = { verifyEmail: 48 * 60, resetPassword: 30, changeEmail: 24 * 60 };
/** Links of one purpose that one account gets in an hour: nobody's inbox is flooded by us. */
export const MAX_LINKS_PER_HOUR = 5;

// 256 random bits need neither salt nor key
const hashOf = (token: string) => createHash('sha256').update(token).digest('base64url');

export function createLinks({ LinkTokens, users, mail, clock, ids, pageUrl }: LinksDeps): Links {
  /** Who gets the letter, or nobody: the account is unknown, closed by others, or has moved on. */
  const readerOf = async ({ purpose, address, userId }: LinkWish): Promise<string | null> => {
    const account = userId === null ? await users.findForLogin(address) : await users.account(userId);
    if (account?.status !== 'active' || account.closing === 'erasing') return null;
    const moot = purpose === 'verifyEmail' && (account.emailVerified || account.email !== address);
    return moot ? null : account.userId;
  };

  const letter = (purpose: Purpose, token: string): Letter => {
    const link = `${pageUrl}#${purpose}=${token}`;
    const minutes = LIFE_MINUTES[purpose];
    return purpose === 'resetPassword'
      ? { kind: purpose, values: { link, minutes } }
      : { kind: purpose, values: { link, hours: minutes / 60 } };
  };

  const good = (purpose: Purpose, token: string) => ({
    _id: hashOf(token),
    purpose,
    expiresAt: { $gt: new Date(clock.now()) },
  });

  return {
    async fulfil(wish, id) {
      const userId = await readerOf(wish);
      const recipient = userId === null ? null : await users.recipient(userId);
      if (!recipient) return;
      const { purpose } = wish;
      // to the address of the account, however the wish spells it
      const address = purpose === 'changeEmail' ? wish.address : recipient.address;
      const at = clock.now();
      const recent = { userId, purpose, createdAt: { $gt: new Date(at - 60 * MINUTE_MS) } };
      if ((await LinkTokens.countDocuments(recent)) >= MAX_LINKS_PER_HOUR) return;
      const token = ids.secret(TOKEN_BYTES);
      const row: LinkTokenRow = {
        _id: hashOf(token),
        userId: new Types.ObjectId(recipient.userId),
        purpose,
        address,
        createdAt: new Date(at),
        expiresAt: new Date(at + LIFE_MINUTES[purpose] * MINUTE_MS),
      };
      await LinkTokens.create([row]);
      try {
        await mail.send(id, { ...recipient, address }, letter(purpose, token));
      } catch (error) {
        await LinkTokens.deleteOne({ _id: row._id });
        throw error;
      }
    },

    async peek(purpose, token) {
      const row = await LinkTokens.findOne(good(purpose, token)).lean<LinkTokenRow>();
      if (!row) throw linkExpired();
      return { userId: row.userId.toHexString() };
    },

    async redeem(session, purpose, token) {
      const row = await LinkTokens.findOneAndDelete(good(purpose, token), { session }).lean<LinkTokenRow>();
      if (!row) throw linkExpired();
      await LinkTokens.deleteMany({ userId: row.userId, purpose }, { session });
      return { userId: row.userId.toHexString(), address: row.address };
    },

    async revoke(session, userId, purpose) {
      await LinkTokens.deleteMany({ userId, purpose }, { session });
    },
  };
}

export const linkExpired = () =>
  new AppError('LINK_EXPIRED', 'The link was used, has expired or was never given: ask for a new one.');
