import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

/**
 * The driver's own connection, with two gaps closed through which a command waited for ever, and with it whoever had sent it: a request, a
 * loop, or the monitor, without which the server is not found again (mongodb 7.9 and before).
 *
 * When the other side hangs up, Node tells at once ('end'), but the driver listens for 'close' only, some turns later. A command written in
 * between goes nowhere: the socket takes nothing, will never tell that it has room again, and has no error to tell.
 * The same where a connection is given up while a command waits for room in its socket.
 */

interface DriverConnection extends EventEmitter {
  readonly error: Error | null;
  /** Fails what waits for a reply, and refuses what comes later. */
  destroy(): void;
}

/** The driver takes another class as the option `connectionType`, and does not export its own. Mongoose has a driver of its own. */
function ofDriver(): new (socket: Socket, options: object) => DriverConnection {
  const path = require.resolve('mongodb/lib/cmap/connection', { paths: [require.resolve('mongoose')] });
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return (require(path) as { Connection: ReturnType<typeof ofDriver> }).Connection;
}

export class AttentiveConnection extends ofDriver() {
  constructor(socket: Socket, options: object) {
    super(socket, options);
    socket.once('end', () => this.destroy());
    this.once('close', () => {
      if (socket.listenerCount('drain') > 0) socket.emit('error', this.error);
    });
  }
}
