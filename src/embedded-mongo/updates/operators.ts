/** The update operators as a table: each turns its argument into a `Change` of one value. */
import { Double, Timestamp } from 'bson';
import { bsonTypeName, isArray, isDoc, isNumber, toDouble, type Doc, type Value } from '../values/bson-types';
import { MongoError } from '../errors';
import { child } from '../values/paths';
import { addNumbers, bitwise, multiplyNumbers } from '../values/numbers';
import { addToSet, pop, pull, pullAll, push } from './arrays';
import { changeAt, idOf, type Change, type UpdateOptions } from './change';
import { compareValues, identical } from '../values/values';

const bad = (code: number, message: string): MongoError => new MongoError(code, message);

type Operator = (arg: Value, path: string, options: UpdateOptions) => Change;

const creating = (apply: Change['apply']): Change => ({ creates: true, apply });
const existing = (apply: Change['apply']): Change => ({ creates: false, apply });

export const OPERATORS: Record<string, Operator> = {
  $set: (arg) => creating((old) => (identical(arg, old) ? old : arg)),
  $setOnInsert: (arg) => creating(() => arg),
  $unset: () => existing(() => undefined),
  $inc: (arg, path) => arithmetic('$inc', arg, path, (old) => addNumbers(old, arg)),
  $mul: (arg, path) => arithmetic('$mul', arg, path, (old) => multiplyNumbers(old, arg)),
  $min: (arg, _path, { collation }) =>
    creating((old) => (old === undefined || compareValues(arg, old, collation) < 0 ? arg : old)),
  $max: (arg, _path, { collation }) =>
    creating((old) => (old === undefined || compareValues(arg, old, collation) > 0 ? arg : old)),
  $currentDate: currentDate,
  $bit: bit,
  $push: push,
  $addToSet: addToSet,
  $pull: pull,
  $pullAll: pullAll,
  $pop: pop,
};

function arithmetic(name: string, arg: Value, path: string, compute: (old: Value) => Value): Change {
  const verb = name === '$inc' ? 'increment' : 'multiply';
  if (!isNumber(arg)) throw bad(14, `Cannot ${verb} with non-numeric argument: {${path}: ${JSON.stringify(arg)}}`);
  return creating((old, place) => {
    if (old === undefined) return name === '$inc' ? arg : multiplyNumbers(0, arg);
    if (!isNumber(old)) {
      throw bad(14, `Cannot apply ${name} to a value of non-numeric type. ${idOf(place)} has the field '${place.field}' of non-numeric type ${bsonTypeName(old)}`); // prettier-ignore
    }
    const result = compute(old);
    if (result === undefined)
      throw bad(2, `Failed to apply ${name} operations to current value for document ${idOf(place)}`);
    // the same number again is no change; but NaN is never the same
    return identical(result, old) && !Number.isNaN(toDouble(result)) ? old : result;
  });
}

function currentDate(arg: Value, path: string, { now }: UpdateOptions): Change {
  const type =
    typeof arg === 'boolean' ? 'date' : isDoc(arg) && Object.keys(arg).join() === '$type' ? arg.$type : undefined;
  if (type !== 'date' && type !== 'timestamp') {
    const found = isDoc(arg) ? Object.keys(arg)[0] : bsonTypeName(arg);
    throw bad(2, `${found} is not valid type for $currentDate. Please use a boolean ('true') or a $type expression ({$type: 'timestamp/date'}): ${path}`); // prettier-ignore
  }
  return creating(() => {
    const date = now ?? new Date();
    return type === 'date' ? date : new Timestamp({ t: Math.floor(date.getTime() / 1000), i: 1 });
  });
}

function bit(arg: Value, path: string): Change {
  if (!isDoc(arg)) throw bad(2, `The $bit modifier is not compatible with a ${bsonTypeName(arg)}. You must pass in an embedded document: {$bit: {field: {and/or/xor: #}}`); // prettier-ignore
  const steps = Object.entries(arg);
  if (steps.length === 0)
    throw bad(2, `You must pass in at least one bitwise operation. The format is: {$bit: {field: {and/or/xor: #}}`);
  for (const [name, operand] of steps) {
    if (!['and', 'or', 'xor'].includes(name)) throw bad(2, `The $bit modifier only supports 'and', 'or', and 'xor', not '${name}' which is an unknown operator: {${path}}`); // prettier-ignore
    if (!isIntegral(operand)) throw bad(2, `The $bit modifier field must be an Integer(32/64 bit); a '${bsonTypeName(operand)}' is not supported here: {${path}}`); // prettier-ignore
  }
  return creating((old, place) => {
    if (old !== undefined && !isIntegral(old)) {
      throw bad(2, `Cannot apply $bit to a value of non-integral type.${idOf(place)} has the field ${place.field} of non-integer type ${bsonTypeName(old)}`); // prettier-ignore
    }
    let result: Value = old ?? 0;
    for (const [name, operand] of steps) result = bitwise(name as 'and' | 'or' | 'xor', result, operand);
    return identical(result, old) ? old : result;
  });
}
const isIntegral = (v: Value): boolean => ['int', 'long'].includes(bsonTypeName(v)) && !(v instanceof Double);

/** Moves a value; neither path may go through an array. */
export function renameChange(source: string[], target: string[]): Change {
  const whole = (doc: Doc): Doc => {
    const value = valueOutsideArrays(doc, source, 'source');
    if (value === undefined) return doc;
    valueOutsideArrays(doc, target, 'destination');
    const moved = changeAt(doc, target, () => value, { creates: true, doc }) as Doc;
    return changeAt(moved, source, () => undefined, { creates: false, doc }) as Doc;
  };
  return { creates: true, apply: (old) => old, whole };
}

function valueOutsideArrays(doc: Doc, parts: string[], side: string): Value {
  let value: Value = doc;
  for (const part of parts) {
    if (isArray(value) && child(value, part) !== undefined) {
      throw bad(2, `The ${side} field cannot be an array element, '${parts.join('.')}' in doc with ${idOf({ doc })} has an array field called '${part}'`); // prettier-ignore
    }
    value = child(value, part);
  }
  return value;
}
