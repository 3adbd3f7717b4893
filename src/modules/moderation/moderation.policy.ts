import { AppError } from '../../core/errors';
import type { Role } from '../users';

/** Who may act on whom. Pure. */

export interface Actor {
  userId: string;
  role: Role;
}

/** Moderators act on players, admins on everybody. */
const MAY_ACT_ON: Record<Role, readonly Role[]> = {
  player: [],
  moderator: ['player'],
  admin: ['player', 'moderator', 'admin'],
};

export const rolesBelow = ({ role }: Actor): readonly Role[] => MAY_ACT_ON[role];

/** @throws FORBIDDEN */
export function requireMayAct(actor: Actor, target: Actor): void {
  if (actor.userId === target.userId) throw new AppError('FORBIDDEN', 'Nobody decides about themselves.');
  if (!rolesBelow(actor).includes(target.role))
    throw new AppError('FORBIDDEN', `This is about an account with the role ${target.role}: it takes an admin.`);
}

/** A report, as far as it decides who may handle it. */
export interface ReportCase {
  byId: string;
  about: Actor;
  assigneeId: string | null;
}

/** Nobody handles what they wrote or what is about them; what somebody else has taken is theirs, but for admins. @throws FORBIDDEN, CONFLICT */
export function requireMayHandle(actor: Actor, { byId, about, assigneeId }: ReportCase): void {
  if (actor.userId === byId)
    throw new AppError('FORBIDDEN', 'This is your own report: somebody else has to look at it.');
  requireMayAct(actor, about);
  if (assigneeId !== null && assigneeId !== actor.userId && actor.role !== 'admin')
    throw new AppError('CONFLICT', 'Somebody else has taken this report.');
}

const DAY_MS = 86_400_000;
/** A suspension that should be longer is a ban. */
export const LONGEST_SUSPENSION_MS = 366 * DAY_MS;
/** How long after a match somebody may give karma for it. */
export const KARMA_WITHIN_MS = 7 * DAY_MS;

/** @throws VALIDATION_FAILED */
export function suspensionEnd(until: string, now: number): Date {
  const end = new Date(until);
  if (end.getTime() > now && end.getTime() <= now + LONGEST_SUSPENSION_MS) return end;
  const message = 'must be in the future, and at most a year from now';
  throw new AppError('VALIDATION_FAILED', `body.until: ${message}`, { errors: [{ path: 'body.until', message }] });
}
