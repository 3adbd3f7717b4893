import type { Socket } from 'socket.io';
import { AppError, toProblem } from '../core/errors';
import { logContext } from '../core/log-context';
import type { Logger } from '../core/logger';
import { asUnavailable } from '../database/transaction';
import type { Identity } from '../http/route';
import { parseInput } from '../http/validation';
import { noTracing, type Tracing } from '../observability/tracing';
import type { Budget, Budgets } from './budgets';
import type { ClientEvent } from './client-event';
import { noSocketMeter, type SocketMeter } from './socket-metrics';

/** What every acknowledgement looks like. */
export type Ack =
  { ok: true; data: unknown } | { ok: false; error: { code: string; message: string; errors?: unknown } };

export interface OnEventDeps {
  budgets: Budgets;
  logger: Logger;
  /** Runs what a client asked for, and is awaited at shutdown. @throws UNAVAILABLE once the server is stopping */
  run(work: () => Promise<void>): Promise<void>;
  meter?: Pick<SocketMeter, 'handled'>;
  tracing?: Pick<Tracing, 'event'>;
}

/** How often one player may send an event that names no budget. */
export const DEFAULT_BUDGET: Budget = { max: 60, perSeconds: 10 };
/** Over all events of a player, those that do not exist included. */
export const TOTAL_BUDGET: Budget = { max: 200, perSeconds: 10 };

/**
 * The one place that listens to a client: budget -> parse -> handle -> acknowledge. Nothing a client sends can throw out
 * of here; an event without an acknowledgement is handled and its answer dropped.
 */
export function onEvent(socket: Socket, event: ClientEvent, deps: OnEventDeps): void {
  const { meter = noSocketMeter, tracing = noTracing } = deps;
  socket.on(event.name, (...args: unknown[]) => {
    const begun = performance.now();
    const acknowledge = acknowledgement(args, event.name, deps.logger);
    const measured = (error?: unknown) => meter.handled(event.name, (performance.now() - begun) / 1000, error);
    const { player } = socket.data as { player: Identity };
    const handle = async (): Promise<void> => {
      deps.budgets.spend(player.userId, 'events', TOTAL_BUDGET);
      deps.budgets.spend(player.userId, `"${event.name}"`, event.budget ?? DEFAULT_BUDGET);
      const input = parseInput(event.schema, args[0] ?? {}, '');
      const data = await event.handler(
        { player, socket, join: (room) => socket.join(room), leave: (room) => socket.leave(room) },
        input,
      );
      acknowledge({ ok: true, data: event.answer.parse(data) });
      measured();
    };
    const answerRefused = (thrown: unknown) => {
      const error = asUnavailable(thrown);
      measured(error);
      acknowledge(refusal(error, event.name, deps.logger));
    };
    void logContext.run({ event: event.name, userId: player.userId }, () =>
      tracing.event(event.name, () => deps.run(handle)).catch(answerRefused),
    );
  });
}

/** Answers events that nobody handles, so that a client with a typo is told instead of left waiting. */
export function refuseUnknownEvents(socket: Socket, events: readonly ClientEvent[], deps: OnEventDeps): void {
  const known = new Set(events.map((event) => event.name));
  socket.onAny((name: string, ...args: unknown[]) => {
    if (known.has(name)) return;
    const shown = String(name).slice(0, 64);
    const acknowledge = acknowledgement(args, shown, deps.logger);
    try {
      deps.budgets.spend((socket.data as { player: Identity }).player.userId, 'events', TOTAL_BUDGET);
      throw new AppError('UNKNOWN_EVENT', `There is no event "${shown}". See /asyncapi.json.`);
    } catch (error) {
      // by no name of its own: what a client makes up would be a time series each
      deps.meter?.handled('unknown', 0, error);
      acknowledge(refusal(error, shown, deps.logger));
    }
  });
}

/** Takes the acknowledgement off the arguments. Answering never throws, whatever the answer holds. */
function acknowledgement(args: unknown[], event: string, logger: Logger): (answer: Ack) => void {
  const last = args.at(-1);
  if (typeof last !== 'function') return () => undefined;
  args.pop();
  return (answer) => {
    try {
      (last as (answer: Ack) => void)(answer);
    } catch (error) {
      logger.error({ err: error, event }, 'an acknowledgement could not be sent');
    }
  };
}

function refusal(thrown: unknown, event: string, logger: Logger): Ack {
  const error = asUnavailable(thrown);
  if (!(error instanceof AppError)) logger.error({ err: error, event }, 'socket event failed');
  const { code, detail, errors } = toProblem(error);
  return { ok: false, error: { code, message: detail, ...(errors === undefined ? {} : { errors }) } };
}
