import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ruleSetSchema } from '../../src/modules/games/rule-set';
import { Engine } from '../../src/modules/matchmaking/engine';
import { ticket } from '../../src/modules/matchmaking/engine/testing/tickets';
import { submitBody } from '../../src/modules/matchmaking/matchmaking.schemas';

/** The examples of docs/matchmaking.md are what they say. */

const page = readFileSync(join(__dirname, '../../docs/matchmaking.md'), 'utf8');
const [rules, request, explanation] = [...page.matchAll(/```json\n(.*?)```/gs)].map(
  ([, text = '']) => JSON.parse(text) as Record<string, unknown>,
);

const NOW = Date.parse('2027-01-15T08:00:00Z');
const waiting = (id: string, mu: number, seconds: number, more: object = {}) =>
  ticket(id, {
    players: [{ userId: id, mu, sigma: 2, roles: [] }],
    waitingSince: NOW - seconds * 1000,
    regions: ['EU'],
    ...more,
  });

test('the rule set and the ticket are valid', () => {
  expect(ruleSetSchema.safeParse(rules).error?.issues).toBeUndefined();
  expect(submitBody.safeParse(request).error?.issues).toBeUndefined();
});

test('the explanation is what the engine says of such a pool', () => {
  const engine = new Engine(1);
  engine.setPool('ranked', ruleSetSchema.parse(rules));
  const pool = [
    waiting('me', 31, 40),
    ...[26, 27.5, 29, 30, 32, 33].map((mu, i) => waiting(`near-${i}`, mu, 30 + i)),
    ...[18, 22, 21.5, 40, 42].map((mu, i) => waiting(`far-${i}`, mu, 45 + i)),
    waiting('elsewhere', 30.5, 45, { regions: ['NA'] }),
    waiting('only-there', 33, 50, { regions: ['NA'], regionPreference: 'strict' }),
    waiting('blocked', 30, 20, { blocked: new Set(['me']) }),
  ];
  for (const each of pool) engine.add('ranked', each);
  expect([...engine.pass(NOW)].filter(Boolean)).toEqual([]);
  const seen = engine.explain('ranked', 'me', NOW);
  const { nearestMisses, nextExpansion, eta: _eta, ...counts } = explanation as Record<string, object>;
  expect(seen).toMatchObject(counts);
  expect(seen?.nearestMisses).toEqual(expect.arrayContaining(nearestMisses as unknown as object[]));
  expect(new Date(seen?.nextExpansion?.at ?? 0).toISOString()).toBe((nextExpansion as { at: string }).at);
  expect(seen?.nextExpansion?.admits).toBe((nextExpansion as { admits: number } | undefined)?.admits);
});
