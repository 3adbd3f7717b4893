/** Finding documents: the plan's candidates, tested by the whole filter, in the order asked for. */
import { type Collection } from './collection';
import { MongoError } from './errors';
import { compileMatcher, type FilterEnv } from './match';
import { planQuery, type Found, type Plan, type Query } from './planner';
import { compileSort } from './sort';
import { type View } from './versions';

export interface FullQuery extends Query {
  env: FilterEnv;
  skip?: number | undefined;
  /** Milliseconds since 1970 after which the search gives up with MaxTimeMSExpired. */
  deadline?: number | undefined;
}

export interface Result {
  plan: Plan;
  found: Found[];
}

const LOOK_AT_CLOCK_EVERY = 512;

/** All that match, or as many as `limit` says. */
export function findAll(collection: Collection | undefined, query: FullQuery, view: View): Result {
  const { filter, env, sort, skip = 0, limit, deadline } = query;
  const test = compileMatcher(filter, env);
  const order =
    sort && !('$natural' in sort) && Object.keys(sort).length > 0 ? compileSort(sort, env.collation) : undefined;
  const plan = planQuery(collection, { ...query, limit: limit && limit + skip });
  const all = Object.keys(filter).length === 0;
  const mustSort = order !== undefined && !plan.sorted;
  const enough = limit && !mustSort ? limit + skip : Infinity;
  const found: Found[] = [];
  let looked = 0;
  for (const candidate of plan.run(view)) {
    if (deadline !== undefined && ++looked % LOOK_AT_CLOCK_EVERY === 0) checkDeadline(deadline);
    if (!all && !test(candidate.doc)) continue;
    found.push(candidate);
    if (found.length >= enough) break;
  }
  if (mustSort) found.sort((a, b) => order(a.doc, b.doc));
  const end = limit ? skip + limit : found.length;
  return { plan, found: skip > 0 || end < found.length ? found.slice(skip, end) : found };
}

export function checkDeadline(deadline: number | undefined): void {
  if (deadline !== undefined && Date.now() > deadline) throw new MongoError(50, 'operation exceeded time limit');
}
