/** The commands that read: `find`, `count`, `distinct`, `aggregate` (which may end in a write), and those on cursors. */
import { Long } from 'bson';
import { int, isArray, isDoc, isNumber, toDouble, toInteger, type Doc, type Value } from '../values/bson-types';
import { type Collation } from '../values/collation';
import { type Collection } from '../storage/collection';
import { evaluateLet } from './command-args';
import { namespaceOf, words, writerOf, type Commands, type Context } from './command';
import { MongoError } from '../errors';
import { isIndex, pathParts } from '../values/paths';
import { countingPipeline } from '../aggregation/counting';
import { compilePipeline, type PipelineEnv } from '../aggregation/pipeline';
import { compileProjection } from '../filters/projection';
import { countAll, findAll, type FullQuery } from '../queries/query';
import { sortDirections } from '../values/sort';
import { compareValues, encodeKey } from '../values/values';
import { writeTarget } from './write-target';

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

/** The query of a `find` command. */
export function findQuery(context: Context): {
  namespace: string;
  collection: Collection | undefined;
  query: FullQuery;
} {
  const { args } = context;
  const { namespace, collection, collation, env, deadline } = targetOf(context);
  const sort = args.document('sort');
  if (sort && !('$natural' in sort)) sortDirections(sort);
  const limit = Math.abs(args.integer('limit', -Infinity) ?? 0) || undefined;
  const query = {
    filter: args.document('filter') ?? {},
    collation,
    env,
    sort,
    limit,
    skip: args.integer('skip'),
    hint: context.command.hint,
    deadline,
  };
  return { namespace, collection, query };
}

const cursorOptions = (context: Context) => ({
  session: context.session?.id,
  txnNumber: context.inTransaction ? context.session?.txnNumber : undefined,
});

function find(context: Context): Doc {
  const { args, server, view } = context;
  const { namespace, collection, query } = findQuery(context);
  if (args.flag('tailable')) throw new MongoError(2, 'error processing query: tailable cursor requested on non capped collection'); // prettier-ignore
  const limit = args.integer('limit', -Infinity) ?? 0;
  if (limit < 0) throw new MongoError(51024, `BSON field 'limit' value must be >= 0, actual value '${limit}'`);
  const projection = args.document('projection');
  const project =
    projection && Object.keys(projection).length > 0
      ? compileProjection(projection, { ...query.env, filter: query.filter })
      : undefined;
  const { found } = findAll(collection, query, view);
  return server.cursors.first(
    found.map(({ doc }) => doc),
    {
      namespace,
      batchSize: args.integer('batchSize'),
      singleBatch: args.flag('singleBatch'),
      immortal: args.flag('noCursorTimeout'),
      project: project && ((doc) => project(doc)),
      ...cursorOptions(context),
    },
  );
}

function getMore(context: Context): Doc {
  const { args, command, server, session, inTransaction } = context;
  if (!(command.getMore instanceof Long)) throw new MongoError(14, "BSON field 'getMore.getMore' is the wrong type, expected type 'long'"); // prettier-ignore
  const txnNumber = inTransaction ? session?.txnNumber : undefined;
  const namespace = namespaceOf(context, args.collection('collection'));
  return server.cursors.next(command.getMore, namespace, args.integer('batchSize'), session?.id, txnNumber);
}

function killCursors(context: Context): Doc {
  const { args, server } = context;
  const namespace = namespaceOf(context, args.collection());
  const cursorsKilled: Value[] = [];
  const cursorsNotFound: Value[] = [];
  for (const id of args.array('cursors') ?? []) {
    if (!(id instanceof Long)) throw new MongoError(14, "Field 'cursors' contains an element that is not of type long");
    (server.cursors.kill(id, namespace) ? cursorsKilled : cursorsNotFound).push(id);
  }
  return { cursorsKilled, cursorsNotFound, cursorsAlive: [], cursorsUnknown: [] };
}

function count(context: Context): Doc {
  const { args, view } = context;
  const { collection, collation, env, deadline } = targetOf(context);
  const query = {
    filter: args.document('query') ?? {},
    collation,
    env,
    limit: Math.abs(args.integer('limit', -Infinity) ?? 0) || undefined,
    skip: args.integer('skip'),
    hint: context.command.hint,
    deadline,
  };
  return { n: int(countAll(collection, query, view)) };
}

function distinct(context: Context): Doc {
  const { args, view, command } = context;
  const { collection, collation, env, deadline } = targetOf(context);
  const key = args.text('key');
  const query = { filter: args.document('query') ?? {}, collation, env, hint: command.hint, deadline };
  const values = new Map<string, Value>();
  const visit = (value: Value, parts: string[], at: number): void => {
    if (isArray(value)) {
      if (at === parts.length) value.forEach((item) => keep(item));
      else {
        for (const item of value) if (isDoc(item)) visit(item, parts, at);
        if (isIndex(parts[at]!)) visit(value[Number(parts[at])], parts, at + 1);
      }
    } else if (at === parts.length) keep(value);
    else if (isDoc(value) && Object.hasOwn(value, parts[at]!)) visit(value[parts[at]!], parts, at + 1);
  };
  let reached: Value[] = [];
  const keep = (value: Value): void => {
    if (value !== undefined) reached.push(value);
  };
  for (const { doc } of findAll(collection, query, view).found) {
    reached = [];
    visit(doc, pathParts(key), 0);
    // those of one document in their order
    for (const value of reached.sort((a, b) => compareValues(a, b))) {
      const encoded = encodeKey(value, collation);
      if (!values.has(encoded)) values.set(encoded, value);
    }
  }
  return { values: [...values.values()] };
}

