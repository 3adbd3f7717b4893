import type { Audit } from '../../database/audit';
import { route, type Route } from '../../http/route';
import { idParams, page } from '../../http/schemas';
import type { KarmaService } from './karma.service';
import {
  actView,
  auditQuery,
  decisionBody,
  filesQuery,
  karmaBody,
  reportBody,
  reportChange,
  reportReceipt,
  reportsQuery,
  reportView,
  userFile,
  userFileDetails,
  warningBody,
} from './moderation.schemas';
import type { ReportsService } from './reports.service';
import type { Sanctions } from './sanctions.service';

export interface ModerationHandlers {
  sanctions: Sanctions;
  reports: ReportsService;
  karma: KarmaService;
  audit: Audit;
}

export function moderationRoutes(handlers: ModerationHandlers): Route[] {
  return [...playerRoutes(handlers), ...accountRoutes(handlers), ...reportRoutes(handlers), ...auditRoutes(handlers)];
}

function playerRoutes({ reports, karma }: ModerationHandlers): Route[] {
  return [
    route({
      tag: 'Users',
      access: 'player',
      method: 'post',
      path: '/api/users/:id/reports',
      summary: 'Report a player, or something they said or did; they are not told',
      limit: 'report',
      params: idParams,
      body: reportBody,
      status: 201,
      answer: reportReceipt,
      errors: ['NOT_FOUND', 'CONFLICT'],
      handler: ({ player, params, body }) => reports.report(player, params.id, body),
    }),
    route({
      tag: 'Users',
      access: 'player',
      method: 'post',
      path: '/api/users/:id/karma',
      summary: 'Say what it was like to play with somebody: once for each match, within a week after it',
      limit: 'submit',
      params: idParams,
      body: karmaBody,
      status: 204,
      errors: ['NOT_FOUND', 'CONFLICT'],
      handler: ({ player, params, body }) => karma.give(player.userId, params.id, body),
    }),
  ];
}

const staff = { tag: 'Moderation', access: 'moderator' } as const;

function accountRoutes({ sanctions }: ModerationHandlers): Route[] {
  return [
    route({
      ...staff,
      method: 'get',
      path: '/api/admin/users',
      summary: 'Accounts, newest first',
      limit: 'search',
      query: filesQuery,
      status: 200,
      answer: page(userFile),
      errors: ['BAD_CURSOR'],
      handler: ({ query }) => sanctions.search(query),
    }),
    route({
      ...staff,
      method: 'get',
      path: '/api/admin/users/:id',
      summary: 'An account, and what was decided about it',
      params: idParams,
      status: 200,
      answer: userFileDetails,
      errors: ['NOT_FOUND'],
      handler: ({ params }) => sanctions.file(params.id),
    }),
    route({
      ...staff,
      method: 'patch',
      path: '/api/admin/users/:id',
      summary: 'Suspend for a time, ban, or lift either; admins also change roles. Takes effect at once, everywhere',
      params: idParams,
      body: decisionBody,
      status: 200,
      answer: userFile,
      errors: ['NOT_FOUND', 'CONFLICT', 'VERSION_CONFLICT'],
      handler: ({ player, params, body }) => sanctions.decide(player, params.id, body),
    }),
    route({
      ...staff,
      method: 'post',
      path: '/api/admin/users/:id/warnings',
      summary: 'Warn a player: it is in their notifications, and in their history',
      params: idParams,
      body: warningBody,
      status: 204,
      errors: ['NOT_FOUND'],
      handler: ({ player, params, body }) => sanctions.warn(player, params.id, body.reason),
    }),
  ];
}

function reportRoutes({ reports }: ModerationHandlers): Route[] {
  return [
    route({
      ...staff,
      method: 'get',
      path: '/api/admin/reports',
      summary: 'Reports, the oldest first',
      query: reportsQuery,
      status: 200,
      answer: page(reportView),
      errors: ['BAD_CURSOR'],
      handler: ({ player, query }) => reports.queue(player, query),
    }),
    route({
      ...staff,
      method: 'get',
      path: '/api/admin/reports/:id',
      summary: 'A report',
      params: idParams,
      status: 200,
      answer: reportView,
      errors: ['NOT_FOUND'],
      handler: ({ params }) => reports.get(params.id),
    }),
    route({
      ...staff,
      method: 'patch',
      path: '/api/admin/reports/:id',
      summary: 'Take a report, give it back, or close it with a note',
      params: idParams,
      body: reportChange,
      status: 200,
      answer: reportView,
      errors: ['NOT_FOUND', 'CONFLICT', 'VERSION_CONFLICT'],
      handler: ({ player, params, body }) => reports.change(player, params.id, body),
    }),
  ];
}

function auditRoutes({ audit }: ModerationHandlers): Route[] {
  return [
    route({
      tag: 'Moderation',
      access: 'admin',
      method: 'get',
      path: '/api/admin/audit',
      summary: 'What moderators and admins did, newest first; nothing of it can be changed',
      query: auditQuery,
      status: 200,
      answer: page(actView),
      errors: ['BAD_CURSOR'],
      handler: ({ query: { limit, cursor, ...filter } }) => audit.list(filter, { limit, cursor }),
    }),
  ];
}
