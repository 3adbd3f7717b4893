/** What the operator tables of expressions share: their types, and the ways in which operators take arguments. */
import { isArray, isDoc, isNullish, type Doc, type Value } from '../values/bson-types';
import { type Collation } from '../values/collation';
import { MongoError } from '../errors';

/** Variables by name, without the `$$`. */
export type Scope = { [name: string]: Value };
export type Expression = (scope: Scope) => Value;

/** How an accumulator looks at its values, if in an order of their own. */
export interface Ordered {
  /** Whether a value counts at all. */
  keeps(this: void, value: Value): boolean;
  compare(this: void, a: Value, b: Value): number;
  /** What is made of the values in order; it leaves them as they are. */
  of(this: void, sorted: Value[], scope: Scope): Value;
}

export interface ExpressionEnv {
  collation?: Collation;
  /** Values of the command's `let`. */
  variables?: Doc;
  now?: Date;
  /** When the command has to end, in ms since 1970. */
  deadline?: number;
}

export interface Compiler {
  env: ExpressionEnv;
  compile: (spec: Value) => Expression;
  /** For what is evaluated with more variables in scope. */
  withNames: (names: string[]) => Compiler;
}

/** Turns what stands behind an operator's name into a closure. */
export type Operator = (arg: Value, compiler: Compiler, name: string) => Expression;

/** Takes between `min` and `max` arguments, in an array; a single one may stand by itself. */
export function args(min: number, max: number, apply: (values: Value[], env: ExpressionEnv) => Value): Operator {
  return (arg, compiler, name) => {
    const specs = isArray(arg) ? arg : [arg];
    if (specs.length < min || specs.length > max) {
      const wanted =
        min === max ? `exactly ${min}` : max === Infinity ? `at least ${min}` : `at least ${min}, and at most ${max},`;
      throw new MongoError(16020, `Expression ${name} takes ${wanted} arguments. ${specs.length} were passed in.`);
    }
    const expressions = specs.map(compiler.compile);
    const { env } = compiler;
    if (expressions.length === 1) {
      const [only] = expressions;
      return (scope) => apply([only!(scope)], env);
    }
    return (scope) =>
      apply(
        expressions.map((expression) => expression(scope)),
        env,
      );
  };
}

/** One argument. */
export const unary = (apply: (value: Value, env: ExpressionEnv) => Value): Operator =>
  args(1, 1, ([v], env) => apply(v, env));

/** Null if any argument is null or missing. */
export const orNull =
  (apply: (values: Value[], env: ExpressionEnv) => Value) =>
  (values: Value[], env: ExpressionEnv): Value =>
    values.some(isNullish) ? null : apply(values, env);

/**
 * Named arguments: a document with the given keys, those ending in `?` optional. `apply` gets the values by name (an absent one is undefined, as is
 * a missing one) and which were given.
 */
export function named(
  keys: string[],
  apply: (values: Record<string, Value>, given: (key: string) => boolean, env: ExpressionEnv) => Value,
): Operator {
  return (arg, compiler, name) => {
    const fields = namedSpecs(arg, name, keys);
    const expressions = Object.entries(fields).map(([key, spec]) => [key, compiler.compile(spec)] as const);
    const given = (key: string): boolean => Object.hasOwn(fields, key);
    return (scope) => {
      const values: Record<string, Value> = {};
      for (const [key, expression] of expressions) values[key] = expression(scope);
      return apply(values, given, compiler.env);
    };
  };
}

/** Checks the keys of a named-argument document. */
export function namedSpecs(arg: Value, name: string, keys: string[]): Doc {
  if (!isDoc(arg)) throw new MongoError(40319, `${name} only supports an object as its argument`);
  const required = keys.filter((key) => !key.endsWith('?'));
  const all = keys.map((key) => key.replace('?', ''));
  for (const key of Object.keys(arg)) {
    if (!all.includes(key)) throw new MongoError(40318, `Unrecognized argument to ${name}: ${key}`);
  }
  for (const key of required) {
    if (!Object.hasOwn(arg, key)) throw new MongoError(40321, `Missing '${key}' parameter to ${name}`);
  }
  return arg;
}
