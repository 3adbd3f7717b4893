/** Names that no field may have, because they mean something to JavaScript or to the bson package. */
import { unsupported } from '../errors';

const UNSAFE = new Set(['__proto__', '_bsontype', 'toBSON']);

/** @throws 238 if the name, or a part of it between dots, is such a name */
export function checkFieldName(name: string): void {
  if (UNSAFE.has(name) || (name.includes('.') && name.split('.').some((part) => UNSAFE.has(part))))
    throw unsupported(`the field name '${name}'`);
}
