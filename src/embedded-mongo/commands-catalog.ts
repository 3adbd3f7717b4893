/** The commands on collections, indexes and databases as such. */
import { calculateObjectSize } from 'bson';
import { int, isArray, isDoc, isNumber, isString, toDouble, truthy, type Doc, type Value } from './bson-types'; // prettier-ignore
import { type Collection } from './collection';
import { namespaceOf, words, writerOf, type Commands, type Context } from './command';
import { parseCollation } from './collation';
import { MongoError, unsupported } from './errors';
import { existingIndex, findIndex, parseIndexSpec } from './index-spec';
import { compileFilter } from './match';
import { checkDatabaseName } from './store';

/** @throws 26 if there is none */
function existing(context: Context, name = context.args.collection()): Collection {
  const namespace = namespaceOf(context, name);
  const collection = context.server.store.collection(namespace, context.view);
  if (!collection) throw new MongoError(26, `ns does not exist: ${namespace}`);
  return collection;
}

const cursorReply = (context: Context, docs: Doc[], namespace: string): Doc => {
  const size = context.args.document('cursor')?.batchSize;
  const batchSize = isNumber(size) ? Math.trunc(toDouble(size)) : Infinity;
  return context.server.cursors.first(docs, { namespace, batchSize, session: context.session?.id });
};

// -- collections

