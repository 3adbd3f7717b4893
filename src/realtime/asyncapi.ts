import { z, type ZodObject } from 'zod';
import { version } from '../../package.json';
import { ERROR_CODES, type ErrorCode } from '../core/errors';
import { createJsonSchemas, type JsonSchema } from '../http/json-schemas';
import type { ClientEvent } from './client-event';
import { DEFAULT_BUDGET } from './on-event';
import { FACT_EVENTS, SIGNAL_EVENTS, snapshotView } from './protocol';

/** The AsyncAPI 3 document of the socket: what clients may send, and what the server tells them. */
export interface AsyncApiDocument {
  asyncapi: string;
  info: { title: string; version: string; description: string };
  servers: Record<string, object>;
  channels: Record<'socket', { address: string; description: string; messages: Record<string, Message> }>;
  operations: Record<string, Operation>;
  components: { schemas: Record<string, JsonSchema>; securitySchemes: Record<string, object> };
}

/** `name` is the event, `payload` its one argument. */
export interface Message {
  name: string;
  summary: string;
  payload: JsonSchema;
}

export interface Operation {
  action: 'send' | 'receive';
  channel: Reference;
  summary: string;
  messages: Reference[];
  reply?: { channel: Reference; messages: Reference[] };
}

interface Reference {
  $ref: string;
}

const DESCRIPTION = `Events by Socket.IO (websocket transport only). Connect with \`auth: {token: <access token>}\`. A client event takes one
object and an acknowledgement: \`{ok: true, data}\`, or \`{ok: false, error}\` with a stable \`error.code\`. Facts carry
\`eventId\` (stable when told again) and \`seq\` (one more with each fact told to this user): a client that misses a number
sends \`sync\`. Signals carry neither.`;

const CHANNEL: Reference = { $ref: '#/channels/socket' };
const messageRef = (id: string): Reference => ({ $ref: `${CHANNEL.$ref}/messages/${id}` });

/** @param host where clients reach the server, with its port */
export function asyncApiDocument(clientEvents: readonly ClientEvent[], host: string): AsyncApiDocument {
  const schemas = createJsonSchemas('draft-7');
  const messages: Record<string, Message> = {};
  const operations: Record<string, Operation> = {};

  for (const event of clientEvents) {
    const id = idOf(event.name);
    messages[id] = { name: event.name, summary: summaryOf(event), payload: schemas.sent(event.schema) };
    messages[`${id}Reply`] = {
      name: 'acknowledgement',
      summary: `The answer to \`${event.name}\``,
      payload: schemas.answered(acknowledgement(event)),
    };
    operations[id] = {
      action: 'receive',
      channel: CHANNEL,
      summary: summaryOf(event),
      messages: [messageRef(id)],
      reply: { channel: CHANNEL, messages: [messageRef(`${id}Reply`)] },
    };
  }
  for (const { name, summary, schema } of serverEvents()) {
    const id = `${idOf(name)}News`;
    messages[id] = { name, summary, payload: schemas.answered(schema) };
    operations[id] = { action: 'send', channel: CHANNEL, summary, messages: [messageRef(id)] };
  }

  const finished = schemas.finish(messages);
  return {
    asyncapi: '3.0.0',
    info: { title: 'Maoga events', version, description: DESCRIPTION },
    servers: {
      this: {
        host,
        pathname: '/socket.io',
        protocol: 'wss',
        description: 'Socket.IO on the port of the API; `ws` without TLS',
        security: [{ $ref: '#/components/securitySchemes/accessToken' }],
      },
    },
    channels: {
      socket: { address: '/', description: 'The connection of one client', messages: finished.document },
    },
    operations,
    components: {
      schemas: finished.schemas,
      securitySchemes: {
        accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'In `auth.token`' },
      },
    },
  };
}

/** `lobby:member:joined` -> `lobbyMemberJoined` */
const idOf = (name: string) => name.replaceAll(/:(\w)/g, (_match, letter: string) => letter.toUpperCase());

function summaryOf({ summary, budget = DEFAULT_BUDGET }: ClientEvent): string {
  return `${summary}. At most ${budget.max} in ${budget.perSeconds} s.`;
}

function acknowledgement(event: ClientEvent) {
  const error = z.object({
    code: z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]),
    message: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  });
  return z.discriminatedUnion('ok', [
    z.object({ ok: z.literal(true), data: event.answer }),
    z.object({ ok: z.literal(false), error: error.meta({ id: 'Refusal' }) }),
  ]);
}

const numbered = {
  eventId: z.string().describe('The same when the fact is told again'),
  seq: z.number().int().describe('One more with each fact told to this user'),
};

function serverEvents(): { name: string; summary: string; schema: ZodObject }[] {
  const facts = Object.entries(FACT_EVENTS).map(([name, schema]) => ({
    name,
    summary: schema.description ?? 'A fact',
    schema: (schema as ZodObject).extend(numbered),
  }));
  const signals = Object.entries(SIGNAL_EVENTS).map(([name, schema]) => ({
    name,
    summary: schema.description ?? 'A signal',
    schema: schema as ZodObject,
  }));
  const connected = { name: 'connected', summary: snapshotView.description ?? '', schema: snapshotView };
  return [connected, ...facts, ...signals];
}
