import { BSON } from 'bson';
import { split } from './bytes';
import { check } from './load';
import { BackupError, decode, encode, type BackupRecord } from './records';

/**
 * What is inside the envelope: records of the driver's dump, or the archive of MongoDB's own tool, for which only that tool has the
 * key. An archive begins with one record of its own that says so, and the rest is the archive byte for byte.
 */
export type Contents =
  | { kind: 'records'; records: AsyncIterable<BackupRecord> }
  | { kind: 'archive'; origin: Origin; archive: AsyncIterable<Buffer> };

export interface Origin {
  /** As the tool names itself. */
  madeBy: string;
  /** The database of the server; the archive has it under this name only. */
  database: string;
}

const ARCHIVE = 'A';
const LENGTH = 4;
const MAX_ORIGIN = 4096;

export async function* asContents(archive: AsyncIterable<Buffer>, origin: Origin): AsyncGenerator<Buffer> {
  yield encode(ARCHIVE, { ...origin });
  yield* archive;
}

/** @throws BackupError where it is neither */
export async function contentsOf(bytes: AsyncIterable<Buffer>): Promise<Contents> {
  const { head, rest } = await split(bytes, 1 + LENGTH);
  if (head.toString('latin1', 0, 1) !== ARCHIVE) return { kind: 'records', records: decode(together(head, rest)) };
  const length = head.readInt32LE(1);
  if (length <= LENGTH || length > MAX_ORIGIN) throw new BackupError('This is no backup, or it is damaged.');
  const { head: body, rest: archive } = await split(rest, length - LENGTH);
  const origin = BSON.deserialize(Buffer.concat([head.subarray(1), body])) as Origin;
  return { kind: 'archive', origin, archive };
}

/** Reads it to its end and writes nothing. @returns where it comes from, if a tool made it @throws BackupError where it is damaged */
export async function checkContents(contents: Contents): Promise<Origin | undefined> {
  if (contents.kind === 'archive') {
    for await (const _chunk of contents.archive); // the envelope knows whether it is whole
    return contents.origin;
  }
  await check(contents.records);
  return undefined;
}

async function* together(head: Buffer, rest: AsyncIterable<Buffer>) {
  yield head;
  yield* rest;
}
