/** Names that no field may have, because they mean something to JavaScript or to the bson package. */
import { MongoError, unsupported } from '../errors';

const UNSAFE = new Set(['__proto__', '_bsontype', 'toBSON']);

/** @throws 2 if the name has a null byte, which would end it in BSON; 238 if the name, or a part of it between dots, is such a name */
export function checkFieldName(name: string): void {
  if (name.includes('\0')) throw new MongoError(2, 'Field names must not contain null bytes.');
  if (UNSAFE.has(name) || (name.includes('.') && name.split('.').some((part) => UNSAFE.has(part))))
    throw unsupported(`the field name '${name}'`);
}
