/** What drivers are told that they may send, in bytes. */
export const MAX_DOCUMENT = 16 * 1024 * 1024;
export const MAX_MESSAGE = 48_000_000;
