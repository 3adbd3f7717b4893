import type { Server, Socket } from 'socket.io';
import type { Logger } from '../core/logger';
import { networkOf } from '../http/rate-limits';
import { addressOf } from './address';

/**
 * Connections that have not shown a good token yet, counted by address: they cost memory, and nothing that they do is asked of anybody. Each
 * is ended after ten seconds; so many may stand there at a time, and whoever comes then is sent away and may come again. While a token
 * is looked at its connection is not counted, or everybody who comes back after a failure would be in each other's way.
 */
export interface Doorstep {
  /** To be called once the server is attached. */
  watch(): void;
  /** It shows a token. */
  leave(connection: Connection): void;
  /** The token was no good. */
  back(connection: Connection): void;
}

type Connection = Socket['conn'];

/** The code of the WebSocket protocol for "try again later". */
const TRY_AGAIN_LATER = 1013;
export const CROWDED = 'Too many connections from your address have not shown a token: show it, or come again later.';

export interface DoorstepDeps {
  io: Server;
  /** How many of one address may stand there. */
  most: number;
  trustProxyHops: number;
  logger: Logger;
}

export function createDoorstep({ io, most, trustProxyHops, logger }: DoorstepDeps): Doorstep {
  const crowds = new Map<string, { connections: Set<Connection>; warned: boolean }>();

  const networkOfConnection = ({ request, remoteAddress: address }: Connection): string => {
    const handshake = { address, headers: request.headers } as Socket['handshake'];
    return networkOf(addressOf({ handshake }, trustProxyHops));
  };

  const leave = (connection: Connection) => {
    const network = networkOfConnection(connection);
    const crowd = crowds.get(network);
    crowd?.connections.delete(connection);
    if (crowd?.connections.size === 0) crowds.delete(network);
  };

  const stand = (connection: Connection) => {
    const network = networkOfConnection(connection);
    const crowd = crowds.get(network) ?? { connections: new Set(), warned: false };
    crowds.set(network, crowd);
    crowd.connections.add(connection);
    return { network, crowd };
  };

  const arrive = (connection: Connection) => {
    connection.once('close', () => leave(connection));
    const { network, crowd } = stand(connection);
    if (crowd.connections.size <= most) return;
    leave(connection);
    // once until nobody is left, or whoever does this would fill the log
    if (!crowd.warned)
      logger.warn({ address: network, most }, 'an address has too many connections that show no token');
    crowd.warned = true;
    sendAway(connection);
  };

  return {
    watch: () => void io.engine.on('connection', arrive),
    leave,
    back(connection) {
      if (connection.readyState === 'open') stand(connection);
    },
  };
}

/** Says why, and hangs up: who does not agree is not waited for. */
function sendAway({ transport, request }: Connection): void {
  const { socket } = transport as unknown as { socket: { close(code: number, reason: string): void } };
  socket.close(TRY_AGAIN_LATER, CROWDED);
  request.socket.destroySoon();
}
