import { schemasWithoutId as asyncApiSchemas } from '@asyncapi/specs';
import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import express from 'express';
import request from 'supertest';
import { z } from 'zod';
import { clientEvent } from '../realtime/client-event';
import { FACT_EVENTS, SIGNAL_EVENTS } from '../realtime/protocol';
import { createDocs } from './docs';
import { route } from './route';
import { listQuery, objectId } from './schemas';

const rules = z.strictObject({ teams: z.number().int().default(2), note: z.string().optional() }).meta({ id: 'Rules' });
const thing = z.object({ id: objectId, rules }).meta({ id: 'Thing' });

const routes = [
  route({
    method: 'get',
    path: '/api/things',
    summary: 'All things',
    tag: 'Things',
    access: 'anyone',
    query: listQuery({ kind: z.enum(['a', 'b']).describe('Which kind') }),
    status: 200,
    answer: z.array(thing),
    errors: ['BAD_CURSOR'],
    handler: async () => [],
  }),
  route({
    method: 'put',
    path: '/api/things/:id/parts/:partId',
    summary: 'Changes a part',
    tag: 'Things',
    access: 'admin',
    limit: 'submit',
    params: z.strictObject({ id: objectId, partId: z.string() }),
    body: z.strictObject({ rules, owner: objectId.optional() }),
    status: 204,
    errors: ['NOT_FOUND', 'CONFLICT'],
    handler: async () => undefined,
  }),
  route({
    method: 'post',
    path: '/api/things',
    summary: 'Makes a thing',
    tag: 'Things',
    access: 'player',
    limit: 'none',
    idempotent: true,
    body: z.strictObject({ note: z.string().default('') }),
    status: 201,
    answer: thing,
    handler: async () => ({ id: 'f'.repeat(24), rules: { teams: 2 } }),
  }),
];

const clientEvents = [
  clientEvent({
    name: 'thing:use',
    summary: 'Uses a thing',
    schema: z.strictObject({ thingId: objectId, rules: rules.optional() }),
    answer: z.object({ thing }),
    budget: { max: 3, perSeconds: 10 },
    handler: async () => ({ thing: { id: 'f'.repeat(24), rules: { teams: 1 } } }),
  }),
];

const app = express().use(createDocs({ enabled: true, routes, clientEvents, publicUrl: 'https://play.example.test' }));
const get = (path: string) => request(app).get(path);

