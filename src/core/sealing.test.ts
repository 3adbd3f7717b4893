import { createSealer } from './sealing';

const sealer = createSealer('s'.repeat(32), 'tests');

test('what was sealed is read again by the same secret, purpose and owner, and by nothing else', () => {
  const sealed = sealer.seal('GEZDGNBV', 'ann');
  expect(sealer.open(sealed, 'ann')).toBe('GEZDGNBV');
  expect(sealed).not.toContain('GEZDGNBV');
  expect(sealer.seal('GEZDGNBV', 'ann')).not.toBe(sealed);
  expect(() => sealer.open(sealed, 'bob')).toThrow();
  expect(() => createSealer('t'.repeat(32), 'tests').open(sealed, 'ann')).toThrow();
  expect(() => createSealer('s'.repeat(32), 'other').open(sealed, 'ann')).toThrow();
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
