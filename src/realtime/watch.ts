import type { Server, Socket } from 'socket.io';
import type { Clock } from '../core/clock';
import type { Logger } from '../core/logger';
import { createLoop, type Loop } from '../core/loop';
import { createSlices } from '../core/slices';
import type { SocketData } from './admission';
import type { Budgets } from './budgets';

/**
 * What may wait for a client that does not read; above it the client is dropped, and repairs itself by reconnecting. Much less than
 * this is what a lively evening comes to in the 45 s after which a client that is gone is missed.
 */
const MAX_WAITING_BYTES = 1024 * 1024;
/** What a waiting packet takes besides its text: a small one weighs as much as that. */
const PACKET_BYTES = 500;
/** Between two looks of the loop much more can come together: every so many packets that wait are a reason to look, too. */
const LOOK_EVERY_PACKETS = 64;
/** After its token has expired a socket is left this long to bring a new one by `auth:refresh`. */
export const TOKEN_GRACE_MS = 60_000;

/** Looks after the open sockets: slow clients, expired tokens, budgets of windows gone by. */
export function createWatch(deps: { io: Server; clock: Clock; logger: Logger; budgets: Budgets }): Loop {
  const { io, clock, logger, budgets } = deps;
  return createLoop({
    name: 'sockets',
    everyMs: 1000,
    tick: async () => {
      budgets.sweep();
      const now = clock.now();
      const slices = createSlices();
      for (const socket of io.sockets.sockets.values()) {
        if (slices.isOver) await slices.pause();
        const { expiresAt } = socket.data as SocketData;
        if (dropIfSlow(socket, logger)) continue;
        if (expiresAt !== null && now >= expiresAt + TOKEN_GRACE_MS) {
          sayGoodbye(socket, 'the access token has expired');
        }
      }
    },
    onError: (err) => logger.error({ err }, 'the watch over sockets failed'),
  });
}

/** Closes a socket for good: the client does not come back by itself. */
export function sayGoodbye(socket: Socket, reason: string): void {
  socket.emit('session:expired', { reason });
  socket.disconnect(true);
}

/** Looks after what waits for one socket, while it is being written to. */
export function watchWriting(socket: Socket, logger: Logger): void {
  socket.conn.on('packetCreate', () => {
    if ((waitingFor(socket).length + 1) % LOOK_EVERY_PACKETS === 0) dropIfSlow(socket, logger);
  });
}

/** @returns whether the client was dropped, by this look or one before */
function dropIfSlow(socket: Socket, logger: Logger): boolean {
  const { socket: raw } = socket.conn.request;
  if (raw.destroyed) return true;
  if (!isSlow(socket)) return false;
  const { player } = socket.data as SocketData;
  logger.warn({ userId: player.userId }, 'a client that does not read was dropped');
  // nothing more gets through to it, a farewell neither
  raw.destroy();
  return true;
}

/** engine.io declares its buffer private, and offers no other way to learn how far behind a client is. */
const waitingFor = ({ conn }: Socket) => (conn as unknown as { writeBuffer: { data?: unknown }[] }).writeBuffer;

function isSlow(socket: Socket): boolean {
  const inTransport = (socket.conn.transport as { socket?: { bufferedAmount?: number } }).socket?.bufferedAmount ?? 0;
  return waitingFor(socket).reduce((sum, packet) => sum + sizeOf(packet), inTransport) > MAX_WAITING_BYTES;
}

const sizeOf = ({ data }: { data?: unknown }): number => PACKET_BYTES + (typeof data === 'string' ? data.length : 0);
