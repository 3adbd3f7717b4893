/** Tailable cursors: the documents of a capped collection in the order of their insertion, and then those that are inserted later. */
import { toDouble, type Doc } from '../values/bson-types';
import { type Collection } from '../storage/collection';
import { type Context } from './command';
import { type Source } from './cursors';
import { MongoError, unsupported } from '../errors';
import { compileMatcher } from '../filters/match';
import { type FullQuery } from '../queries/query';

const AWAIT_MS = 1000;

/** What the cursor of a `find` begins with, and its source; a tailable one without a source ends at once, as there is nothing to hold on to. */
export interface Tail {
  docs: Doc[];
  /** Whether a projection has been applied already. */
  isShown?: boolean;
  source?: Source;
  endKnown?: boolean;
}

export function tail(context: Context, collection: Collection | undefined, query: FullQuery): Tail {
  const { args, server, view } = context;
  if (!collection) return { docs: [] };
  if (!collection.isCapped)
    throw new MongoError(2, `error processing query: ns=${collection.namespace} tailable cursor requested on non capped collection`); // prettier-ignore
  const { $natural, ...others } = query.sort ?? {};
  if (Object.keys(others).length > 0 || ($natural !== undefined && toDouble($natural) !== 1))
    throw new MongoError(2, 'cannot use tailable option with a sort other than {$natural: 1}');
  if (query.skip || query.limit) throw unsupported('skip and limit of tailable cursors');
  const test = compileMatcher(query.filter, query.env);
  let last = 0;
  const pull = (): Doc[] => {
    const found = collection.since(last, view);
    last = found.at(-1)?.seq ?? last;
    return found.map((rec) => rec.head!.doc!).filter((doc) => test(doc));
  };
  const docs = pull();
  if (last === 0) return { docs };
  const patience = args.flag('awaitData') ? AWAIT_MS : undefined;
  return { docs, source: { pull, patience, once: (callback) => server.store.feed.once(callback) } };
}
