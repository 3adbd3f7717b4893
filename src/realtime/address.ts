import type { Socket } from 'socket.io';

/**
 * The client's address by the same rule as Express' `trust proxy` hop count: `handshake.address` ignores it. With n trusted
 * proxies the address is the nth from the right of X-Forwarded-For.
 */
export function addressOf(socket: Pick<Socket, 'handshake'>, hops: number): string {
  const direct = socket.handshake.address;
  if (hops === 0) return direct;
  const header = socket.handshake.headers['x-forwarded-for'];
  const forwarded = (typeof header === 'string' ? header : '')
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
  return forwarded.at(-hops) ?? forwarded[0] ?? direct;
}
