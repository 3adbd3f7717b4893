/** What every command on documents begins with: its collection, its collation and its variables. */
import { type Doc } from '../values/bson-types';
import { type Collation } from '../values/collation';
import { evaluateLet } from './command-args';
import { namespaceOf, type Context } from './command';

/** The collection that the command names, and what applies to all queries on it. */
export function targetOf(context: Context, field?: string) {
  const { args, server, view, now, deadline } = context;
  const namespace = namespaceOf(context, args.collection(field));
  const collection = server.store.collection(namespace, view);
  const collation = args.collation(collection?.collation);
  const variables = evaluateLet(args.document('let'), now);
  return { namespace, collection, collation, env: envOf(collation, variables, now), deadline };
}

export const envOf = (collation: Collation | undefined, variables: Doc | undefined, now: Date) => ({
  ...(collation ? { collation } : {}),
  ...(variables ? { variables } : {}),
  now,
});

/** To whom a cursor belongs. */
export const cursorOptions = (context: Context) => ({
  session: context.session?.id,
  txnNumber: context.inTransaction ? context.session?.txnNumber : undefined,
});
