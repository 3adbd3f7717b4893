import type { Socket } from 'socket.io';
import type { Clock } from '../core/clock';
import { AppError, toProblem } from '../core/errors';
import type { Logger } from '../core/logger';
import type { Identity } from '../http/route';
import { parseInput } from '../http/validation';
import type { ClientEvent } from './client-event';

/** What every acknowledgement looks like. */
export type Ack =
  { ok: true; data: unknown } | { ok: false; error: { code: string; message: string; errors?: unknown } };

export interface OnEventDeps {
  clock: Clock;
  logger: Logger;
}

const DEFAULT_BUDGET = { max: 60, perSeconds: 10 };

/**
 * The one place that listens to a client: budget -> parse -> handle -> acknowledge. Nothing a client sends can throw out
 * of here; an event without an acknowledgement is handled and its answer dropped.
 */
export function onEvent(socket: Socket, event: ClientEvent, { clock, logger }: OnEventDeps): void {
  const spend = budgetOf(event, clock);
  socket.on(event.name, (...args: unknown[]) => {
    const acknowledge = acknowledgement(args);
    const handle = async (): Promise<unknown> => {
      spend();
      const input = parseInput(event.schema, args[0] ?? {}, '');
      const { player } = socket.data as { player: Identity };
      return event.handler(
        { player, socket, join: (room) => socket.join(room), leave: (room) => socket.leave(room) },
        input,
      );
    };
    handle().then(
      (data) => acknowledge({ ok: true, data: data ?? null }),
      (error: unknown) => {
        if (!(error instanceof AppError)) logger.error({ err: error, event: event.name }, 'socket event failed');
        acknowledge(refusal(error));
      },
    );
  });
}

/** Answers events that nobody handles, so that a client with a typo is told instead of left waiting. */
export function refuseUnknownEvents(socket: Socket, events: readonly ClientEvent[]): void {
  const known = new Set(events.map((event) => event.name));
  socket.onAny((name: string, ...args: unknown[]) => {
    if (known.has(name)) return;
    acknowledgement(args)(
      refusal(new AppError('UNKNOWN_EVENT', `There is no event "${String(name).slice(0, 64)}". See /asyncapi.json.`)),
    );
  });
}

function acknowledgement(args: unknown[]): (answer: Ack) => void {
  const last = args.at(-1);
  if (typeof last !== 'function') return () => undefined;
  args.pop();
  return last as (answer: Ack) => void;
}

function refusal(error: unknown): Ack {
  const { code, detail, errors } = toProblem(error);
  return { ok: false, error: { code, message: detail, ...(errors === undefined ? {} : { errors }) } };
}

/** A counter per socket and event in fixed windows. */
function budgetOf(event: ClientEvent, clock: Clock): () => void {
  const { max, perSeconds } = event.budget ?? DEFAULT_BUDGET;
  let windowStart = 0;
  let used = 0;
  return () => {
    const now = clock.now();
    if (now - windowStart >= perSeconds * 1000) {
      windowStart = now;
      used = 0;
    }
    used += 1;
    if (used > max)
      throw new AppError('RATE_LIMITED', `At most ${max} "${event.name}" in ${perSeconds} s.`, {
        retryAfter: perSeconds,
      });
  };
}
