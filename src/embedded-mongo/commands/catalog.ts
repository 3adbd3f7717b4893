/** The commands on collections and databases as such. */
import { int, isNumber, toDouble, type Doc } from '../values/bson-types';
import { type Args } from './command-args';
import { type Collection } from '../storage/collection';
import { namespaceOf, words, writerOf, type Commands, type Context } from './command';
import { parseCollation } from '../values/collation';
import { MongoError } from '../errors';
import { compileFilter } from '../filters/match';
import { cappedOptions } from '../storage/capped';
import { kindOptions } from '../storage/kinds';
import { parseIndexSpec } from '../storage/index-spec';
import { validationOptions } from '../storage/validator';
import { createView, dropView, isViewNoCollection, listViews, resolveView } from './views';

/** @throws 26 if there is none */
export function existing(context: Context, name = context.args.collection()): Collection {
  const namespace = namespaceOf(context, name);
  const collection = context.server.store.collection(namespace, context.view);
  if (!collection) throw new MongoError(26, `ns does not exist: ${namespace}`);
  return collection;
}

/** All that a listing gives, as a cursor's first batch unless the command asks for less. */
export const cursorReply = (context: Context, docs: Doc[], namespace: string): Doc => {
  const size = context.args.document('cursor')?.batchSize;
  const batchSize = isNumber(size) ? Math.trunc(toDouble(size)) : Infinity;
  return context.server.cursors.first(docs, { namespace, batchSize, session: context.session?.id });
};

/** Whether change streams may ask for documents as they were. */
export function imagesOption(args: Args): Doc {
  const images = args.document('changeStreamPreAndPostImages');
  if (!images) return {};
  if (typeof images.enabled !== 'boolean')
    throw new MongoError(40414, "BSON field 'changeStreamPreAndPostImages.enabled' is missing but a required field");
  return { changeStreamPreAndPostImages: { enabled: images.enabled } };
}

function create(context: Context): Doc {
  const { args, server } = context;
  const kind = kindOptions(args.doc);
  if (args.has('viewOn')) return createView(context);
  if (args.has('pipeline')) throw new MongoError(72, "'pipeline' requires 'viewOn' to also be specified");
  if (resolveView(server.store, context.view, context.db, args.collection()))
    throw new MongoError(48, `A view already exists. NS: ${namespaceOf(context, args.collection())}`);
  const capped = args.flag('capped');
  const collation = parseCollation(args.document('collation'));
  const options = {
    ...cappedOptions({ ...args.doc, capped }),
    ...validationOptions(args.doc),
    ...imagesOption(args),
    ...(collation ? { collation: collation.spec } : {}),
    ...kind,
  };
  const collection = server.store.create(context.db, args.collection(), options, writerOf(context));
  const { timeField, metaField } = collection.timeSeries ?? {};
  if (timeField !== undefined && metaField !== undefined) {
    const key = { [metaField]: int(1), [timeField]: int(1) };
    collection.addIndex(parseIndexSpec({ key, name: `${metaField}_1_${timeField}_1` }, collation), writerOf(context));
  }
  return {};
}

function drop(context: Context): Doc {
  const { args, server, view } = context;
  const namespace = namespaceOf(context, args.collection());
  const collection = server.store.collection(namespace, view);
  if (!collection) return dropView(context, args.collection()) ? { ns: namespace } : {};
  server.store.drop(collection, writerOf(context));
  killCursors(context, (each) => each === namespace);
  return { nIndexesWas: int(collection.listed.length), ns: namespace };
}

/** Those of collections that are gone. Change streams live on to tell it. */
function killCursors({ server }: Context, isGone: (namespace: string) => boolean): void {
  const fault = new MongoError(175, 'collection dropped');
  server.cursors.failWhere(({ namespace, source }) => isGone(namespace) && !source?.token, fault);
}

function dropDatabase(context: Context): Doc {
  const { db, server, view } = context;
  const collections = server.store.collections(view, db);
  for (const collection of collections) server.store.drop(collection, writerOf(context));
  killCursors(context, (namespace) => namespace.startsWith(`${db}.`));
  if (collections.length === 0) return {};
  writerOf(context).news.push({ kind: 'dropDatabase', db, coll: '' });
  return { dropped: db };
}

interface Named {
  namespace: string;
  db: string;
  name: string;
}

function renameCollection(context: Context): Doc {
  const { args, server, view } = context;
  const [from, to] = [args.text('renameCollection'), args.text('to')].map((namespace) => {
    const at = namespace.indexOf('.');
    if (at < 1 || at === namespace.length - 1) throw new MongoError(73, `Invalid namespace specified '${namespace}'`);
    return { namespace, db: namespace.slice(0, at), name: namespace.slice(at + 1) };
  }) as [Named, Named];
  for (const { namespace, db, name } of [from, to])
    if (resolveView(server.store, view, db, name)) throw isViewNoCollection(namespace);
  const source = server.store.collection(from.namespace, view);
  if (source?.timeSeries) throw isViewNoCollection(from.namespace);
  if (!source) throw new MongoError(26, `Source collection ${from.namespace} does not exist`);
  if (from.namespace === to.namespace) throw new MongoError(20, "Can't rename a collection to itself");
  const target = server.store.collection(to.namespace, view);
  if (target && !args.flag('dropTarget')) throw new MongoError(48, 'target namespace exists');
  if (target) server.store.drop(target, writerOf(context));
  server.store.rename(source, to.db, to.name, writerOf(context), target);
  return {};
}

function listCollections(context: Context): Doc {
  const { args, db, server, view } = context;
  const nameOnly = args.flag('nameOnly');
  const matches = compileFilter(args.document('filter') ?? {});
  const docs: Doc[] = server.store.collections(view, db).map((collection) => ({
    name: collection.name,
    type: collection.timeSeries ? 'timeseries' : 'collection',
    options: collection.options,
    info: { readOnly: false, ...(collection.timeSeries ? {} : { uuid: collection.uuid }) },
    ...(collection.timeSeries || collection.isClustered ? {} : { idIndex: collection.indexes[0]!.spec.described }),
  }));
  const listed = [...docs, ...listViews(context)]
    .filter(matches)
    .map((doc) => (nameOnly ? { name: doc.name, type: doc.type } : doc));
  return cursorReply(context, listed, `${db}.$cmd.listCollections`);
}

const WRITE = { writes: true };

export const CATALOG: Commands = {
  create: {
    run: create,
    fields: words('create capped size max collation viewOn pipeline autoIndexId idIndex validator validationLevel validationAction changeStreamPreAndPostImages timeseries expireAfterSeconds clusteredIndex storageEngine'), // prettier-ignore
    refused: words('indexOptionDefaults encryptedFields flags temp'),
    ...WRITE,
    transactional: true,
  },
  drop: { run: drop, fields: words('drop'), ...WRITE },
  dropDatabase: { run: dropDatabase, fields: words('dropDatabase'), ...WRITE },
  renameCollection: { run: renameCollection, fields: words('renameCollection to dropTarget'), admin: true, ...WRITE },
  listCollections: {
    run: listCollections,
    fields: words('listCollections filter nameOnly authorizedCollections cursor'),
  },
};
