import type { Clock } from '../../core/clock';
import type { Page } from '../../core/cursor';
import { AppError, notFound } from '../../core/errors';
import type { Audit, AuditAction } from '../../database/audit';
import type { Outbox } from '../../database/outbox';
import type { Transact } from '../../database/transaction';
import type { Identity } from '../../http/route';
import type { AuthApi } from '../auth';
import type { FileSearch, Role, UserEvents, UserFile, UsersApi } from '../users';
import type { ReportModel } from './moderation.models';
import { requireMayAct, rolesBelow, suspensionEnd } from './moderation.policy';
import type { Decision, UserFileDetails, UserFileView } from './moderation.schemas';

/**
 * What moderators and admins decide about accounts. A decision, its row in the audit log and the news of it are one
 * transaction. Who is suspended or banned has no session from that write on; sockets, tickets and seats in lobbies follow.
 */
export interface Sanctions {
  search(wanted: FileSearch): Promise<Page<UserFileView>>;
  /** @throws NOT_FOUND */
  file(userId: string): Promise<UserFileDetails>;
  /** @throws NOT_FOUND, FORBIDDEN, CONFLICT where it is so already, VALIDATION_FAILED for a bad end of a suspension */
  decide(actor: Identity, userId: string, decision: Decision): Promise<UserFileView>;
  /** @throws NOT_FOUND, FORBIDDEN */
  warn(actor: Identity, userId: string, reason: string): Promise<void>;
}

export interface SanctionsDeps {
  Reports: ReportModel;
  users: Pick<UsersApi, 'standing'>;
  auth: Pick<AuthApi, 'endOutdated'>;
  audit: Audit;
  outbox: Outbox<UserEvents>;
  transact: Transact;
  clock: Clock;
}

const HISTORY = 50;

export function createSanctions({ Reports, users, auth, audit, outbox, transact, clock }: SanctionsDeps): Sanctions {
  const { standing } = users;

  const read = async (userId: string): Promise<UserFile> => {
    const file = await standing.file(userId);
    if (!file) throw notFound('player');
    return file;
  };

  const target = async (actor: Identity, userId: string): Promise<UserFile> => {
    const file = await read(userId);
    requireMayAct(actor, file);
    return file;
  };

  const bar = async (actor: Identity, userId: string, { status, reason, until }: Decision): Promise<void> => {
    const suspended = status === 'suspended';
    const end = suspended && until !== undefined ? suspensionEnd(until, clock.now()) : null;
    const action: AuditAction = suspended ? 'user.suspended' : 'user.banned';
    const version = await transact(async (session) => {
      const next = await standing.bar(
        session,
        userId,
        { status: suspended ? 'suspended' : 'banned', reason, until: end },
        rolesBelow(actor),
      );
      if (next === null) throw changedMeanwhile();
      const details = end ? { until: end.toISOString() } : {};
      await audit.append(session, { action, actorId: actor.userId, targetId: userId, reason, details });
      await outbox.append(session, 'user.barred', userId, { userId });
      return next;
    });
    outbox.wake();
    await auth.endOutdated(userId, version, farewell(reason, end));
  };

  const reinstate = (actor: Identity, userId: string, reason: string): Promise<void> =>
    transact(async (session) => {
      if (!(await standing.reinstate(session, userId, rolesBelow(actor))))
        throw new AppError('CONFLICT', 'The account is neither suspended nor banned.');
      await audit.append(session, { action: 'user.reinstated', actorId: actor.userId, targetId: userId, reason });
    });

  const changeRole = async (actor: Identity, { userId, role: from }: UserFile, to: Role, reason: string) => {
    if (actor.role !== 'admin') throw new AppError('FORBIDDEN', 'Roles are given and taken by admins.');
    if (from === to) throw new AppError('CONFLICT', `The account has the role ${to} already.`);
    await transact(async (session) => {
      if (!(await standing.setRole(session, userId, from, to))) throw changedMeanwhile();
      const details = { from, to };
      const action = 'user.roleChanged';
      await audit.append(session, { action, actorId: actor.userId, targetId: userId, reason, details });
    });
  };

  return {
    async search(wanted) {
      const { items, nextCursor } = await standing.search(wanted);
      return { items: items.map(toView), nextCursor };
    },

    async file(userId) {
      const [file, openReports, { items }] = await Promise.all([
        read(userId),
        Reports.countDocuments({ aboutId: userId, state: 'open' }),
        audit.list({ targetId: userId }, { limit: HISTORY }),
      ]);
      return { ...toView(file), openReports, history: items };
    },

    async decide(actor, userId, decision) {
      const file = await target(actor, userId);
      if (decision.role !== undefined) await changeRole(actor, file, decision.role, decision.reason);
      else if (decision.status === 'active') await reinstate(actor, userId, decision.reason);
      else await bar(actor, userId, decision);
      return toView(await read(userId));
    },

    async warn(actor, userId, reason) {
      await target(actor, userId);
      await transact(async (session) => {
        await audit.append(session, { action: 'user.warned', actorId: actor.userId, targetId: userId, reason });
        await outbox.append(session, 'user.warned', userId, { userId, reason });
      });
      outbox.wake();
    },
  };
}

const changedMeanwhile = () =>
  new AppError('VERSION_CONFLICT', 'Somebody changed the account at the same moment: look at it again.');

const farewell = (reason: string, until: Date | null): string =>
  until ? `the account is suspended until ${until.toISOString()}: ${reason}` : `the account is banned: ${reason}`;

const toView = ({ userId, ...file }: UserFile): UserFileView => ({ id: userId, ...file });
