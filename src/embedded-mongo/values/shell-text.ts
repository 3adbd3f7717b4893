/** Values as error messages of mongod show them: `{ a: 1, b: "x", _id: ObjectId('…') }`. */
import { Binary, Decimal128, Double, Int32, Long, ObjectId } from 'bson';
import { isArray, isDoc, type Value } from './bson-types';

export function shellText(value: Value): string {
  if (value === undefined) return 'undefined';
  if (typeof value === 'string') return JSON.stringify(value);
  if (isArray(value)) return value.length === 0 ? '[]' : `[ ${value.map(shellText).join(', ')} ]`;
  if (value instanceof Date) return `new Date(${value.getTime()})`;
  if (value instanceof ObjectId) return `ObjectId('${value.toHexString()}')`;
  if (value instanceof Int32 || value instanceof Long) return value.toString();
  if (value instanceof Double) return Number.isInteger(value.value) ? value.value.toFixed(1) : String(value.value);
  if (value instanceof Decimal128) return `Decimal128('${value.toString()}')`;
  if (value instanceof Binary) return `BinData(${value.sub_type}, ${value.toString('hex').toUpperCase()})`;
  if (!isDoc(value)) return JSON.stringify(value);
  const fields = Object.entries(value).map(([key, v]) => `${key}: ${shellText(v)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}
