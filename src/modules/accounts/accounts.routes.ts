import { route, type Route } from '../../http/route';
import { closeBody, deletionView, emailBody, exportView, forgotBody, resetBody, tokenBody } from './accounts.schemas';
import type { Closing } from './closing.service';
import type { Recovery } from './recovery.service';

/** Neither these answers nor what they ask for may be kept by an `Idempotency-Key`: tokens are good once as it is. */
export function accountRoutes(recovery: Recovery, closing: Closing): Route[] {
  return [...addressRoutes(recovery), ...passwordRoutes(recovery), ...ownerRoutes(closing)];
}

const open = { tag: 'Account', access: 'anyone', limit: 'credentials', method: 'post' } as const;
const own = { tag: 'Account', access: 'player', limit: 'credentials' } as const;

function addressRoutes(recovery: Recovery): Route[] {
  return [
    route({
      ...open,
      path: '/api/auth/verify-email',
      summary: 'Confirm an address by the link that was mailed to it',
      body: tokenBody,
      status: 204,
      errors: ['LINK_EXPIRED'],
      handler: ({ body }) => recovery.verifyEmail(body.token),
    }),
    route({
      ...own,
      method: 'post',
      path: '/api/auth/verify-email/resend',
      summary: 'Mail that link again; nothing is mailed where the address is confirmed already',
      status: 202,
      handler: ({ player }) => recovery.resendVerification(player),
    }),
    route({
      ...own,
      method: 'post',
      path: '/api/auth/change-email',
      summary: 'Mail a link to my new address; following it makes the address mine, and the old one is told',
      body: emailBody,
      status: 202,
      errors: ['BAD_CREDENTIALS', 'REAUTHENTICATE', 'EMAIL_TAKEN'],
      handler: ({ player, body }) => recovery.requestEmail(player, body),
    }),
    route({
      ...open,
      path: '/api/auth/change-email/confirm',
      summary: 'Take the new address, by the link that was mailed to it',
      body: tokenBody,
      status: 204,
      errors: ['LINK_EXPIRED', 'EMAIL_TAKEN'],
      handler: ({ body }) => recovery.changeEmail(body.token),
    }),
  ];
}

function passwordRoutes(recovery: Recovery): Route[] {
  return [
    route({
      ...open,
      path: '/api/auth/reset-password',
      summary: 'Mail a link to choose a new password by; the answer is the same for an unknown address',
      account: ({ email }) => email,
      body: forgotBody,
      status: 202,
      handler: ({ body }) => recovery.forgotPassword(body.email),
    }),
    route({
      ...open,
      path: '/api/auth/reset-password/confirm',
      summary: 'Choose a new password by that link; ends all sessions',
      body: resetBody,
      status: 204,
      errors: ['LINK_EXPIRED'],
      handler: ({ body }) => recovery.resetPassword(body),
    }),
  ];
}

function ownerRoutes(closing: Closing): Route[] {
  return [
    route({
      ...own,
      method: 'post',
      path: '/api/users/me/deactivate',
      summary: 'Leave for a while: nobody sees me, all sessions end; logging in brings me back',
      body: closeBody,
      status: 204,
      errors: ['BAD_CREDENTIALS', 'REAUTHENTICATE'],
      handler: ({ player, body }) => closing.deactivate(player, body),
    }),
    route({
      ...own,
      method: 'delete',
      path: '/api/users/me',
      summary: 'Delete my account: closed now, erased after some days; logging in before that brings it back',
      body: closeBody,
      status: 202,
      answer: deletionView,
      errors: ['BAD_CREDENTIALS', 'REAUTHENTICATE'],
      handler: ({ player, body }) => closing.delete(player, body),
    }),
    route({
      ...own,
      method: 'get',
      path: '/api/users/me/export',
      summary: 'Everything that is kept about me, in one document',
      limit: 'submit',
      status: 200,
      answer: exportView,
      handler: ({ player }) => closing.export(player),
    }),
  ];
}
