/** The commands on collections and databases as such. */
import { int, isNumber, toDouble, type Doc } from '../values/bson-types';
import { type Collection } from '../storage/collection';
import { namespaceOf, words, writerOf, type Commands, type Context } from './command';
import { parseCollation } from '../values/collation';
import { MongoError, unsupported } from '../errors';
import { compileFilter } from '../filters/match';
import { validationOptions } from '../storage/validator';

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

function create(context: Context): Doc {
  const { args, server } = context;
  if (args.flag('capped')) {
    if (!args.has('size')) throw new MongoError(72, "the 'size' field is required when 'capped' is true");
    throw unsupported('capped collections');
  }
  if (args.has('viewOn')) throw unsupported('views');
  if (args.has('size') || args.has('max')) throw new MongoError(72, "the 'capped' field needs to be true when either the 'size' or 'max' fields are present"); // prettier-ignore
  const collation = parseCollation(args.document('collation'));
  const options = { ...validationOptions(args.doc), ...(collation ? { collation: collation.spec } : {}) };
  server.store.create(context.db, args.collection(), options, writerOf(context));
  return {};
}

function drop(context: Context): Doc {
  const { args, server, view } = context;
  const namespace = namespaceOf(context, args.collection());
  const collection = server.store.collection(namespace, view);
  if (!collection) return {};
  server.store.drop(collection, writerOf(context));
  server.cursors.killWhere((cursor) => cursor.namespace === namespace);
  return { nIndexesWas: int(collection.indexes.length), ns: namespace };
}

function dropDatabase(context: Context): Doc {
  const { db, server, view } = context;
  const collections = server.store.collections(view, db);
  for (const collection of collections) server.store.drop(collection, writerOf(context));
  server.cursors.killWhere((cursor) => cursor.namespace.startsWith(`${db}.`));
  return collections.length > 0 ? { dropped: db } : {};
}

function renameCollection(context: Context): Doc {
  const { args, server, view } = context;
  const [from, to] = [args.text('renameCollection'), args.text('to')].map((namespace) => {
    const at = namespace.indexOf('.');
    if (at < 1 || at === namespace.length - 1) throw new MongoError(73, `Invalid namespace specified '${namespace}'`);
    return { namespace, db: namespace.slice(0, at), name: namespace.slice(at + 1) };
  }) as [{ namespace: string }, { namespace: string; db: string; name: string }];
  const source = server.store.collection(from.namespace, view);
  if (!source) throw new MongoError(26, `Source collection ${from.namespace} does not exist`);
  if (from.namespace === to.namespace) throw new MongoError(20, "Can't rename a collection to itself");
  const target = server.store.collection(to.namespace, view);
  if (target && !args.flag('dropTarget')) throw new MongoError(48, 'target namespace exists');
  if (target) server.store.drop(target, writerOf(context));
  server.store.rename(source, to.db, to.name, writerOf(context));
  return {};
}

const idIndexOf = (collection: Collection): Doc => collection.indexes[0]!.spec.described;

function listCollections(context: Context): Doc {
  const { args, db, server, view } = context;
  const nameOnly = args.flag('nameOnly');
  const matches = compileFilter(args.document('filter') ?? {});
  const docs = server.store.collections(view, db).map((collection) => ({
    name: collection.name,
    type: 'collection',
    options: collection.options,
    info: { readOnly: false, uuid: collection.uuid },
    idIndex: idIndexOf(collection),
  }));
  const listed = docs.filter(matches).map((doc) => (nameOnly ? { name: doc.name, type: doc.type } : doc));
  return cursorReply(context, listed, `${db}.$cmd.listCollections`);
}

const WRITE = { writes: true };

export const CATALOG: Commands = {
  create: {
    run: create,
    fields: words('create capped size max collation viewOn autoIndexId idIndex validator validationLevel validationAction'), // prettier-ignore
    refused: words(
      `pipeline timeseries expireAfterSeconds clusteredIndex storageEngine
      indexOptionDefaults changeStreamPreAndPostImages encryptedFields flags temp`,
    ),
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
