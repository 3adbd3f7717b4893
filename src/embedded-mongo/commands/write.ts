/** The commands that write documents: `insert`, `update`, `delete`, `findAndModify`. */
import { calculateObjectSize, ObjectId, Timestamp } from 'bson';
import { bsonTypeName, int, isArray, isDoc, isNumber, toDouble, type Doc, type Value } from '../values/bson-types';
import { checkIdValue, type Collection } from '../storage/collection';
import { Args, evaluateLet } from './command-args';
import { namespaceOf, words, writerOf, type Commands, type Context } from './command';
import { envOf, targetOf } from './target';
import { checkSeriesUpdate } from './time-series';
import { MongoError } from '../errors';
import { compileProjection } from '../filters/projection';
import { findAll, type Found } from '../queries/query';
import { sortDirections } from '../values/sort';
import { compileUpdate, type Update } from '../updates/update';

const MAX_BATCH = 100_000;

/** A statement that failed, by its place in the command. */
export interface Failed {
  index: number;
  error: MongoError;
}

/** Runs the statements; an ordered batch ends at the first that fails. What a failing multi-update changed before it stays, as in MongoDB. */
export function batch(context: Context, statements: Doc[], run: (index: number) => void): Failed[] {
  if (statements.length === 0 || statements.length > MAX_BATCH)
    throw new MongoError(16, `Write batch sizes must be between 1 and ${MAX_BATCH}. Got ${statements.length} operations.`); // prettier-ignore
  const ordered = context.args.strictFlag('ordered', true);
  const failed: Failed[] = [];
  for (const index of statements.keys()) {
    try {
      run(index);
    } catch (error) {
      // a conflict ends the transaction, and with it the command
      if (!(error instanceof MongoError) || (context.inTransaction && error.code === 112)) throw error;
      failed.push({ index, error });
      if (ordered || context.inTransaction) break;
    }
  }
  return failed;
}

/** So many bytes of errors a reply tells; of what goes beyond, the codes. */
const MOST_TOLD = 10 * 1024 * 1024;

/** The errors as a reply tells them: without their details, and then without their texts, where they would make it too large. */
export function described(failed: Failed[]): Doc[] {
  let left = MOST_TOLD;
  return failed.map(({ error: { code, extra, message } }) => {
    const brief = { code: int(code), errmsg: message };
    for (const told of [{ code: int(code), ...extra, errmsg: message }, brief]) {
      const size = calculateObjectSize(told);
      if (size > left) continue;
      left -= size;
      return told;
    }
    return { ...brief, errmsg: '' };
  });
}

function writeErrors(failed: Failed[]): Doc {
  if (failed.length === 0) return {};
  return { writeErrors: described(failed).map((told, i) => ({ index: int(failed[i]!.index), ...told })) };
}

// -- insert

/** As it is stored: with an `_id`, and that first; a zero timestamp becomes the time. */
export function prepare(
  doc: Doc,
  now: Date,
  { timeSeries }: Pick<Collection, 'timeSeries'> = { timeSeries: undefined },
): Doc {
  if ('_id' in doc) checkIdValue(doc._id);
  let prepared = doc;
  if (Object.keys(doc)[0] !== '_id' && !(timeSeries && '_id' in doc))
    prepared = { _id: '_id' in doc ? doc._id : new ObjectId(), ...doc };
  for (const key of Object.keys(prepared)) {
    const value = prepared[key];
    if (key !== '_id' && value instanceof Timestamp && value.isZero())
      prepared = { ...prepared, [key]: new Timestamp({ t: Math.floor(now.getTime() / 1000), i: 1 }) };
  }
  return prepared;
}

function insert(context: Context): Doc {
  const { args, server, now } = context;
  const docs = args.requiredDocuments('documents');
  const writer = writerOf(context);
  const collection = docs.length > 0 ? server.store.ensure(context.db, args.collection(), writer) : undefined;
  let n = 0;
  const failed = batch(context, docs, (index) => {
    collection!.insert(prepare(docs[index]!, now, collection), writer);
    n += 1;
  });
  return { n: int(n), ...writeErrors(failed) };
}

// -- update

interface Outcome {
  matched: number;
  modified: number;
  upserted?: Value;
}

const UPDATE_FIELDS = words('q u c multi upsert collation arrayFilters hint sort');

export function checkUpdate(statement: Args): void {
  statement.requiredDocument('q');
  updateForm(statement.required('u'));
  statement.documents('arrayFilters');
}

/** @throws for a write on many documents that may be sent again */
export function checkMulti({ command, inTransaction }: Context, how: string): void {
  if (command.txnNumber !== undefined && !inTransaction)
    throw new MongoError(72, `Cannot use (or request) retryable writes with ${how}`);
}

