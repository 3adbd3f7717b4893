import type { Server as HttpServer } from 'node:http';
import type { Connection } from 'mongoose';
import { Server, type Socket } from 'socket.io';
import { z } from 'zod';
import type { Config } from '../config/config';
import type { Clock } from '../core/clock';
import { AppError, toProblem } from '../core/errors';
import type { Logger } from '../core/logger';
import type { Identity } from '../http/route';
import { addressOf } from './address';
import { clientEvent, type ClientEvent } from './client-event';
import { createFeed, type Feed } from './feed';
import { onEvent, refuseUnknownEvents } from './on-event';
import { createPresence } from './presence';
import type { SignalEvents, Snapshot } from './protocol';

/**
 * The Socket.IO server. Each socket is authenticated at the handshake, stands in its user's room and in the rooms of the
 * user's lobbies, and gets a `connected` snapshot. All client events go through `onEvent`.
 */
export interface Realtime {
  feed: Feed;
  /** Sends a passing signal to a room. */
  signal<Name extends keyof SignalEvents>(room: string, name: Name, payload: SignalEvents[Name]): void;
  /** Moves all of a user's sockets, on every instance. */
  join(userId: string, room: string): void;
  leave(userId: string, room: string): void;
  /** Tells the user's sockets (or those of one session) that it is over, and closes them for good. */
  expire(userId: string, reason: string, sessionId?: string): void;
  readonly connections: number;
  /** Registers what the modules bring; called once, before `attach`. */
  serve(options: Serving): void;
  attach(http: HttpServer): void;
  /** Lets clients go so that they come back elsewhere, then closes. Does not close the HTTP server. */
  stop(): Promise<void>;
}

export interface Serving {
  events: ClientEvent[];
  /** @throws UNAUTHENTICATED, TOKEN_EXPIRED, ACCOUNT_SUSPENDED */
  authenticate(token: string): Promise<Identity>;
  snapshot: SnapshotSource;
  /** Rooms, besides the user's own, that a new socket of this user stands in. */
  rooms(userId: string): Promise<string[]>;
}

export type SnapshotSource = (userId: string) => Promise<Omit<Snapshot, 'userId' | 'seq' | 'serverTime'>>;

export interface RealtimeDeps {
  connection: Connection;
  config: Config['http'];
  clock: Clock;
  logger: Logger;
  /** Set up by `redis/`: fan-out between instances. */
  adapter?: Parameters<Server['adapter']>[0];
}

export const userRoom = (userId: string) => `user:${userId}`;
export const sessionRoom = (sessionId: string) => `session:${sessionId}`;
export const lobbyRoom = (lobbyId: string) => `lobby:${lobbyId}`;

const MESSAGE_LIMIT = 64 * 1024;
const handshake = z.object({ token: z.string().min(1).max(4096) });

