/** Operators that decide what is evaluated, or with which variables: conditions, `$let`, `$map`, `$filter`, `$reduce`; and operators on fields. */
import { Double } from 'bson';
import {
  bsonTypeName,
  isArray,
  isDoc,
  isNullish,
  isString,
  toInteger,
  truthy,
  type Doc,
  type Value,
} from '../values/bson-types';
import { MongoError } from '../errors';
import { checkFieldName } from '../values/field-names';
import { checkMeta, scoreOf } from '../values/score';
import { args, named, namedSpecs, type Expression, type Operator } from './expression-types';

function listOf(input: Value, name: string): Value[] | null {
  if (isNullish(input)) return null;
  if (!isArray(input)) throw new MongoError(16883, `input to ${name} must be an array not ${bsonTypeName(input)}`);
  return input;
}

const cond: Operator = (arg, compiler, name) => {
  const specs = isArray(arg) ? arg : [];
  if (isArray(arg) && arg.length !== 3) throw new MongoError(16020, 'Expression $cond takes exactly 3 arguments.');
  const fields = isArray(arg)
    ? { if: specs[0], then: specs[1], else: specs[2] }
    : namedSpecs(arg, name, ['if', 'then', 'else']);
  const [test, yes, no] = [fields.if, fields.then, fields.else].map(compiler.compile);
  return (scope) => (truthy(test!(scope)) ? yes!(scope) : no!(scope));
};

const switchOf: Operator = (arg, compiler, name) => {
  const { branches, ...rest } = namedSpecs(arg, name, ['branches?', 'default?']);
  if (!isArray(branches))
    throw new MongoError(40061, `$switch expected an array for 'branches', found: ${bsonTypeName(branches)}`);
  const cases = branches.map((branch) => {
    const fields = namedSpecs(branch, '$switch', ['case', 'then']);
    return { test: compiler.compile(fields.case), then: compiler.compile(fields.then) };
  });
  const otherwise = Object.hasOwn(rest, 'default') ? compiler.compile(rest.default) : undefined;
  if (cases.length === 0) throw new MongoError(40068, '$switch requires at least one branch.');
  return (scope) => {
    const taken = cases.find(({ test }) => truthy(test(scope)));
    if (taken) return taken.then(scope);
    if (!otherwise)
      throw new MongoError(
        40066,
        '$switch could not find a matching branch for an input, and no default was specified.',
      );
    return otherwise(scope);
  };
};

const ifNull: Operator = (arg, compiler) => {
  if (!isArray(arg) || arg.length < 2) throw new MongoError(16020, 'Expression $ifNull takes at least 2 arguments.');
  const expressions = arg.map(compiler.compile);
  return (scope) => {
    for (const expression of expressions.slice(0, -1)) {
      const value = expression(scope);
      if (!isNullish(value)) return value;
    }
    return expressions.at(-1)!(scope);
  };
};

const letOf: Operator = (arg, compiler, name) => {
  const { vars, in: body } = namedSpecs(arg, name, ['vars', 'in']);
  if (!isDoc(vars)) throw new MongoError(16875, `invalid parameter: expected an object (vars)`);
  const bindings = Object.entries(vars).map(([key, spec]) => [key, compiler.compile(spec)] as const);
  const inner = compiler.withNames(Object.keys(vars)).compile(body);
  return (scope) => {
    const extended = { ...scope };
    for (const [key, expression] of bindings) extended[key] = expression(scope);
    return inner(extended);
  };
};

/** The variable that `as` names, `this` by default. */
function elementName(as: Value): string {
  if (as === undefined) return 'this';
  if (!isString(as)) throw new MongoError(16866, "'as' must be a string");
  return as;
}

const map: Operator = (arg, compiler, name) => {
  const fields = namedSpecs(arg, name, ['input', 'as?', 'in']);
  const as = elementName(fields.as);
  const input = compiler.compile(fields.input);
  const body = compiler.withNames([as]).compile(fields.in);
  return (scope) => listOf(input(scope), name)?.map((item) => body({ ...scope, [as]: item }) ?? null) ?? null;
};

