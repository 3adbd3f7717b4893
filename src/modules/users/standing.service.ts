import type { QueryFilter } from 'mongoose';
import type { Clock } from '../../core/clock';
import { decodeCursor, toPage } from '../../core/cursor';
import { AppError } from '../../core/errors';
import { beginsWith, searchPrefix } from '../../core/search-text';
import type { Account, Standing, UserFile } from './users.api';
import { activeAt, CASE_INSENSITIVE, statusAt, toBar, toSummary, type UserModel, type UserRow } from './users.models';

/** Accounts as moderators and admins handle them; who may do what is decided by who calls. */
export function createStanding({ Users, clock }: { Users: UserModel; clock: Clock }): Standing {
  const toFile = (row: UserRow): UserFile => {
    const status = statusAt(row, clock.now());
    return {
      ...toSummary(row),
      email: row.email,
      role: row.role,
      status,
      bar: status === 'active' ? null : toBar(row.sanction),
      karma: row.karma ?? 0,
      createdAt: row.createdAt.toISOString(),
    };
  };

  return {
    async search({ query, status, role, limit, cursor }) {
      const named = query === undefined ? {} : query.includes('@') ? { email: query } : startsWith(query);
      if (named === null) return { items: [], nextCursor: null };
      const filter: QueryFilter<UserRow> = {
        ...named,
        ...(status === undefined ? {} : statusFilter(status, clock.now())),
        ...(role === undefined ? {} : { role }),
        ...(cursor === undefined ? {} : { _id: { $lt: idOf(cursor) } }),
      };
      const found = Users.find(filter, FILE_FIELDS)
        .sort({ _id: -1 })
        .limit(limit + 1);
      const rows = await (query?.includes('@') ? found.collation(CASE_INSENSITIVE) : found).lean<UserRow[]>();
      return toPage(rows, limit, toFile, (row) => [row._id.toHexString()]);
    },

    async file(userId) {
      const row = await Users.findById(userId, FILE_FIELDS).lean<UserRow>();
      return row && toFile(row);
    },

    async bar(session, userId, { status, reason, until }, roles) {
      const row = await Users.findOneAndUpdate(
        { _id: userId, role: { $in: [...roles] } },
        { $set: { status, sanction: { reason, until }, updatedAt: new Date(clock.now()) }, $inc: { tokenVersion: 1 } },
        { session, returnDocument: 'after', projection: { tokenVersion: 1 } },
      ).lean<UserRow>();
      return row?.tokenVersion ?? null;
    },

    async reinstate(session, userId, roles) {
      const { matchedCount } = await Users.updateOne(
        { _id: userId, role: { $in: [...roles] }, status: { $ne: 'active' } },
        { $set: { status: 'active', sanction: null, updatedAt: new Date(clock.now()) } },
        { session },
      );
      return matchedCount === 1;
    },

    async setRole(session, userId, from, to) {
      const change = { $set: { role: to, updatedAt: new Date(clock.now()) } };
      const { matchedCount } = await Users.updateOne({ _id: userId, role: from }, change, { session });
      return matchedCount === 1;
    },

    async addKarma(session, userId, value) {
      const row = await Users.findByIdAndUpdate(
        userId,
        { $inc: { karma: value } },
        { session, returnDocument: 'after', projection: { karma: 1 } },
      ).lean<UserRow>();
      return row?.karma ?? null;
    },
  };
}

const FILE_FIELDS = {
  username: 1,
  displayName: 1,
  avatarUrl: 1,
  email: 1,
  role: 1,
  status: 1,
  sanction: 1,
  karma: 1,
  createdAt: 1,
} as const;

function startsWith(query: string): QueryFilter<UserRow> | null {
  const prefix = searchPrefix(query);
  return prefix === '' ? null : beginsWith(prefix);
}

function statusFilter(status: Account['status'], now: number): QueryFilter<UserRow> {
  if (status === 'active') return activeAt(now);
  return status === 'banned' ? { status } : { status, 'sanction.until': { $gt: new Date(now) } };
}

function idOf(cursor: string): string {
  const [id] = decodeCursor(cursor, ['string']);
  if (!/^[0-9a-f]{24}$/.test(String(id))) throw new AppError('BAD_CURSOR', 'Start again without a cursor.');
  return String(id);
}
