import { once } from 'node:events';
import type { WebSocket } from 'ws';
import { AppError } from '../core/errors';
import { CROWDED } from './doorstep';
import { bareClients, CONNECT } from './testing/bare-clients';
import { doorForTests, WITHOUT_TOKEN } from './testing/door';

const door = doorForTests();
const clients = bareClients(door);

const crowd = (from?: string) => Promise.all(Array.from({ length: WITHOUT_TOKEN }, () => clients.connect(from)));

/** Why it was closed. */
async function ending(client: WebSocket): Promise<[code: number, reason: string]> {
  const [code, reason] = (await once(client, 'close')) as [number, Buffer];
  return [code, reason.toString()];
}

const leave = async (client: WebSocket) => {
  const gone = once(client, 'close');
  client.close();
  await gone;
};

test('so many connections of one address may stand there without a token; the next one is told why it may not', async () => {
  const [first] = await crowd();
  expect(await ending(await clients.connect())).toEqual([1013, CROWDED]);
  // others are not concerned, and a place becomes free
  await clients.greeted('198.51.100.7');
  await leave(first!);
  await clients.greeted();
});

test('whoever was let in does not count', async () => {
  await Promise.all(Array.from({ length: 10 }, () => clients.greeted()));
  const all = await crowd();
  // by now the others would have been sent away
  await clients.greeted('198.51.100.7');
  expect(all.filter(({ readyState, OPEN }) => readyState !== OPEN)).toEqual([]);
});

test('neighbours in one IPv6 network share their places', async () => {
  await crowd('2001:db8:1:1::1');
  expect(await ending(await clients.connect('2001:db8:1:2::2'))).toEqual([1013, CROWDED]);
});

test('whoever has shown a bad token stands there again', async () => {
  door.authenticate = () => Promise.reject(new AppError('UNAUTHENTICATED', 'The session is over: log in again.'));
  const all = await crowd();
  const refused = Promise.all(all.map((client) => once(client, 'message')));
  for (const client of all) client.send(CONNECT);
  await refused;
  expect(await ending(await clients.connect())).toEqual([1013, CROWDED]);
});

test('while tokens are looked at there is room for others', async () => {
  let admit = () => {};
  const looked = new Promise<void>((resolve) => (admit = resolve));
  const { authenticate } = door;
  let asked = 0;
  const all = await crowd();
  const allAsked = new Promise<void>((resolve) => {
    door.authenticate = async (token) => {
      if (++asked === all.length) resolve();
      if (asked <= all.length) await looked;
      return authenticate(token);
    };
  });
  for (const client of all) client.send(CONNECT);
  await allAsked;
  const other = await clients.connect();
  expect(other.readyState).toBe(other.OPEN);
  admit();
  await leave(other);
});
