/**
 * Reads BSON that anybody may have sent. bson's own reader is not used here since it turns `{$ref, $id}` into a class of its own and follows any
 * nesting; this one keeps each type as it is, checks every length before it trusts it, and refuses what a plain object cannot hold safely.
 */
import { Binary, BSONRegExp, BSONSymbol, Code, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'bson'; // prettier-ignore
import { type Doc, type Value } from './bson-types';
import { MongoError, unsupported } from '../errors';
import { MAX_DOCUMENT } from '../limits';
import { checkFieldName } from './field-names';

/** mongod's limits: of a stored document, and of nesting. */
const MAX_DEPTH = 200;

export const tooLarge = (size: number): MongoError =>
  new MongoError(10334, `BSONObj size: ${size} is invalid. Size must be between 0 and ${MAX_DOCUMENT}`);
const invalid = (what: string): MongoError => new MongoError(22, `invalid BSON: ${what}`);

/** @throws MongoError 22 for what is not BSON, 15 for nesting, 238 for types and field names that are refused */
export function decodeDocument(bytes: Buffer): Doc {
  const reader = new Reader(bytes, 0);
  const doc = reader.document(0);
  if (reader.at !== bytes.length) throw invalid('bytes are left over');
  return doc;
}

/** Documents one behind the other up to the end. */
export function decodeSequence(bytes: Buffer): Doc[] {
  const reader = new Reader(bytes, 0);
  const docs: Doc[] = [];
  while (reader.at < bytes.length) docs.push(reader.document(0));
  return docs;
}

const strict = new TextDecoder('utf-8', { fatal: true });

/** Field names come again and again: the same string object is given for the same bytes. */
const names = new Array<string | undefined>(4096);

/** What an ObjectId is made of; it keeps numbers of its own. */
const twelve = new Uint8Array(12);

class Reader {
  private readonly view: DataView;
  private end: number;

  constructor(
    private readonly bytes: Buffer,
    public at: number,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.end = bytes.length;
  }

  document(depth: number): Doc {
    const outer = this.begin(depth);
    const doc: Doc = {};
    for (let type = this.type(); type !== 0; type = this.type()) {
      const name = this.name();
      doc[name] = this.value(type, depth);
    }
    this.finish(outer);
    return doc;
  }

  private array(depth: number): Value[] {
    const outer = this.begin(depth);
    const items: Value[] = [];
    for (let type = this.type(); type !== 0; type = this.type()) {
      this.name();
      items.push(this.value(type, depth));
    }
    this.finish(outer);
    return items;
  }

  /** @returns where what it is part of ends */
  private begin(depth: number): number {
    if (depth > MAX_DEPTH) throw new MongoError(15, `BSONObj exceeds maximum nested object depth: ${MAX_DEPTH}`);
    const start = this.at;
    const outer = this.end;
    const size = this.int32();
    if (size < 5 || start + size > outer) throw invalid('the length of a document is wrong');
    this.end = start + size;
    return outer;
  }

  private finish(outer: number): void {
    if (this.at !== this.end) throw invalid('the length of a document is wrong');
    this.end = outer;
  }

  /** Of the next element; 0 if there is none. */
  private type(): number {
    if (this.at >= this.end) throw invalid('a document has no end');
    return this.bytes[this.at++]!;
  }

  private take(length: number): number {
    const from = this.at;
    if (length < 0 || from + length > this.end) throw invalid('a value reaches beyond its document');
    this.at += length;
    return from;
  }

  private int32(): number {
    return this.view.getInt32(this.take(4), true);
  }

  private cstringEnd(): number {
    const end = this.bytes.indexOf(0, this.at);
    if (end < 0 || end >= this.end) throw invalid('a name has no end');
    return end;
  }

  private text(from: number, to: number): string {
    for (let i = from; i < to; i += 1) {
      if (this.bytes[i]! < 0x80) continue;
      try {
        return strict.decode(this.bytes.subarray(from, to));
      } catch {
        throw invalid('a string is not UTF-8');
      }
    }
    return this.bytes.toString('latin1', from, to);
  }

  private cstring(): string {
    const from = this.at;
    const end = this.cstringEnd();
    this.at = end + 1;
    return this.text(from, end);
  }

  private name(): string {
    const { bytes, at } = this;
    let hash = 0;
    let end = at;
    for (let byte = bytes[end]!; byte !== 0; byte = bytes[end]!) {
      hash = (hash * 31 + byte) | 0;
      end += 1;
      if (end >= this.end) throw invalid('a name has no end');
    }
    const slot = hash & 4095;
    const known = names[slot];
    this.at = end + 1;
    if (known !== undefined && known.length === end - at) {
      let i = 0;
      while (i < known.length && known.charCodeAt(i) === bytes[at + i]) i += 1;
      if (i === known.length) return known;
    }
    const name = this.text(at, end);
    checkFieldName(name);
    // only of one byte a character, so that the comparison above holds
    if (name.length === end - at && name.length < 64) names[slot] = name;
    return name;
  }

  private string(): string {
    const length = this.int32();
    if (length < 1) throw invalid('the length of a string is wrong');
    const from = this.take(length);
    if (this.bytes[this.at - 1] !== 0) throw invalid('a string has no end');
    return this.text(from, this.at - 1);
  }

  /** Copied, so that nothing holds on to the whole message. */
  private copy(length: number): Buffer {
    const from = this.take(length);
    const copy = Buffer.allocUnsafe(length);
    this.bytes.copy(copy, 0, from, from + length);
    return copy;
  }

  private objectId(): ObjectId {
    const from = this.take(12);
    for (let i = 0; i < 12; i += 1) twelve[i] = this.bytes[from + i]!;
    return new ObjectId(twelve);
  }

  private binary(): Binary {
    const length = this.int32();
    const subType = this.bytes[this.take(1)]!;
    if (subType !== 2) return new Binary(this.copy(length), subType);
    // the old form repeats the length
    if (this.int32() !== length - 4) throw invalid('the length of old binary data is wrong');
    return new Binary(this.copy(length - 4), subType);
  }

  private date(): Date {
    const from = this.take(8);
    const date = new Date(this.view.getInt32(from + 4, true) * 2 ** 32 + this.view.getUint32(from, true));
    if (Number.isNaN(date.getTime())) throw unsupported('dates beyond the year 275760');
    return date;
  }

  private codeWithScope(depth: number): Code {
    this.int32();
    const code = this.string();
    return new Code(code, this.document(depth + 1));
  }

  private value(type: number, depth: number): Value {
    switch (type) {
      case 0x01:
        return new Double(this.view.getFloat64(this.take(8), true));
      case 0x02:
        return this.string();
      case 0x03:
        return this.document(depth + 1);
      case 0x04:
        return this.array(depth + 1);
      case 0x05:
        return this.binary();
      case 0x07:
        return this.objectId();
      case 0x08:
        return this.boolean();
      case 0x09:
        return this.date();
      case 0x0a:
        return null;
      case 0x0b:
        return new BSONRegExp(this.cstring(), this.cstring());
      case 0x0d:
        return new Code(this.string());
      case 0x0e:
        return new BSONSymbol(this.string());
      case 0x0f:
        return this.codeWithScope(depth);
      case 0x10:
        return new Int32(this.int32());
      case 0x11: {
        const i = this.view.getUint32(this.take(4), true);
        return new Timestamp({ t: this.view.getUint32(this.take(4), true), i });
      }
      case 0x12: {
        const low = this.int32();
        return new Long(low, this.int32());
      }
      case 0x13:
        return new Decimal128(this.copy(16));
      case 0x7f:
        return new MaxKey();
      case 0xff:
        return new MinKey();
      case 0x06:
      case 0x0c:
        throw unsupported('the outdated BSON types undefined and DBPointer');
      default:
        throw invalid(`there is no type ${type}`);
    }
  }

  private boolean(): boolean {
    const byte = this.bytes[this.take(1)]!;
    if (byte > 1) throw invalid('a boolean is neither 0 nor 1');
    return byte === 1;
  }
}
