import { createHmac, createSecretKey } from 'node:crypto';
import { Types, type ClientSession } from 'mongoose';
import type { Clock } from '../../core/clock';
import { decodeCursor, toPage, type Page } from '../../core/cursor';
import { AppError } from '../../core/errors';
import type { Ids } from '../../core/ids';
import type { Logger } from '../../core/logger';
import { inRounds } from '../../core/rounds';
import type { Transact } from '../../database/transaction';
import type { Realtime } from '../../realtime/server';
import type { Account } from '../users';
import {
  toSessionView,
  type createRefreshTokenModel,
  type createSessionModel,
  type RefreshTokenRow,
  type SessionRow,
} from './auth.models';
import type { SessionView } from './auth.schemas';

/**
 * Sessions and their refresh tokens. A refresh token is good for one use, which gives the next one: together they are a
 * family, and the family is the session. A token that comes a second time was copied, by its owner's device or by a thief, and nobody
 * can tell which: the session ends for both. Parallel uses are the same case, there is no grace.
 *
 * A session is live while its row is there, has not expired, and has the token version of its account. So one write to the
 * account (logout everywhere, ban, new password) ends all of its sessions at once, also those that begin at that moment.
 */
export interface SessionsService {
  /** @param withSecondFactor whether it was shown */
  open(account: Account, device: Device, withSecondFactor: boolean): Promise<Opened>;
  /** Whose token this is, whether or not it was used; null where it was never given. */
  ownerOf(refreshToken: string): Promise<string | null>;
  /** The next token of the family. @throws BAD_REFRESH_TOKEN; a used token ends its session besides */
  rotate(refreshToken: string, device: Device): Promise<Opened & { userId: string; tokenVersion: number }>;
  /** A live session of the user; `tokenVersion` is that of the account when it began. */
  live(sessionId: string, userId: string): Promise<Pick<SessionRow, 'tokenVersion' | 'secondFactor'> | null>;
  /** As `live`, for many at once, by session id; past the rounds that requests wait for. */
  liveOf(sessionIds: readonly string[]): Promise<ReadonlyMap<string, SessionRow>>;
  /** From now on it counts as one that was begun with a second factor. */
  raise(session: ClientSession, sessionId: string): Promise<void>;
  /** When this session began; null where there is none. */
  begunAt(sessionId: string): Promise<number | null>;
  list(
    account: Account,
    currentId: string,
    wanted: { limit: number; cursor?: string | undefined },
  ): Promise<Page<SessionView>>;
  /** Ends one session of the user, and closes its sockets. @returns false where there is none */
  end(userId: string, sessionId: string, reason: string): Promise<boolean>;
  /** Tidies up after the account's version has changed to `tokenVersion`, and closes the sockets of what ended by it. */
  endOutdated(userId: string, tokenVersion: number, reason: string): Promise<void>;
  /** Takes a live session along to the account's next version. */
  carryOver(session: ClientSession, sessionId: string, tokenVersion: number): Promise<void>;
}

/** Where a request comes from, as the session list shows it. */
export interface Device {
  ip: string;
  userAgent: string;
}

export interface Opened {
  sessionId: string;
  refreshToken: string;
}

export interface SessionsDeps {
  Sessions: ReturnType<typeof createSessionModel>;
  RefreshTokens: ReturnType<typeof createRefreshTokenModel>;
  transact: Transact;
  realtime: Pick<Realtime, 'endSession'>;
  clock: Clock;
  ids: Ids;
  logger: Logger;
  config: { refreshSecret: string; refreshTokenDays: number };
}

const TOKEN_BYTES = 32;
const DAY_MS = 86_400_000;

