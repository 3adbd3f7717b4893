/** The command `bulkWrite` of MongoDB 8: writes to several collections in one go. What became of each is read from a cursor. */
import { double, int, toInteger, type Doc } from '../values/bson-types';
import { Args } from './command-args';
import { words, writerOf, type Commands, type Context } from './command';
import { cursorOptions } from './target';
import { isViewNoCollection, resolveView } from './views';
import { batch, checkMulti, checkUpdate, described, prepare, runDelete, runUpdate } from './write';
import { MongoError } from '../errors';
import { shellText } from '../values/shell-text';

type Kind = 'insert' | 'update' | 'delete';

interface Operation {
  kind: Kind;
  db: string;
  name: string;
  args: Args;
}

const FIELDS: Record<Kind, string[]> = {
  insert: words('insert document'),
  update: words('update filter updateMods multi upsert arrayFilters hint constants collation sort'),
  delete: words('delete filter multi hint collation'),
};
const REFUSED = words('return returnFields upsertSupplied sampleId');
/** What the fields are called in the statements of `update` and `delete`. */
const STATEMENT: Record<string, string> = { filter: 'q', updateMods: 'u', constants: 'c' };
const NAMESPACE = 'admin.$cmd.bulkWrite';

function namespacesOf({ args }: Context): { db: string; name: string }[] {
  return args.requiredDocuments('nsInfo').map((info) => {
    const entry = new Args(info, 'bulkWrite.nsInfo');
    entry.check(['ns'], words('collectionUUID encryptionInformation'));
    const ns = entry.text('ns');
    const at = ns.indexOf('.');
    if (at < 1 || at === ns.length - 1 || ns.includes('\0')) throw new MongoError(73, `Invalid namespace specified for bulkWrite: '${ns}'`); // prettier-ignore
    return { db: ns.slice(0, at), name: ns.slice(at + 1) };
  });
}

function operationOf(op: Doc, namespaces: { db: string; name: string }[]): Operation {
  const kind = Object.keys(op)[0] as Kind;
  if (!Object.hasOwn(FIELDS, kind)) throw new MongoError(9, `bulkWrite.ops: unrecognized operation '${kind}'`);
  const given = new Args(op, 'bulkWrite.ops');
  given.check(FIELDS[kind], REFUSED);
  const target = namespaces[toInteger(op[kind]) ?? -1];
  if (!target) throw new MongoError(2, `BulkWrite ops entry ${shellText(op)} has an invalid nsInfo index.`);
  given.requiredDocument(kind === 'insert' ? 'document' : 'filter');
  if (kind === 'insert') return { kind, ...target, args: given };
  const statement = Object.fromEntries(Object.entries(op).map(([key, value]) => [STATEMENT[key] ?? key, value]));
  const args = new Args(statement, 'bulkWrite.ops');
  if (kind === 'update') checkUpdate(args);
  return { kind, ...target, args };
}

/** How many were written, as the reply sums them up. */
const counts = { nInserted: 0, nMatched: 0, nModified: 0, nUpserted: 0, nDeleted: 0 };

/** @returns what the cursor tells of it, besides its number */
function write(context: Context, { kind, name, args }: Operation, sums: typeof counts): Doc {
  const { server, view, db, now } = context;
  if (resolveView(server.store, view, db, name)) throw isViewNoCollection(`${db}.${name}`);
  if (kind === 'insert') {
    const writer = writerOf(context);
    const collection = server.store.ensure(db, name, writer);
    collection.insert(prepare(args.doc.document as Doc, now, collection), writer);
    sums.nInserted += 1;
    return { n: int(1) };
  }
  if (args.flag('multi')) checkMulti(context, 'multi=true');
  if (kind === 'delete') {
    const n = runDelete(context, name, args, args.flag('multi'));
    sums.nDeleted += n;
    return { n: int(n) };
  }
  const outcome = runUpdate(context, name, args);
  const upserts = 'upserted' in outcome;
  sums[upserts ? 'nUpserted' : 'nMatched'] += outcome.matched;
  sums.nModified += outcome.modified;
  const upserted = upserts ? { upserted: { index: int(0), _id: outcome.upserted } } : {};
  return { n: int(outcome.matched), nModified: int(outcome.modified), ...upserted };
}

function bulkWrite(context: Context): Doc {
  const { args, server } = context;
  const ops = args.requiredDocuments('ops');
  const namespaces = namespacesOf(context);
  const operations = ops.map((op) => operationOf(op, namespaces));
  const cursor = new Args(args.document('cursor') ?? {}, 'bulkWrite.cursor');
  cursor.check(['batchSize']);
  const options = {
    namespace: NAMESPACE,
    batchSize: cursor.integer('batchSize') ?? Infinity,
    ...cursorOptions(context),
  };
  const sums = { ...counts };
  const quiet = args.flag('errorsOnly');
  const items: Doc[] = [];
  const failed = batch(context, ops, (index) => {
    const operation = operations[index]!;
    const item = write({ ...context, db: operation.db }, operation, sums);
    if (!quiet) items.push({ ok: double(1), idx: int(index), ...item });
  });
  for (const [i, told] of described(failed).entries()) {
    const { index } = failed[i]!;
    const none = { n: int(0), ...(operations[index]!.kind === 'update' ? { nModified: int(0) } : {}) };
    items.push({ ok: double(0), idx: int(index), ...told, ...none });
  }
  items.sort((a, b) => toInteger(a.idx)! - toInteger(b.idx)!);
  const sum = Object.fromEntries(Object.entries(sums).map(([name, n]) => [name, int(n)]));
  return { ...server.cursors.first(items, options), nErrors: int(failed.length), ...sum };
}

export const BULK_WRITE: Commands = {
  bulkWrite: {
    run: bulkWrite,
    fields: words('bulkWrite ops nsInfo ordered errorsOnly bypassDocumentValidation let cursor stmtId stmtIds'),
    writes: true,
    transactional: true,
    retryable: true,
    admin: true,
  },
};
