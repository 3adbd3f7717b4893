import { z } from 'zod';
import { AUDIT_ACTIONS } from '../../database/audit';
import { listQuery, objectId, text, timestamp } from '../../http/schemas';
import { userCard } from '../users';

/** What moderators and admins send and get, and what players say about each other. */

const ROLES = ['player', 'moderator', 'admin'] as const;
const STATUSES = ['active', 'suspended', 'banned'] as const;
const reason = text(3, 500).describe('The person it is about is told');

// players

export const REPORT_REASONS = ['harassment', 'hate', 'cheating', 'spam', 'name', 'unsporting', 'other'] as const;

export const reportBody = z.strictObject({
  reason: z.enum(REPORT_REASONS),
  description: text(1, 1000),
  matchId: objectId.optional().describe('A match that both of us were in'),
  messageId: objectId.optional().describe('A line of theirs in a lobby of mine; it is kept with the report'),
});
export type NewReport = z.output<typeof reportBody>;

export const reportReceipt = z.object({ id: objectId, createdAt: timestamp }).meta({ id: 'ReportReceipt' });
export type ReportReceipt = z.output<typeof reportReceipt>;

export const karmaBody = z.strictObject({ matchId: objectId, value: z.union([z.literal(1), z.literal(-1)]) });
export type KarmaGift = z.output<typeof karmaBody>;
export const karmaView = z.object({ userId: objectId, karma: z.number().int() });

// accounts

export const filesQuery = listQuery({
  query: text(1, 254).optional().describe('How a name begins, or a whole e-mail address'),
  status: z.enum(STATUSES).optional(),
  role: z.enum(ROLES).optional(),
});

export const userFile = userCard
  .extend({
    email: z.string(),
    role: z.enum(ROLES),
    status: z.enum(STATUSES),
    bar: z
      .object({ reason: z.string(), until: timestamp.nullable() })
      .nullable()
      .describe('Why, and until when (null: for good), the account is suspended or banned'),
    karma: z.number().int(),
    createdAt: timestamp,
  })
  .meta({ id: 'UserFile' });
export type UserFileView = z.output<typeof userFile>;

export const actView = z
  .object({
    id: objectId,
    action: z.enum(AUDIT_ACTIONS),
    actorId: objectId.nullable().describe('null: an operator, by a command on the server'),
    targetId: objectId.nullable().describe('Of the user, report or game; null: of none of them'),
    reason: z.string(),
    details: z.record(z.string(), z.unknown()),
    at: timestamp,
  })
  .meta({ id: 'Act' });

export const userFileDetails = userFile
  .extend({
    openReports: z.number().int().describe('About this account'),
    history: z.array(actView).describe('The last 50 decisions about this account, newest first'),
  })
  .meta({ id: 'UserFileDetails' });
export type UserFileDetails = z.output<typeof userFileDetails>;

export const decisionBody = z
  .strictObject({
    status: z.enum(STATUSES).optional(),
    until: timestamp.optional().describe('When a suspension ends'),
    role: z.enum(ROLES).optional().describe('For admins'),
    reason,
  })
  .refine(({ status, role }) => (status === undefined) !== (role === undefined), 'send either a status or a role')
  .refine(({ status, until }) => (status === 'suspended') === (until !== undefined), {
    path: ['until'],
    error: 'belongs to a suspension, and to nothing else',
  });
export type Decision = z.output<typeof decisionBody>;

export const warningBody = z.strictObject({ reason });

// reports

export const reportState = z.enum(['open', 'resolved', 'dismissed']);
export const reportsQuery = listQuery({
  state: reportState.default('open'),
  assignee: z
    .union([z.literal('me'), z.literal('nobody')])
    .optional()
    .describe('Those I have taken, or those that nobody has'),
});

export const reportView = z
  .object({
    id: objectId,
    by: userCard.nullable(),
    about: userCard.nullable(),
    reason: z.enum(REPORT_REASONS),
    description: z.string(),
    matchId: objectId.nullable(),
    message: z
      .object({ id: objectId, lobbyId: objectId, content: z.string(), sentAt: timestamp })
      .nullable()
      .describe('The line that is reported, as it was'),
    state: reportState,
    assignee: userCard.nullable(),
    note: z.string().describe('What came of it'),
    createdAt: timestamp,
    closedAt: timestamp.nullable(),
  })
  .meta({ id: 'Report' });
export type ReportView = z.output<typeof reportView>;

export const reportChange = z
  .strictObject({
    assigned: z.boolean().optional().describe('Take it, or give it back'),
    state: z.enum(['resolved', 'dismissed']).optional().describe('Closes it, for good'),
    note: text(3, 1000).optional().describe('What came of it'),
  })
  .refine(({ assigned, state }) => (assigned === undefined) !== (state === undefined), 'take it, or close it')
  .refine(({ state, note }) => (state === undefined) === (note === undefined), {
    path: ['note'],
    error: 'closing a report takes a note, and nothing else does',
  });
export type ReportChange = z.output<typeof reportChange>;

// audit

export const auditQuery = listQuery({
  actorId: objectId.optional(),
  targetId: objectId.optional(),
  action: z.enum(AUDIT_ACTIONS).optional(),
});
