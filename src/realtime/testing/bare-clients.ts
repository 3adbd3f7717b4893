import { once } from 'node:events';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';
import type { Door } from './door';

/** Clients that keep to the protocols, and to nothing else: a bare WebSocket, and the packets of Engine.IO (4 …) and Socket.IO (40, 41 …). */
export function bareClients(door: Door) {
  const open: WebSocket[] = [];
  afterEach(() => open.splice(0).forEach((client) => client.terminate()));

  const connect = async (): Promise<WebSocket> => {
    const client = new WebSocket(`${door.url}/socket.io/?EIO=4&transport=websocket`);
    open.push(client);
    await once(client, 'open');
    return client;
  };

  return {
    connect,
    /** One that is let in, and has its snapshot. */
    async greeted(): Promise<WebSocket> {
      const client = await connect();
      const hello = new Promise<void>((resolve) =>
        client.on('message', (data: Buffer) => {
          if (data.toString().startsWith('42["connected"')) resolve();
        }),
      );
      client.send(CONNECT);
      await hello;
      return client;
    },
    /** How many connections the server has, whatever the clients believe. */
    count: (): Promise<number> => promisify(door.http.getConnections.bind(door.http))(),
  };
}

export const CONNECT = '40{"token":"a token"}';
