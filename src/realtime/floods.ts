import type { Server, Socket } from 'socket.io';
import type { Clock } from '../core/clock';
import type { Logger } from '../core/logger';

/**
 * Budgets refuse events politely, and each refusal costs work: 100,000 of them at once held up everybody for 1.6 s. A
 * connection that sends several times what any player may is cut off, whether or not it has shown a token.
 */
export const FLOOD = { packets: 1_000, perMs: 10_000 } as const;

/** Counts what each connection sends; to be called once the server is attached. */
export function cutOffFloods({ io, clock, logger }: { io: Server; clock: Clock; logger: Logger }): void {
  io.engine.on('connection', (connection: Socket['conn']) => {
    let endsAt = 0;
    let packets = 0;
    connection.on('packet', () => {
      const now = clock.now();
      if (now >= endsAt) {
        endsAt = now + FLOOD.perMs;
        packets = 0;
      }
      packets += 1;
      if (packets !== FLOOD.packets + 1) return;
      logger.warn({ packets, perMs: FLOOD.perMs }, 'a client that floods was cut off');
      connection.request.socket.destroy();
    });
  });
}
