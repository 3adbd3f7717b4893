/** `$convert` between strings and binary data, which needs a format. */
import { Binary } from 'bson';
import { bsonTypeName, isNullish, isString, type Value } from '../values/bson-types';
import { fail, MongoError } from '../errors';

const UUID_TEXT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const FORMATS: Record<string, { is: RegExp; as: BufferEncoding }> = {
  base64: { is: /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, as: 'base64' },
  base64url: { is: /^[A-Za-z0-9_-]*$/, as: 'base64url' },
  hex: { is: /^(?:[0-9a-f]{2})*$/i, as: 'hex' },
  utf8: { is: /^/, as: 'utf8' },
  uuid: { is: UUID_TEXT, as: 'hex' },
};

/** @param subtype of the binary data, where that is to be made */
export function convertBinary(v: Value, subtype: number, format: Value): Value {
  const [from, to] = isString(v) ? ['string', 'binData'] : ['binData', 'string'];
  if (isNullish(format)) throw new MongoError(4341115, `Format must be specified when converting from '${from}' to '${to}'`); // prettier-ignore
  const binary = v instanceof Binary ? v : undefined;
  const name = format === 'auto' ? (binary?.sub_type === 4 ? 'uuid' : 'base64') : format;
  const known = isString(name) && Object.hasOwn(FORMATS, name) ? FORMATS[name]! : undefined;
  if (!known) return fail(4341125, `Invalid 'format' argument for $convert: ${bsonTypeName(format)}`);
  const bad = (): never =>
    fail(241, `Input '${isString(v) ? v : ''}' is not a valid ${name as string} string, or has another subtype`);
  const isId = name === 'uuid';
  if ((binary ? binary.sub_type === 4 : subtype === 4) !== isId) return bad();
  if (!binary) {
    const given = v as string;
    return known.is.test(given)
      ? new Binary(Buffer.from(isId ? given.replaceAll('-', '') : given, known.as), subtype)
      : bad();
  }
  const shown = Buffer.from(binary.buffer).subarray(0, binary.position).toString(known.as);
  return isId ? shown.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') : shown;
}
