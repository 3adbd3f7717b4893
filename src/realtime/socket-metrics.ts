import type { Server, Socket } from 'socket.io';
import type { AppError } from '../core/errors';
import { SECONDS, type Metrics } from '../observability/metrics';

/** Sockets, what goes through them, and how long the events of clients take. */
export interface SocketMeter {
  /** @param error what ended it, where it was not answered with `ok` */
  handled(event: string, seconds: number, error?: unknown): void;
  /** To be called once the server is attached. */
  watch(io: Server): void;
}

/** For whom nothing is measured. */
export const noSocketMeter: SocketMeter = { handled: () => undefined, watch: () => undefined };

/** Why Socket.IO says that a socket went. Others count as `other`. */
const REASONS: ReadonlySet<string> = new Set([
  'client namespace disconnect',
  'forced close',
  'parse error',
  'ping timeout',
  'server namespace disconnect',
  'server shutting down',
  'transport close',
  'transport error',
]);

export function measureSockets(metrics: Metrics): SocketMeter {
  let sockets: Server | undefined;
  metrics.gauge(
    'maoga_sockets',
    'Connected Socket.IO clients of this instance',
    () => sockets?.engine?.clientsCount ?? 0,
  );
  const connected = metrics.counter('maoga_socket_connections_total', 'Sockets that were let in');
  const gone = metrics.counter(
    'maoga_socket_disconnects_total',
    'Sockets that went, by the reason that Socket.IO gives',
    ['reason'],
  );
  const messages = metrics.counter('maoga_socket_messages_total', 'Messages over sockets, by direction (in, out)', [
    'direction',
  ]);
  const durations = metrics.histogram(
    'maoga_socket_event_duration_seconds',
    'Time from an event of a client to its acknowledgement, by how it ended (ok, refused, failed)',
    SECONDS,
    ['event', 'outcome'],
  );
  const refusals = metrics.counter(
    'maoga_socket_refusals_total',
    'Events of clients that were refused, by error code',
    ['code'],
  );

  return {
    handled(event, seconds, error) {
      const known = error as Partial<AppError> | undefined;
      const refused = known?.code !== undefined && (known.status ?? 500) < 500;
      durations.observe({ event, outcome: error === undefined ? 'ok' : refused ? 'refused' : 'failed' }, seconds);
      if (error !== undefined) refusals.inc({ code: known?.status === undefined ? 'INTERNAL' : known.code });
    },
    watch(io) {
      sockets = io;
      io.engine.on('connection', (connection: Socket['conn']) => {
        connection.on('packet', ({ type }) => void (type === 'message' && messages.inc({ direction: 'in' })));
        connection.on('packetCreate', ({ type }) => void (type === 'message' && messages.inc({ direction: 'out' })));
      });
      io.on('connection', (socket) => {
        connected.inc();
        socket.once('disconnect', (reason) => gone.inc({ reason: REASONS.has(reason) ? reason : 'other' }));
      });
    },
  };
}
