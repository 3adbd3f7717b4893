import type { Server, Socket } from 'socket.io';
import type { Clock } from '../core/clock';
import type { Logger } from '../core/logger';

/**
 * Budgets refuse events politely, and each refusal costs work: 100,000 of them at once held up everybody for 1.6 s. A
 * connection that sends several times what any player may is cut off, whether or not it has shown a token. The pings of the WebSocket
 * protocol count as well, which are no events: one connection that sent them and read no answer cost 330 MB in 8 s.
 */
export const FLOOD = { packets: 1_000, bytes: 1024 * 1024, perMs: 10_000 } as const;

/** How long the other side of a connection that was closed has to agree: the library gives it half a minute, whoever it is. */
const GOODBYE_MS = 2_000;

type Connection = Socket['conn'];

/** Counts what each connection sends; to be called once the server is attached. */
export function cutOffFloods({ io, clock, logger }: { io: Server; clock: Clock; logger: Logger }): void {
  io.engine.on('connection', (connection: Connection) => {
    let endsAt = 0;
    let [packets, bytes] = [0, 0];
    const count = (data?: string | Buffer) => {
      const now = clock.now();
      if (now >= endsAt) {
        endsAt = now + FLOOD.perMs;
        [packets, bytes] = [0, 0];
      }
      packets += 1;
      bytes += data?.length ?? 0;
      const { socket: raw } = connection.request;
      if ((packets <= FLOOD.packets && bytes <= FLOOD.bytes) || raw.destroyed) return;
      logger.warn({ packets, bytes, perMs: FLOOD.perMs }, 'a client that floods was cut off');
      raw.destroy();
    };
    connection.on('packet', ({ data }: { data?: string | Buffer }) => count(data));
    beneath(connection).on('ping', count);
    connection.once('close', () => hangUp(connection));
  });
}

/** The WebSocket, of which engine.io shows only what its own packets are. */
const beneath = ({ transport }: Connection) =>
  (transport as unknown as { socket: { on(name: 'ping', listener: (data: Buffer) => void): void } }).socket;

function hangUp({ request: { socket: raw } }: Connection): void {
  if (raw.destroyed) return;
  const late = setTimeout(() => raw.destroy(), GOODBYE_MS).unref();
  raw.once('close', () => clearTimeout(late));
}