describe('/openapi.json', () => {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  let document: any;
  beforeAll(async () => {
    document = (await get('/openapi.json')).body;
  });

  test('is a valid OpenAPI 3.1 document', async () => {
    expect(document.openapi).toBe('3.1.0');
    expect(await new Validator().validate(document)).toEqual({ valid: true });
  });

  test('has every route, and nothing else', () => {
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods as object).map((method) => `${method} ${path}`),
    );
    expect(documented.sort()).toEqual(['get /api/things', 'post /api/things', 'put /api/things/{id}/parts/{partId}']);
  });

  test('says how to call a route: place, need and meaning of each parameter', () => {
    expect(document.paths['/api/things'].get).toMatchObject({
      summary: 'All things',
      tags: ['Things'],
      security: [],
      parameters: [
        { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 } },
        { name: 'cursor', in: 'query', schema: { type: 'string', maxLength: 512 } },
        { name: 'kind', in: 'query', required: true, description: 'Which kind', schema: { enum: ['a', 'b'] } },
      ],
    });
    expect(document.paths['/api/things/{id}/parts/{partId}'].put).toMatchObject({
      security: [{ accessToken: [] }],
      parameters: [
        { name: 'id', in: 'path', required: true, schema: { $ref: '#/components/schemas/Id' } },
        { name: 'partId', in: 'path', required: true },
      ],
      requestBody: { required: true },
      description: 'For admins. At most 60 requests in 60 s for each player.',
    });
  });

  test('tells apart what may be sent from what is answered, where defaults make a difference', () => {
    const { schemas } = document.components;
    const body = document.paths['/api/things/{id}/parts/{partId}'].put.requestBody.content['application/json'].schema;
    expect(body).toMatchObject({
      properties: { rules: { $ref: '#/components/schemas/RulesInput' }, owner: { $ref: '#/components/schemas/Id' } },
      required: ['rules'],
      additionalProperties: false,
    });
    expect(schemas.Thing.properties.rules).toEqual({ $ref: '#/components/schemas/Rules' });
    expect(schemas.Rules.required).toEqual(['teams']);
    expect(schemas.Rules).not.toHaveProperty('additionalProperties');
    expect(schemas.RulesInput).not.toHaveProperty('required');
    expect(Object.keys(schemas)).toEqual(['Id', 'Problem', 'Rules', 'RulesInput', 'Thing', 'Timestamp']);
  });

  test('lists the codes of every failure by status', () => {
    const codes = (path: string, method: string) =>
      Object.fromEntries(
        Object.entries(document.paths[path][method].responses as Record<string, never>)
          .filter(([status]) => Number(status) >= 400)
          .map(([status, response]) => [
            status,
            (response as { content: never }).content['application/problem+json']['schema']['allOf'][1]['properties'][
              'code'
            ]['enum'],
          ]),
      );
    expect(codes('/api/things', 'get')).toEqual({
      400: ['VALIDATION_FAILED', 'BAD_CURSOR'],
      429: ['RATE_LIMITED'],
      500: ['INTERNAL'],
      503: ['UNAVAILABLE'],
    });
    expect(codes('/api/things', 'post')).toEqual({
      400: ['VALIDATION_FAILED', 'MALFORMED_JSON'],
      401: ['UNAUTHENTICATED', 'TOKEN_EXPIRED'],
      403: ['ACCOUNT_SUSPENDED', 'ACCOUNT_BANNED'],
      409: ['IDEMPOTENCY_CONFLICT'],
      413: ['PAYLOAD_TOO_LARGE'],
      415: ['UNSUPPORTED_MEDIA_TYPE'],
      500: ['INTERNAL'],
      503: ['UNAVAILABLE'],
    });
    expect(codes('/api/things/{id}/parts/{partId}', 'put')).toMatchObject({
      403: ['ACCOUNT_SUSPENDED', 'ACCOUNT_BANNED', 'FORBIDDEN'],
      404: ['NOT_FOUND'],
      409: ['CONFLICT'],
    });
  });

  test('names Idempotency-Key where it works, and asks for no body where none is needed', () => {
    expect(document.paths['/api/things'].post).toMatchObject({
      parameters: [{ name: 'Idempotency-Key', in: 'header' }],
      requestBody: { required: false },
    });
  });
});

