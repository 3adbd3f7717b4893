import { isIPv4, isIPv6 } from 'node:net';
import { ipKeyGenerator } from 'express-rate-limit';

/**
 * Where a request came from, as coarse as it is kept: the network of an address (/24, IPv6 /48), which tells its owner "at
 * home" from "elsewhere" and says less about who it was. Empty where it is no address.
 */
export function originOf(ip: string): string {
  const plain = ip.replace(/^::ffff:(?=\d+\.)/i, '');
  if (isIPv4(plain)) return plain.replace(/\d+$/, '0/24');
  return isIPv6(plain) ? ipKeyGenerator(plain, 48) : '';
}
