import { once } from 'node:events';
import type { WebSocket } from 'ws';
import { FLOOD } from './floods';
import { bareClients, CONNECT } from './testing/bare-clients';
import { doorForTests } from './testing/door';

const door = doorForTests();
const clients = bareClients(door);

test.each([
  ['pings of the protocol beneath', (client: WebSocket) => client.ping('x'.repeat(100)), FLOOD.packets + 1],
  ['large packets', (client: WebSocket) => client.send(`6${'x'.repeat(60_000)}`), Math.ceil(FLOOD.bytes / 60_000)],
])('a flood of %s ends that connection, and no other, whoever it is of', async (_what, send, times) => {
  const flooding = await clients.connect();
  const ended = once(flooding, 'close');
  for (let i = 0; i < times; i++) send(flooding);
  await ended;
  await clients.greeted();
});

test('whoever leaves without hanging up is hung up on', async () => {
  const client = await clients.greeted();
  const ended = once(client, 'close');
  client.send('41');
  await ended;
});

test('whoever asks for a second socket before the first one is there gets none', async () => {
  let asked = 0;
  const { authenticate } = door;
  door.authenticate = (token) => ((asked += 1), authenticate(token));
  const client = await clients.connect();
  const ended = once(client, 'close');
  client.send(CONNECT);
  client.send(CONNECT);
  await ended;
  expect(asked).toBe(1);
});

test('a connection that the server has closed is gone, also where the client does not agree', async () => {
  const client = await clients.connect();
  // it never says goodbye, as it reads nothing
  client.pause();
  client.send('42["nobody said hello"]');
  while ((await clients.count()) > 0) await new Promise(setImmediate);
});
