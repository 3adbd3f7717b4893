/** Which fields an upsert takes over from its filter: those that the filter pins to one value. */
import { BSONRegExp } from 'bson';
import { isArray, isDoc, type Doc, type Value } from '../values/bson-types';
import { MongoError } from '../errors';
import { isOperators } from '../filters/match';

/** Path and value of each equality that must hold: direct, `$eq`, a single `$in` or `$all`, under `$and` or an `$or` of one. */
export function equalityFields(filter: Doc): Map<string, Value> {
  const fields = new Map<string, Value>();
  collect(filter, fields);
  return fields;
}

function collect(filter: Doc, fields: Map<string, Value>): void {
  for (const [key, arg] of Object.entries(filter)) {
    if (key === '$and' || (key === '$or' && isArray(arg) && arg.length === 1)) {
      for (const item of arg as Doc[]) collect(item, fields);
    } else if (!key.startsWith('$')) {
      for (const value of pinned(arg)) add(key, value, fields);
    }
  }
}

function pinned(arg: Value): Value[] {
  if (!isOperators(arg)) return arg instanceof BSONRegExp ? [] : [arg];
  return Object.entries(arg).flatMap(([name, operand]) => {
    if (name === '$eq') return [operand];
    if (name === '$in' && isArray(operand) && operand.length === 1) return plain(operand);
    return name === '$all' && isArray(operand) ? plain(operand) : [];
  });
}

const plain = (values: Value[]): Value[] =>
  values.filter((v) => !(v instanceof BSONRegExp) && !(isDoc(v) && isOperators(v)));

function add(path: string, value: Value, fields: Map<string, Value>): void {
  for (const other of fields.keys()) {
    if (other === path) throw new MongoError(54, `cannot infer query fields to set, path '${path}' is matched twice`);
    if (other.startsWith(path + '.') || path.startsWith(other + '.')) {
      throw new MongoError(54, `cannot infer query fields to set, both paths '${path}' and '${other}' are matched`);
    }
  }
  fields.set(path, value);
}
