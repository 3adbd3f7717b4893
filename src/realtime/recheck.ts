import type { Server, Socket } from 'socket.io';
import { inTurn } from '../core/in-turn';
import type { Logger } from '../core/logger';
import { createLoop, type Loop } from '../core/loop';
import type { Identity } from '../http/route';
import type { SocketData } from './admission';
import { sayGoodbye } from './watch';

const EVERY_MS = 1_000;
/** Ticks in which everybody has had their turn. */
const ROUND = 60;

/**
 * Looks again, for each open socket about once a minute, whether its session is still there: an instance that has ended it may have died before
 * it told the others (`revocations.ts`).
 */
export function createRecheck(deps: {
  io: Server;
  /** Which of these sessions are over, by id. */
  overOf: (players: readonly Identity[]) => Promise<ReadonlySet<string>>;
  /** Why a socket may not stay, or nothing: by its token, as at the door. */
  refusalOf: (socket: Socket) => Promise<string | undefined>;
  logger: Logger;
}): Loop {
  const { io, overOf, refusalOf, logger } = deps;
  const next = inTurn(() => io.sockets.sockets.values());
  const playerOf = (socket: Socket) => (socket.data as SocketData).player;

  return createLoop({
    name: 'recheck',
    everyMs: EVERY_MS,
    async tick() {
      const sockets = next(Math.ceil(io.sockets.sockets.size / ROUND)).filter(({ connected }) => connected);
      if (sockets.length === 0) return;
      const over = await overOf(sockets.map(playerOf));
      for (const socket of sockets) {
        // asked once more, by the token that it has now: `auth:refresh` may have come in between
        const refusal = over.has(playerOf(socket).sessionId) ? await refusalOf(socket) : undefined;
        if (refusal !== undefined) sayGoodbye(socket, refusal);
      }
    },
    onError: (err) => logger.warn({ err }, 'the sessions of open sockets could not be looked at again'),
  });
}
