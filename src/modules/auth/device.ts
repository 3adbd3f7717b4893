import { originOf } from '../../http/origin';
import type { Device } from './sessions.service';

const MAX_USER_AGENT = 256;

/** Where a request comes from, as a session keeps it. */
export const deviceOf = ({ ip, userAgent }: Device): Device => ({
  ip: originOf(ip),
  userAgent: userAgent.slice(0, MAX_USER_AGENT),
});
