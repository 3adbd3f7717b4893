import bcrypt from 'bcrypt';
import { createPasswords } from './passwords';

const passwords = createPasswords(4);

test('a hash matches its password and no other, not even one that differs in its last byte or behind a zero', async () => {
  const long = 'x'.repeat(71);
  const hash = await passwords.hash(`${long}a`);
  expect(await passwords.matches(`${long}a`, hash)).toBe(true);
  expect(await passwords.matches(`${long}b`, hash)).toBe(false);
  const zero = await passwords.hash('before\0after');
  expect(await passwords.matches('before\0other', zero)).toBe(false);
});

test('where there is no account, nothing matches, and a hash of the same cost is worked through', async () => {
  const compare = jest.spyOn(bcrypt, 'compare');
  expect(await passwords.matches('x', null)).toBe(false);
  expect(compare).toHaveBeenCalledTimes(1);
  expect(bcrypt.getRounds(compare.mock.calls[0]![1])).toBe(4);
  expect(compare.mock.calls[0]![1]).toHaveLength(60);
  compare.mockRestore();
});

test('takes as long for nobody as for somebody', async () => {
  const costly = createPasswords(8);
  const hash = await costly.hash('right');
  const times: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] };
  const measure = async (kind: keyof typeof times, stored: string | null) => {
    const start = process.hrtime.bigint();
    await costly.matches('wrong', stored);
    times[kind].push(Number(process.hrtime.bigint() - start));
  };
  for (let i = 0; i < 15; i++) {
    await measure('known', hash);
    await measure('unknown', null);
  }
  // the fastest of each: what a busy machine adds is not the code's
  const ratio = Math.min(...times.known) / Math.min(...times.unknown);
  expect(ratio).toBeGreaterThan(0.5);
  expect(ratio).toBeLessThan(2);
});

test('a hash is outdated when the cost has risen, not when it has fallen', async () => {
  const hash = await createPasswords(5).hash('x');
  expect([4, 5, 6].map((cost) => createPasswords(cost).isOutdated(hash))).toEqual([false, false, true]);
});
