/** Finding documents: the plan's candidates, tested by the whole filter, in the order asked for. */
import { type Collection } from '../storage/collection';
import { MongoError } from '../errors';
import { compileMatcher, type FilterEnv } from '../filters/match';
import { planQuery, type Plan, type Query } from './planner';
import { compileOrder, inOrder } from '../values/sort';
import { type Doc } from '../values/bson-types';
import { type Rec, type View } from '../storage/versions';

export interface FullQuery extends Query {
  env: FilterEnv;
  skip?: number | undefined;
  /** Milliseconds since 1970 after which the search gives up with MaxTimeMSExpired. */
  deadline?: number | undefined;
}

export interface Found {
  rec: Rec;
  doc: Doc;
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
    sort && !('$natural' in sort) && Object.keys(sort).length > 0 ? compileOrder(sort, env.collation) : undefined;
  const plan = planQuery(collection, { ...query, limit: limit && limit + skip });
  const everything = Object.keys(filter).length === 0;
  const mustSort = order !== undefined && !plan.sorted;
  const enough = limit && !mustSort ? limit + skip : Infinity;
  const found: Found[] = [];
  let looked = 0;
  plan.each(view, (rec, doc) => {
    if (deadline !== undefined && ++looked % LOOK_AT_CLOCK_EVERY === 0) checkDeadline(deadline);
    if (!everything && !test(doc)) return false;
    found.push({ rec, doc });
    return found.length >= enough;
  });
  const end = limit ? skip + limit : Infinity;
  const all = mustSort ? inOrder(found, ({ doc }) => doc, order, end) : found;
  return { plan, found: skip > 0 || end < all.length ? all.slice(skip, end) : all };
}

export function checkDeadline(deadline: number | undefined): void {
  if (deadline !== undefined && Date.now() > deadline) throw new MongoError(50, 'operation exceeded time limit');
}
