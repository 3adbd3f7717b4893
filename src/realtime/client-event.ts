import type { Socket } from 'socket.io';
import type { z, ZodType } from 'zod';
import type { Identity } from '../http/route';

/** A client event as data, like a route: one object in, one acknowledgement out. Handlers hold no rule: they call a service. */
export interface ClientEventSpec<Input extends ZodType, Answer extends ZodType> {
  name: string;
  summary: string;
  schema: Input;
  /** Schema of `data` in the acknowledgement: documents it, and lists what may go out (unknown keys are stripped). */
  answer: Answer;
  /** How often one player may send it: `max` in any `perSeconds`. Default 60 in 10 s. */
  budget?: { max: number; perSeconds: number };
  handler(context: EventContext, input: z.output<Input>): Promise<z.input<Answer>>;
}

export interface EventContext {
  player: Identity;
  /** Rooms of the sending socket only; a client never names a room. */
  join: (room: string) => Promise<void> | void;
  leave: (room: string) => Promise<void> | void;
  socket: Socket;
}

export interface ClientEvent extends Omit<ClientEventSpec<ZodType, ZodType>, 'handler'> {
  handler(context: EventContext, input: unknown): Promise<unknown>;
}

export function clientEvent<Input extends ZodType, Answer extends ZodType>(
  spec: ClientEventSpec<Input, Answer>,
): ClientEvent {
  return spec;
}
