import { EventEmitter } from 'node:events';
import type { Socket } from 'socket.io';
import { z } from 'zod';
import { manualClock } from '../core/clock';
import { AppError } from '../core/errors';
import { createLogger } from '../core/logger';
import { createBudgets } from './budgets';
import { clientEvent, type ClientEvent } from './client-event';
import { onEvent, refuseUnknownEvents, type Ack } from './on-event';

/** The part of a socket that the edge touches, without a network: whatever a peer may put into a packet can be sent. */
function fakeSocket() {
  const emitter = new EventEmitter();
  let any: ((name: string, ...args: unknown[]) => void) | undefined;
  const socket = {
    data: { player: { userId: 'u1' } },
    on: (name: string, handler: (...args: unknown[]) => void) => emitter.on(name, handler),
    onAny: (handler: typeof any) => (any = handler),
    join: () => undefined,
    leave: () => undefined,
  };
  const receive = (name: string, ...args: unknown[]) => {
    any?.(name, ...args);
    emitter.emit(name, ...args);
  };
  return {
    socket: socket as unknown as Socket,
    receive,
    ask: (name: string, ...args: unknown[]) => new Promise<Ack>((resolve) => receive(name, ...args, resolve)),
  };
}

function listening(events: ClientEvent[], run: (work: () => Promise<void>) => Promise<void> = (work) => work()) {
  const logged: string[] = [];
  const logger = createLogger({ level: 'error', pretty: false }, { write: (line) => void logged.push(line) });
  const deps = { budgets: createBudgets(manualClock()), logger, run };
  const fake = fakeSocket();
  for (const event of events) onEvent(fake.socket, event, deps);
  refuseUnknownEvents(fake.socket, events, deps);
  return { ...fake, logged };
}

const echo = clientEvent({
  name: 'echo',
  summary: 'says it again',
  schema: z.strictObject({ text: z.string().max(5) }),
  answer: z.object({ text: z.string() }),
  handler: async (_context, { text }) => ({ text }),
});
const failing = (error: unknown) =>
  clientEvent({
    name: 'fail',
    summary: 'fails',
    schema: z.strictObject({}),
    answer: z.unknown(),
    handler: async () => {
      throw error;
    },
  });

describe('the socket edge', () => {
  test('answers with what the handler gives', async () => {
    expect(await listening([echo]).ask('echo', { text: 'hi' })).toEqual({ ok: true, data: { text: 'hi' } });
  });

  test('handles an event without an acknowledgement', async () => {
    const heard: string[] = [];
    const tell = clientEvent({
      name: 'tell',
      summary: '',
      schema: z.strictObject({ text: z.string() }),
      answer: z.object({}),
      handler: async (_context, { text }) => {
        heard.push(text);
        return {};
      },
    });
    const { receive } = listening([tell]);
    receive('tell', { text: 'hi' });
    await new Promise(setImmediate);
    expect(heard).toEqual(['hi']);
  });

  test.each([
    ['nothing', []],
    ['null', [null]],
    ['a string', ['x']],
    ['a number', [7]],
    ['an array', [[1]]],
    ['a function where the object belongs', [() => undefined]],
    ['an unknown field', [{ text: 'hi', more: 1 }]],
    ['a wrong type', [{ text: { $gt: '' } }]],
    ['too long a text', [{ text: 'toolong' }]],
    ['__proto__', [JSON.parse('{"text": "hi", "__proto__": {"x": 1}}')]],
    ['a buffer', [Buffer.from('x')]],
  ])('refuses %s as VALIDATION_FAILED', async (_what, args) => {
    const { ask, logged } = listening([echo]);
    expect(await ask('echo', ...args)).toMatchObject({ ok: false, error: { code: 'VALIDATION_FAILED' } });
    expect(logged).toEqual([]);
  });

  test('tells an expected failure as it is, and logs nothing', async () => {
    const { ask, logged } = listening([failing(new AppError('LOBBY_FULL', 'No seat.'))]);
    expect(await ask('fail', {})).toEqual({ ok: false, error: { code: 'LOBBY_FULL', message: 'No seat.' } });
    expect(logged).toEqual([]);
  });

  test('hides an unexpected failure, and logs it whole', async () => {
    const { ask, logged } = listening([failing(new Error('the secret reason'))]);
    const answer = await ask('fail', {});
    expect(answer).toMatchObject({ ok: false, error: { code: 'INTERNAL' } });
    expect(JSON.stringify(answer)).not.toContain('secret reason');
    expect(logged.join()).toContain('the secret reason');
    expect(JSON.parse(logged[0] ?? '')).toMatchObject({ event: 'fail', userId: 'u1' });
  });

  test('says UNAVAILABLE when the database is away', async () => {
    const away = Object.assign(new Error('no server'), { name: 'MongoServerSelectionError' });
    expect(await listening([failing(away)]).ask('fail', {})).toMatchObject({ error: { code: 'UNAVAILABLE' } });
  });

  test('survives an acknowledgement that throws, of an answer and of a refusal', async () => {
    const { receive, logged } = listening([echo]);
    const broken = () => {
      throw new Error('cannot be encoded');
    };
    receive('echo', { text: 'hi' }, broken);
    receive('echo', {}, broken);
    receive('no-such', broken);
    await new Promise(setImmediate);
    expect(logged).toHaveLength(3);
  });

  test('answers an unknown event, whatever its name', async () => {
    const { ask } = listening([echo]);
    for (const name of ['chat:sned', 'constructor', '__proto__', 'x'.repeat(10_000)])
      expect(await ask(name, {})).toMatchObject({ ok: false, error: { code: 'UNKNOWN_EVENT' } });
  });

  test('refuses more of one event than its budget', async () => {
    const { ask } = listening([{ ...echo, budget: { max: 2, perSeconds: 1 } }]);
    const answers = [];
    for (let i = 0; i < 3; i++) answers.push(await ask('echo', { text: 'hi' }));
    expect(answers.map((answer) => answer.ok)).toEqual([true, true, false]);
    expect(answers[2]).toMatchObject({ error: { code: 'RATE_LIMITED' } });
  });

  test('unknown events draw on a budget too', async () => {
    const { ask } = listening([]);
    const codes = [];
    for (let i = 0; i < 201; i++) {
      const answer = await ask('nonsense');
      codes.push(answer.ok ? 'ok' : answer.error.code);
    }
    expect(codes.at(-2)).toBe('UNKNOWN_EVENT');
    expect(codes.at(-1)).toBe('RATE_LIMITED');
  });

  test('takes no new work once the server is stopping', async () => {
    const { ask } = listening([echo], async () => {
      throw new AppError('UNAVAILABLE', 'stopping');
    });
    expect(await ask('echo', { text: 'hi' })).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE' } });
  });
});
