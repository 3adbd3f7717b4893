/** The commands on indexes, with `collMod`, which changes them. */
import { int, isArray, isDoc, isNumber, isString, truthy, type Doc, type Value } from '../values/bson-types';
import { type Collection } from '../storage/collection';
import { words, writerOf, type Commands, type Context } from './command';
import { cursorReply, existing, imagesOption } from './catalog';
import { changeView } from './views';
import { MongoError, unsupported } from '../errors';
import { coarser, expiryOption } from '../storage/kinds';
import { validationOptions } from '../storage/validator';
import { checkSeriesIndex } from './time-series';
import { equalValues } from '../values/values';
import { existingIndex, findIndex, parseIndexSpec } from '../storage/index-spec';

function createIndexes(context: Context): Doc {
  const { args, server, view, db } = context;
  const given = args.requiredDocuments('indexes');
  if (given.length === 0) throw new MongoError(2, 'Must specify at least one index to create');
  const writer = writerOf(context);
  const name = args.collection();
  const existed = server.store.collection(`${db}.${name}`, view);
  const fallback = existed?.collation;
  for (const spec of given) if (spec.clustered !== undefined) checkClustered(spec, existed);
  const specs = given.map(({ clustered: _clustered, ...spec }) => parseIndexSpec(spec, fallback));
  const collection = existed ?? server.store.ensure(db, name, writer);
  const before = collection.listed.length;
  const built: Doc[] = [];
  for (const spec of specs) {
    if (collection.isClustered && equalValues(spec.key, collection.indexes[0]!.spec.key)) continue;
    if (collection.timeSeries) checkSeriesIndex(spec);
    if (existingIndex(spec, collection.listed.map((index) => index.spec))) continue; // prettier-ignore
    if (context.inTransaction && collection.maker !== writer)
      throw new MongoError(263, `Cannot create new indexes on existing collection ${collection.namespace} in a multi-document transaction.`); // prettier-ignore
    server.store.alone(collection, writer);
    const index = collection.addIndex(spec, writer);
    writer.undos.push(() => removeIndex(collection, index));
    built.push(spec.described);
  }
  const after = collection.listed.length;
  const counts = { numIndexesBefore: int(before), numIndexesAfter: int(after) };
  if (before === after) return { ...counts, note: 'all indexes already exist' };
  server.store.changed(collection, writer);
  // those of an empty collection are made one by one
  for (const indexes of collection.records.size === 0 ? built.map((each) => [each]) : [built])
    server.store.announce(collection, writer, 'createIndexes', { indexes });
  return { createdCollectionAutomatically: !existed, ...counts };
}

const MODIFYING = words('index validator validationLevel validationAction changeStreamPreAndPostImages expireAfterSeconds timeseries'); // prettier-ignore

/** @throws unless it is the index that its collection is clustered by */
function checkClustered({ key, clustered }: Doc, collection: Collection | undefined): void {
  if (clustered !== true) throw new MongoError(6492800, "'clustered' has to be true");
  if (!collection) throw unsupported("the index option 'clustered' where there is no collection");
  if (!collection.isClustered || !equalValues(key, collection.indexes[0]!.spec.key))
    throw new MongoError(
      6243700,
      'Cannot create index with option clustered on a key that the collection is not clustered by',
    );
}

type Index = Collection['indexes'][number];

function removeIndex(collection: Collection, index: Index): void {
  const at = collection.indexes.indexOf(index);
  if (at >= 0) collection.indexes.splice(at, 1);
}