export function createSessionsService(deps: SessionsDeps): SessionsService {
  const { Sessions, RefreshTokens, transact, realtime, clock, ids, logger, config } = deps;
  const key = createSecretKey(Buffer.from(config.refreshSecret));
  const hashOf = (token: string) => createHmac('sha256', key).update(token).digest('base64url');
  const now = () => new Date(clock.now());

  const sessionsOf = async (sessionIds: readonly string[]) => {
    const fields = { userId: 1, tokenVersion: 1, secondFactor: 1, expiresAt: 1 };
    const rows = await Sessions.find({ _id: { $in: [...sessionIds] } }, fields).lean<SessionRow[]>();
    return new Map(rows.map((row) => [row._id.toHexString(), row]));
  };

  /** Asked for by every request. */
  const sessionOf = inRounds<string, SessionRow | null>(async (sessionIds) => {
    const known = await sessionsOf(sessionIds);
    return sessionIds.map((id) => known.get(id) ?? null);
  });

  /** Lasts as long as its session: refreshing makes neither longer. */
  const giveToken = async (session: ClientSession, { _id, userId, expiresAt }: SessionRow): Promise<string> => {
    const token = ids.secret(TOKEN_BYTES);
    const row: RefreshTokenRow = { _id: hashOf(token), userId, sessionId: _id, usedAt: null, expiresAt };
    await RefreshTokens.create([row], { session });
    return token;
  };

  /** Ends the session whose used token has come again. A made-up token ends nothing. */
  const endReused = async (hash: string): Promise<void> => {
    const used = await RefreshTokens.findOne({ _id: hash, usedAt: { $ne: null } }).lean<RefreshTokenRow>();
    const ended = used && (await Sessions.findByIdAndDelete(used.sessionId).lean<SessionRow>());
    if (!ended) return;
    const [userId, sessionId] = [ended.userId.toHexString(), ended._id.toHexString()];
    logger.warn({ userId, sessionId }, 'a used refresh token came again: the session was ended');
    realtime.endSession(sessionId, 'a used refresh token came again');
  };

  return {
    async open({ userId, tokenVersion }, device, withSecondFactor) {
      const at = now();
      const row: SessionRow = {
        _id: new Types.ObjectId(ids.id()),
        userId: new Types.ObjectId(userId),
        tokenVersion,
        secondFactor: withSecondFactor,
        ...device,
        createdAt: at,
        lastUsedAt: at,
        expiresAt: new Date(at.getTime() + config.refreshTokenDays * DAY_MS),
      };
      const refreshToken = await transact(async (session) => {
        await Sessions.create([row], { session });
        return giveToken(session, row);
      });
      return { sessionId: row._id.toHexString(), refreshToken };
    },

    async ownerOf(refreshToken) {
      const row = await RefreshTokens.findById(hashOf(refreshToken), { userId: 1 }).lean<RefreshTokenRow>();
      return row?.userId.toHexString() ?? null;
    },

    async rotate(refreshToken, device) {
      const hash = hashOf(refreshToken);
      const rotated = await transact(async (session) => {
        const at = now();
        const mine = { _id: hash, usedAt: null, expiresAt: { $gt: at } };
        const token = await RefreshTokens.findOneAndUpdate(mine, { $set: { usedAt: at } }, { session }).lean();
        if (!token) return null;
        const row = await Sessions.findByIdAndUpdate(
          token.sessionId,
          { $set: { ...device, lastUsedAt: at } },
          { session, returnDocument: 'after' },
        ).lean<SessionRow>();
        return row && { row, next: await giveToken(session, row) };
      });
      if (!rotated) {
        await endReused(hash);
        throw badToken();
      }
      const { row, next } = rotated;
      return {
        userId: row.userId.toHexString(),
        sessionId: row._id.toHexString(),
        tokenVersion: row.tokenVersion,
        refreshToken: next,
      };
    },

    async live(sessionId, userId) {
      const row = await sessionOf(sessionId);
      return row !== null && row.userId.toHexString() === userId && row.expiresAt > now() ? row : null;
    },

    async liveOf(sessionIds) {
      const known = await sessionsOf(sessionIds);
      return new Map([...known].filter(([, row]) => row.expiresAt > now()));
    },

    async raise(session, sessionId) {
      await Sessions.updateOne({ _id: sessionId }, { $set: { secondFactor: true } }, { session });
    },

    async begunAt(sessionId) {
      const row = await Sessions.findById(sessionId, { createdAt: 1 }).lean<SessionRow>();
      return row?.createdAt.getTime() ?? null;
    },

    async list({ userId, tokenVersion }, currentId, { limit, cursor }) {
      const before = cursor === undefined ? {} : { _id: { $lt: idOf(cursor) } };
      const rows = await Sessions.find({ ...before, userId, tokenVersion, expiresAt: { $gt: now() } })
        .sort({ _id: -1 })
        .limit(limit + 1)
        .lean<SessionRow[]>();
      return toPage(
        rows,
        limit,
        (row) => toSessionView(row, currentId),
        (row) => [row._id.toHexString()],
      );
    },

    async end(userId, sessionId, reason) {
      const { deletedCount } = await Sessions.deleteOne({ _id: sessionId, userId });
      if (deletedCount > 0) realtime.endSession(sessionId, reason);
      return deletedCount > 0;
    },

    async endOutdated(userId, tokenVersion, reason) {
      const outdated = { userId, tokenVersion: { $lt: tokenVersion } };
      const rows = await Sessions.find(outdated, { _id: 1 }).lean();
      await Sessions.deleteMany(outdated);
      for (const { _id } of rows) realtime.endSession(_id.toHexString(), reason);
    },

    async carryOver(session, sessionId, tokenVersion) {
      // not where it ended meanwhile by another change of the version
      const mine = { _id: sessionId, tokenVersion: tokenVersion - 1 };
      await Sessions.updateOne(mine, { $set: { tokenVersion } }, { session });
    },
  };
}

export const badToken = () =>
  new AppError('BAD_REFRESH_TOKEN', 'The refresh token was used, has expired or was never given: log in again.');

function idOf(cursor: string): string {
  const [id] = decodeCursor(cursor, ['string']);
  if (!/^[0-9a-f]{24}$/.test(String(id))) throw new AppError('BAD_CURSOR', 'Start again without a cursor.');
  return String(id);
}
