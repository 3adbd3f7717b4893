import { once } from 'node:events';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';
import type { Door } from './door';

/** Clients that keep to the protocols, and to nothing else: a bare WebSocket, and the packets of Engine.IO (4 …) and Socket.IO (40, 41 …). */
export function bareClients(door: Door) {
  const open: WebSocket[] = [];
  afterEach(() => open.splice(0).forEach((client) => client.terminate()));

  /** @param from the address that the proxy in front says it has */
  const connect = async (from = '192.0.2.1'): Promise<WebSocket> => {
    const client = new WebSocket(`${door.url}/socket.io/?EIO=4&transport=websocket`, {
      headers: { 'x-forwarded-for': from },
    });
    open.push(client);
    await once(client, 'open');
    return client;
  };

  return {
    connect,
    /** One that is let in, and has its snapshot. */
    async greeted(from?: string): Promise<WebSocket> {
      const client = await connect(from);
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
