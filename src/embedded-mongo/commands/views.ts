/**
 * Views: names that stand for a pipeline on another collection, or on another view. As in a mongod, what describes them is in the collection
 * `system.views` of their database, and so is kept and undone like all documents.
 */
import { isDoc, isString, type Doc } from '../values/bson-types';
import { parseCollation } from '../values/collation';
import { equalValues } from '../values/values';
import { compilePipeline } from '../aggregation/pipeline';
import { MongoError, unsupported } from '../errors';
import { type Args } from './command-args';
import { namespaceOf, writerOf, type Context } from './command';
import { type Collection } from '../storage/collection';
import { type Store } from '../storage/store';
import { visible, type Rec, type View } from '../storage/versions';

const MOST_NESTED = 20;
/** The commands that a view takes, or that deal with views themselves. */
const ON_VIEWS = [
  'find',
  'count',
  'distinct',
  'aggregate',
  'explain',
  'create',
  'drop',
  'collMod',
  'getMore',
  'killCursors',
];

export interface Resolved {
  /** The collection below all views. */
  base: string;
  pipeline: Doc[];
  collation: Doc | undefined;
}

function definition(
  store: Store,
  view: View,
  db: string,
  name: string,
): { all: Collection; rec: Rec; doc: Doc } | undefined {
  const all = store.collection(`${db}.system.views`, view);
  const rec = all?.records.get(all.indexes[0]!.encode([`${db}.${name}`]));
  const doc = rec && visible(rec, view);
  return doc && { all: all!, rec, doc };
}

/** @returns undefined for a name that is no view. @throws 165 for too many views upon each other */
export function resolveView(store: Store, view: View, db: string, name: string): Resolved | undefined {
  let base = name;
  let pipeline: Doc[] = [];
  let collation: Doc | undefined;
  for (let depth = 0; depth <= MOST_NESTED; depth += 1) {
    const found = definition(store, view, db, base)?.doc;
    if (!found) return depth === 0 ? undefined : { base, pipeline, collation };
    base = found.viewOn as string;
    pipeline = [...(found.pipeline as Doc[]), ...pipeline];
    collation ??= found.collation as Doc | undefined;
  }
  throw new MongoError(165, `View depth limit exceeded; maximum depth is ${MOST_NESTED}`);
}

/** @throws 166 for a command that is only for collections */
export function refuseOnView({ server, db, view, command }: Context, name: string): void {
  const target = command[name];
  if (!isString(target) || ON_VIEWS.includes(name)) return;
  if (definition(server.store, view, db, target)) throw isViewNoCollection(`${db}.${target}`);
}

export const isViewNoCollection = (namespace: string): MongoError =>
  new MongoError(166, `Namespace ${namespace} is a view, not a collection`);

/** A query has the collation of its view, and may name no other. */
export function checkViewCollation(args: Args, { collation }: Resolved): void {
  const asked = args.document('collation');
  if (asked && !equalValues(parseCollation(asked)?.spec, collation))
    throw new MongoError(167, "Cannot override a view's default collation");
}

function checkedPipeline(args: Args): Doc[] {
  const pipeline = args.documents('pipeline');
  for (const stage of pipeline)
    for (const name of ['$out', '$merge', '$changeStream'])
      if (isDoc(stage) && name in stage) throw new MongoError(167, `${name} cannot be used in a view`);
  compilePipeline(pipeline, { now: new Date() });
  return pipeline;
}

export function createView(context: Context): Doc {
  const { args, server, db, view } = context;
  const name = args.collection();
  const namespace = namespaceOf(context, name);
  if (args.flag('capped') || args.has('size') || args.has('validator')) throw new MongoError(72, 'a view can be neither capped nor validated'); // prettier-ignore
  if (server.store.collection(namespace, view) || definition(server.store, view, db, name))
    throw new MongoError(48, `Collection ${namespace} already exists.`);
  const collation = parseCollation(args.document('collation'));
  const doc = { _id: namespace, viewOn: viewOn(context, name), pipeline: checkedPipeline(args), ...(collation ? { collation: collation.spec } : {}) }; // prettier-ignore
  server.store.system(db, 'system.views', writerOf(context)).insert(doc, writerOf(context));
  return {};
}

/** @throws 5 for a view upon itself */
function viewOn({ args, server, db, view }: Context, name: string): string {
  const target = args.text('viewOn');
  if (target === '') throw new MongoError(2, "'viewOn' cannot be empty");
  const below: string[] = [target];
  while (below.length <= MOST_NESTED) {
    if (below.at(-1) === name) throw new MongoError(5, `View cycle detected: ${[name, ...below].join(' => ')}`);
    const found = definition(server.store, view, db, below.at(-1)!);
    if (!found) return target;
    below.push(found.doc.viewOn as string);
  }
  throw new MongoError(165, `View depth limit exceeded; maximum depth is ${MOST_NESTED}`);
}

/** @returns whether there was such a view */
export function dropView(context: Context, name: string): boolean {
  const found = definition(context.server.store, context.view, context.db, name);
  if (found) found.all.remove(found.rec, writerOf(context));
  return found !== undefined;
}

/** Of `collMod`: gives a view another pipeline. @returns whether it was about a view */
export function changeView(context: Context): boolean {
  const { args, server, db, view } = context;
  const name = args.collection();
  const found = definition(server.store, view, db, name);
  if (!found && (args.has('viewOn') || args.has('pipeline')))
    throw new MongoError(72, `ns does not exist or is no view: ${db}.${name}`);
  if (!found) return false;
  if (!args.has('viewOn') || !args.has('pipeline')) throw new MongoError(72, 'Must specify both viewOn and pipeline');
  if (args.has('index') || args.has('validator')) throw unsupported('options of collections in collMod of a view');
  const next = { ...found.doc, viewOn: viewOn(context, name), pipeline: checkedPipeline(args) };
  found.all.update(found.rec, found.doc, next, writerOf(context));
  return true;
}

/** As `listCollections` shows them. */
export function listViews({ server, db, view }: Context): Doc[] {
  const all = server.store.collection(`${db}.system.views`, view);
  return Array.from(all?.documents(view) ?? [], ({ _id, ...options }) => ({
    name: (_id as string).slice(db.length + 1),
    type: 'view',
    options,
    info: { readOnly: true },
  }));
}