export function createRealtime(deps: RealtimeDeps): Realtime {
  const { logger, clock } = deps;
  const io = new Server({
    path: '/socket.io',
    transports: ['websocket'],
    serveClient: false,
    maxHttpBufferSize: MESSAGE_LIMIT,
    pingInterval: 25_000,
    pingTimeout: 20_000,
    // browsers send an Origin, apps do not: those that do must be on the list
    allowRequest: (request, decide) =>
      decide(null, request.headers.origin === undefined || deps.config.corsOrigins.includes(request.headers.origin)),
  });
  if (deps.adapter) io.adapter(deps.adapter);

  const feed = createFeed(deps.connection, (userId, name, body) => io.to(userRoom(userId)).emit(name, body));
  const presence = createPresence((userId, status) =>
    io.to(`presence:${userId}`).emit('presence:update', { userId, status }),
  );
  let serving: Serving | undefined;

  const authenticate = async (token: string): Promise<Identity> => {
    if (!serving) throw new Error('realtime.serve() was not called');
    return serving.authenticate(token);
  };

  const snapshotOf = async (userId: string): Promise<Snapshot> => {
    if (!serving) throw new Error('realtime.serve() was not called');
    // the position first: a fact told meanwhile shows as a newer seq, never as a gap nobody sees
    const seq = await feed.position(userId);
    const state = await serving.snapshot(userId);
    return { userId, ...state, seq, serverTime: new Date(clock.now()).toISOString() };
  };

  const ownEvents: ClientEvent[] = [
    clientEvent({
      name: 'sync',
      summary: 'The whole state again, as in `connected`',
      schema: z.strictObject({}),
      budget: { max: 10, perSeconds: 10 },
      handler: ({ player }) => snapshotOf(player.userId),
    }),
    clientEvent({
      name: 'auth:refresh',
      summary: 'Goes on with a newer access token of the same user',
      schema: z.strictObject({ token: z.string().min(1).max(4096) }),
      handler: async ({ socket, player }, { token }) => {
        const next = await authenticate(token);
        if (next.userId !== player.userId)
          throw new AppError('FORBIDDEN', 'The token belongs to another user: open a new connection.');
        await socket.join(sessionRoom(next.sessionId));
        (socket.data as SocketData).player = next;
        return { ok: true };
      },
    }),
    clientEvent({
      name: 'presence:subscribe',
      summary: 'Whether these users are online, now and whenever it changes',
      schema: z.strictObject({
        userIds: z
          .array(z.string().regex(/^[0-9a-f]{24}$/, 'must be an id'))
          .min(1)
          .max(100),
      }),
      handler: async ({ join }, { userIds }) => {
        for (const userId of userIds) await join(`presence:${userId}`);
        return { statuses: userIds.map((userId) => ({ userId, status: presence.status(userId) })) };
      },
    }),
  ];

  io.use((socket, next) => {
    const authenticateSocket = async () => {
      const parsed = handshake.safeParse(socket.handshake.auth);
      if (!parsed.success) throw new AppError('UNAUTHENTICATED', 'Connect with `auth: {token: <access token>}`.');
      (socket.data as SocketData).player = await authenticate(parsed.data.token);
    };
    authenticateSocket().then(
      () => next(),
      (error: unknown) => next(connectError(error)),
    );
  });

  const onConnection = async (socket: Socket) => {
    const { player } = socket.data as SocketData;
    if (!serving) return void socket.disconnect(true);
    // handlers first: an event that arrives while the snapshot is being read must not be lost
    for (const event of [...serving.events, ...ownEvents]) onEvent(socket, event, { clock, logger });
    refuseUnknownEvents(socket, [...serving.events, ...ownEvents]);
    socket.once('disconnect', () => presence.left(player.userId));
    await socket.join([userRoom(player.userId), sessionRoom(player.sessionId)]);
    presence.arrived(player.userId);
    await socket.join(await serving.rooms(player.userId));
    socket.emit('connected', await snapshotOf(player.userId));
    logger.debug({ userId: player.userId, address: addressOf(socket, deps.config.trustProxyHops) }, 'socket connected');
  };

  io.on('connection', (socket) => {
    onConnection(socket).catch((error: unknown) => {
      logger.error({ err: error }, 'a socket could not be set up');
      // not "for good": the client comes back and tries again
      socket.conn.close();
    });
  });

  return {
    feed,
    signal: (room, name, payload) => void io.to(room).emit(name, payload),
    join: (userId, room) => io.in(userRoom(userId)).socketsJoin(room),
    leave: (userId, room) => io.in(userRoom(userId)).socketsLeave(room),
    expire(userId, reason, sessionId) {
      const room = sessionId === undefined ? userRoom(userId) : sessionRoom(sessionId);
      io.to(room).emit('session:expired', { reason });
      io.in(room).disconnectSockets(true);
    },
    get connections() {
      return io.engine?.clientsCount ?? 0;
    },
    serve(options) {
      serving = options;
    },
    attach: (http) => void io.attach(http),
    async stop() {
      for (const socket of io.sockets.sockets.values()) socket.conn.close();
      io.engine?.close();
      await io.of('/').adapter.close();
    },
  };
}

interface SocketData {
  player: Identity;
}

/** What `connect_error` carries: the same words as a problem document. */
function connectError(error: unknown): Error {
  const { code, detail } = toProblem(error);
  return Object.assign(new Error(detail), { data: { code, message: detail } });
}
