import { route, type Route } from '../../../http/route';
import type { AuthApi } from '../auth.api';
import { codeBody, enrolBody, enrolmentView, offBody, recoveryView, secondFactorView } from './second-factor.schemas';
import type { SecondFactor } from './second-factor.service';

const own = { tag: 'Second factor', access: 'player', limit: 'credentials' } as const;
const PATH = '/api/auth/second-factor';

export function secondFactorRoutes(secondFactor: SecondFactor, auth: Pick<AuthApi, 'reauthenticate'>): Route[] {
  return [
    route({
      ...own,
      method: 'get',
      path: PATH,
      summary: 'Whether I sign in with a second factor',
      limit: 'general',
      status: 200,
      answer: secondFactorView,
      handler: ({ player }) => secondFactor.status(player),
    }),
    route({
      ...own,
      method: 'post',
      path: PATH,
      summary: 'Get a secret for an authenticator app; it counts once a code has confirmed it',
      body: enrolBody,
      status: 200,
      answer: enrolmentView,
      errors: ['BAD_CREDENTIALS', 'REAUTHENTICATE', 'CONFLICT'],
      handler: async ({ player, body }) => {
        await auth.reauthenticate(player, body.password);
        return secondFactor.enrol(player);
      },
    }),
    route({
      ...own,
      method: 'post',
      path: `${PATH}/confirm`,
      summary: 'Switch the second factor on by a code of the app; answers with recovery codes',
      body: codeBody,
      status: 200,
      answer: recoveryView,
      errors: ['BAD_CODE', 'CONFLICT'],
      handler: ({ player, body }) => secondFactor.confirm(player, body.code),
    }),
    route({
      ...own,
      method: 'post',
      path: `${PATH}/recovery-codes`,
      summary: 'New recovery codes in the place of the old ones',
      body: codeBody,
      status: 200,
      answer: recoveryView,
      errors: ['BAD_CODE', 'CONFLICT'],
      handler: ({ player, body }) => secondFactor.renewRecoveryCodes(player, body.code),
    }),
    route({
      ...own,
      method: 'delete',
      path: PATH,
      summary: 'Switch the second factor off',
      body: offBody,
      status: 204,
      errors: ['BAD_CREDENTIALS', 'REAUTHENTICATE', 'BAD_CODE', 'CONFLICT', 'FORBIDDEN'],
      handler: async ({ player, body }) => {
        await auth.reauthenticate(player, body.password);
        await secondFactor.switchOff(player, body.code);
      },
    }),
  ];
}
