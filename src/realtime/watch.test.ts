import { userRoom } from './rooms';
import { bareClients } from './testing/bare-clients';
import { ANN, doorForTests } from './testing/door';

const door = doorForTests();
const clients = bareClients(door);

test.each([
  ['large', 60_000],
  ['small', 10],
])('a client that does not read is dropped once too much waits for it, in %s packets', async (_size, length) => {
  const client = await clients.greeted();
  client.pause();
  const told = { lobbyId: 'x'.repeat(length), userId: ANN.userId, typing: true };
  // the kernel takes a good deal first, on both sides
  while ((await clients.count()) > 0)
    for (let i = 0; i < 1_000_000 / length / 10; i++) door.realtime.signal(userRoom(ANN.userId), 'chat:typing', told);
});
