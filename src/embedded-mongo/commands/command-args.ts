/** Reading a command's fields: each reader gives the value, or the default where the field is missing or null, and refuses what has the wrong type. */
import { bsonTypeName, isArray, isDoc, isNullish, isNumber, isString, toDouble, truthy, type Doc, type Value } from '../values/bson-types'; // prettier-ignore
import { parseCollation, type Collation } from '../values/collation';
import { MongoError, unsupported } from '../errors';
import { compileExpression, scopeOf } from '../expressions/expression';

const wrongType = (field: string, value: Value, expected: string): MongoError =>
  new MongoError(14, `BSON field '${field}' is the wrong type '${bsonTypeName(value)}', expected type '${expected}'`);

/** `name` of the command or statement, for messages. */
export class Args {
  constructor(
    readonly doc: Doc,
    readonly name: string,
  ) {}

  private path(field: string): string {
    return `${this.name}.${field}`;
  }

  has(field: string): boolean {
    return !isNullish(this.doc[field]);
  }

  required(field: string): Value {
    const value = this.doc[field];
    if (value === undefined) throw new MongoError(40414, `BSON field '${this.path(field)}' is missing but a required field`); // prettier-ignore
    return value;
  }

  text(field: string): string {
    const value = this.required(field);
    if (!isString(value)) throw wrongType(this.path(field), value, 'string');
    return value;
  }

  /** The collection that the command's first field names. */
  collection(field = Object.keys(this.doc)[0]!): string {
    const value = this.doc[field];
    if (!isString(value)) throw new MongoError(73, `collection name has invalid type ${bsonTypeName(value)}`);
    if (value === '' || value.includes('\0')) throw new MongoError(73, `Invalid namespace specified '${value}'`);
    return value;
  }

  flag(field: string, fallback = false): boolean {
    const value = this.doc[field];
    if (isNullish(value)) return fallback;
    if (typeof value !== 'boolean' && !isNumber(value)) throw wrongType(this.path(field), value, 'bool');
    return truthy(value);
  }

  /** A flag that takes no numbers. */
  strictFlag(field: string, fallback = false): boolean {
    const value = this.doc[field];
    if (isNullish(value)) return fallback;
    if (typeof value !== 'boolean') throw wrongType(this.path(field), value, 'bool');
    return value;
  }

  /** A whole number of at least `least`; fractions are cut off, as mongod does. */
  integer(field: string, least = 0): number | undefined {
    const value = this.doc[field];
    if (isNullish(value)) return undefined;
    if (!isNumber(value)) throw wrongType(this.path(field), value, 'long');
    const n = Math.trunc(toDouble(value));
    if (!Number.isFinite(n)) throw new MongoError(2, `BSON field '${this.path(field)}' must be a finite number`);
    if (n < least) throw new MongoError(51024, `BSON field '${field}' value must be >= ${least}, actual value '${n}'`);
    return n;
  }

  document(field: string): Doc | undefined {
    const value = this.doc[field];
    if (isNullish(value)) return undefined;
    if (!isDoc(value)) throw wrongType(this.path(field), value, 'object');
    return value;
  }

  array(field: string): Value[] | undefined {
    const value = this.doc[field];
    if (isNullish(value)) return undefined;
    if (!isArray(value)) throw wrongType(this.path(field), value, 'array');
    return value;
  }

  requiredDocument(field: string): Doc {
    const value = this.required(field);
    if (!isDoc(value)) throw wrongType(this.path(field), value, 'object');
    return value;
  }

  documents(field: string): Doc[] {
    return (this.array(field) ?? []).map((item, i) => {
      if (!isDoc(item)) throw wrongType(`${this.path(field)}.${i}`, item, 'object');
      return item;
    });
  }

  requiredDocuments(field: string): Doc[] {
    this.required(field);
    return this.documents(field);
  }

  collation(fallback?: Collation): Collation | undefined {
    const spec = this.document('collation');
    return spec ? parseCollation(spec) : fallback;
  }

  /** Fields besides those that are `known`, or `common` to all, are errors; those in `refused` say so unless they ask for nothing. */
  check(known: string[], refused: string[] = [], common?: Set<string>): void {
    for (const field of Object.keys(this.doc)) {
      if (known.includes(field) || common?.has(field)) continue;
      if (!refused.includes(field))
        throw new MongoError(40415, `BSON field '${this.path(field)}' is an unknown field.`);
      if (truthy(this.doc[field])) throw unsupported(`the option '${field}' of ${this.name}`);
    }
  }
}

/** The values of a command's `let`: expressions without a document. */
export function evaluateLet(bindings: Doc | undefined, now: Date): Doc | undefined {
  if (!bindings) return undefined;
  const variables: Doc = {};
  for (const [name, spec] of Object.entries(bindings)) {
    if (!/^[a-z\u0080-\uffff][\w\u0080-\uffff]*$/.test(name))
      throw new MongoError(9, `'${name}' starts with an invalid character for a user variable name`);
    const env = { variables: { ...variables }, now };
    variables[name] = compileExpression(spec, env)({ ...scopeOf(env), ROOT: {}, CURRENT: {} });
  }
  return variables;
}