// -- aggregation

const WRITING = ['$out', '$merge'];
const writesAtEnd = (pipeline: Value): boolean => {
  const last = isArray(pipeline) ? pipeline.at(-1) : undefined;
  return isDoc(last) && WRITING.includes(Object.keys(last)[0]!);
};

export interface Aggregation {
  namespace: string;
  collection: Collection | undefined;
  /** What the pipeline begins with, as far as indexes can help. */
  query: FullQuery;
  run(this: void, source: Iterable<Doc>): Iterable<Doc>;
  /** The stages that run on what the query finds. */
  rest: Doc[];
  /** Of a pipeline that only counts: what it answers to a number of documents. */
  counts: ((n: number) => Doc[]) | undefined;
}

export function aggregation(context: Context): Aggregation {
  const { args, command, server, view, now } = context;
  args.required('pipeline');
  const pipeline = args.array('pipeline')!;
  const bare = isNumber(command.aggregate);
  if (bare && toInteger(command.aggregate) !== 1) throw new MongoError(9, 'a number for aggregate has to be 1');
  const target = bare ? undefined : targetOf(context);
  const collation = target ? target.collation : args.collation();
  const variables = evaluateLet(args.document('let'), now);
  const namespace = target?.namespace ?? namespaceOf(context, '$cmd.aggregate');
  const env: PipelineEnv = {
    ...envOf(collation, variables, now),
    collection: (name) => ({
      find: (filter) => {
        const collection = server.store.collection(namespaceOf(context, name), view);
        const { found } = findAll(collection, { filter, collation, env: envOf(collation, variables, now) }, view);
        return found.map(({ doc }) => doc);
      },
    }),
    target: ({ db = context.db, coll }) => {
      if (context.inTransaction) throw new MongoError(263, '$out and $merge cannot be used in a transaction');
      return writeTarget(server.store, db, coll, writerOf(context));
    },
  };
  const [first] = pipeline;
  if (bare && !(isDoc(first) && ('$documents' in first || '$changeStream' in first)))
    throw new MongoError(73, `{aggregate: 1} is not valid for '${isDoc(first) ? Object.keys(first)[0] : 'an empty pipeline'}'; a collection is required.`); // prettier-ignore
  const matching = isDoc(first) && Object.keys(first).length === 1 && isDoc(first.$match);
  const filter = matching ? (first.$match as Doc) : {};
  // what the query does already is passed by the pipeline without a test
  const stages = (matching ? [{ $match: {} }, ...pipeline.slice(1)] : pipeline) as Doc[];
  const run = compilePipeline(stages, env);
  const rest = matching ? stages.slice(1) : stages;
  const [next] = rest;
  const limit = isDoc(next) && isNumber(next.$limit) ? toDouble(next.$limit) : undefined;
  const query = { filter, collation, env, limit, hint: command.hint, deadline: context.deadline };
  return { namespace, collection: target?.collection, query, run, rest, counts: countingPipeline(rest) };
}

function aggregate(context: Context): Doc {
  const { args, server, view } = context;
  if (!args.has('cursor')) throw new MongoError(9, "The 'cursor' option is required, except for aggregate with the explain argument"); // prettier-ignore
  const cursor = args.document('cursor')!;
  if (Object.keys(cursor).some((key) => key !== 'batchSize'))
    throw new MongoError(2, "cursor object can't contain fields other than batchSize");
  const { namespace, collection, query, run, counts } = aggregation(context);
  const results = counts
    ? counts(countAll(collection, query, view))
    : [...run(findAll(collection, query, view).found.map(({ doc }) => doc))];
  const size = cursor.batchSize;
  if (size !== undefined && (!isNumber(size) || toDouble(size) < 0))
    throw new MongoError(isNumber(size) ? 51024 : 14, "BSON field 'cursor.batchSize' has to be a number of at least 0");
  const batchSize = size === undefined ? undefined : Math.trunc(toDouble(size));
  return server.cursors.first(results, { namespace, batchSize, ...cursorOptions(context) });
}

export const READS: Commands = {
  find: {
    run: find,
    fields:
      words(`find filter sort projection hint skip limit batchSize singleBatch noCursorTimeout allowPartialResults collation
      allowDiskUse let tailable awaitData oplogReplay ntoreturn`),
    refused: words('min max returnKey showRecordId term readOnce resumeAfter requestResumeToken'),
    transactional: true,
    snapshots: true,
  },
  getMore: { run: getMore, fields: words('getMore collection batchSize term'), transactional: true, snapshots: true },
  killCursors: { run: killCursors, fields: words('killCursors cursors'), transactional: true },
  count: { run: count, fields: words('count query limit skip hint collation fields') },
  distinct: {
    run: distinct,
    fields: words('distinct key query collation hint'),
    transactional: true,
    snapshots: true,
  },
  aggregate: {
    run: aggregate,
    fields: words('aggregate pipeline cursor allowDiskUse collation hint let bypassDocumentValidation'),
    refused: words('explain exchange fromMongos needsMerge'),
    writes: ({ pipeline }) => writesAtEnd(pipeline),
    transactional: true,
    snapshots: true,
  },
};
