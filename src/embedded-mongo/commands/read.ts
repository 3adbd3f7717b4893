/** The commands that read: `find`, `count`, `distinct`, and those on cursors. On a view they are pipelines (aggregate.ts). */
import { Long } from 'bson';
import { int, isArray, isDoc, type Doc, type Value } from '../values/bson-types';
import { type Collection } from '../storage/collection';
import { Args } from './command-args';
import { aggregate, aggregation } from './aggregate';
import { namespaceOf, words, type Commands, type Context } from './command';
import { MongoError, unsupported } from '../errors';
import { getPath, isIndex, pathParts } from '../values/paths';
import { compileProjection } from '../filters/projection';
import { countAll, findAll, shownDoc, type FullQuery } from '../queries/query';
import { sortDirections } from '../values/sort';
import { type View } from '../storage/versions';
import { compareValues, encodeKey } from '../values/values';
import { tail, type Tail } from './tail';
import { cursorOptions, targetOf } from './target';
import { resolveView } from './views';

type Project = (doc: Doc) => Doc;

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
    min: args.document('min'),
    max: args.document('max'),
    deadline,
  };
  return { namespace, collection, query };
}

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
  return [...run(findAll(collection, query, context.view).found.map(shownDoc))];
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
  const project: Project | undefined =
    projection && Object.keys(projection).length > 0
      ? compileProjection(projection, { ...query.env, filter: query.filter })
      : undefined;
  const tailable = args.flag('tailable');
  if (args.flag('awaitData') && !tailable) throw new MongoError(9, 'Cannot set awaitData without tailable');
  const { docs, source, endKnown, isShown } = tailable ? tail(context, collection, query) : findDocs(context, collection, query, project, view); // prettier-ignore
  return server.cursors.first(docs, {
    namespace,
    batchSize: args.integer('batchSize'),
    singleBatch: args.flag('singleBatch'),
    immortal: args.flag('noCursorTimeout'),
    project: isShown ? undefined : project,
    source,
    endKnown,
    ...cursorOptions(context),
  });
}

function findDocs(
  { args }: Context,
  collection: Collection | undefined,
  query: FullQuery,
  project: Project | undefined,
  view: View,
): Tail {
  const { found, plan, endKnown } = findAll(collection, query, view);
  if (!args.flag('returnKey') && !args.flag('showRecordId')) return { docs: found.map(shownDoc), endKnown };
  const keys = plan.index?.spec.paths ?? [];
  if (args.flag('returnKey') && plan.index && plan.index.multikey.size > 0)
    throw unsupported('returnKey with an index of arrays');
  const keyOf = (doc: Doc): Doc => Object.fromEntries(keys.map((path) => [path, getPath(doc, path) ?? null]));
  const shown = found.map((each) => ({
    ...(args.flag('returnKey') ? keyOf(each.doc) : project ? project(shownDoc(each)) : each.doc),
    ...(args.flag('showRecordId') ? { $recordId: Long.fromNumber(each.rec.seq) } : {}),
  }));
  return { docs: shown, isShown: true, endKnown };
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
  args.required('cursors');
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
    : findAll(collection, query, view).found.map(shownDoc);
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

export const READS: Commands = {
  find: {
    run: find,
    fields:
      words(`find filter sort projection hint skip limit batchSize singleBatch noCursorTimeout allowPartialResults collation
      allowDiskUse let tailable awaitData oplogReplay ntoreturn min max returnKey showRecordId`),
    refused: words('term readOnce resumeAfter requestResumeToken'),
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
};
