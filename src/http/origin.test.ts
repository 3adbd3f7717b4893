import { originOf } from './origin';

test.each([
  ['203.0.113.77', '203.0.113.0/24'],
  ['::ffff:203.0.113.77', '203.0.113.0/24'],
  ['2001:db8:12:3456::1', '2001:db8:12::/48'],
  ['::1', '::/48'],
  ['', ''],
  ['somewhere', ''],
])('%j is kept as %j', (ip, origin) => {
  expect(originOf(ip)).toBe(origin);
});
