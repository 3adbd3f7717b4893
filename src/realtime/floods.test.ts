import { once } from 'node:events';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';
import { FLOOD } from './floods';
import { doorForTests } from './testing/door';

/** Clients that keep to the protocols, and to nothing else: a bare WebSocket, and the packets of Engine.IO (4 …) and Socket.IO (40, 41 …). */

const CONNECT = '40{"token":"a token"}';
const open: WebSocket[] = [];
afterEach(() => open.splice(0).forEach((client) => client.terminate()));
const door = doorForTests();

async function bare(): Promise<WebSocket> {
  const client = new WebSocket(`${door.url}/socket.io/?EIO=4&transport=websocket`);
  open.push(client);
  await once(client, 'open');
  return client;
}

/** Resolves when the server has sent something that begins so. */
const heard = (client: WebSocket, beginning: string) =>
  new Promise<void>((resolve) =>
    client.on('message', (data: Buffer) => {
      if (data.toString().startsWith(beginning)) resolve();
    }),
  );

/** How many connections the server still has, as often as that may have changed. */
async function untilNobodyIsConnected(): Promise<void> {
  const count = promisify(door.http.getConnections.bind(door.http));
  while ((await count()) > 0) await new Promise((resolve) => setTimeout(resolve, 20));
}

test.each([
  ['pings of the protocol beneath', (client: WebSocket) => client.ping('x'.repeat(100)), FLOOD.packets + 1],
  ['large packets', (client: WebSocket) => client.send(`6${'x'.repeat(60_000)}`), Math.ceil(FLOOD.bytes / 60_000)],
])('a flood of %s ends that connection, whoever it is of', async (_what, send, times) => {
  const [flooding, witness] = [await bare(), await bare()];
  const ended = once(flooding, 'close');
  for (let i = 0; i < times; i++) send(flooding);
  await ended;
  const greeted = heard(witness, '42["connected"');
  witness.send(CONNECT);
  await greeted;
});

test('whoever leaves without hanging up is hung up on', async () => {
  const client = await bare();
  const greeted = heard(client, '42["connected"');
  client.send(CONNECT);
  await greeted;
  const ended = once(client, 'close');
  client.send('41');
  await ended;
});

test('whoever asks for a second socket before the first one is there gets none', async () => {
  let asked = 0;
  const { authenticate } = door;
  door.authenticate = (token) => ((asked += 1), authenticate(token));
  const client = await bare();
  const ended = once(client, 'close');
  client.send(CONNECT);
  client.send(CONNECT);
  await ended;
  expect(asked).toBe(1);
});

test('a connection that the server has closed is gone, also where the client does not agree', async () => {
  const client = await bare();
  // it never says goodbye, as it reads nothing
  client.pause();
  client.send('42["nobody said hello"]');
  await untilNobodyIsConnected();
});
