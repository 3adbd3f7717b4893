/** `explain`: the plan that a query has, and with `executionStats` what it looked at, in mongod's form as far as tools read it. */
import { hostname } from 'node:os';
import { int, isDoc, isString, truthy, type Doc } from '../values/bson-types';
import { Args } from './command-args';
import { words, type Command, type Commands, type Context } from './command';
import { AGGREGATE, aggregation, writesAtEnd } from './aggregate';
import { findQuery } from './read';
import { VERSION } from './server';
import { envOf, targetOf } from './target';
import { MongoError, unsupported } from '../errors';
import { planQuery, type Plan } from '../queries/planner';
import { findAll, type FullQuery } from '../queries/query';
import { type Collection } from '../storage/collection';
import { resolveView } from './views';

interface Explained {
  namespace: string;
  collection: Collection | undefined;
  query: FullQuery;
  /** The stage above the query's, if any. */
  wrapper?: string;
  /** The stages of a pipeline that come after the query. */
  rest?: Doc[];
}

const VERBOSITIES = ['queryPlanner', 'executionStats', 'allPlansExecution'];

function explain(context: Context): Doc {
  const { command, args } = context;
  const verbosity = args.has('verbosity') ? args.text('verbosity') : 'allPlansExecution';
  if (!VERBOSITIES.includes(verbosity))
    throw new MongoError(2, `verbosity string must be one of {${VERBOSITIES.join(', ')}}`);
  const inner = command.explain;
  if (!isDoc(inner)) throw new MongoError(14, "BSON field 'explain.explain' is the wrong type, expected type 'object'");
  const [name = ''] = Object.keys(inner);
  const explained = explainedQuery(name, { ...context, command: inner, args: new Args(inner, name) });
  const { namespace, collection, query, wrapper, rest = [] } = explained;
  const plan = planQuery(collection, query);
  const winning = tree(plan, query, wrapper);
  const reply: Doc = {
    explainVersion: '1',
    queryPlanner: {
      namespace,
      indexFilterSet: false,
      parsedQuery: query.filter,
      maxIndexedOrSolutionsReached: false,
      winningPlan: winning,
      rejectedPlans: [],
    },
  };
  if (verbosity !== 'queryPlanner')
    reply.executionStats = { ...statsOf(explained, context, winning), ...(verbosity === 'allPlansExecution' ? { allPlansExecution: [] } : {}) }; // prettier-ignore
  const { $db: _db, lsid: _lsid, ...shown } = inner;
  const plans =
    rest.length === 0 ? reply : { explainVersion: '1', stages: [{ $cursor: withoutVersion(reply) }, ...rest] };
  return { ...plans, command: { ...shown, $db: context.db }, serverInfo: { host: hostname(), version: VERSION } };
}

const withoutVersion = ({ explainVersion: _version, ...plans }: Doc): Doc => plans;

function explainedQuery(name: string, context: Context): Explained {
  const { args, now, server, db, view } = context;
  const target = context.command[name];
  if (name !== 'aggregate' && isString(target) && resolveView(server.store, view, db, target)) throw unsupported(`explain of ${name} on a view`); // prettier-ignore
  switch (name) {
    case 'find':
      return findQuery(context);
    case 'aggregate':
      return explainedPipeline(context);
    case 'count':
    case 'distinct':
    case 'findAndModify': {
      const { namespace, collection, collation, env } = targetOf(context);
      const sort = name === 'findAndModify' ? { sort: args.document('sort') } : {};
      const query = { filter: args.document('query') ?? {}, collation, env, hint: args.doc.hint, ...sort };
      return { namespace, collection, query, wrapper: name === 'count' ? 'COUNT' : undefined };
    }
    case 'update':
    case 'delete': {
      const { namespace, collection } = targetOf(context);
      const [first] = args.requiredDocuments(name === 'update' ? 'updates' : 'deletes');
      const statement = new Args(first ?? {}, name);
      const collation = statement.collation(collection?.collation);
      const query = { filter: statement.document('q') ?? {}, collation, env: envOf(collation, undefined, now), hint: statement.doc.hint }; // prettier-ignore
      return { namespace, collection, query, wrapper: name.toUpperCase() };
    }
    default:
      throw new MongoError(59, `Explain failed due to unknown command: ${name}`);
  }
}