function update(context: Context): Doc {
  const { args } = context;
  const statements = args.requiredDocuments('updates').map((statement) => new Args(statement, 'update.updates'));
  for (const statement of statements) {
    statement.check(UPDATE_FIELDS, ['sampleId', 'allowShardKeyUpdatesWithoutFullShardKeyInQuery']);
    checkUpdate(statement);
    if (statement.flag('multi')) checkMulti(context, 'multi=true');
  }
  let n = 0;
  let nModified = 0;
  const upserted: Doc[] = [];
  const name = args.collection();
  const failed = batch(context, args.documents('updates'), (index) => {
    const outcome = runUpdate(context, name, statements[index]!);
    n += outcome.matched;
    nModified += outcome.modified;
    if ('upserted' in outcome) upserted.push({ index: int(index), _id: outcome.upserted });
  });
  return { n: int(n), nModified: int(nModified), ...(upserted.length > 0 ? { upserted } : {}), ...writeErrors(failed) };
}

function updateForm(value: Value): Doc | Doc[] {
  if (isArray(value)) {
    if (value.every(isDoc)) return value;
    throw new MongoError(14, "Each element of the 'pipeline' array must be an object");
  }
  if (!isDoc(value)) throw new MongoError(9, `Update argument must be either an object or an array, but got ${bsonTypeName(value)}`); // prettier-ignore
  return value;
}

export function runUpdate(context: Context, name: string, args: Args): Outcome {
  const { now, server, deadline } = context;
  const writer = writerOf(context);
  const collection = server.store.collection(namespaceOf(context, name), writer);
  const filter = args.requiredDocument('q');
  const collation = args.collation(collection?.collation);
  const form = updateForm(args.doc.u);
  const multi = args.flag('multi');
  if (collection?.timeSeries)
    checkSeriesUpdate(collection.timeSeries, { filter, form, multi, upsert: args.flag('upsert') });
  const replaces = !isArray(form) && !Object.keys(form)[0]?.startsWith('$');
  if (multi && args.has('sort')) throw new MongoError(9, 'Cannot specify sort with multi=true');
  if (multi && replaces) throw new MongoError(9, 'multi update is not supported for replacement-style update');
  const variables = evaluateLet(context.args.document('let'), now);
  const constants = args.document('c');
  if (constants && !isArray(form)) throw new MongoError(51198, 'Constant values may only be specified for pipeline updates'); // prettier-ignore
  const env = envOf(collation, variables, now);
  const upsert = args.flag('upsert');
  const updateEnv = envOf(collation, constants ? { ...variables, ...constants } : variables, now);
  const arrayFilters = args.has('arrayFilters') ? { arrayFilters: args.documents('arrayFilters') } : {};
  const change = compileUpdate(form, { filter, ...arrayFilters, ...updateEnv, upsert });
  const query = { filter, collation, env, hint: args.doc.hint, sort: args.document('sort'), limit: multi ? undefined : 1, deadline }; // prettier-ignore
  const { found } = findAll(collection, query, writer);
  if (found.length === 0 && upsert) {
    const doc = change.seed();
    server.store.ensure(context.db, name, writer).insert(prepare(doc, now), writer);
    return { matched: 1, modified: 0, upserted: doc._id };
  }
  let modified = 0;
  for (const { rec, doc } of found) {
    const next = change.apply(doc);
    if (next === doc) continue;
    collection!.update(rec, doc, next, writer, change.describe);
    modified += 1;
  }
  return { matched: found.length, modified };
}

// -- delete

function remove(context: Context): Doc {
  const { args } = context;
  const statements = args.requiredDocuments('deletes').map((statement) => new Args(statement, 'delete.deletes'));
  for (const statement of statements) {
    statement.check(words('q limit collation hint'), ['sampleId']);
    const limit = statement.required('limit');
    const n = isNumber(limit) ? toDouble(limit) : NaN;
    if (n !== 0 && n !== 1) throw new MongoError(9, `The limit field in delete objects must be 0 or 1. Got ${n}`);
    statement.requiredDocument('q');
    if (n === 0) checkMulti(context, 'limit=0');
  }
  let n = 0;
  const failed = batch(context, args.documents('deletes'), (index) => {
    const statement = statements[index]!;
    n += runDelete(context, args.collection(), statement, toDouble(statement.doc.limit) === 0);
  });
  return { n: int(n), ...writeErrors(failed) };
}

