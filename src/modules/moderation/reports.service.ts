import { Types, type QueryFilter } from 'mongoose';
import type { Clock } from '../../core/clock';
import { decodeCursor, toPage, type Page } from '../../core/cursor';
import { AppError, notFound } from '../../core/errors';
import type { Ids } from '../../core/ids';
import type { Audit } from '../../database/audit';
import { isDuplicateKey, type Transact } from '../../database/transaction';
import type { Identity } from '../../http/route';
import type { LobbiesApi } from '../lobbies';
import type { MatchmakingApi } from '../matchmaking';
import type { UserCard, UsersApi, UserSummary } from '../users';
import type { ReportModel, ReportRow } from './moderation.models';
import { requireMayHandle } from './moderation.policy';
import type { NewReport, ReportChange, ReportReceipt, ReportView } from './moderation.schemas';

/** What players report, and the queue in which it is looked at: oldest first, taken by one, closed with a note. */
export interface ReportsService {
  /** @throws NOT_FOUND unknown player, or a match or message that is not both of ours; CONFLICT */
  report(player: Identity, aboutId: string, report: NewReport): Promise<ReportReceipt>;
  queue(moderator: Identity, wanted: QueueQuery): Promise<Page<ReportView>>;
  /** @throws NOT_FOUND */
  get(reportId: string): Promise<ReportView>;
  /** @throws NOT_FOUND, FORBIDDEN, CONFLICT, VERSION_CONFLICT */
  change(moderator: Identity, reportId: string, change: ReportChange): Promise<ReportView>;
}

export interface QueueQuery {
  state: ReportRow['state'];
  assignee?: 'me' | 'nobody' | undefined;
  limit: number;
  cursor?: string | undefined;
}

export interface ReportsDeps {
  Reports: ReportModel;
  users: Pick<UsersApi, 'account' | 'summaries'>;
  lobbies: Pick<LobbiesApi, 'messageFor'>;
  matchmaking: Pick<MatchmakingApi, 'played'>;
  audit: Audit;
  transact: Transact;
  clock: Clock;
  ids: Ids;
}

/** A guard against floods, not a rule: parallel requests may slip past it. */
export const MAX_OPEN_REPORTS = 50;

