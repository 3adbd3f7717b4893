/**
 * Aggregation expressions: `compileExpression` turns one into a closure from a scope (the document and the variables) to a value, `undefined` for
 * missing. Here are the parts of the language (field paths, variables, literals, objects, arrays); the operators stand in tables by subject.
 */
import { isArray, isDoc, type Doc, type Value } from '../values/bson-types';
import { MongoError, unsupported } from '../errors';
import { ARITHMETIC } from './arithmetic';
import { ARRAYS } from './arrays';
import { CONTROL } from './control';
import { CONVERSIONS } from './convert';
import { DATES } from './dates';
import { PERCENTILES } from './percentiles';
import { SETS } from './sets';
import { STRINGS } from './strings';
import { type Compiler, type Expression, type ExpressionEnv, type Operator, type Scope } from './expression-types';
import { AS_EXPRESSIONS } from './accumulators';

export { type Expression, type ExpressionEnv, type Scope } from './expression-types';

export const OPERATORS: Record<string, Operator> = {
  ...ARITHMETIC,
  ...ARRAYS,
  ...CONTROL,
  ...CONVERSIONS,
  ...DATES,
  ...PERCENTILES,
  ...SETS,
  ...STRINGS,
  ...AS_EXPRESSIONS,
};
const REFUSED = ['$function', '$accumulator', '$toHashedIndexKey', '$encStrContains'];

/** The variables that every expression sees; `ROOT` and `CURRENT` are added for each document. */
export const scopeOf = (env: ExpressionEnv): Scope => ({ NOW: env.now ?? new Date(), ...env.variables });

/** `names`: variables that exist besides the built-in ones and the command's `let`. */
export function compilerFor(env: ExpressionEnv, names: string[] = []): Compiler {
  return compilerOf(env, new Set(['ROOT', 'CURRENT', 'REMOVE', 'NOW', ...Object.keys(env.variables ?? {}), ...names]));
}

export function compileExpression(spec: Value, env: ExpressionEnv, names?: string[]): Expression {
  return compilerFor(env, names).compile(spec);
}

function compilerOf(env: ExpressionEnv, names: Set<string>): Compiler {
  const compiler: Compiler = {
    env,
    compile: (spec) => compile(spec, compiler, names),
    withNames: (more) => {
      for (const name of more) checkName(name);
      return compilerOf(env, new Set([...names, ...more]));
    },
  };
  return compiler;
}

function checkName(name: string): void {
  if (name !== 'CURRENT' && !/^[a-z\u0080-\uffff][\w\u0080-\uffff]*$/.test(name)) {
    throw new MongoError(16867, `'${name}' starts with an invalid character for a user variable name`);
  }
}

function compile(spec: Value, compiler: Compiler, names: Set<string>): Expression {
  if (typeof spec === 'string') return spec.startsWith('$') ? reference(spec, names) : () => spec;
  if (isArray(spec)) {
    const items = spec.map(compiler.compile);
    return (scope) => items.map((item) => item(scope) ?? null);
  }
  if (!isDoc(spec)) return () => spec;
  const keys = Object.keys(spec);
  return keys[0]?.startsWith('$') ? operation(spec, keys, compiler) : objectOf(spec, compiler);
}

function operation(spec: Doc, [name, ...others]: string[], compiler: Compiler): Expression {
  if (others.length > 0)
    throw new MongoError(
      15983,
      'an expression specification must contain exactly one field, the name of the expression',
    );
  if (REFUSED.includes(name!)) throw unsupported(`the expression ${name}`);
  const operator = Object.hasOwn(OPERATORS, name!) ? OPERATORS[name!] : undefined;
  if (!operator) throw new MongoError(168, `Unrecognized expression '${name}'`);
  return operator(spec[name!], compiler, name!);
}

function objectOf(spec: Doc, compiler: Compiler): Expression {
  const fields = Object.entries(spec).map(([key, value]) => {
    if (key.startsWith('$')) throw new MongoError(16410, `FieldPath field names may not start with '$': '${key}'`);
    if (key.includes('.')) throw new MongoError(16412, `FieldPath field names may not contain '.': '${key}'`);
    return [key, compiler.compile(value)] as const;
  });
  return (scope) => {
    const out: Doc = {};
    for (const [key, expression] of fields) {
      const value = expression(scope);
      if (value !== undefined) out[key] = value;
    }
    return out;
  };
}

/** `$a.b` of the current document, `$$name.a.b` of a variable. */
function reference(text: string, names: Set<string>): Expression {
  const [name, ...parts] = (text.startsWith('$$') ? text.slice(2) : `CURRENT.${text.slice(1)}`).split('.');
  if (parts.includes('') || !name)
    throw new MongoError(40353, `FieldPath must not end with or contain empty names: '${text}'`);
  if (parts.some((part) => part.startsWith('$')))
    throw new MongoError(16410, `FieldPath field names may not start with '$': '${text}'`);
  if (name === 'CLUSTER_TIME' || name === 'USER_ROLES') throw unsupported(`$$${name}`);
  if (!names.has(name)) throw new MongoError(17276, `Use of undefined variable: ${name}`);
  if (parts.length === 0) return (scope) => scope[name];
  return (scope) => follow(scope[name], parts, 0);
}

/** Arrays are gone through, one level at each part; a number is a field's name, not a position. */
function follow(value: Value, parts: string[], at: number): Value {
  if (at === parts.length) return value;
  if (isDoc(value)) return Object.hasOwn(value, parts[at]!) ? follow(value[parts[at]!], parts, at + 1) : undefined;
  if (!isArray(value)) return undefined;
  return value
    .map((item) => (isDoc(item) ? follow(item, parts, at) : undefined))
    .filter((found) => found !== undefined);
}
