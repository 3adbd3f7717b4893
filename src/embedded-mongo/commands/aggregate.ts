/** `aggregate`: a query as far as indexes can help, then the stages of a pipeline on what it finds; it may end in a write. */
import { isArray, isDoc, isNumber, toDouble, toInteger, type Doc, type Value } from '../values/bson-types';
import { parseCollation } from '../values/collation';
import { type Collection } from '../storage/collection';
import { evaluateLet } from './command-args';
import { namespaceOf, words, writerOf, type Commands, type Context } from './command';
import { changeStream } from './change-stream';
import { type Source } from './cursors';
import { MongoError } from '../errors';
import { countingPipeline } from '../aggregation/counting';
import { compilePipeline, runPipeline, type PipelineEnv } from '../aggregation/pipeline';
import { mapDocs } from '../aggregation/stages-shape';
import { type FilterEnv } from '../filters/match';
import { geoNear, nearOf } from '../queries/near';
import { countAll, findAll, shownDoc, type FullQuery } from '../queries/query';
import { serverStage } from './server-stages';
import { cursorOptions, envOf, targetOf } from './target';
import { checkViewCollation, isViewNoCollection, resolveView, type Resolved } from './views';
import { writeTarget } from './write-target';

const WRITING = ['$out', '$merge'];
export const writesAtEnd = (pipeline: Value): boolean => {
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

const viewOf = ({ server, view, db }: Context, name: string): Resolved | undefined =>
  resolveView(server.store, view, db, name);

/** What a pipeline is on: a collection, or the view of one, or (`{aggregate: 1}`) none. */
interface Place {
  isBare: boolean;
  over: Resolved | undefined;
  namespace: string;
  collection: Collection | undefined;
  /** With that of the view in front. */
  pipeline: Doc[];
  env: PipelineEnv;
}

function placeOf(context: Context): Place {
  const { args, command, server, view, now } = context;
  args.required('pipeline');
  const given = args.array('pipeline') as Doc[];
  const isBare = isNumber(command.aggregate);
  if (isBare && toInteger(command.aggregate) !== 1) throw new MongoError(9, 'a number for aggregate has to be 1');
  const over = isBare ? undefined : viewOf(context, args.collection());
  if (over) checkViewCollation(args, over);
  const target = isBare ? undefined : targetOf(context);
  const collation = over ? parseCollation(over.collation) : target ? target.collation : args.collation();
  return {
    isBare,
    over,
    namespace: target?.namespace ?? namespaceOf(context, '$cmd.aggregate'),
    collection: over ? server.store.collection(namespaceOf(context, over.base), view) : target?.collection,
    pipeline: over ? [...over.pipeline, ...given] : given,
    env: withPorts(context, envOf(collation, evaluateLet(args.document('let'), now), now)),
  };
}

/** The ways to other collections. */
function withPorts(context: Context, env: FilterEnv): PipelineEnv {
  const { server, view } = context;
  const ported: PipelineEnv = {
    ...env,
    ...(context.deadline === undefined ? {} : { deadline: context.deadline }),
    collection: (name) => ({
      find: (filter) => {
        const { base, pipeline: stages } = viewOf(context, name) ?? { base: name, pipeline: [] };
        const collection = server.store.collection(namespaceOf(context, base), view);
        const isView = stages.length > 0;
        const query = { filter: isView ? {} : filter, collation: env.collation, env };
        const docs = findAll(collection, query, view).found.map(shownDoc);
        return isView ? runPipeline([...stages, { $match: filter }], docs, ported) : docs;
      },
    }),
    target: ({ db = context.db, coll }) => {
      if (context.inTransaction) throw new MongoError(263, '$out and $merge cannot be used in a transaction');
      if (resolveView(server.store, view, db, coll)) throw isViewNoCollection(`${db}.${coll}`);
      return writeTarget(server.store, db, coll, writerOf(context));
    },
  };
  return ported;
}

export function aggregation(context: Context): Aggregation {
  const place = placeOf(context);
  const { isBare, over, namespace, collection, pipeline, env } = place;
  const [first] = pipeline;
  const begins = (name: string): boolean => isDoc(first) && name in first;
  const nothing = { namespace, collection: undefined, query: { filter: {}, collation: env.collation, env }, counts: undefined }; // prettier-ignore
  const reported = isDoc(first) ? serverStage(context, first, over ? undefined : collection) : undefined;
  if (reported) {
    const rest = pipeline.slice(1);
    const stages = compilePipeline(rest, env);
    return { ...nothing, run: () => stages(reported), rest };
  }
  if (isBare && !begins('$documents') && !begins('$changeStream'))
    throw new MongoError(73, `{aggregate: 1} is not valid for '${isDoc(first) ? Object.keys(first)[0] : 'an empty pipeline'}'; a collection is required.`); // prettier-ignore
  const own = pipeline[over?.pipeline.length ?? 0];
  if (isDoc(own) && '$changeStream' in own) {
    if (over) throw isViewNoCollection(namespace);
    return { ...nothing, run: () => [], rest: [], stream: changeStream(context, pipeline, env) };
  }
  return begins('$geoNear') ? nearest(context, place) : matching(context, place);
}

function nearest({ command, deadline }: Context, { namespace, collection, pipeline, env }: Place): Aggregation {
  const { filter, shown } = geoNear(pipeline[0]!.$geoNear, collection);
  const rest = pipeline.slice(1);
  const stages = compilePipeline(rest, env);
  const query = { filter, collation: env.collation, env, hint: command.hint, deadline };
  return { namespace, collection, query, run: (docs) => stages(mapDocs(docs, shown)), rest, counts: undefined };
}

/** Where a pipeline begins with `$match`, that is the query's filter. */
function matching({ command, deadline }: Context, { namespace, collection, pipeline, env }: Place): Aggregation {
  const [first] = pipeline;
  const isMatch = isDoc(first) && Object.keys(first).length === 1 && isDoc(first.$match);
  const filter = isMatch ? (first.$match as Doc) : {};
  if (nearOf(filter)) throw new MongoError(2, '$geoNear, $near, and $nearSphere are not allowed in this context');
  // what the query does already is passed by the pipeline without a test
  const stages = isMatch ? [{ $match: {} }, ...pipeline.slice(1)] : pipeline;
  const run = compilePipeline(stages, env);
  const rest = isMatch ? stages.slice(1) : stages;
  const [next] = rest;
  const limit = isDoc(next) && isNumber(next.$limit) ? toDouble(next.$limit) : undefined;
  const query = { filter, collation: env.collation, env, limit, hint: command.hint, deadline };
  return { namespace, collection, query, run, rest, counts: countingPipeline(rest) };
}

export function aggregate(context: Context): Doc {
  const { args, server, view } = context;
  if (!args.has('cursor')) throw new MongoError(9, "The 'cursor' option is required, except for aggregate with the explain argument"); // prettier-ignore
  const cursor = args.document('cursor')!;
  if (Object.keys(cursor).some((key) => key !== 'batchSize'))
    throw new MongoError(2, "cursor object can't contain fields other than batchSize");
  const size = cursor.batchSize;
  if (size !== undefined && (!isNumber(size) || toDouble(size) < 0))
    throw new MongoError(isNumber(size) ? 51024 : 14, "BSON field 'cursor.batchSize' has to be a number of at least 0");
  const batchSize = size === undefined ? undefined : Math.trunc(toDouble(size));
  const { namespace, collection, query, run, counts, stream } = aggregation(context);
  const results = (): Doc[] => {
    // a stream that begins in the past has something to tell at once
    if (stream) return batchSize === 0 ? [] : stream.pull();
    if (counts) return counts(countAll(collection, query, view));
    return [...run(findAll(collection, query, view).found.map(shownDoc))];
  };
  return server.cursors.first(results(), {
    namespace,
    batchSize,
    source: stream,
    endKnown: false,
    ...cursorOptions(context),
  });
}

export const AGGREGATE: Commands = {
  aggregate: {
    run: aggregate,
    fields: words('aggregate pipeline cursor allowDiskUse collation hint let bypassDocumentValidation'),
    refused: words('exchange fromMongos needsMerge'),
    writes: ({ pipeline }) => writesAtEnd(pipeline),
    transactional: true,
    snapshots: true,
  },
};