/** @returns how many are gone */
export function runDelete(context: Context, name: string, args: Args, multi: boolean): number {
  const { server, now, deadline } = context;
  const writer = writerOf(context);
  const collection = server.store.collection(namespaceOf(context, name), writer);
  const collation = args.collation(collection?.collation);
  const env = envOf(collation, evaluateLet(context.args.document('let'), now), now);
  const query = { filter: args.requiredDocument('q'), collation, env, limit: multi ? undefined : 1, hint: args.doc.hint, deadline }; // prettier-ignore
  const { found } = findAll(collection, query, writer);
  for (const { rec } of found) collection!.remove(rec, writer);
  return found.length;
}

// -- findAndModify

function checkFindAndModify(args: Args): void {
  const removes = args.flag('remove');
  if (!removes && !args.has('update')) throw new MongoError(9, 'Either an update or remove=true must be specified');
  if (!removes) return;
  if (args.has('update')) throw new MongoError(9, 'Cannot specify both an update and remove=true');
  if (args.flag('upsert')) throw new MongoError(9, 'Cannot specify both upsert=true and remove=true');
  if (args.flag('new')) throw new MongoError(9, "Cannot specify both new=true and remove=true; 'remove' always returns the deleted document"); // prettier-ignore
  if (args.has('arrayFilters')) throw new MongoError(9, 'Cannot specify arrayFilters and remove=true');
}

function findAndModify(context: Context): Doc {
  const { args } = context;
  checkFindAndModify(args);
  const writer = writerOf(context);
  const { collection, collation, env, deadline } = targetOf(context);
  const filter = args.document('query') ?? {};
  const sort = args.document('sort');
  if (sort) sortDirections(sort);
  const projection = args.document('fields');
  const project =
    projection && Object.keys(projection).length > 0
      ? compileProjection(projection, { ...env, filter })
      : (doc: Doc) => doc;
  const query = { filter, collation, env, sort, limit: 1, hint: context.command.hint, deadline };
  const removes = args.flag('remove');
  const upsert = args.flag('upsert');
  const arrayFilters = args.has('arrayFilters') ? { arrayFilters: args.documents('arrayFilters') } : {};
  if (collection?.timeSeries && !removes) throw new MongoError(72, 'Cannot perform an update by findAndModify on a time-series collection'); // prettier-ignore
  const change = removes
    ? undefined
    : compileUpdate(updateForm(args.doc.update), { filter, ...arrayFilters, ...env, upsert });
  const [found] = findAll(collection, query, writer).found;
  if (!change) {
    if (found) collection!.remove(found.rec, writer);
    return { lastErrorObject: { n: int(found ? 1 : 0) }, value: found ? project(found.doc) : null };
  }
  return executing(() => modifyOne(context, collection, change, project, found));
}

/** What goes wrong while a plan is carried out is told as that. */
function executing(run: () => Doc): Doc {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof MongoError) || error.code === 112) throw error;
    throw new MongoError(error.code, `Plan executor error during findAndModify :: caused by :: ${error.message}`, error.extra); // prettier-ignore
  }
}

/** Changes the document that was found, or puts one where there is none. */
function modifyOne(
  context: Context,
  collection: Collection | undefined,
  change: Update,
  project: (doc: Doc) => Doc,
  found: Found | undefined,
): Doc {
  const { args, server, now } = context;
  const writer = writerOf(context);
  const wantsNew = args.flag('new');
  if (!found) {
    if (!args.flag('upsert')) return { lastErrorObject: { n: int(0), updatedExisting: false }, value: null };
    const doc = prepare(change.seed(), now);
    server.store.ensure(context.db, args.collection(), writer).insert(doc, writer);
    const lastErrorObject = { n: int(1), updatedExisting: false, upserted: doc._id };
    return { lastErrorObject, value: wantsNew ? project(doc) : null };
  }
  const next = change.apply(found.doc);
  if (next !== found.doc) collection!.update(found.rec, found.doc, next, writer, change.describe);
  return { lastErrorObject: { n: int(1), updatedExisting: true }, value: project(wantsNew ? next : found.doc) };
}

const FIND_AND_MODIFY = {
  run: findAndModify,
  fields:
    words(`findAndModify findandmodify query sort remove update new fields upsert bypassDocumentValidation collation arrayFilters hint let
    stmtId`),
  writes: true,
  transactional: true,
  retryable: true,
};
const WRITE = { writes: true, transactional: true, retryable: true };

export const WRITES: Commands = {
  insert: { run: insert, fields: words('insert documents ordered bypassDocumentValidation stmtIds stmtId'), ...WRITE },
  update: {
    run: update,
    fields: words('update updates ordered bypassDocumentValidation let stmtIds stmtId'),
    ...WRITE,
  },
  delete: { run: remove, fields: words('delete deletes ordered let stmtIds stmtId'), ...WRITE },
  findAndModify: FIND_AND_MODIFY,
  findandmodify: FIND_AND_MODIFY,
};
