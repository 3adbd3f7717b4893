/**
 * Writes BSON: the bytes that bson's own writer would make. That one is not used here since most of its time goes into what documents in memory (bson-types.ts)
 * never are: maps, buffers, cycles, objects with a `toBSON`. A document is written into one buffer for all, and then copied out in its length; so
 * whoever wants to know its size only asks for its bytes, and uses them.
 */
import { Binary, BSONRegExp, BSONSymbol, calculateObjectSize, Code, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId } from 'bson'; // prettier-ignore
import { MAX_DOCUMENT } from '../limits';
import { tooLarge } from './bson-decode';
import { isArray, isInt32, writeObjectId, type Doc, type Value } from './bson-types';

/** A document that was written already, in place of the document. */
export class Written {
  constructor(readonly bytes: Buffer) {}
}

/** A reply holds a document of the greatest size, and a little besides. */
const CAPACITY = MAX_DOCUMENT + 1024 * 1024;
/** The most that an element takes besides its name and what is as long as it likes. */
const FIXED = 32;
/** Up to this length a text is written here faster than by Node. */
const SHORT = 40;

/** @param room so many bytes before it are left to the caller. @throws 10334 for what is larger than a reply can be */
export function encodeDocument(doc: Doc, room = 0): Buffer {
  try {
    const length = writer.write(doc);
    const bytes = Buffer.allocUnsafe(room + length);
    writer.bytes.copy(bytes, room, 0, length);
    return bytes;
  } catch (error) {
    if (error instanceof Full) throw tooLarge(calculateObjectSize(doc));
    throw error;
  }
}

class Full extends Error {}

class Writer {
  readonly bytes = Buffer.allocUnsafeSlow(CAPACITY);
  private readonly view = new DataView(this.bytes.buffer);
  private at = 0;

  write(doc: Doc): number {
    this.at = 0;
    this.document(doc);
    return this.at;
  }

  private reserve(length: number): void {
    if (this.at + length > CAPACITY) throw new Full();
  }

  /** No unit of a text takes more than three bytes; only where that could be too much it is counted. */
  private reserveText(text: string): void {
    const most = 3 * text.length + FIXED;
    if (this.at + most > CAPACITY) this.reserve(Buffer.byteLength(text) + FIXED);
  }

  private document(doc: Doc): void {
    const start = this.at;
    this.at += 4;
    // documents inherit nothing that could be listed
    for (const name in doc) this.element(name, doc[name]);
    this.end(start);
  }

  private array(items: Value[]): void {
    const start = this.at;
    this.at += 4;
    for (let i = 0; i < items.length; i += 1) this.element(String(i), items[i] === undefined ? null : items[i]);
    this.end(start);
  }

  private end(start: number): void {
    this.reserve(1);
    this.bytes[this.at++] = 0;
    this.view.setInt32(start, this.at - start, true);
  }

  private element(name: string, value: Value): void {
    switch (typeof value) {
      case 'string':
        this.head(0x02, name);
        return this.string(value);
      case 'boolean':
        this.head(0x08, name);
        this.bytes[this.at++] = value ? 1 : 0;
        return;
      case 'number':
        return isInt32(value) ? this.int32(name, value) : this.double(name, value);
      case 'bigint':
        this.head(0x12, name);
        this.view.setBigInt64(this.at, value, true);
        this.at += 8;
        return;
      case 'object':
        return value === null ? this.head(0x0a, name) : this.object(name, value);
      default:
    }
  }

  private object(name: string, value: object): void {
    if (isArray(value)) {
      this.head(0x04, name);
      this.array(value);
    } else if (value instanceof Int32) this.int32(name, value.value);
    else if (value instanceof Double) this.double(name, value.value);
    else if (value instanceof ObjectId) {
      this.head(0x07, name);
      this.at += writeObjectId(value, this.bytes, this.at);
    } else if (value instanceof Date) {
      this.head(0x09, name);
      const ms = value.getTime();
      const high = Math.floor(ms / 2 ** 32);
      this.bits64(ms - high * 2 ** 32, high);
    } else if (value instanceof Written) {
      this.head(0x03, name);
      this.raw(value.bytes, value.bytes.length);
    } else if ('_bsontype' in value) this.rare(name, value);
    else {
      this.head(0x03, name);
      this.document(value as Doc);
    }
  }

  private rare(name: string, value: object): void {
    if (value instanceof Long) {
      this.head(value._bsontype === 'Long' ? 0x12 : 0x11, name);
      this.bits64(value.low, value.high);
    } else if (value instanceof Binary) {
      this.head(0x05, name);
      this.binary(value);
    } else if (value instanceof Decimal128) {
      this.head(0x13, name);
      this.raw(value.bytes, 16);
    } else if (value instanceof BSONRegExp) {
      this.head(0x0b, name);
      this.cstring(value.pattern);
      this.cstring([...value.options].sort().join(''));
    } else if (value instanceof Code) this.code(name, value);
    else if (value instanceof BSONSymbol) {
      this.head(0x0e, name);
      this.string(value.value);
    } else if (value instanceof MinKey) this.head(0xff, name);
    else if (value instanceof MaxKey) this.head(0x7f, name);
  }

  private code(name: string, { code, scope }: Code): void {
    this.head(scope ? 0x0f : 0x0d, name);
    if (!scope) return this.string(code);
    const start = this.at;
    this.at += 4;
    this.string(code);
    this.document(scope);
    this.view.setInt32(start, this.at - start, true);
  }

  private binary({ buffer, position, sub_type: subType }: Binary): void {
    const isOld = subType === 2;
    this.view.setInt32(this.at, isOld ? position + 4 : position, true);
    this.bytes[this.at + 4] = subType;
    this.at += 5;
    // the old form repeats the length
    if (isOld) {
      this.view.setInt32(this.at, position, true);
      this.at += 4;
    }
    this.raw(buffer, position);
  }

  private int32(name: string, value: number): void {
    this.head(0x10, name);
    this.view.setInt32(this.at, value, true);
    this.at += 4;
  }

  private double(name: string, value: number): void {
    this.head(0x01, name);
    this.view.setFloat64(this.at, value, true);
    this.at += 8;
  }

  private bits64(low: number, high: number): void {
    this.view.setInt32(this.at, low, true);
    this.view.setInt32(this.at + 4, high, true);
    this.at += 8;
  }

  private raw(bytes: Uint8Array, length: number): void {
    this.reserve(length + FIXED);
    this.bytes.set(bytes.length === length ? bytes : bytes.subarray(0, length), this.at);
    this.at += length;
  }

  /** The type and the name, behind which there is room for what is of a fixed length. */
  private head(type: number, name: string): void {
    this.reserveText(name);
    this.bytes[this.at++] = type;
    this.text(name);
    this.bytes[this.at++] = 0;
  }

  private cstring(text: string): void {
    this.reserveText(text);
    this.text(text);
    this.bytes[this.at++] = 0;
  }

  private string(text: string): void {
    this.reserveText(text);
    const start = this.at;
    this.at += 4;
    this.text(text);
    this.bytes[this.at++] = 0;
    this.view.setInt32(start, this.at - start - 4, true);
  }

  private text(text: string): void {
    const { bytes, at } = this;
    const { length } = text;
    if (length <= SHORT) {
      let i = 0;
      for (; i < length; i += 1) {
        const unit = text.charCodeAt(i);
        if (unit >= 0x80) break;
        bytes[at + i] = unit;
      }
      if (i === length) {
        this.at = at + length;
        return;
      }
    }
    this.at = at + bytes.write(text, at);
  }
}

const writer = new Writer();
