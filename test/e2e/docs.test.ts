import { Validator } from '@seriousme/openapi-schema-validator';
import type { MaogaServer } from '../../src/server';
import { registerPlayer, request } from '../support/client';
import { startTestServer } from '../support/server';

let server: MaogaServer;
// eslint-disable-next-line @typescript-eslint/no-explicit-any
let openApi: any;
// eslint-disable-next-line @typescript-eslint/no-explicit-any
let asyncApi: any;
beforeAll(async () => {
  server = await startTestServer();
  openApi = (await request(server, 'GET', '/openapi.json')).body;
  asyncApi = (await request(server, 'GET', '/asyncapi.json')).body;
});

/** What contract.md promises, and no more. */
const PROMISED = `
post /api/auth/register            post /api/auth/login               post /api/auth/refresh
post /api/auth/logout              post /api/auth/logout-all
get /api/users/me                  patch /api/users/me                patch /api/users/me/preferences
put /api/users/me/game-profiles/{gameId}                              delete /api/users/me/game-profiles/{gameId}
get /api/users                     get /api/users/{id}
get /api/games                     get /api/games/trending            get /api/games/{idOrSlug}
post /api/games                    patch /api/games/{id}              put /api/games/{id}/modes/{key}
post /api/matchmaking/tickets      get /api/matchmaking/tickets/current
get /api/matchmaking/tickets/{id}  patch /api/matchmaking/tickets/{id}  delete /api/matchmaking/tickets/{id}
get /api/matchmaking/tickets/{id}/explanation
post /api/matchmaking/matches/{id}/accept   post /api/matchmaking/matches/{id}/decline
post /api/matchmaking/matches/{id}/result   get /api/matchmaking/matches   get /api/matchmaking/matches/{id}
get /api/matchmaking/pools
post /api/lobbies                  get /api/lobbies                   get /api/lobbies/open
get /api/lobbies/{id}              patch /api/lobbies/{id}
post /api/lobbies/{id}/join        post /api/lobbies/{id}/leave       post /api/lobbies/{id}/ready
post /api/lobbies/{id}/kick        post /api/lobbies/{id}/host        post /api/lobbies/{id}/close
post /api/lobbies/{id}/invites     post /api/lobbies/{id}/queue       delete /api/lobbies/{id}/queue
get /api/lobbies/{id}/messages     post /api/lobbies/{id}/messages
get /api/notifications             get /api/notifications/count       post /api/notifications/{id}/read
post /api/notifications/read-all   delete /api/notifications/{id}
get /api/notifications/settings    put /api/notifications/settings
put /api/notifications/devices/{token}                                delete /api/notifications/devices/{token}
`
  .split(/\s{2,}|\n/)
  .filter((line) => line !== '');

const EVENTS = `matchmaking:subscribe matchmaking:accept matchmaking:decline lobby:subscribe lobby:unsubscribe
lobby:ready chat:send chat:typing presence:subscribe auth:refresh sync`.split(/\s+/);

const documentedRoutes = () =>
  Object.entries(openApi.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );

describe('/openapi.json', () => {
  test('is valid, and its operations have ids of their own', async () => {
    expect(await new Validator().validate(structuredClone(openApi))).toEqual({ valid: true });
    const ids = Object.values(openApi.paths as Record<string, Record<string, { operationId: string }>>).flatMap(
      (path) => Object.values(path).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('has every route that is served, and every one that is promised', () => {
    const served = server.routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect(documentedRoutes().sort()).toEqual(served.sort());
    expect(documentedRoutes()).toEqual(expect.arrayContaining(PROMISED));
  });

  test('says of every path parameter what it is, and of every success with a body what it holds', () => {
    for (const [path, methods] of Object.entries(openApi.paths as Record<string, Record<string, never>>))
      for (const operation of Object.values(methods)) {
        const { parameters, responses, summary } = operation as {
          parameters: { name: string; in: string }[];
          responses: Record<string, { content?: object }>;
          summary: string;
        };
        const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
        expect(parameters.filter((each) => each.in === 'path').map(({ name }) => name)).toEqual(named);
        expect(summary).toMatch(/\w/);
        for (const [status, { content }] of Object.entries(responses))
          // what is accepted may have nothing to say yet
          if (status !== '202')
            expect([path, status, content === undefined]).toEqual([path, status, ['204', '302'].includes(status)]);
      }
  });

  test('is true of who may ask: what needs a token refuses to answer without one, what does not answers', async () => {
    for (const { method, path, access } of server.routes) {
      const target = path.replaceAll(/:\w+/g, 'f'.repeat(24));
      const { status } = await request(server, method.toUpperCase(), target);
      if (access === 'anyone') expect([path, status]).not.toEqual([path, 401]);
      else expect([path, status]).toEqual([path, 401]);
    }
  });
});

describe('/asyncapi.json', () => {
  const heardFromClients = () =>
    Object.values(asyncApi.operations as Record<string, { action: string; messages: { $ref: string }[] }>)
      .filter(({ action }) => action === 'receive')
      .map(({ messages }) => asyncApi.channels.socket.messages[messages[0]!.$ref.split('/').at(-1)!].name as string);

  test('has every event that is handled, which are those that are promised', () => {
    expect(heardFromClients().sort()).toEqual(server.clientEvents.map(({ name }) => name).sort());
    expect(heardFromClients().sort()).toEqual([...EVENTS].sort());
  });

  test('is true: each of its events is known to the server', async () => {
    const { send } = await (await registerPlayer(server)).connect();
    for (const name of heardFromClients()) {
      const answer = await send(name, { unknown: 'field' });
      expect([name, answer.error.code]).toEqual([name, 'VALIDATION_FAILED']);
    }
  });
});

test('whoever opens the address of the server is led to the pages', async () => {
  const answer = await fetch(server.url);
  expect([answer.status, answer.url]).toEqual([200, `${server.url}/docs`]);
});

test('both can be switched off', async () => {
  const quiet = await startTestServer({ env: { DOCS: 'false' } });
  for (const path of ['/', '/openapi.json', '/asyncapi.json', '/docs'])
    expect((await request(quiet, 'GET', path)).status).toBe(404);
});
