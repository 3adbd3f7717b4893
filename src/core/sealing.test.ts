import { createSealer } from './sealing';

const [OLD, NEW] = ['s'.repeat(32), 't'.repeat(32)];
const having = (current: string, previous?: string, purpose = 'tests') => createSealer({ current, previous }, purpose);
const sealer = having(OLD);

test('what was sealed is read again by the same secret, purpose and owner, and by nothing else', () => {
  const sealed = sealer.seal('GEZDGNBV', 'ann');
  expect(sealer.open(sealed, 'ann')).toBe('GEZDGNBV');
  expect(sealed).not.toContain('GEZDGNBV');
  expect(sealer.seal('GEZDGNBV', 'ann')).not.toBe(sealed);
  expect(() => sealer.open(sealed, 'bob')).toThrow();
  expect(() => having(NEW).open(sealed, 'ann')).toThrow('DATA_SECRET');
  expect(() => having(OLD, undefined, 'other').open(sealed, 'ann')).toThrow();
});

test('a changed, shortened or empty text is refused', () => {
  const bytes = Buffer.from(sealer.seal('secret', 'ann'), 'base64url');
  for (const at of bytes.keys()) {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 1;
    expect(() => sealer.open(changed.toString('base64url'), 'ann')).toThrow();
    expect(() => sealer.open(bytes.subarray(0, at).toString('base64url'), 'ann')).toThrow();
  }
});

test('while secrets are changed the previous one opens, the current one seals, and what is renewed needs only that', () => {
  const sealed = sealer.seal('GEZDGNBV', 'ann');
  const both = having(NEW, OLD);
  expect(both.open(sealed, 'ann')).toBe('GEZDGNBV');
  const renewed = both.renew(sealed, 'ann') ?? '';
  expect(having(NEW).open(renewed, 'ann')).toBe('GEZDGNBV');
  expect(() => sealer.open(renewed, 'ann')).toThrow();
  expect(both.renew(renewed, 'ann')).toBeNull();
  expect(() => both.renew(sealed, 'bob')).toThrow();
});
