/** The commands that count and measure databases and collections. */
import { calculateObjectSize } from 'bson';
import { int, long, type Doc } from '../values/bson-types';
import { type Collection } from '../storage/collection';
import { namespaceOf, words, type Commands, type Context } from './command';
import { existing } from './catalog';
import { compileFilter } from '../filters/match';
import { checkDatabaseName } from '../storage/store';

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

/** Those of every replica set. */
const OWN = ['admin', 'config', 'local'];

function listDatabases(context: Context): Doc {
  const { args, server, view } = context;
  const nameOnly = args.flag('nameOnly');
  const matches = compileFilter(args.document('filter') ?? {});
  const names = [...new Set([...OWN, ...server.store.collections(view).map(({ db }) => db)])].sort();
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
  const scale = args.integer('scale', 1) ?? 1;
  return { ns: namespace, ...storageStats(server.store.collection(namespace, view), context, scale) };
}

export function storageStats(collection: Collection | undefined, context: Context, scale: number): Doc {
  const { count, size } = sizes(collection ? [collection] : [], context);
  const indexes = collection?.listed ?? [];
  return {
    size: Math.floor(size / scale),
    count: int(count),
    ...(count > 0 ? { avgObjSize: Math.floor(size / count) } : {}),
    storageSize: Math.floor(size / scale),
    totalIndexSize: 0,
    totalSize: Math.floor(size / scale),
    indexSizes: Object.fromEntries(indexes.map(({ spec }) => [spec.name, 0])),
    nindexes: int(indexes.length),
    capped: collection?.isCapped ?? false,
    ...(collection?.isCapped ? { max: collection.options.max ?? int(-1), maxSize: collection.options.size } : {}),
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
    indexes: collections.reduce((sum, { listed }) => sum + listed.length, 0),
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
  for (const { spec, entries, keysOf } of collection.listed.map((index) => ({
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
  return { ns: collection.namespace, nInvalidDocuments: int(0), nrecords: int(docs.length), nIndexes: int(collection.listed.length), keysPerIndex, valid, repaired: false, warnings: [], errors }; // prettier-ignore
}

/** Of the collection that the command names in full. */
function dataSize(context: Context): Doc {
  const { args, server, view } = context;
  const collection = server.store.collection(args.text('dataSize'), view);
  const { count, size } = sizes(collection ? [collection] : [], context);
  return { estimate: false, size: long(BigInt(size)), numObjects: long(BigInt(count)), millis: int(0) };
}

const COLL_STATS = { run: collStats, fields: words('collStats collstats scale') };
const DB_STATS = { run: dbStats, fields: words('dbStats dbstats scale freeStorage') };

export const FIGURES: Commands = {
  listDatabases: {
    run: listDatabases,
    fields: words('listDatabases filter nameOnly authorizedDatabases'),
    admin: true,
  },
  collStats: COLL_STATS,
  collstats: COLL_STATS,
  dataSize: { run: dataSize, fields: words('dataSize estimate'), refused: words('keyPattern min max') },
  dbStats: DB_STATS,
  dbstats: DB_STATS,
  validate: { run: validate, fields: words('validate full repair metadata checkBSONConformance') },
};