/** Nothing is run, so nothing is written: a stage that would do so is only shown. */
function explainedPipeline(context: Context): Explained {
  const pipeline = context.args.array('pipeline') ?? [];
  const writing = writesAtEnd(pipeline) ? (pipeline.slice(-1) as Doc[]) : [];
  const command = { ...context.command, pipeline: pipeline.slice(0, pipeline.length - writing.length) };
  const args = new Args('pipeline' in context.command ? command : context.command, 'aggregate');
  const explained = aggregation({ ...context, command, args, writer: undefined });
  return { ...explained, rest: [...explained.rest, ...writing] };
}

/** The stages from the top down. */
function tree(plan: Plan, query: FullQuery, wrapper?: string): Doc {
  let node = access(plan, query);
  const wrap = (stage: string, fields: Doc = {}): void => {
    node = { stage, ...fields, inputStage: node };
  };
  const { sort, skip, limit } = query;
  if (sort && Object.keys(sort).length > 0 && !plan.sorted && plan.stage !== 'EOF') wrap('SORT', { sortPattern: sort, memLimit: int(104857600), type: 'simple' }); // prettier-ignore
  if (skip) wrap('SKIP', { skipAmount: int(skip) });
  if (limit) wrap('LIMIT', { limitAmount: int(limit) });
  if (wrapper) wrap(wrapper);
  return node;
}

function access(plan: Plan, query: FullQuery): Doc {
  const { index, bounds } = plan;
  const filter = Object.keys(query.filter).length > 0 ? { filter: query.filter } : {};
  const direction = plan.backwards ? 'backward' : 'forward';
  if (index?.spec.described.clustered === true) return { stage: 'CLUSTERED_IXSCAN', ...filter, direction };
  if (plan.stage === 'OR')
    return {
      stage: 'FETCH',
      ...filter,
      inputStage: { stage: 'OR', inputStages: plan.inputs!.map((input) => scan(input)) },
    };
  if (plan.stage === 'IXSCAN') return { stage: 'FETCH', ...filter, inputStage: scan(plan) };
  if (plan.stage === 'COLLSCAN') return { stage: 'COLLSCAN', ...filter, direction };
  return { stage: plan.stage, ...(index && bounds ? { keyPattern: index.spec.key, indexName: index.spec.name } : {}) };
}

function scan({ index, bounds, backwards, counts }: Plan): Doc {
  const { spec, multikey } = index!;
  return {
    stage: 'IXSCAN',
    keyPattern: spec.key,
    indexName: spec.name,
    ...(spec.collation ? { collation: spec.collation.spec } : {}),
    isMultiKey: multikey.size > 0,
    isUnique: spec.unique,
    isSparse: spec.sparse,
    isPartial: spec.partial !== undefined,
    indexVersion: int(2),
    direction: backwards ? 'backward' : 'forward',
    boundedFields: int(bounds!.fields),
    intervals: int(bounds!.intervals.length),
    ...(counts.keys > 0 ? { keysExamined: int(counts.keys) } : {}),
  };
}

function statsOf({ collection, query }: Explained, context: Context, winning: Doc): Doc {
  const started = Date.now();
  const { plan, found } = findAll(collection, query, context.view);
  const all = [plan, ...(plan.inputs ?? [])];
  const sum = (what: 'keys' | 'docs'): number => all.reduce((total, { counts }) => total + counts[what], 0);
  return {
    executionSuccess: true,
    nReturned: int(found.length),
    executionTimeMillis: int(Date.now() - started),
    totalKeysExamined: int(sum('keys')),
    totalDocsExamined: int(sum('docs')),
    executionStages: { ...winning, nReturned: int(found.length), docsExamined: int(sum('docs')), keysExamined: int(sum('keys')) }, // prettier-ignore
  };
}

/** The older way to ask for the plan of a pipeline. */
function explainPipeline(context: Context): Doc {
  const { explain: _asked, cursor: _cursor, ...inner } = context.command;
  const command = { explain: inner, verbosity: 'queryPlanner' };
  return explain({ ...context, command, args: new Args(command, 'explain') });
}

const EXPLAINED: Command = { run: explain, fields: words('explain verbosity') };
const aggregate = AGGREGATE.aggregate!;
const asksForPlan = ({ explain: asked }: Doc): boolean => truthy(asked);

export const EXPLAIN: Commands = {
  explain: EXPLAINED,
  aggregate: {
    ...aggregate,
    run: (context) => (asksForPlan(context.command) ? explainPipeline(context) : aggregate.run(context)),
    fields: [...aggregate.fields, 'explain'],
    writes: (command) => !asksForPlan(command) && (aggregate.writes as (command: Doc) => boolean)(command),
  },
};