describe('/asyncapi.json', () => {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  let document: any;
  beforeAll(async () => {
    document = (await get('/asyncapi.json')).body;
  });

  test('is a valid AsyncAPI 3 document, and every reference in it leads somewhere', () => {
    const ajv = addFormats(new Ajv({ strict: false, allErrors: true }));
    const valid = ajv.validate(asyncApiSchemas['3.0.0'], document);
    expect(valid ? [] : ajv.errors).toEqual([]);
    for (const [, pointer] of JSON.stringify(document).matchAll(/"\$ref":"#([^"]+)"/g)) {
      const steps = pointer!.split('/').slice(1);
      expect(steps.reduce((part, step) => part?.[step], document)).toBeDefined();
    }
  });

  test('has every event of both sides, and nothing else', () => {
    const names = (action: string) =>
      Object.values(document.operations as Record<string, { action: string; messages: { $ref: string }[] }>)
        .filter((operation) => operation.action === action)
        .map(({ messages }) => document.channels.socket.messages[messages[0]!.$ref.split('/').at(-1)!].name);
    expect(names('receive')).toEqual(['thing:use']);
    expect(names('send').sort()).toEqual(
      ['connected', ...Object.keys(FACT_EVENTS), ...Object.keys(SIGNAL_EVENTS)].sort(),
    );
  });

  test('describes payload, acknowledgement and budget of a client event', () => {
    const { thingUse, thingUseReply } = document.channels.socket.messages;
    expect(thingUse).toMatchObject({
      summary: 'Uses a thing. At most 3 in 10 s.',
      payload: { properties: { thingId: { $ref: '#/components/schemas/Id' } }, required: ['thingId'] },
    });
    expect(document.operations.thingUse.reply.messages).toEqual([{ $ref: '#/channels/socket/messages/thingUseReply' }]);
    const validate = new Ajv({ strict: false }).compile({
      ...thingUseReply.payload,
      components: document.components,
    });
    expect(validate({ ok: true, data: { thing: { id: 'f'.repeat(24), rules: { teams: 1 } } } })).toBe(true);
    expect(validate({ ok: false, error: { code: 'NOT_FOUND', message: 'no such thing' } })).toBe(true);
    expect(validate({ ok: true, error: { code: 'NOT_FOUND', message: 'both' } })).toBe(false);
    expect(validate({ ok: false, error: { code: 'NO_SUCH_CODE', message: '' } })).toBe(false);
  });

  test('facts are numbered, signals are not', () => {
    const { notificationCountNews, chatTypingNews } = document.channels.socket.messages;
    expect(notificationCountNews.payload.required).toEqual(['unread', 'eventId', 'seq']);
    expect(chatTypingNews.payload.required).toEqual(['lobbyId', 'userId', 'typing']);
  });

  test('names the host that clients reach', () => {
    expect(document.servers.this).toMatchObject({ host: 'play.example.test', pathname: '/socket.io' });
  });
});

describe('the pages', () => {
  test.each([
    ['/docs', 'text/html'],
    ['/docs/events', 'text/html'],
    ['/docs/docs.css', 'text/css'],
    ['/docs/start.js', 'text/javascript'],
    ['/docs/swagger-ui.css', 'text/css'],
    ['/docs/swagger-ui-bundle.js', 'text/javascript'],
  ])('%s is served as %s under a policy without inline scripts', async (path, type) => {
    const { status, headers } = await get(path);
    expect([status, headers['content-type']]).toEqual([200, expect.stringContaining(type)]);
    expect(headers['content-security-policy']).toContain("script-src 'self';");
  });

  test('load everything they name from this server, and hold no inline script', async () => {
    for (const path of ['/docs', '/docs/events']) {
      const { text } = await get(path);
      expect(text).not.toMatch(/<script(?![^>]* src=)|javascript:|\son\w+=|(?:src|href)="https?:/i);
      for (const [, target] of text.matchAll(/(?:src|href)="(\/[^"#]*)"/g))
        expect([target, (await get(target!)).status]).toEqual([target, 200]);
    }
  });

  test('show every event with its schema', async () => {
    const { text } = await get('/docs/events');
    for (const name of ['thing:use', 'connected', ...Object.keys(FACT_EVENTS), ...Object.keys(SIGNAL_EVENTS)])
      expect(text).toContain(`<code>${name}</code>`);
    for (const [, anchor] of text.matchAll(/href="#([^"]+)"/g)) expect(text).toContain(`id="${anchor}"`);
  });

  test('serve nothing else of the folder they come from', async () => {
    for (const path of ['/docs/package.json', '/docs/index.html', '/docs/swagger-ui.js', '/docs/..%2fpackage.json'])
      expect((await get(path)).status).toBe(404);
  });

  test('are gone when documents are switched off', async () => {
    const silent = express().use(createDocs({ enabled: false, routes, clientEvents, publicUrl: undefined }));
    for (const path of ['/openapi.json', '/asyncapi.json', '/docs', '/docs/events', '/docs/swagger-ui.css'])
      expect((await request(silent).get(path)).status).toBe(404);
  });
});
