/**
 * The wire protocol: cutting a stream into messages, and a message into a command. Two forms come in: OP_MSG, and OP_QUERY for the first greeting of a
 * client. What is malformed throws `BadFrame`, and its connection is closed; what is well framed but no BSON is an error that is answered.
 */
import { decodeDocument, decodeSequence } from '../values/bson-decode';
import { encodeDocument } from '../values/bson-encode';
import { isString, type Doc } from '../values/bson-types';
import { MongoError } from '../errors';
import { MAX_MESSAGE } from '../limits';

const HEADER = 16;
const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const CHECKSUM = 1;
const MORE_TO_COME = 2;
/** Of the flags below bit 16, those that are understood. */
const KNOWN_FLAGS = CHECKSUM | MORE_TO_COME;

export class BadFrame extends Error {}

export interface Message {
  requestId: number;
  /** The client sent OP_QUERY and understands OP_REPLY only. */
  legacy: boolean;
  /** The client wants no answer. */
  silent: boolean;
  /** With `$db`. Throws MongoError for what is not BSON. */
  command(): Doc;
}

/** Collects what arrives; memory grows by what was really sent only, never by what a header claims. */
export class MessageCutter {
  private chunks: Buffer[] = [];
  buffered = 0;

  push(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.buffered += chunk.length;
  }

  /** The next whole message, if it has arrived. */
  next(): Message | undefined {
    if (this.buffered < HEADER) return undefined;
    const length = this.join(4).readInt32LE(0);
    if (length < HEADER || length > MAX_MESSAGE) throw new BadFrame(`a message of ${length} bytes`);
    if (this.buffered < length) return undefined;
    const all = this.join(length);
    this.chunks = all.length > length ? [all.subarray(length)] : [];
    this.buffered -= length;
    return parseMessage(all.subarray(0, length));
  }

  /** The first chunk, made of as many as hold `length` bytes. */
  private join(length: number): Buffer {
    const [first] = this.chunks;
    if (first && first.length >= length) return first;
    const all = Buffer.concat(this.chunks);
    this.chunks = [all];
    return all;
  }
}

function parseMessage(bytes: Buffer): Message {
  const requestId = bytes.readInt32LE(4);
  const opCode = bytes.readInt32LE(12);
  if (opCode === OP_MSG) return parseMsg(bytes, requestId);
  if (opCode === OP_QUERY) return parseQuery(bytes, requestId);
  throw new BadFrame(`the operation ${opCode}`);
}

function parseMsg(bytes: Buffer, requestId: number): Message {
  if (bytes.length < HEADER + 4 + 6) throw new BadFrame('too short');
  const flags = bytes.readUInt32LE(HEADER);
  if ((flags & 0xffff & ~KNOWN_FLAGS) !== 0) throw new BadFrame(`unknown flags ${flags}`);
  const end = bytes.length - (flags & CHECKSUM ? 4 : 0);
  let body: Buffer | undefined;
  const sequences: { name: string; bytes: Buffer }[] = [];
  for (let at = HEADER + 4; at < end;) {
    const kind = bytes[at]!;
    const from = at + 1;
    const size = from + 4 <= end ? bytes.readInt32LE(from) : 0;
    if (size < 5 || from + size > end) throw new BadFrame('a section of a wrong length');
    const section = bytes.subarray(from, from + size);
    if (kind === 0 && !body) body = section;
    else if (kind === 1) sequences.push(parseSequence(section));
    else throw new BadFrame(`an unexpected section of kind ${kind}`);
    at = from + size;
  }
  if (!body) throw new BadFrame('no body');
  const main = body;
  const command = (): Doc => {
    const doc = decodeDocument(main);
    for (const { name, bytes } of sequences) {
      if (Object.hasOwn(doc, name)) throw new MongoError(9, `the sequence '${name}' repeats a field of the command`);
      doc[name] = decodeSequence(bytes);
    }
    if (!isString(doc.$db)) throw new MongoError(40571, 'OP_MSG requests require a $db argument');
    return doc;
  };
  return { requestId, legacy: false, silent: (flags & MORE_TO_COME) !== 0, command };
}

function parseSequence(section: Buffer): { name: string; bytes: Buffer } {
  const end = section.indexOf(0, 4);
  if (end < 0) throw new BadFrame('a sequence without a name');
  const name = section.toString('latin1', 4, end);
  if (!/^[a-zA-Z]+$/.test(name)) throw new BadFrame('a sequence with a strange name');
  return { name, bytes: section.subarray(end + 1) };
}

function parseQuery(bytes: Buffer, requestId: number): Message {
  const nameEnd = bytes.indexOf(0, HEADER + 4);
  const from = nameEnd + 1 + 8;
  if (nameEnd < 0 || from + 5 > bytes.length) throw new BadFrame('too short');
  const namespace = bytes.toString('latin1', HEADER + 4, nameEnd);
  const size = bytes.readInt32LE(from);
  if (size < 5 || from + size > bytes.length) throw new BadFrame('a query of a wrong length');
  const command = (): Doc => {
    if (!namespace.endsWith('.$cmd'))
      throw new MongoError(352, 'Unsupported OP_QUERY command: find. The client driver may require an upgrade.');
    return { ...decodeDocument(bytes.subarray(from, from + size)), $db: namespace.slice(0, -'.$cmd'.length) };
  };
  return { requestId, legacy: true, silent: false, command };
}

let lastId = 0;

/** The bytes of an answer. */
export function encodeReply({ requestId, legacy }: Message, reply: Doc): Buffer {
  const start = HEADER + (legacy ? 20 : 5);
  const bytes = encodeDocument(reply, start);
  lastId = (lastId + 1) & 0x7fffffff;
  bytes.writeInt32LE(bytes.length, 0);
  bytes.writeInt32LE(lastId, 4);
  bytes.writeInt32LE(requestId, 8);
  bytes.writeInt32LE(legacy ? OP_REPLY : OP_MSG, 12);
  bytes.fill(0, HEADER, start);
  // OP_REPLY: the flag "query failure" or "await capable", and one document
  if (legacy) bytes.writeInt32LE('$err' in reply ? 2 : 8, HEADER);
  if (legacy) bytes.writeInt32LE(1, HEADER + 16);
  return bytes;
}
