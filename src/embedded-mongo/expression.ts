/** (placeholder until the expression compiler lands) */
import { type Doc, type Value } from './bson-types';
import { type Collation } from './collation';
import { unsupported } from './errors';
export type Scope = { [name: string]: Value };
export type Expression = (scope: Scope) => Value;
export const scopeOf = (env: { variables?: Doc; now?: Date }): Scope => ({
  ...env.variables,
  NOW: env.now ?? new Date(),
});
export type ExpressionEnv = { variables?: Doc; now?: Date; collation?: Collation };
export function compileExpression(_spec: Value, _env: object): Expression {
  throw unsupported('expressions yet');
}
