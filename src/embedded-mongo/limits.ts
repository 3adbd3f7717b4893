import { MongoError } from './errors';

/** What drivers are told that they may send, in bytes. */
export const MAX_DOCUMENT = 16 * 1024 * 1024;
export const MAX_MESSAGE = 48_000_000;

/** @param deadline in ms since 1970; undefined if there is none. @throws 50 behind it */
export function checkDeadline(deadline: number | undefined): void {
  if (deadline !== undefined && Date.now() > deadline) throw new MongoError(50, 'operation exceeded time limit');
}
