/** Finding documents: the plan's candidates, tested by the whole filter, in the order asked for. */
import { type Collection } from '../storage/collection';
import { checkDeadline } from '../limits';
import { compileMatcher, type FilterEnv } from '../filters/match';
import { byDistance, checkNearIndex, nearOf, type Near } from './near';
import { textOf, type TextSearch } from './text';
import { planQuery, type Plan, type Query, type Visit } from './planner';
import { withScore } from '../values/score';
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
  /** How well it fits a `$text`. */
  score?: number;
}

/** What was found, as readers see it: with its score. */
export const shownDoc = ({ doc, score }: Found): Doc => (score === undefined ? doc : withScore(doc, score));

export interface Result {
  plan: Plan;
  found: Found[];
  /** Whether a mongod would know, without looking for another one, that the last of them is the last. */
  endKnown: boolean;
}

const LOOK_AT_CLOCK_EVERY = 512;

/** All that match, or as many as `limit` says. */
export function findAll(collection: Collection | undefined, query: FullQuery, view: View): Result {
  const near = nearOf(query.filter);
  if (near) return findNear(collection, query, view, near);
  const text = textOf(query.filter, collection);
  return text ? findText(collection, query, view, text) : findMatching(collection, query, view);
}

const hasKeys = (sort: Doc | undefined): sort is Doc => sort !== undefined && Object.keys(sort).length > 0;

function findText(collection: Collection | undefined, query: FullQuery, view: View, text: TextSearch): Result {
  const { skip = 0, limit = Infinity, sort, env } = query;
  const all = findMatching(collection, { ...query, filter: text.rest, sort: undefined, skip: 0, limit: undefined }, view); // prettier-ignore
  const scored = all.found.flatMap((found) => {
    const score = text.score(found.doc);
    return score === undefined ? [] : [{ ...found, score }];
  });
  const ordered = hasKeys(sort) ? inOrder(scored, shownDoc, compileOrder(sort, env.collation)) : scored;
  return { plan: all.plan, found: ordered.slice(skip, skip + limit), endKnown: true };
}

/** The order of distance, unless the query asks for another one. */
function findNear(collection: Collection | undefined, query: FullQuery, view: View, near: Near): Result {
  const { skip = 0, limit = Infinity, sort, env } = query;
  if (collection) checkNearIndex(collection, near);
  const all = findMatching(
    collection,
    { ...query, filter: near.rest, sort: undefined, skip: 0, limit: undefined },
    view,
  );
  const nearest = byDistance(all.found, near);
  const order = hasKeys(sort) ? compileOrder(sort, env.collation) : undefined;
  const found = order ? inOrder(nearest, ({ doc }) => doc, order) : nearest;
  return { plan: all.plan, found: found.slice(skip, skip + limit), endKnown: true };
}

function findMatching(collection: Collection | undefined, query: FullQuery, view: View): Result {
  const { env, sort, skip = 0, limit } = query;
  const order =
    sort && !('$natural' in sort) && Object.keys(sort).length > 0 ? compileOrder(sort, env.collation) : undefined;
  const plan = planQuery(collection, { ...query, limit: limit && limit + skip });
  const mustSort = order !== undefined && !plan.sorted;
  const enough = limit && !mustSort ? limit + skip : Infinity;
  const found: Found[] = [];
  plan.each(
    view,
    tested(query, (rec, doc) => {
      found.push({ rec, doc });
      return found.length >= enough;
    }),
  );
  const end = limit ? skip + limit : Infinity;
  const all = mustSort ? inOrder(found, ({ doc }) => doc, order, end) : found;
  const cut = skip > 0 || end < all.length ? all.slice(skip, end) : all;
  const endKnown = mustSort || cut.length === limit || plan.stage === 'EOF' || plan.stage === 'IDHACK';
  return { plan, found: cut, endKnown };
}

/** How many `findAll` would find. */
export function countAll(collection: Collection | undefined, query: FullQuery, view: View): number {
  const { skip = 0, limit = Infinity } = query;
  if (nearOf(query.filter) ?? textOf(query.filter, collection)) return findAll(collection, query, view).found.length;
  const end = skip + limit;
  let n = 0;
  planQuery(collection, query).each(
    view,
    tested(query, () => ++n >= end),
  );
  return Math.max(n - skip, 0);
}

/** Lets through what passes the whole filter, as long as there is time. */
function tested({ filter, env, deadline }: FullQuery, visit: Visit): Visit {
  const test = compileMatcher(filter, env);
  const all = Object.keys(filter).length === 0;
  if (deadline === undefined) return all ? visit : (rec, doc) => test(doc) && visit(rec, doc);
  let looked = 0;
  return (rec, doc) => {
    if (++looked % LOOK_AT_CLOCK_EVERY === 0) checkDeadline(deadline);
    return (all || test(doc)) && visit(rec, doc);
  };
}
