/** The commands that read: `find`, `count`, `distinct`, `aggregate` (which may end in a write), and those on cursors. */
import { Long } from 'bson';
import { int, isArray, isDoc, isNumber, toDouble, toInteger, type Doc, type Value } from '../values/bson-types';
import { parseCollation, type Collation } from '../values/collation';
import { type Collection } from '../storage/collection';
import { Args, evaluateLet } from './command-args';
import { namespaceOf, words, writerOf, type Commands, type Context } from './command';
import { changeStream } from './change-stream';
import { type Source } from './cursors';
import { MongoError } from '../errors';
import { isIndex, pathParts } from '../values/paths';
import { countingPipeline } from '../aggregation/counting';
import { compilePipeline, runPipeline, type PipelineEnv } from '../aggregation/pipeline';
import { mapDocs } from '../aggregation/stages-shape';
import { geoNear, nearOf } from '../queries/near';
import { compileProjection } from '../filters/projection';
import { countAll, findAll, type FullQuery } from '../queries/query';
import { sortDirections } from '../values/sort';
import { compareValues, encodeKey } from '../values/values';
import { tail } from './tail';
import { checkViewCollation, isViewNoCollection, resolveView, type Resolved } from './views';
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

/** A command on a view, as a pipeline on what the view shows. */
function onView(context: Context, pipeline: Doc[], more: Doc = {}): Context {
  const { command, args } = context;
  const aggregate = { aggregate: args.collection(), pipeline, cursor: {}, ...more };
  const kept = ['$db', 'collation', 'hint', 'let', 'maxTimeMS'].flatMap((key) => (key in command ? [[key, command[key]]] : [])); // prettier-ignore
  const made = { ...aggregate, ...Object.fromEntries(kept) } as Doc;
  return { ...context, command: made, args: new Args(made, 'aggregate') };
}

const isView = ({ server, view, db, args }: Context): boolean =>
  resolveView(server.store, view, db, args.collection()) !== undefined;

/** What a query on a view finds. */
function viewed(context: Context, pipeline: Doc[]): Doc[] {
  const { collection, query, run } = aggregation(onView(context, pipeline));
  return [...run(findAll(collection, query, context.view).found.map(({ doc }) => doc))];
}

/** The stages that do what a query asks for, those of them that it has. */
function stagesOf({ args }: Context, filter: Value, sort?: Value, projection?: Value): Doc[] {
  const { skip, limit } = { skip: args.integer('skip'), limit: Math.abs(args.integer('limit', -Infinity) ?? 0) };
  return [
    { $match: filter ?? {} },
    ...(isDoc(sort) && Object.keys(sort).length > 0 ? [{ $sort: sort }] : []),
    ...(skip ? [{ $skip: skip }] : []),
    ...(limit ? [{ $limit: limit }] : []),
    ...(isDoc(projection) && Object.keys(projection).length > 0 ? [{ $project: projection }] : []),
  ];
}

function findOnView(context: Context): Doc {
  const { args } = context;
  for (const option of ['tailable', 'awaitData', 'noCursorTimeout'])
    if (args.flag(option)) throw new MongoError(168, `Option ${option} not supported in aggregation.`);
  const stages = stagesOf(context, args.document('filter'), args.document('sort'), args.document('projection'));
  const batchSize = args.integer('batchSize');
  const single = args.flag('singleBatch') && batchSize ? [{ $limit: batchSize }] : [];
  return aggregate(onView(context, [...stages, ...single], batchSize === undefined ? {} : { cursor: { batchSize } }));
}

function find(context: Context): Doc {
  if (isView(context)) return findOnView(context);
  const { args, server, view } = context;
  const { namespace, collection, query } = findQuery(context);
  const limit = args.integer('limit', -Infinity) ?? 0;
  if (limit < 0) throw new MongoError(51024, `BSON field 'limit' value must be >= 0, actual value '${limit}'`);
  const projection = args.document('projection');
  const project =
    projection && Object.keys(projection).length > 0
      ? compileProjection(projection, { ...query.env, filter: query.filter })
      : undefined;
  const tailable = args.flag('tailable');
  if (args.flag('awaitData') && !tailable) throw new MongoError(9, 'Cannot set awaitData without tailable');
  const { docs, source } = tailable
    ? tail(context, collection, query)
    : { docs: findAll(collection, query, view).found.map(({ doc }) => doc), source: undefined };
  return server.cursors.first(docs, {
    namespace,
    batchSize: args.integer('batchSize'),
    singleBatch: args.flag('singleBatch'),
    immortal: args.flag('noCursorTimeout'),
    project: project && ((doc) => project(doc)),
    source,
    ...cursorOptions(context),
  });
}

