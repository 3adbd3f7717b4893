import { BackupError } from './records';

/** The first bytes of a stream, and what follows. @throws BackupError where it is shorter */
export async function split(bytes: AsyncIterable<Buffer>, length: number) {
  const chunks = bytes[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < length) {
    const next = await chunks.next();
    if (next.done) throw new BackupError('This is no backup of this server.');
    head = Buffer.concat([head, next.value]);
  }
  const over = head.subarray(length);
  const rest = async function* () {
    if (over.length > 0) yield over;
    yield* { [Symbol.asyncIterator]: () => chunks };
  };
  return { head: head.subarray(0, length), rest: rest() };
}
