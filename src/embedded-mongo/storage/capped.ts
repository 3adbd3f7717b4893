/** Capped collections: how much one may hold, and which of its documents have to go. */
import { calculateObjectSize } from 'bson';
import { isNumber, long, toDouble, type Doc } from '../values/bson-types';
import { MongoError } from '../errors';

const LEAST = 4096;
const STEP = 256;
const MOST = 2 ** 50;

/** The options of a collection that cap it, checked and in mongod's form; none if it is not to be capped. */
export function cappedOptions({ capped, size, max }: Doc): Doc {
  if (capped !== true) {
    if (size === undefined && max === undefined) return {};
    throw new MongoError(72, "the 'capped' field needs to be true when either the 'size' or 'max' fields are present");
  }
  if (!isNumber(size)) throw new MongoError(72, "the 'size' field is required when 'capped' is true");
  const bytes = Math.trunc(toDouble(size));
  if (!(bytes >= 1 && bytes <= MOST))
    throw new MongoError(51024, `BSON field 'size' value must be >= 1 and < ${MOST}, actual value '${bytes}'`);
  const rounded = Math.max(Math.ceil(bytes / STEP) * STEP, LEAST);
  const count = isNumber(max) ? Math.trunc(toDouble(max)) : 0;
  if (!(count < 2 ** 31)) throw new MongoError(51024, `BSON field 'max' value must be < ${2 ** 31}, actual value '${count}'`); // prettier-ignore
  return { capped: true, size: long(BigInt(rounded)), ...(count > 0 ? { max: long(BigInt(count)) } : {}) };
}

/** What a capped collection holds at the moment, and may hold. */
export class Cap {
  private count = 0;
  private bytes = 0;
  private readonly size: number;
  private readonly max: number;

  constructor(options: Doc) {
    this.size = toDouble(options.size);
    this.max = options.max === undefined ? Infinity : toDouble(options.max);
  }

  /** A version of a document takes the place of another one. */
  swap(old: Doc | undefined, next: Doc | undefined): void {
    if (old) {
      this.count -= 1;
      this.bytes -= calculateObjectSize(old);
    }
    if (next) {
      this.count += 1;
      this.bytes += calculateObjectSize(next);
    }
  }

  get isExceeded(): boolean {
    return this.count > this.max || this.bytes > this.size;
  }

  /** @throws unless there can be room for it at all */
  checkFits(doc: Doc): void {
    if (calculateObjectSize(doc) > this.size) throw new MongoError(2, 'object to insert exceeds cappedMaxSize');
  }

  /** @throws unless an update leaves the size as it is */
  checkSameSize(old: Doc, next: Doc): void {
    const [was, is] = [calculateObjectSize(old), calculateObjectSize(next)];
    if (was !== is)
      throw new MongoError(10003, `Cannot change the size of a document in a capped collection: ${was} != ${is}`);
  }
}