function getMore(context: Context): Doc | Promise<Doc> {
  const { args, command, server, session, inTransaction } = context;
  if (!(command.getMore instanceof Long)) throw new MongoError(14, "BSON field 'getMore.getMore' is the wrong type, expected type 'long'"); // prettier-ignore
  const txnNumber = inTransaction ? session?.txnNumber : undefined;
  const namespace = namespaceOf(context, args.collection('collection'));
  const options = { namespace, batchSize: args.integer('batchSize'), session: session?.id, txnNumber };
  return server.cursors.next(command.getMore, options, args.integer('maxTimeMS'));
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
  if (isView(context)) return { n: int(viewed(context, stagesOf(context, args.document('query'))).length) };
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
  const docs = isView(context)
    ? viewed(context, [{ $match: query.filter }])
    : findAll(collection, query, view).found.map(({ doc }) => doc);
  for (const doc of docs) {
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
  /** Of `$changeStream`: what its cursor is fed by. */
  stream?: Source;
}

export function aggregation(context: Context): Aggregation {
  const { args, command, server, view, now } = context;
  args.required('pipeline');
  const given = args.array('pipeline')!;
  const bare = isNumber(command.aggregate);
  if (bare && toInteger(command.aggregate) !== 1) throw new MongoError(9, 'a number for aggregate has to be 1');
  const viewOf = (name: string): Resolved | undefined => resolveView(server.store, view, context.db, name);
  const over = bare ? undefined : viewOf(args.collection());
  if (over) checkViewCollation(args, over);
  const pipeline = over ? [...over.pipeline, ...given] : given;
  const target = bare ? undefined : targetOf(context);
  const collation = over ? parseCollation(over.collation) : target ? target.collation : args.collation();
  const variables = evaluateLet(args.document('let'), now);
  const namespace = target?.namespace ?? namespaceOf(context, '$cmd.aggregate');
  const env: PipelineEnv = {
    ...envOf(collation, variables, now),
    collection: (name) => ({
      find: (filter) => {
        const { base, pipeline: stages } = viewOf(name) ?? { base: name, pipeline: [] };
        const all = stages.length > 0;
        const collection = server.store.collection(namespaceOf(context, base), view);
        const query = { filter: all ? {} : filter, collation, env: envOf(collation, variables, now) };
        const docs = findAll(collection, query, view).found.map(({ doc }) => doc);
        return all ? runPipeline([...stages, { $match: filter }], docs, env) : docs;
      },
    }),
    target: ({ db = context.db, coll }) => {
      if (context.inTransaction) throw new MongoError(263, '$out and $merge cannot be used in a transaction');
      if (resolveView(server.store, view, db, coll)) throw isViewNoCollection(`${db}.${coll}`);
      return writeTarget(server.store, db, coll, writerOf(context));
    },
  };
  const [first] = pipeline;
  if (bare && !(isDoc(first) && ('$documents' in first || '$changeStream' in first)))
    throw new MongoError(73, `{aggregate: 1} is not valid for '${isDoc(first) ? Object.keys(first)[0] : 'an empty pipeline'}'; a collection is required.`); // prettier-ignore
  if (isDoc(given[0]) && '$changeStream' in given[0]) {
    if (over) throw isViewNoCollection(target!.namespace);
    const query = { filter: {}, collation, env };
    return { namespace, collection: undefined, query, run: () => [], rest: [], counts: undefined, stream: changeStream(context, pipeline as Doc[], env) }; // prettier-ignore
  }
  const collection = over ? server.store.collection(namespaceOf(context, over.base), view) : target?.collection;
  if (isDoc(first) && '$geoNear' in first) {
    const { filter, shown } = geoNear(first.$geoNear, collection);
    const rest = pipeline.slice(1) as Doc[];
    const stages = compilePipeline(rest, env);
    const query = { filter, collation, env, hint: command.hint, deadline: context.deadline };
    return { namespace, collection, query, run: (docs) => stages(mapDocs(docs, shown)), rest, counts: undefined };
  }
  const matching = isDoc(first) && Object.keys(first).length === 1 && isDoc(first.$match);
  const filter = matching ? (first.$match as Doc) : {};
  if (nearOf(filter)) throw new MongoError(2, '$geoNear, $near, and $nearSphere are not allowed in this context');
  // what the query does already is passed by the pipeline without a test
  const stages = (matching ? [{ $match: {} }, ...pipeline.slice(1)] : pipeline) as Doc[];
  const run = compilePipeline(stages, env);
  const rest = matching ? stages.slice(1) : stages;
  const [next] = rest;
  const limit = isDoc(next) && isNumber(next.$limit) ? toDouble(next.$limit) : undefined;
  const query = { filter, collation, env, limit, hint: command.hint, deadline: context.deadline };
  return { namespace, collection, query, run, rest, counts: countingPipeline(rest) };
}

function aggregate(context: Context): Doc {
  const { args, server, view } = context;
  if (!args.has('cursor')) throw new MongoError(9, "The 'cursor' option is required, except for aggregate with the explain argument"); // prettier-ignore
  const cursor = args.document('cursor')!;
  if (Object.keys(cursor).some((key) => key !== 'batchSize'))
    throw new MongoError(2, "cursor object can't contain fields other than batchSize");
  const { namespace, collection, query, run, counts, stream } = aggregation(context);
  const results = stream
    ? []
    : counts
      ? counts(countAll(collection, query, view))
      : [...run(findAll(collection, query, view).found.map(({ doc }) => doc))];
  const size = cursor.batchSize;
  if (size !== undefined && (!isNumber(size) || toDouble(size) < 0))
    throw new MongoError(isNumber(size) ? 51024 : 14, "BSON field 'cursor.batchSize' has to be a number of at least 0");
  const batchSize = size === undefined ? undefined : Math.trunc(toDouble(size));
  return server.cursors.first(results, { namespace, batchSize, source: stream, ...cursorOptions(context) });
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
