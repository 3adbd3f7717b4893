import { z } from 'zod';
import { version } from '../../package.json';
import { ERROR_CODES, type ErrorCode } from '../core/errors';
import { createJsonSchemas, type JsonSchema, type JsonSchemas } from './json-schemas';
import { classesOf, LIMITS, type Limit, type Limits } from './rate-limits';
import type { Access, Route } from './route';
import { timestamp } from './schemas';

/** The OpenAPI 3.1 document of these routes: everything in it comes from what validates, authorises and limits them. */
export interface OpenApiDocument {
  openapi: string;
  info: { title: string; version: string; description: string };
  servers: { url: string }[];
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, JsonSchema>; securitySchemes: object };
}

interface Operation {
  operationId: string;
  summary: string;
  responses: Record<string, object>;
  [key: string]: unknown;
}

/** RFC 9457 problem details, as every error answer is. */
export const problemSchema = z
  .strictObject({
    type: z.url(),
    title: z.string(),
    status: z.number().int(),
    code: z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]).describe('Stable: branch on this'),
    detail: z.string().describe('What is wrong, and what to do'),
    requestId: z.string().describe('As in the X-Request-Id header'),
    until: timestamp.optional().describe('When a suspension ends'),
    errors: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem' });

const DESCRIPTION = `Find people to play with. Errors are RFC 9457 problem details: \`code\` is stable, \`detail\` is for people.
Lists are \`{items, nextCursor}\`: send \`nextCursor\` as \`cursor\` to go on. Unknown fields in a request are refused, answers
may gain fields. What happens while a client is connected is told by Socket.IO events: see [/docs/events](/docs/events).`;

export function openApiDocument(routes: readonly Route[], limits: Limits = LIMITS): OpenApiDocument {
  const schemas = createJsonSchemas('draft-2020-12');
  const paths: OpenApiDocument['paths'] = {};
  for (const route of routes) {
    const path = (paths[route.path.replaceAll(/:([a-zA-Z]+)/g, '{$1}')] ??= {});
    path[route.method] = operation(route, schemas, limits);
  }
  const finished = schemas.finish(paths);
  return {
    openapi: '3.1.0',
    info: { title: 'Maoga', version, description: DESCRIPTION },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map((route) => route.tag))].map((name) => ({ name })),
    paths: finished.document,
    components: {
      schemas: finished.schemas,
      securitySchemes: { accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}

function operation(route: Route, schemas: JsonSchemas, limits: Limits): Operation {
  const description = describe(route, limits);
  return {
    operationId: operationId(route),
    summary: route.summary,
    tags: [route.tag],
    ...(description === '' ? {} : { description }),
    security: route.access === 'anyone' ? [] : [{ accessToken: [] }],
    parameters: [
      ...parameters(route.params, 'path', schemas),
      ...parameters(route.query, 'query', schemas),
      ...(route.idempotent ? [IDEMPOTENCY_KEY] : []),
    ],
    ...(route.body
      ? {
          requestBody: {
            required: !route.body.safeParse({}).success,
            content: { 'application/json': { schema: schemas.sent(route.body) } },
          },
        }
      : {}),
    responses: { [route.status]: success(route, schemas), ...failures(route, schemas) },
  };
}

/** `post /api/lobbies/:id/join` -> `postLobbiesByIdJoin` */
function operationId({ method, path }: Route): string {
  const words = path
    .replace(/^\/api/, '')
    .replaceAll(/:([a-zA-Z]+)/g, 'by-$1')
    .split(/[^a-zA-Z0-9]+/)
    .filter((word) => word !== '');
  return method + words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join('');
}

function describe(route: Route, limits: Limits): string {
  const counted = classesOf(route).filter((name) => name !== 'strangers');
  const parts = [WHO[route.access], ...counted.map((name) => describeLimit(route, limits[name]))];
  return parts.filter((part) => part !== '').join(' ');
}

const WHO: Record<Access, string> = {
  anyone: '',
  player: '',
  moderator: 'For moderators and admins.',
  admin: 'For admins.',
};

const COUNTED_BY = { player: 'each player', address: 'each address', account: 'each account from one address' };

function describeLimit({ access }: Route, { max, windowSeconds, per }: Limit): string {
  const by = per === 'player' && access === 'anyone' ? 'address' : per;
  return `At most ${max} requests in ${windowSeconds} s for ${COUNTED_BY[by]}.`;
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  description:
    'Sent again with the same key and body, a request gives the first answer again instead of creating twice.',
  schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,128}$' },
};

function parameters(schema: Route['params'], place: 'path' | 'query', schemas: JsonSchemas): object[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = schemas.sent(schema) as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...property }]) => ({
    name,
    in: place,
    ...(place === 'path' || required.includes(name) ? { required: true } : {}),
    ...(description === undefined ? {} : { description }),
    schema: property,
  }));
}

const REQUEST_ID = { 'X-Request-Id': { description: 'To find this request in the logs', schema: { type: 'string' } } };
const RETRY_AFTER = { 'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer' } } };

function success(route: Route, schemas: JsonSchemas): object {
  return {
    description: SUCCESS[route.status],
    headers: REQUEST_ID,
    ...(route.answer ? { content: { 'application/json': { schema: schemas.answered(route.answer) } } } : {}),
  };
}

const SUCCESS = { 200: 'Done', 201: 'Created', 202: 'Accepted: it will be done', 204: 'Done; there is nothing to say' };

/** One response for each status, naming the codes it may carry. */
function failures(route: Route, schemas: JsonSchemas): Record<string, object> {
  const problem = schemas.answered(problemSchema);
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codesOf(route)) {
    const { status } = ERROR_CODES[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `\`${code}\`: ${ERROR_CODES[code].title}`).join('\n\n'),
        headers: { ...REQUEST_ID, ...(status === 429 || status === 503 ? RETRY_AFTER : {}) },
        content: {
          'application/problem+json': { schema: { allOf: [problem, { properties: { code: { enum: codes } } }] } },
        },
      },
    ]),
  );
}

/** What a route may answer besides its success: its own codes, and those of the middleware in front of it. */
export function codesOf(route: Route): ErrorCode[] {
  const takesInput = route.params ?? route.query ?? route.body ?? route.idempotent;
  const codes: (ErrorCode | false)[] = [
    takesInput !== undefined && 'VALIDATION_FAILED',
    ...(route.body ? (['MALFORMED_JSON', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const) : []),
    ...(route.access === 'anyone'
      ? []
      : (['UNAUTHENTICATED', 'TOKEN_EXPIRED', 'ACCOUNT_SUSPENDED', 'ACCOUNT_BANNED'] as const)),
    (route.access === 'moderator' || route.access === 'admin') && 'FORBIDDEN',
    route.idempotent === true && 'IDEMPOTENCY_CONFLICT',
    ...(route.errors ?? []),
    route.limit !== 'none' && 'RATE_LIMITED',
    'INTERNAL',
    'UNAVAILABLE',
  ];
  return [...new Set(codes.filter((code) => code !== false))];
}