function create(context: Context): Doc {
  const { args, command, server } = context;
  if (args.flag('capped')) {
    if (!args.has('size')) throw new MongoError(72, "the 'size' field is required when 'capped' is true");
    throw unsupported('capped collections');
  }
  if (args.has('viewOn')) throw unsupported('views');
  if (args.has('size') || args.has('max')) throw new MongoError(72, "the 'capped' field needs to be true when either the 'size' or 'max' fields are present"); // prettier-ignore
  const collation = parseCollation(args.document('collation'));
  const options = collation ? { collation: collation.spec } : {};
  server.store.create(context.db, args.collection(), options, writerOf(context));
  for (const field of ['changeStreamPreAndPostImages']) if (truthy(command[field])) throw unsupported(field);
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

function collMod(context: Context): Doc {
  const { args, server } = context;
  const collection = existing(context);
  const change = args.document('index');
  if (!change) return {};
  const { name, keyPattern, expireAfterSeconds, hidden, ...others } = change;
  for (const other of Object.keys(others)) throw unsupported(`the option 'index.${other}' of collMod`);
  const index = findIndex(collection.indexes, name ?? keyPattern);
  if (!index)
    throw new MongoError(27, `cannot find index ${isString(name) ? name : 'by its key'} for ns ${collection.namespace}`);
  if (expireAfterSeconds === undefined && hidden === undefined)
    throw new MongoError(72, 'no expireAfterSeconds or hidden field');
  const { key, ...options } = index.spec.described;
  const changed = { ...options, key, ...(expireAfterSeconds === undefined ? {} : { expireAfterSeconds }), ...(hidden === undefined ? {} : { hidden }) }; // prettier-ignore
  const before = index.spec;
  const parsed = parseIndexSpec(changed, index.spec.collation);
  if (expireAfterSeconds !== undefined && !isNumber(expireAfterSeconds)) throw new MongoError(72, 'expireAfterSeconds field must be a number'); // prettier-ignore
  Object.assign(index, { spec: parsed });
  const writer = writerOf(context);
  writer.undos.push(() => Object.assign(index, { spec: before }));
  server.store.changed(collection, writer);
  const reply: Doc = {};
  if (expireAfterSeconds !== undefined) {
    if (before.described.expireAfterSeconds !== undefined)
      reply.expireAfterSeconds_old = before.described.expireAfterSeconds;
    reply.expireAfterSeconds_new = expireAfterSeconds;
  }
  if (hidden !== undefined) Object.assign(reply, { hidden_old: before.hidden, hidden_new: truthy(hidden) });
  return reply;
}

// -- indexes

function createIndexes(context: Context): Doc {
  const { args, server, view, db } = context;
  const given = args.requiredDocuments('indexes');
  if (given.length === 0) throw new MongoError(2, 'Must specify at least one index to create');
  const writer = writerOf(context);
  const name = args.collection();
  const existed = server.store.collection(`${db}.${name}`, view);
  const fallback = existed?.collation;
  const specs = given.map((spec) => parseIndexSpec(spec, fallback));
  const collection = existed ?? server.store.ensure(db, name, writer);
  const before = collection.indexes.length;
  for (const spec of specs) {
    if (existingIndex(spec, collection.indexes.map((index) => index.spec))) continue; // prettier-ignore
    if (context.inTransaction && collection.maker !== writer)
      throw new MongoError(263, `Cannot create new indexes on existing collection ${collection.namespace} in a multi-document transaction.`); // prettier-ignore
    server.store.alone(collection, writer);
    const index = collection.addIndex(spec, writer);
    writer.undos.push(() => removeIndex(collection, index));
  }
  const after = collection.indexes.length;
  const counts = { numIndexesBefore: int(before), numIndexesAfter: int(after) };
  if (before === after) return { ...counts, note: 'all indexes already exist' };
  server.store.changed(collection, writer);
  return { createdCollectionAutomatically: !existed, ...counts };
}

type Index = Collection['indexes'][number];

function removeIndex(collection: Collection, index: Index): void {
  const at = collection.indexes.indexOf(index);
  if (at >= 0) collection.indexes.splice(at, 1);
}

function dropIndexes(context: Context): Doc {
  const { args, server } = context;
  const collection = existing(context);
  const nIndexesWas = int(collection.indexes.length);
  const writer = writerOf(context);
  server.store.alone(collection, writer);
  for (const index of namedIndexes(collection, args.required('index'))) {
    removeIndex(collection, index);
    writer.undos.push(() => collection.indexes.push(index));
  }
  server.store.changed(collection, writer);
  return args.doc.index === '*' ? { nIndexesWas, msg: 'non-_id indexes dropped for collection' } : { nIndexesWas };
}

function namedIndexes(collection: Collection, wanted: Value): Index[] {
  const [idIndex, ...others] = collection.indexes;
  if (wanted === '*') return others;
  return (isArray(wanted) ? wanted : [wanted]).map((which) => {
    if (!isString(which) && !isDoc(which)) throw new MongoError(14, 'The index to drop must be a string, an array of strings or an object'); // prettier-ignore
    const index = findIndex(collection.indexes, which);
    if (!index)
      throw new MongoError(27, isString(which) ? `index not found with name [${which}]` : `can't find index with key`);
    if (index === idIndex) throw new MongoError(72, 'cannot drop _id index');
    return index;
  });
}

function listIndexes(context: Context): Doc {
  const collection = existing(context);
  return cursorReply(context, collection.indexes.map(({ spec }) => spec.described), collection.namespace); // prettier-ignore
}

// -- databases and figures

function sizes(collections: Collection[], context: Context): { count: number; size: number } {
  let count = 0;
  let size = 0;
  for (const collection of collections)
    for (const doc of collection.documents(context.view)) {
      count += 1;
      size += calculateObjectSize(doc);
    }
  return { count, size };
}

function listDatabases(context: Context): Doc {
  const { args, server, view } = context;
  const nameOnly = args.flag('nameOnly');
  const matches = compileFilter(args.document('filter') ?? {});
  const names = [...new Set(server.store.collections(view).map(({ db }) => db))].sort();
  const databases = names.map((name) =>
    nameOnly ? { name } : { name, sizeOnDisk: sizes(server.store.collections(view, name), context).size, empty: false },
  );
  const listed = databases.filter(matches);
  if (nameOnly) return { databases: listed };
  const totalSize = listed.reduce((sum, { sizeOnDisk = 0 }: { sizeOnDisk?: number }) => sum + sizeOnDisk, 0);
  return { databases: listed, totalSize, totalSizeMb: Math.floor(totalSize / 2 ** 20) };
}

function collStats(context: Context): Doc {
  const { args, server, view } = context;
  const namespace = namespaceOf(context, args.collection());
  const collection = server.store.collection(namespace, view);
  const scale = args.integer('scale', 1) ?? 1;
  const { count, size } = sizes(collection ? [collection] : [], context);
  const indexes = collection?.indexes ?? [];
  return {
    ns: namespace,
    size: Math.floor(size / scale),
    count: int(count),
    ...(count > 0 ? { avgObjSize: Math.floor(size / count) } : {}),
    storageSize: Math.floor(size / scale),
    totalIndexSize: 0,
    totalSize: Math.floor(size / scale),
    indexSizes: Object.fromEntries(indexes.map(({ spec }) => [spec.name, 0])),
    nindexes: int(indexes.length),
    capped: false,
    scaleFactor: int(scale),
  };
}

function dbStats(context: Context): Doc {
  const { args, db, server, view } = context;
  checkDatabaseName(db);
  const scale = args.integer('scale', 1) ?? 1;
  const collections = server.store.collections(view, db);
  const { count, size } = sizes(collections, context);
  const scaled = Math.floor(size / scale);
  return {
    db,
    collections: collections.length,
    views: 0,
    objects: count,
    avgObjSize: count > 0 ? size / count : 0,
    dataSize: scaled,
    storageSize: scaled,
    indexes: collections.reduce((sum, { indexes }) => sum + indexes.length, 0),
    indexSize: 0,
    totalSize: scaled,
    scaleFactor: scale,
  };
}

/** Compares every index with the documents. */
function validate(context: Context): Doc {
  const collection = existing(context);
  const docs = [...collection.documents(context.view)];
  const keysPerIndex: Doc = {};
  const errors: string[] = [];
  for (const { spec, entries, keysOf } of collection.indexes.map((index) => ({
    spec: index.spec,
    entries: index.entries,
    keysOf: (doc: Doc) => index.keysOf(doc),
  }))) {
    // prettier-ignore
    const keys = docs.flatMap((doc) => [...new Set(keysOf(doc))]);
    keysPerIndex[spec.name] = int(keys.length);
    if (keys.some((key) => entries.count(key, key + '\0') === 0)) errors.push(`index ${spec.name} lacks entries`);
  }
  const valid = errors.length === 0;
  return { ns: collection.namespace, nInvalidDocuments: int(0), nrecords: int(docs.length), nIndexes: int(collection.indexes.length), keysPerIndex, valid, repaired: false, warnings: [], errors }; // prettier-ignore
}

const WRITE = { writes: true };

export const CATALOG: Commands = {
  create: {
    run: create,
    fields: words('create capped size max collation viewOn autoIndexId idIndex'),
    refused:
      words(`validator validationLevel validationAction pipeline timeseries expireAfterSeconds clusteredIndex storageEngine
      indexOptionDefaults changeStreamPreAndPostImages encryptedFields flags temp`),
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
  collMod: {
    run: collMod,
    fields: words('collMod index'),
    refused: words(
      'validator validationLevel validationAction viewOn pipeline expireAfterSeconds changeStreamPreAndPostImages dryRun',
    ),
    ...WRITE,
  },
  createIndexes: {
    run: createIndexes,
    fields: words('createIndexes indexes commitQuorum ignoreUnknownIndexOptions'),
    ...WRITE,
    transactional: true,
  },
  dropIndexes: { run: dropIndexes, fields: words('dropIndexes index'), ...WRITE },
  listIndexes: { run: listIndexes, fields: words('listIndexes cursor includeBuildUUIDs') },
  listDatabases: {
    run: listDatabases,
    fields: words('listDatabases filter nameOnly authorizedDatabases'),
    admin: true,
  },
  collStats: { run: collStats, fields: words('collStats scale') },
  dbStats: { run: dbStats, fields: words('dbStats scale freeStorage') },
  validate: { run: validate, fields: words('validate full repair metadata checkBSONConformance') },
};
