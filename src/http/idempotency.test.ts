import type { Connection } from 'mongoose';
import { testDatabase } from '../../test/support/database';
import { manualClock } from '../core/clock';
import { AppError } from '../core/errors';
import { systemIds } from '../core/ids';
import { createIdempotency, keyOf, type Idempotency, type IdempotentRequest } from './idempotency';

let connection: Connection;
let idempotency: Idempotency;
const clock = manualClock(Date.now());
beforeAll(async () => {
  connection = await testDatabase();
  idempotency = createIdempotency({ connection, clock });
});

const asked = (more: Partial<IdempotentRequest> = {}, body: object = { a: 1 }, userId = 'u1'): IdempotentRequest => ({
  key: systemIds.uuid(),
  target: 'post /api/things',
  ...more,
  input: {
    body,
    player: { userId, username: 'ann', role: 'player', sessionId: 's1' },
    ip: '192.0.2.1',
    requestId: systemIds.uuid(),
  },
});

/** Work that counts how often it is done. */
function counted() {
  let times = 0;
  return { work: async () => ({ number: ++times }), times: () => times };
}

const outcome = async (promise: Promise<{ body: string; replayed: boolean }>) =>
  promise.then(
    ({ body, replayed }) => (replayed ? `again ${body}` : body),
    (error: AppError) => error.code,
  );

test('a repetition gets the first answer, and does nothing', async () => {
  const { work, times } = counted();
  const request = asked();
  expect(await outcome(idempotency.once(request, work))).toBe('{"number":1}');
  expect(await outcome(idempotency.once(asked({ key: request.key }), work))).toBe('again {"number":1}');
  expect(times()).toBe(1);
});

test('of twenty at once one works; the others get its answer or are told that it still runs', async () => {
  const { work, times } = counted();
  const { key } = asked();
  const answers = await Promise.all(Array.from({ length: 20 }, () => outcome(idempotency.once(asked({ key }), work))));
  expect(times()).toBe(1);
  expect(answers.filter((answer) => answer === '{"number":1}')).toHaveLength(1);
  for (const answer of answers)
    expect(['{"number":1}', 'again {"number":1}', 'IDEMPOTENCY_CONFLICT']).toContain(answer);
});

test('the key of somebody else, or of another route, is another key', async () => {
  const { work, times } = counted();
  const { key } = asked();
  for (const request of [asked({ key }), asked({ key }, { a: 1 }, 'u2'), asked({ key, target: 'post /api/others' })])
    expect(await outcome(idempotency.once(request, work))).toMatch(/^\{/);
  expect(times()).toBe(3);
});

test('another body under the same key is refused', async () => {
  const { work, times } = counted();
  const { key } = asked();
  await idempotency.once(asked({ key }), work);
  expect(await outcome(idempotency.once(asked({ key }, { a: 2 }), work))).toBe('IDEMPOTENCY_CONFLICT');
  expect(times()).toBe(1);
});

test('a failure frees its key', async () => {
  const { work, times } = counted();
  const { key } = asked();
  const failing = async () => {
    throw new AppError('CONFLICT', 'not now');
  };
  expect(await outcome(idempotency.once(asked({ key }), failing))).toBe('CONFLICT');
  expect(await outcome(idempotency.once(asked({ key }), work))).toBe('{"number":1}');
  expect(times()).toBe(1);
});

test('a request that never came to an end blocks its key for a minute, and one that did for a day', async () => {
  const { work } = counted();
  const { key } = asked();
  let begun: () => void = () => undefined;
  const running = new Promise<void>((resolve) => (begun = resolve));
  let finish: () => void = () => undefined;
  const hung = idempotency.once(asked({ key }), () => {
    begun();
    return new Promise<void>((resolve) => (finish = resolve));
  });
  await running;
  clock.advance(59_000);
  expect(await outcome(idempotency.once(asked({ key }), work))).toBe('IDEMPOTENCY_CONFLICT');
  clock.advance(2_000);
  expect(await outcome(idempotency.once(asked({ key }), work))).toBe('{"number":1}');
  // the late one finds that its key is not its own any more
  finish();
  await hung;
  clock.advance(3_600_000);
  expect(await outcome(idempotency.once(asked({ key }), work))).toBe('again {"number":1}');
});

test.each([[''], ['with space'], ['x'.repeat(129)], ['ümlaut']])('"%s" is no key', (key) => {
  expect(() => keyOf({ 'idempotency-key': key })).toThrow(expect.objectContaining({ code: 'VALIDATION_FAILED' }));
});

test('a request without the header has no key', () => {
  expect(keyOf({})).toBeUndefined();
});
