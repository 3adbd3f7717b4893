import type { Server as HttpServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from 'mongoose';
import { Server, type Socket } from 'socket.io';
import type { Config } from '../config/config';
import type { Clock } from '../core/clock';
import { AppError } from '../core/errors';
import type { Ids } from '../core/ids';
import type { Logger } from '../core/logger';
import type { Loop } from '../core/loop';
import { networkOf } from '../http/rate-limits';
import type { Identity } from '../http/route';
import { noTracing, type Tracing } from '../observability/tracing';
import { addressOf } from './address';
import { admitAtHandshake, createAdmission, lateRefusal, type SocketData } from './admission';
import { createBudgets } from './budgets';
import type { ClientEvent } from './client-event';
import { createFeed, type Feed } from './feed';
import { createDoorstep } from './doorstep';
import { cutOffFloods } from './floods';
import { onEvent, refuseUnknownEvents } from './on-event';
import { ownEvents, presenceRoom } from './own-events';
import { createPresence, type PresenceDirectory } from './presence';
import type { SignalEvents } from './protocol';
import { createRecheck } from './recheck';
import { createRevocations } from './revocations';
import { lobbyRoom, sessionRoom, userRoom } from './rooms';
import { createSnapshots, greet, type SnapshotSource } from './snapshots';
import { noSocketMeter, type SocketMeter } from './socket-metrics';
import { createWatch, sayGoodbye, watchWriting } from './watch';

export { lobbyRoom } from './rooms';

/**
 * The Socket.IO server. Each socket is authenticated at the handshake, stands in its user's room and in the rooms of the
 * user's lobbies, and gets a `connected` snapshot. All client events go through `onEvent`.
 */
export interface Realtime {
  feed: Feed;
  /** Sends a passing signal to a room. @param exceptUserId whose own sockets need not hear it */
  signal<Name extends keyof SignalEvents>(
    room: string,
    name: Name,
    payload: SignalEvents[Name],
    exceptUserId?: string,
  ): void;
  /** Moves all of a user's sockets, on every instance. */
  join(userId: string, room: string): void;
  leave(userId: string, room: string): void;
  /** Tells the sockets of a session, on every instance, that it is over, and closes them for good. */
  endSession(sessionId: string, reason: string): void;
  /** Nobody (or not this one) is told any more when the user comes and goes, until they ask again. */
  hide(userId: string, fromUserId?: string): void;
  /** Drops slow clients, those whose token has expired, and those whose session ended elsewhere. */
  readonly loops: readonly Loop[];
  /** The client events that belong to no module. */
  readonly ownEvents: readonly ClientEvent[];
  /** Registers what the modules bring; called once, before `attach`. */
  serve(options: Serving): void;
  attach(http: HttpServer): void;
  /**
   * Takes no new work, finishes what clients have asked for, then lets them go so that they come back elsewhere. Leaves no
   * connection open that was a socket; does not close the HTTP server.
   */
  stop(): Promise<void>;
}

export interface Serving {
  events: ClientEvent[];
  /** @throws UNAUTHENTICATED, TOKEN_EXPIRED, ACCOUNT_SUSPENDED, ACCOUNT_BANNED */
  authenticate(token: string): Promise<Identity>;
  /** Which of these sessions are over, by id. */
  overOf(players: readonly Identity[]): Promise<ReadonlySet<string>>;
  snapshots: SnapshotSource;
  /** Whom of these this user may see online. */
  visibleTo(userId: string, userIds: readonly string[]): Promise<ReadonlySet<string>>;
}

export interface RealtimeDeps {
  connection: Connection;
  config: Config['http'] & Config['sockets'];
  clock: Clock;
  ids: Ids;
  logger: Logger;
  /** Set up by `redis/`: fan-out between instances. */
  adapter?: Parameters<Server['adapter']>[0];
  /** Also of `redis/`: who is online on which instance. */
  directory?: PresenceDirectory;
  meter?: SocketMeter;
  tracing?: Pick<Tracing, 'event'>;
}

/** Between instances. */
const PRESENCE_CHANGED = 'presence changed';
const MESSAGE_LIMIT = 64 * 1024;
/** Clients let go at once at a stop, and the pause before the next ones: they are not to come back all together. */
const DRAIN = { slice: 200, pauseMs: 50 };
/** How long a stop waits for running work, and then for clients to say goodbye. */
const LAST_WORK_MS = 5_000;
const GOODBYE_MS = 1_000;

export function createRealtime(deps: RealtimeDeps): Realtime {
  const { logger, clock, config, meter = noSocketMeter, tracing = noTracing } = deps;
  const origins = new Set([...config.corsOrigins, ...(config.publicUrl ? [new URL(config.publicUrl).origin] : [])]);
  let serving: Serving | undefined;
  let stopping = false;
  const running = new Set<Promise<unknown>>();
  const upgraded = new Set<Duplex>();

  const io = new Server({
    path: '/socket.io',
    transports: ['websocket'],
    serveClient: false,
    maxHttpBufferSize: MESSAGE_LIMIT,
    pingInterval: 25_000,
    pingTimeout: 20_000,
    connectTimeout: 10_000,
    // browsers send an Origin, apps do not: those that do must be on the list
    allowRequest: ({ headers: { origin } }, decide) =>
      decide(null, !stopping && (origin === undefined || origins.has(origin))),
  });
  if (deps.adapter) io.adapter(deps.adapter);

  const feed = createFeed(deps.connection, (userId, name, body) => io.to(userRoom(userId)).emit(name, body));
  const presence = createPresence({
    directory: deps.directory,
    isWatched: (userId) => io.of('/').adapter.rooms.has(presenceRoom(userId)),
    tell: (userId, status) => io.local.to(presenceRoom(userId)).emit('presence:update', { userId, status }),
    announce: (userId) => deps.directory && io.serverSideEmit(PRESENCE_CHANGED, userId),
    logger,
  });
  io.on(PRESENCE_CHANGED, presence.changed);
  const budgets = createBudgets(clock);
  const revocations = createRevocations({
    ...deps,
    end(sessionId, reason) {
      for (const id of io.of('/').adapter.rooms.get(sessionRoom(sessionId)) ?? []) {
        const socket = io.of('/').sockets.get(id);
        if (socket) sayGoodbye(socket, reason);
      }
    },
  });

  const served = (): Serving => {
    if (!serving || stopping) throw new AppError('UNAVAILABLE', 'The server is stopping: connect again in a moment.');
    return serving;
  };

  /** Everything done for clients goes through here, so that a stop can wait for it. */
  const run = async (work: () => Promise<void>): Promise<void> => {
    served();
    const promise = work();
    running.add(promise);
    try {
      await promise;
    } finally {
      running.delete(promise);
    }
  };

  const snapshotOf = createSnapshots({
    feed,
    source: (userIds) => served().snapshots(userIds),
    clock,
  });
  const admit = createAdmission((token) => served().authenticate(token));
  const visibleTo: Serving['visibleTo'] = (userId, userIds) => served().visibleTo(userId, userIds);
  const own = ownEvents({ admit, presence, snapshotOf, visibleTo });
  const doorstep = createDoorstep({ io, most: config.withoutToken, trustProxyHops: config.trustProxyHops, logger });
  const turnstile = {
    budgets,
    doorstep,
    addressOf: (socket: Socket) => networkOf(addressOf(socket, config.trustProxyHops)),
  };
  io.use(admitAtHandshake(admit, config.rateLimits ? turnstile : undefined));

  const setUp = async (socket: Socket) => {
    const { player } = socket.data as SocketData;
    const events = [...served().events, ...own];
    // handlers first: an event that arrives while the snapshot is being read must not be lost
    for (const event of events) onEvent(socket, event, { budgets, logger, run, meter, tracing });
    refuseUnknownEvents(socket, events, { budgets, logger, run, meter, tracing });
    watchWriting(socket, logger);
    presence.arrived(player.userId);
    socket.once('disconnect', () => {
      presence.left(player.userId);
      // there is nothing else to do on it: who leaves without hanging up would stay, and be nobody
      socket.conn.close();
    });
    // before it asks for anything: what happens from now on is told to it, whatever the answers are
    await socket.join([userRoom(player.userId), sessionRoom(player.sessionId)]);
    const greeted = await greet(socket, snapshotOf, lateRefusal(admit, socket));
    if (typeof greeted === 'string') return sayGoodbye(socket, greeted);
    await socket.join(greeted.lobbies.map((lobby) => lobbyRoom(lobby.id)));
    logger.debug({ userId: player.userId, address: addressOf(socket, config.trustProxyHops) }, 'socket connected');
  };

  io.on('connection', (socket) => {
    run(() => setUp(socket)).catch((error: unknown) => {
      if (!stopping) logger.error({ err: error }, 'a socket could not be set up');
      // not "for good": the client comes back and tries again
      socket.conn.close();
    });
  });

  return {
    feed,
    signal(room, name, payload, exceptUserId) {
      const heardBy = exceptUserId === undefined ? io.to(room) : io.to(room).except(userRoom(exceptUserId));
      heardBy.emit(name, payload);
    },
    join: (userId, room) => io.in(userRoom(userId)).socketsJoin(room),
    leave: (userId, room) => io.in(userRoom(userId)).socketsLeave(room),
    endSession(sessionId, reason) {
      const room = sessionRoom(sessionId);
      io.to(room).emit('session:expired', { reason });
      io.in(room).disconnectSockets(true);
      revocations.announce(sessionId, reason);
    },
    hide(userId, fromUserId) {
      const room = presenceRoom(userId);
      if (fromUserId === undefined) io.to(room).emit('presence:update', { userId, status: 'offline' });
      io.in(fromUserId === undefined ? room : userRoom(fromUserId)).socketsLeave(room);
    },
    ownEvents: own,
    loops: [
      createWatch({ io, clock, logger, budgets }),
      createRecheck({
        io,
        logger,
        overOf: (players) => served().overOf(players),
        refusalOf: (socket) => lateRefusal(admit, socket),
      }),
      revocations.loop,
      presence.loop,
    ],
    serve(options) {
      serving = options;
    },
    attach(http) {
      http.on('upgrade', (_request, raw) => {
        upgraded.add(raw);
        raw.once('close', () => upgraded.delete(raw));
      });
      io.attach(http);
      cutOffFloods({ io, clock, logger });
      if (config.rateLimits) doorstep.watch();
      meter.watch(io);
    },
    async stop() {
      stopping = true;
      await Promise.race([Promise.allSettled(running), delay(LAST_WORK_MS, undefined, { ref: false })]);
      const sockets = [...io.sockets.sockets.values()];
      for (const [i, socket] of sockets.entries()) {
        socket.conn.close();
        if (i % DRAIN.slice === DRAIN.slice - 1) await delay(DRAIN.pauseMs);
      }
      io.engine?.close();
      await goodbyes(upgraded);
      await io.of('/').adapter.close();
    },
  };
}

/** Waits until these connections have ended, and ends those that do not answer. */
async function goodbyes(connections: Set<Duplex>): Promise<void> {
  const ended = [...connections].map((raw) => new Promise((resolve) => raw.once('close', resolve)));
  const deadline = new AbortController();
  const late = delay(GOODBYE_MS, undefined, { signal: deadline.signal }).then(
    () => connections.forEach((raw) => raw.destroy()),
    () => undefined,
  );
  await Promise.race([Promise.all(ended), late]);
  deadline.abort();
}
