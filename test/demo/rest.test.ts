import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { registerPlayer } from '../../demo/player';
import { createRest, type Rest } from '../../demo/rest';

/** What a client does where an instance is lost over its request. */

let server: Server;
let rest: Rest;
let url: string;
/** What is done with each request, in turn; the last one for all that follow. */
let script: RequestListener[] = [];
const asked: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const act = script.length > 1 ? script.shift() : script[0];
    act?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  rest = createRest(url);
});
afterAll(async () => {
  rest.close();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => void (asked.length = 0));

const answers =
  (status: number, body: object = {}): RequestListener =>
  (_, response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
const breaksOff: RequestListener = (request) => void request.socket.destroy();

test.each([
  ['502', answers(502)],
  ['503', answers(503)],
  ['a connection that breaks', breaksOff],
])('after %s it asks again, and says that it may have been done', async (_, fails) => {
  script = [fails, fails, answers(200, { ok: 1 })];
  expect(await rest.insist({ method: 'POST', path: '/x' })).toMatchObject({
    status: 200,
    body: { ok: 1 },
    repeated: true,
  });
  expect(asked).toHaveLength(3);
});

test.each([200, 404, 409, 500])('%d is an answer', async (status) => {
  script = [answers(status)];
  expect(await rest.insist({ method: 'POST', path: '/x' })).toMatchObject({ status, repeated: false });
  expect(asked).toHaveLength(1);
});

test('whose registration was done, though its answer was lost, logs in', async () => {
  const session = { user: { id: 'u1' }, accessToken: 't' };
  script = [breaksOff, answers(409, { code: 'USERNAME_TAKEN' }), answers(200, session)];
  expect(await registerPlayer(rest, url, 'ann')).toMatchObject({ username: 'ann', userId: 'u1' });
  expect(asked.at(-1)).toBe('POST /api/auth/login');
});

test('a name that somebody else has is refused', async () => {
  script = [answers(409, { code: 'USERNAME_TAKEN', detail: 'no' })];
  await expect(registerPlayer(rest, url, 'ann')).rejects.toThrow('registering ann: 409 USERNAME_TAKEN: no');
});
