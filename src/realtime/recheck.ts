import type { Server, Socket } from 'socket.io';
import type { Logger } from '../core/logger';
import { createLoop, type Loop } from '../core/loop';
import { sayGoodbye } from './watch';

const EVERY_MS = 1_000;
/** Ticks after which everybody has had their turn. */
const ROUND = 60;

/**
 * Asks again, for each open socket about once a minute, whether its token lets it in: an instance that has ended a session may have died before it
 * told the others (`revocations.ts`).
 *
 * @param refusalOf why a socket may not stay, or nothing
 */
export function createRecheck(deps: {
  io: Server;
  refusalOf: (socket: Socket) => Promise<string | undefined>;
  logger: Logger;
}): Loop {
  const { io, refusalOf, logger } = deps;
  let walk = io.sockets.sockets.values();

  const next = (): Socket[] => {
    const share = Math.ceil(io.sockets.sockets.size / ROUND);
    const sockets: Socket[] = [];
    while (sockets.length < share) {
      const { done, value } = walk.next();
      if (done) {
        walk = io.sockets.sockets.values();
        break;
      }
      sockets.push(value);
    }
    return sockets;
  };

  return createLoop({
    name: 'recheck',
    everyMs: EVERY_MS,
    async tick() {
      await Promise.all(
        next().map(async (socket) => {
          const refusal = await refusalOf(socket);
          if (refusal !== undefined) sayGoodbye(socket, refusal);
        }),
      );
    },
    onError: (err) => logger.warn({ err }, 'open sockets could not be asked again whose they are'),
  });
}
