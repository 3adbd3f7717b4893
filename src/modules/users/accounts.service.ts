import { Types } from 'mongoose';
import type { Clock } from '../../core/clock';
import { AppError, notFound } from '../../core/errors';
import type { Ids } from '../../core/ids';
import { inRounds } from '../../core/rounds';
import { searchKeys } from '../../core/search-text';
import { isDuplicateKey } from '../../database/transaction';
import type { Account, Credentials, NewAccount, UsersApi } from './users.api';
import { CASE_INSENSITIVE, toAccount, toSummary, type UserModel, type UserRow } from './users.models';

/** Accounts for the neighbours: who there is, by what they log in, and what matchmaking has to know of them. */
export type Accounts = Omit<UsersApi, 'profile' | 'blocks' | 'visibleTo' | 'standing'>;

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
  const now = () => new Date(clock.now());

  const manyBy = async <Item>(
    userIds: readonly string[],
    fields: Record<string, 1>,
    show: (row: UserRow) => Item,
  ): Promise<Map<string, Item>> => {
    if (userIds.length === 0) return new Map();
    const rows = await Users.find({ _id: { $in: [...new Set(userIds)] } }, fields).lean<UserRow[]>();
    return new Map(rows.map((row) => [row._id.toHexString(), show(row)]));
  };

  const accounts = (userIds: readonly string[]) =>
    manyBy(userIds, ACCOUNT_FIELDS, (row) => toAccount(row, clock.now()));

  /** Asked for by every request. */
  const account = inRounds<string, Account | null>(async (userIds) => {
    const known = await accounts(userIds);
    return userIds.map((userId) => known.get(userId) ?? null);
  });

  return {
    async create(session, account) {
      const row = newRow(account, ids.id(), now());
      try {
        await Users.create([row], { session });
        return toAccount(row, clock.now());
      } catch (error) {
        if (isDuplicateKey(error, 'email')) throw emailTaken();
        if (isDuplicateKey(error, 'username'))
          throw new AppError('USERNAME_TAKEN', 'Somebody has this username: choose another one.');
        throw error;
      }
    },

    // a username holds no @, an address always does
    async findForLogin(identifier) {
      const filter = identifier.includes('@') ? { email: identifier } : { username: identifier };
      const row = await Users.findOne(filter, CREDENTIAL_FIELDS).collation(CASE_INSENSITIVE).lean<UserRow>();
      return row && toCredentials(row, clock.now());
    },

    async credentials(userId) {
      const row = await Users.findById(userId, CREDENTIAL_FIELDS).lean<UserRow>();
      return row && toCredentials(row, clock.now());
    },

    account,
    accounts,

    async rehash(userId, from, to) {
      await Users.updateOne({ _id: userId, passwordHash: from }, { $set: { passwordHash: to } });
    },

    async hold(session, userId) {
      const held = { returnDocument: 'after', projection: CREDENTIAL_FIELDS, session } as const;
      const row = await Users.findByIdAndUpdate(userId, { $set: { updatedAt: now() } }, held).lean<UserRow>();
      if (!row) throw notFound('player');
      return toCredentials(row, clock.now());
    },

    async recipient(userId) {
      const row = await Users.findById(userId, { email: 1, displayName: 1, preferences: 1 }).lean<UserRow>();
      return row && { userId, address: row.email, name: row.displayName, languages: row.preferences.languages };
    },

    async changePassword(session, userId, { from, to }) {
      const row = await Users.findOneAndUpdate(
        { _id: userId, ...(from === undefined ? {} : { passwordHash: from }) },
        { $set: { passwordHash: to, updatedAt: now() }, $inc: { tokenVersion: 1 } },
        { ...versionAfter, session },
      ).lean<UserRow>();
      return row?.tokenVersion ?? null;
    },

    async confirmEmail(session, userId, email) {
      const at = now();
      const set = { emailVerifiedAt: at, updatedAt: at };
      const { matchedCount } = await Users.updateOne({ _id: userId, email }, { $set: set }, { session });
      return matchedCount === 1;
    },

    async changeEmail(session, userId, from, to) {
      const at = now();
      try {
        const set = { email: to, emailVerifiedAt: at, updatedAt: at };
        const { matchedCount } = await Users.updateOne({ _id: userId, email: from }, { $set: set }, { session });
        return matchedCount === 1;
      } catch (error) {
        throw isDuplicateKey(error, 'email') ? emailTaken() : error;
      }
    },

    async close(session, userId, eraseAt) {
      const closing = { kind: eraseAt ? 'deletion' : 'deactivated', at: now(), eraseAt } as const;
      const row = await Users.findOneAndUpdate(
        { _id: userId, 'closing.kind': { $ne: 'erasing' } },
        { $set: { closing, updatedAt: closing.at }, $inc: { tokenVersion: 1 } },
        { ...versionAfter, session },
      ).lean<UserRow>();
      if (!row) throw notFound('player');
      return row.tokenVersion;
    },

    async reopen(userId) {
      const { matchedCount } = await Users.updateOne(
        { _id: userId, 'closing.kind': { $ne: 'erasing' } },
        { $set: { closing: null, updatedAt: now() } },
      );
      return matchedCount === 1;
    },

    async claimErasable(limit) {
      // those of a process that ended in the middle of it are due as before
      const due = { 'closing.eraseAt': { $lte: now() } };
      const fields = { email: 1, username: 1 };
      const rows = await Users.find(due, fields).sort({ 'closing.eraseAt': 1 }).limit(limit).lean<UserRow[]>();
      const claimed = await Promise.all(
        rows.map(({ _id }) => Users.updateOne({ ...due, _id }, { $set: { 'closing.kind': 'erasing' } })),
      );
      return rows
        .filter((_, i) => claimed[i]?.matchedCount === 1)
        .map(({ _id, email, username }) => ({ userId: _id.toHexString(), email, username }));
    },

    async bumpTokenVersion(userId) {
      const row = await Users.findByIdAndUpdate(userId, { $inc: { tokenVersion: 1 } }, versionAfter).lean<UserRow>();
      if (!row) throw notFound('player');
      return row.tokenVersion;
    },

    async promoteToAdmin(session, email) {
      const row = await Users.findOneAndUpdate(
        { email },
        { $set: { role: 'admin', updatedAt: now() } },
        { session, projection: { _id: 1 } },
      )
        .collation(CASE_INSENSITIVE)
        .lean<UserRow>();
      return row?._id.toHexString() ?? null;
    },

    summaries: (userIds) => manyBy(userIds, { username: 1, displayName: 1, avatarUrl: 1 }, toSummary),

    preferences: (userIds) => manyBy(userIds, { preferences: 1 }, (row) => row.preferences),
  };
}

const emailTaken = () =>
  new AppError('EMAIL_TAKEN', 'There is an account with this address: log in, or use another one.');

function newRow(account: NewAccount, id: string, now: Date): UserRow {
  const { email, emailVerified = false, username, passwordHash, displayName = username } = account;
  return {
    email,
    emailVerifiedAt: emailVerified ? now : null,
    username,
    passwordHash,
    displayName,
    ...nameFields(username, displayName),
    _id: new Types.ObjectId(id),
    role: 'player',
    status: 'active',
    sanction: null,
    karma: 0,
    closing: null,
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

const versionAfter = { returnDocument: 'after', projection: { tokenVersion: 1 } } as const;
const ACCOUNT_FIELDS = {
  email: 1,
  emailVerifiedAt: 1,
  username: 1,
  role: 1,
  status: 1,
  sanction: 1,
  closing: 1,
  tokenVersion: 1,
} as const;
const CREDENTIAL_FIELDS = { ...ACCOUNT_FIELDS, passwordHash: 1 } as const;

const toCredentials = (row: UserRow, now: number): Credentials => ({
  ...toAccount(row, now),
  passwordHash: row.passwordHash,
});
