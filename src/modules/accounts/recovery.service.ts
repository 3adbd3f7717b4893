import { AppError } from '../../core/errors';
import type { Transact } from '../../database/transaction';
import type { Identity } from '../../http/route';
import type { PostOffice, Purpose } from '../../mail/post-office';
import type { AuthApi } from '../auth';
import type { UsersApi } from '../users';
import { linkExpired, type Links } from './links.service';
import type { EmailChange, Reset } from './accounts.schemas';

/** What is done by links in mails: showing that an address is one's own, getting back in, and moving to another address. */
export interface Recovery {
  /** Mails the link once more; nothing where the address is verified already. */
  resendVerification(player: Identity): Promise<void>;
  /** @throws LINK_EXPIRED */
  verifyEmail(token: string): Promise<void>;
  /** Does the same whether or not there is an account: whether there is one is looked up when the mail is sent. */
  forgotPassword(email: string): Promise<void>;
  /** Sets the password and ends all sessions. @throws LINK_EXPIRED, VALIDATION_FAILED */
  resetPassword(reset: Reset): Promise<void>;
  /** Mails a link to the new address. @throws BAD_CREDENTIALS, REAUTHENTICATE, EMAIL_TAKEN */
  requestEmail(player: Identity, change: EmailChange): Promise<void>;
  /** @throws LINK_EXPIRED, EMAIL_TAKEN */
  changeEmail(token: string): Promise<void>;
}

export interface RecoveryDeps {
  links: Links;
  users: UsersApi;
  auth: Pick<AuthApi, 'reauthenticate' | 'hashPassword' | 'endOutdated'>;
  mail: PostOffice;
  transact: Transact;
}

export function createRecovery({ links, users, auth, mail, transact }: RecoveryDeps): Recovery {
  const wish = async (purpose: Purpose, address: string, userId: string | null) => {
    await transact((session) => mail.wish(session, { purpose, address, userId }));
    mail.wake();
  };

  const accountOf = async (userId: string) => {
    const account = await users.account(userId);
    if (!account || account.closing === 'erasing') throw linkExpired();
    return account;
  };

  const recipientOf = async (userId: string) => {
    const recipient = await users.recipient(userId);
    if (!recipient) throw linkExpired();
    return recipient;
  };

  return {
    async resendVerification({ userId }) {
      const account = await users.account(userId);
      if (account && !account.emailVerified) await wish('verifyEmail', account.email, userId);
    },

    async verifyEmail(token) {
      await transact(async (session) => {
        const { userId, address } = await links.redeem(session, 'verifyEmail', token);
        if (!(await users.confirmEmail(session, userId, address))) throw linkExpired();
      });
    },

    forgotPassword: (email) => wish('resetPassword', email, null),

    async resetPassword({ token, newPassword }) {
      // looked at first: a password that is refused leaves the link good
      const { userId } = await links.peek('resetPassword', token);
      const to = await auth.hashPassword(newPassword, await accountOf(userId), 'body.newPassword');
      const version = await transact(async (session) => {
        const { address } = await links.redeem(session, 'resetPassword', token);
        const next = await users.changePassword(session, userId, { to });
        if (next === null) throw linkExpired();
        await users.confirmEmail(session, userId, address);
        await mail.post(session, await recipientOf(userId), { kind: 'passwordChanged', values: {} });
        return next;
      });
      mail.wake();
      await auth.endOutdated(userId, version, 'the password was reset');
    },

    async requestEmail(player, { email, password }) {
      await auth.reauthenticate(player, password);
      if (await users.findForLogin(email))
        throw new AppError('EMAIL_TAKEN', 'There is an account with this address: use another one.');
      await wish('changeEmail', email, player.userId);
    },

    async changeEmail(token) {
      const before = await recipientOf((await links.peek('changeEmail', token)).userId);
      await transact(async (session) => {
        const { userId, address } = await links.redeem(session, 'changeEmail', token);
        if (!(await users.changeEmail(session, userId, before.address, address))) throw linkExpired();
        // what was mailed to the old address opens nothing any more
        await links.revoke(session, userId, 'resetPassword');
        await links.revoke(session, userId, 'verifyEmail');
        await mail.post(session, before, { kind: 'emailChanged', values: { newAddress: address } });
      });
      mail.wake();
    },
  };
}
