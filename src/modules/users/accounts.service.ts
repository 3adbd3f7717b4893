import { Types } from 'mongoose';
import type { Clock } from '../../core/clock';
import { AppError, notFound } from '../../core/errors';
import type { Ids } from '../../core/ids';
import { inRounds } from '../../core/rounds';
import { searchKeys } from '../../core/search-text';
import { isDuplicateKey } from '../../database/transaction';
import type { Account, Credentials, UsersApi } from './users.api';
import { CASE_INSENSITIVE, toAccount, toSummary, type UserModel, type UserRow } from './users.models';

/** Accounts for the neighbours: who there is, by what they log in, and what matchmaking has to know of them. */
export type Accounts = Omit<UsersApi, 'profile' | 'blocks'>;

export interface AccountsDeps {
  Users: UserModel;
  clock: Clock;
  ids: Ids;
}

/** What follows from the names; the name to log in with comes first in lists. */
export const nameFields = (username: string, displayName: string) => ({
  sortName: username.toLowerCase(),
  searchKeys: searchKeys([username, displayName]),
});

export function createAccounts({ Users, clock, ids }: AccountsDeps): Accounts {
  const manyBy = async <Item>(
    userIds: readonly string[],
    fields: Record<string, 1>,
    show: (row: UserRow) => Item,
  ): Promise<Map<string, Item>> => {
    if (userIds.length === 0) return new Map();
    const rows = await Users.find({ _id: { $in: [...new Set(userIds)] } }, fields).lean<UserRow[]>();
    return new Map(rows.map((row) => [row._id.toHexString(), show(row)]));
  };

  /** Asked for by every request. */
  const account = inRounds<string, Account | null>(async (userIds) => {
    const known = await manyBy(userIds, ACCOUNT_FIELDS, toAccount);
    return userIds.map((userId) => known.get(userId) ?? null);
  });

  return {
    async create({ email, username, passwordHash, displayName = username }) {
      const row = newRow({ email, username, passwordHash, displayName }, ids.id(), new Date(clock.now()));
      try {
        await Users.create([row]);
        return toAccount(row);
      } catch (error) {
        if (isDuplicateKey(error, 'email'))
          throw new AppError('EMAIL_TAKEN', 'There is an account with this address: log in, or use another one.');
        if (isDuplicateKey(error, 'username'))
          throw new AppError('USERNAME_TAKEN', 'Somebody has this username: choose another one.');
        throw error;
      }
    },

    // a username holds no @, an address always does
    async findForLogin(identifier) {
      const filter = identifier.includes('@') ? { email: identifier } : { username: identifier };
      const row = await Users.findOne(filter, CREDENTIAL_FIELDS).collation(CASE_INSENSITIVE).lean<UserRow>();
      return row && toCredentials(row);
    },

    async credentials(userId) {
      const row = await Users.findById(userId, CREDENTIAL_FIELDS).lean<UserRow>();
      return row && toCredentials(row);
    },

    account,

    async rehash(userId, from, to) {
      await Users.updateOne({ _id: userId, passwordHash: from }, { $set: { passwordHash: to } });
    },

    async changePassword(userId, from, to) {
      const row = await Users.findOneAndUpdate(
        { _id: userId, passwordHash: from },
        { $set: { passwordHash: to, updatedAt: new Date(clock.now()) }, $inc: { tokenVersion: 1 } },
        { returnDocument: 'after', projection: { tokenVersion: 1 } },
      ).lean<UserRow>();
      return row?.tokenVersion ?? null;
    },

    async bumpTokenVersion(userId) {
      const row = await Users.findByIdAndUpdate(
        userId,
        { $inc: { tokenVersion: 1 } },
        { returnDocument: 'after', projection: { tokenVersion: 1 } },
      ).lean<UserRow>();
      if (!row) throw notFound('player');
      return row.tokenVersion;
    },

    async promoteToAdmin(email) {
      const { matchedCount } = await Users.updateOne(
        { email },
        { $set: { role: 'admin', updatedAt: new Date(clock.now()) } },
      ).collation(CASE_INSENSITIVE);
      return matchedCount === 1;
    },

    summaries: (userIds) => manyBy(userIds, { username: 1, displayName: 1, avatarUrl: 1 }, toSummary),

    preferences: (userIds) => manyBy(userIds, { preferences: 1 }, (row) => row.preferences),
  };
}

type NewAccount = Pick<UserRow, 'email' | 'username' | 'passwordHash' | 'displayName'>;

function newRow(account: NewAccount, id: string, now: Date): UserRow {
  return {
    ...account,
    ...nameFields(account.username, account.displayName),
    _id: new Types.ObjectId(id),
    role: 'player',
    status: 'active',
    tokenVersion: 0,
    bio: '',
    avatarUrl: null,
    platforms: [],
    visibility: 'public',
    automatedLobbyMessage: '',
    preferences: { competitiveness: 'balanced', regions: [], languages: [], preferredGames: [] },
    gameProfiles: [],
    createdAt: now,
    updatedAt: now,
  };
}

const ACCOUNT_FIELDS = { email: 1, username: 1, role: 1, status: 1, tokenVersion: 1 } as const;
const CREDENTIAL_FIELDS = { ...ACCOUNT_FIELDS, passwordHash: 1 } as const;

const toCredentials = (row: UserRow): Credentials => ({ ...toAccount(row), passwordHash: row.passwordHash });