function dropIndexes(context: Context): Doc {
  const { args, server } = context;
  const collection = existing(context);
  const nIndexesWas = int(collection.listed.length);
  const writer = writerOf(context);
  server.store.alone(collection, writer);
  for (const index of namedIndexes(collection, args.required('index'))) {
    removeIndex(collection, index);
    server.store.announce(collection, writer, 'dropIndexes', { indexes: [index.spec.described] });
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
    const index = findIndex(collection.listed, which);
    if (!index)
      throw new MongoError(27, isString(which) ? `index not found with name [${which}]` : `can't find index with key`);
    if (index === idIndex && collection.isClustered) throw new MongoError(5979800, 'Cannot drop the clustered index'); // prettier-ignore
    if (index === idIndex) throw new MongoError(72, 'cannot drop _id index');
    return index;
  });
}

function listIndexes(context: Context): Doc {
  const collection = existing(context);
  return cursorReply(context, collection.listed.map(({ spec }) => spec.described), collection.namespace); // prettier-ignore
}

function seriesOption({ doc }: Context['args'], { options, timeSeries }: Collection): Doc {
  if (doc.timeseries === undefined) return {};
  if (!timeSeries) throw new MongoError(72, "'timeseries' is only supported on a time-series collection");
  return { timeseries: coarser(options.timeseries as Doc, doc.timeseries) };
}

/** Takes over how documents are to be validated from now on, if the command says it. */
function validate({ args, server, ...context }: Context, collection: Collection): void {
  const { expireAfterSeconds } = args.doc;
  if (expireAfterSeconds !== undefined && !collection.isClustered && !collection.timeSeries) throw new MongoError(72, "'expireAfterSeconds' is only supported on collections created with a clusteredIndex or timeseries"); // prettier-ignore
  const expiry = expireAfterSeconds === 'off' ? { expireAfterSeconds: undefined } : expiryOption(args.doc);
  const options = {
    ...validationOptions(args.doc),
    ...imagesOption(args),
    ...expiry,
    ...seriesOption(args, collection),
  };
  if (Object.keys(options).length === 0) return;
  const writer = writerOf({ args, server, ...context });
  server.store.alone(collection, writer);
  const before = collection.options;
  const defaults =
    'validator' in { ...before, ...options } ? { validationLevel: 'strict', validationAction: 'error' } : {};
  const after = Object.entries({ ...defaults, ...before, ...options }).filter(([, value]) => value !== undefined);
  collection.setOptions(Object.fromEntries(after));
  writer.undos.push(() => collection.setOptions(before));
  server.store.changed(collection, writer);
}

function announceChange(context: Context, collection: Collection): void {
  const { command, server } = context;
  const asked = Object.entries(command).filter(([name]) => MODIFYING.includes(name));
  const before = { collectionOptions: { uuid: collection.uuid, ...collection.options } };
  server.store.announce(collection, writerOf(context), 'modify', { asked: Object.fromEntries(asked), before });
}

function collMod(context: Context): Doc {
  const { args, server } = context;
  if (changeView(context)) return {};
  const collection = existing(context);
  announceChange(context, collection);
  validate(context, collection);
  const change = args.document('index');
  if (!change) return {};
  const { name, keyPattern, expireAfterSeconds, hidden, ...others } = change;
  for (const other of Object.keys(others)) throw unsupported(`the option 'index.${other}' of collMod`);
  const index = findIndex(collection.indexes, name ?? keyPattern);
  if (!index)
    throw new MongoError(
      27,
      `cannot find index ${isString(name) ? name : 'by its key'} for ns ${collection.namespace}`,
    );
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

const WRITE = { writes: true };

export const INDEXES: Commands = {
  createIndexes: {
    run: createIndexes,
    fields: words('createIndexes indexes commitQuorum ignoreUnknownIndexOptions'),
    ...WRITE,
    transactional: true,
  },
  dropIndexes: { run: dropIndexes, fields: words('dropIndexes index'), ...WRITE },
  listIndexes: { run: listIndexes, fields: words('listIndexes cursor includeBuildUUIDs') },
  collMod: {
    run: collMod,
    fields: ['collMod', 'viewOn', 'pipeline', ...MODIFYING],
    refused: words('cappedSize cappedMax dryRun'),
    ...WRITE,
  },
};
