import { BSON, type Document } from 'bson';
import { Refusal } from '../command-line';

/**
 * What a backup is made of, before it is compressed: records one behind the other, each a letter and a BSON document.
 *
 *   C  a collection: {name, options, indexes}, before its documents
 *   D  a document of the collection named last, byte for byte as the database gave it
 *   E  the end: {counts: {collection: documents}}; a backup without it is cut off
 *
 * `A` stands alone before an archive of another tool: see contents.ts.
 */
export type Kind = 'C' | 'D' | 'E';

export interface CollectionRecord {
  name: string;
  options: Document;
  indexes: Document[];
}

/** Documents of each collection. */
export type Counts = Record<string, number>;

export type BackupRecord =
  { kind: 'C'; collection: CollectionRecord } | { kind: 'D'; document: Buffer } | { kind: 'E'; counts: Counts };

/** What is wrong with a backup, for whoever wants it back. */
export class BackupError extends Refusal {}

const MAX_RECORD = 17 * 2 ** 20; // MongoDB's largest document and some room

/** @param body a document, or its bytes */
export function encode(kind: Kind | 'A', body: Document | Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(kind, 'latin1'), body instanceof Uint8Array ? body : BSON.serialize(body)]);
}

/**
 * Records out of a stream of bytes cut anywhere.
 * @throws BackupError where the stream is no backup, or ends before its end record
 */
export async function* decode(bytes: AsyncIterable<Buffer>): AsyncGenerator<BackupRecord> {
  let rest: Buffer = Buffer.alloc(0);
  let ended = false;
  for await (const chunk of bytes) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let length = recordLength(rest); length !== undefined && rest.length >= length; length = recordLength(rest)) {
      if (ended) throw new BackupError('The backup goes on behind its end.');
      const record = recordOf(rest.subarray(0, length));
      rest = rest.subarray(length);
      ended = record.kind === 'E';
      yield record;
    }
  }
  if (!ended || rest.length > 0) throw new BackupError('The backup is cut off: it has no end.');
}

/** Of the first record, or nothing where too little of it is there. */
function recordLength(bytes: Buffer): number | undefined {
  if (bytes.length < 5) return undefined;
  const length = bytes.readInt32LE(1);
  if (length < 5 || length > MAX_RECORD) throw new BackupError('This is no backup, or it is damaged.');
  return length + 1;
}

function recordOf(bytes: Buffer): BackupRecord {
  const kind = String.fromCharCode(bytes[0] ?? 0);
  const body = bytes.subarray(1);
  if (kind === 'D') return { kind, document: body };
  if (kind === 'C') return { kind, collection: exact(body) as CollectionRecord };
  if (kind === 'E') return { kind, counts: (BSON.deserialize(body) as { counts: Counts }).counts };
  throw new BackupError('This is no backup, or it is damaged.');
}

/** A document whose numbers keep their types, so that it is written back as it was. */
export const exact = (bytes: Uint8Array): Document =>
  BSON.deserialize(bytes, { promoteValues: false, promoteBuffers: false, promoteLongs: false, bsonRegExp: true });