export function createReportsService(deps: ReportsDeps): ReportsService {
  const { Reports, users, lobbies, matchmaking, audit, transact, clock, ids } = deps;

  const read = async (reportId: string): Promise<ReportRow> => {
    const row = await Reports.findById(reportId).lean<ReportRow>();
    if (!row) throw notFound('report');
    return row;
  };

  /** What the report is about, besides the player: only what both had a part in. */
  const evidence = async (userId: string, aboutId: string, { matchId, messageId }: NewReport) => {
    const [match, message] = await Promise.all([
      matchId === undefined ? null : matchmaking.played(matchId),
      messageId === undefined ? null : lobbies.messageFor(userId, messageId),
    ]);
    if (matchId !== undefined && ![userId, aboutId].every((id) => match?.userIds.includes(id))) throw notFound('match');
    if (messageId !== undefined && message?.userId !== aboutId) throw notFound('message');
    return {
      subject: messageId ?? matchId ?? 'player',
      matchId: matchId === undefined ? null : oid(matchId),
      message: message && {
        id: oid(message.id),
        lobbyId: oid(message.lobbyId),
        content: message.content,
        sentAt: new Date(message.sentAt),
      },
    };
  };

  const show = async (rows: readonly ReportRow[]): Promise<ReportView[]> => {
    const people = rows.flatMap(({ byId, aboutId, assigneeId }) => [
      byId,
      aboutId,
      ...(assigneeId ? [assigneeId] : []),
    ]);
    const known = await users.summaries(people.map((id) => id.toHexString()));
    return rows.map((row) => toView(row, known));
  };

  const decide = async (moderator: Identity, row: ReportRow, change: ReportChange): Promise<void> => {
    const { assigned, state, note } = change;
    const set =
      state === undefined
        ? { assigneeId: assigned ? oid(moderator.userId) : null }
        : { state, note, assigneeId: oid(moderator.userId), closedAt: new Date(clock.now()) };
    await transact(async (session) => {
      const asSeen = { _id: row._id, state: 'open' as const, assigneeId: row.assigneeId };
      const { matchedCount } = await Reports.updateOne(asSeen, { $set: set }, { session });
      if (matchedCount !== 1)
        throw new AppError('VERSION_CONFLICT', 'Somebody else did something about it at the same moment.');
      await audit.append(session, {
        action: state !== undefined ? 'report.closed' : assigned ? 'report.assigned' : 'report.released',
        actorId: moderator.userId,
        targetId: row._id.toHexString(),
        ...(note === undefined ? {} : { reason: note }),
        details: { aboutId: row.aboutId.toHexString(), ...(state === undefined ? {} : { state }) },
      });
    });
  };

  return {
    async report({ userId }, aboutId, report) {
      if (userId === aboutId) throw new AppError('CONFLICT', 'This is yourself.');
      if (!(await users.account(aboutId))) throw notFound('player');
      if ((await Reports.countDocuments({ byId: userId, state: 'open' })) >= MAX_OPEN_REPORTS)
        throw new AppError(
          'CONFLICT',
          `${MAX_OPEN_REPORTS} of your reports wait to be looked at: that has to do for now.`,
        );
      const { reason, description } = report;
      const row: ReportRow = {
        _id: oid(ids.id()),
        byId: oid(userId),
        aboutId: oid(aboutId),
        ...(await evidence(userId, aboutId, report)),
        reason,
        description,
        state: 'open',
        assigneeId: null,
        note: '',
        createdAt: new Date(clock.now()),
        closedAt: null,
      };
      try {
        await Reports.create([row]);
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        throw new AppError('CONFLICT', 'You have reported this already, and it waits to be looked at.');
      }
      return { id: row._id.toHexString(), createdAt: row.createdAt.toISOString() };
    },

    async queue({ userId }, { state, assignee, limit, cursor }) {
      const filter: QueryFilter<ReportRow> = {
        state,
        ...(assignee === undefined ? {} : { assigneeId: assignee === 'me' ? userId : null }),
        ...(cursor === undefined ? {} : after(cursor)),
      };
      const rows = await Reports.find(filter)
        .sort({ createdAt: 1, _id: 1 })
        .limit(limit + 1)
        .lean<ReportRow[]>();
      const page = toPage(
        rows,
        limit,
        (row) => row,
        (row) => [row.createdAt.getTime(), row._id.toHexString()],
      );
      return { ...page, items: await show(page.items) };
    },

    async get(reportId) {
      const [view] = await show([await read(reportId)]);
      return view as ReportView;
    },

    async change(moderator, reportId, change) {
      const row = await read(reportId);
      const aboutId = row.aboutId.toHexString();
      const role = (await users.account(aboutId))?.role ?? 'player';
      const { byId, assigneeId } = row;
      const about = { userId: aboutId, role };
      requireMayHandle(moderator, { byId: byId.toHexString(), about, assigneeId: assigneeId?.toHexString() ?? null });
      if (row.state !== 'open') throw new AppError('CONFLICT', `The report is ${row.state} already.`);
      await decide(moderator, row, change);
      const [view] = await show([await read(reportId)]);
      return view as ReportView;
    },
  };
}

const oid = (id: string) => new Types.ObjectId(id);

function toView(row: ReportRow, known: ReadonlyMap<string, UserSummary>): ReportView {
  const card = (id: Types.ObjectId | null): UserCard | null => {
    const user = id && known.get(id.toHexString());
    if (!user) return null;
    const { userId, ...names } = user;
    return { id: userId, ...names };
  };
  const { message } = row;
  return {
    id: row._id.toHexString(),
    by: card(row.byId),
    about: card(row.aboutId),
    reason: row.reason,
    description: row.description,
    matchId: row.matchId?.toHexString() ?? null,
    message: message && {
      id: message.id.toHexString(),
      lobbyId: message.lobbyId.toHexString(),
      content: message.content,
      sentAt: message.sentAt.toISOString(),
    },
    state: row.state,
    assignee: card(row.assigneeId),
    note: row.note,
    createdAt: row.createdAt.toISOString(),
    closedAt: row.closedAt?.toISOString() ?? null,
  };
}

function after(cursor: string): QueryFilter<ReportRow> {
  const [at, id] = decodeCursor(cursor, ['number', 'string']);
  const time = new Date(Number(at));
  if (Number.isNaN(time.getTime()) || !/^[0-9a-f]{24}$/.test(String(id)))
    throw new AppError('BAD_CURSOR', 'Start again without a cursor.');
  return { $or: [{ createdAt: { $gt: time } }, { createdAt: time, _id: { $gt: oid(String(id)) } }] };
}
