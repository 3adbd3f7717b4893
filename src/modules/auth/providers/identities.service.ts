import { Types, type ClientSession } from 'mongoose';
import type { Clock } from '../../../core/clock';
import { AppError, notFound } from '../../../core/errors';
import { isDuplicateKey, type Transact } from '../../../database/transaction';
import type { PostOffice } from '../../../mail/post-office';
import type { UsersApi } from '../../users';
import type { Claimed, ProviderClients } from './provider-clients';
import type { createIdentityModel, IdentityRow } from './providers.models';
import type { IdentitiesView } from './providers.schemas';

/** Which accounts elsewhere log in to which of ours. An address never links anything: only who has both accounts does. */
export interface Identities {
  list(userId: string): Promise<IdentitiesView>;
  /** Whose this identity is. */
  ownerOf(provider: string, subject: string): Promise<string | null>;
  /** @throws CONFLICT where it is somebody's, or its owner has another one of the provider */
  link(session: ClientSession, userId: string, provider: string, claimed: Claimed): Promise<void>;
  /** Links, and tells the owner by mail. @throws CONFLICT */
  linkAndTell(userId: string, provider: string, claimed: Claimed): Promise<void>;
  /** @throws NOT_FOUND, CONFLICT where nothing else is left to log in by */
  unlink(userId: string, provider: string): Promise<void>;
}

export interface IdentitiesDeps {
  IdentityRows: ReturnType<typeof createIdentityModel>;
  clients: Pick<ProviderClients, 'nameOf'>;
  users: Pick<UsersApi, 'hold' | 'recipient'>;
  mail: PostOffice;
  transact: Transact;
  clock: Clock;
}

const idOf = (provider: string, subject: string) => `${provider}:${subject}`;

export function createIdentities(deps: IdentitiesDeps): Identities {
  const { IdentityRows, clients, users, mail, transact, clock } = deps;

  const link: Identities['link'] = async (session, userId, provider, { subject, email }) => {
    const row: IdentityRow = {
      _id: idOf(provider, subject),
      userId: new Types.ObjectId(userId),
      provider,
      email,
      linkedAt: new Date(clock.now()),
    };
    try {
      await IdentityRows.create([row], { session });
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      throw new AppError('CONFLICT', isDuplicateKey(error, 'userId') ? ANOTHER : TAKEN);
    }
  };

  return {
    async list(userId) {
      const rows = await IdentityRows.find({ userId }).sort({ provider: 1 }).lean<IdentityRow[]>();
      return {
        items: rows.map(({ provider, email, linkedAt }) => ({
          provider,
          name: clients.nameOf(provider),
          email,
          linkedAt: linkedAt.toISOString(),
        })),
      };
    },

    async ownerOf(provider, subject) {
      const row = await IdentityRows.findById(idOf(provider, subject)).lean<IdentityRow>();
      return row?.userId.toHexString() ?? null;
    },

    link,

    async linkAndTell(userId, provider, claimed) {
      const recipient = await users.recipient(userId);
      if (!recipient) throw notFound('player');
      await transact(async (session) => {
        await link(session, userId, provider, claimed);
        const values = { provider: clients.nameOf(provider) };
        await mail.post(session, recipient, { kind: 'signInAdded', values });
      });
      mail.wake();
    },

    async unlink(userId, provider) {
      await transact(async (session) => {
        // two at once exclude each other here: neither leaves the other one the last
        const { passwordHash } = await users.hold(session, userId);
        const { deletedCount } = await IdentityRows.deleteOne({ userId, provider }, { session });
        if (deletedCount === 0) throw notFound('link to this provider');
        const left = await IdentityRows.countDocuments({ userId }, { session });
        if (left === 0 && passwordHash === null)
          throw new AppError('CONFLICT', 'It is the only way to log in: choose a password by "reset password" first.');
      });
    },
  };
}

const TAKEN = 'This account there belongs to somebody here already.';
const ANOTHER = 'You have linked an account of this provider already: unlink that one first.';
