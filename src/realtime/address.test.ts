import { addressOf } from './address';

const socketFrom = (address: string, forwarded?: string) =>
  ({ handshake: { address, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } } }) as never;

describe('the address of a socket', () => {
  test.each([
    ['no proxy is trusted: what a client claims is ignored', 0, '9.9.9.9', '10.0.0.1'],
    ['one proxy: the address it saw is the last of the list', 1, '9.9.9.9, 203.0.113.7', '203.0.113.7'],
    ['two proxies: the outer one saw the client', 2, '203.0.113.7, 10.0.0.2', '203.0.113.7'],
    [
      'two proxies: what the client claims itself stands further left',
      2,
      '1.1.1.1, 203.0.113.7, 10.0.0.2',
      '203.0.113.7',
    ],
    ['fewer entries than proxies: the furthest known', 3, '203.0.113.7, 10.0.0.2', '203.0.113.7'],
    ['a proxy that sends no header: the connection itself', 1, undefined, '10.0.0.1'],
    ['empty parts do not count', 1, '203.0.113.7, ,', '203.0.113.7'],
  ])('%s', (_why, hops, forwarded, expected) => {
    expect(addressOf(socketFrom('10.0.0.1', forwarded), hops)).toBe(expected);
  });
});