const filter: Operator = (arg, compiler, name) => {
  const fields = namedSpecs(arg, name, ['input', 'as?', 'cond', 'limit?']);
  const as = elementName(fields.as);
  const input = compiler.compile(fields.input);
  const test = compiler.withNames([as]).compile(fields.cond);
  const limit: Expression = Object.hasOwn(fields, 'limit') ? compiler.compile(fields.limit) : () => null;
  return (scope) => {
    const list = listOf(input(scope), name);
    if (!list) return null;
    const max = limit(scope);
    const most = isNullish(max) ? Infinity : toInteger(max);
    if (most === undefined || most <= 0) throw new MongoError(327392, '$filter: limit must be a positive whole number');
    const out: Value[] = [];
    for (const item of list) {
      if (out.length >= most) break;
      if (truthy(test({ ...scope, [as]: item }))) out.push(item);
    }
    return out;
  };
};

const reduce: Operator = (arg, compiler, name) => {
  const fields = namedSpecs(arg, name, ['input', 'initialValue', 'in']);
  const [input, initial] = [compiler.compile(fields.input), compiler.compile(fields.initialValue)];
  const body = compiler.withNames(['this', 'value']).compile(fields.in);
  return (scope) => {
    const list = listOf(input(scope), name);
    if (!list) return null;
    return list.reduce((value, item) => body({ ...scope, this: item, value }), initial(scope));
  };
};

/** `$and` and `$or` stop at the first operand that decides. */
const logical =
  (decisive: boolean): Operator =>
  (arg, compiler) => {
    const expressions = (isArray(arg) ? arg : [arg]).map(compiler.compile);
    return (scope) => expressions.some((expression) => truthy(expression(scope)) === decisive) === decisive;
  };

const fieldName = (v: Value, name: string): string => {
  if (!isString(v)) throw new MongoError(5654602, `${name} requires 'field' to evaluate to a string`);
  checkFieldName(v);
  return v;
};

/** The field's name is a constant, and may hold dots and dollars. */
const getField: Operator = (arg, compiler, name) => {
  const fields = isDoc(arg) && 'field' in arg ? namedSpecs(arg, name, ['field', 'input?']) : { field: arg };
  const [field, input] = [
    compiler.compile(fields.field),
    compiler.compile('input' in fields ? fields.input : '$$CURRENT'),
  ];
  return (scope) => {
    const holder = input(scope);
    const key = fieldName(field(scope), name);
    if (holder === null) return null;
    return isDoc(holder) && Object.hasOwn(holder, key) ? holder[key] : undefined;
  };
};

function withField(holder: Value, key: string, value: Value): Value {
  if (isNullish(holder)) return null;
  if (!isDoc(holder)) throw new MongoError(4161105, "$setField requires 'input' to evaluate to type Object");
  const { [key]: _old, ...others } = holder;
  if (value === undefined) return others;
  return { ...holder, [key]: value };
}

function mergeObjects(values: Value[]): Value {
  const out: Doc = {};
  for (const v of values) {
    if (isNullish(v)) continue;
    if (!isDoc(v))
      throw new MongoError(40400, `$mergeObjects requires object inputs, but input is of type ${bsonTypeName(v)}`);
    Object.assign(out, v);
  }
  return out;
}

export const CONTROL: Record<string, Operator> = {
  $cond: cond,
  $switch: switchOf,
  $ifNull: ifNull,
  $let: letOf,
  $map: map,
  $filter: filter,
  $reduce: reduce,
  $and: logical(false),
  $or: logical(true),
  $not: args(1, 1, ([v]) => !truthy(v)),
  $literal: (arg) => () => arg,
  $meta: (arg) => {
    checkMeta(arg);
    return ({ ROOT }) => new Double(scoreOf(ROOT));
  },
  $const: (arg) => () => arg,
  $expr: (arg, compiler) => compiler.compile(arg),
  $rand: (arg, _compiler, name) => {
    namedSpecs(arg, name, []);
    return () => new Double(Math.random());
  },
  $mergeObjects: args(0, Infinity, mergeObjects),
  $getField: getField,
  $setField: named(['field', 'input', 'value'], ({ field, input, value }) =>
    withField(input, fieldName(field, '$setField'), value),
  ),
  $unsetField: named(['field', 'input'], ({ field, input }) =>
    withField(input, fieldName(field, '$unsetField'), undefined),
  ),
};
