/** The stages that report on the server instead of documents: `$currentOp`, `$listLocalSessions`, `$collStats`, `$indexStats`; and `currentOp`. */
import { int, isDoc, isNumber, long, toDouble, type Doc, type Value } from '../values/bson-types';
import { type Collection } from '../storage/collection';
import { type Commands, type Context } from './command';
import { storageStats } from './figures';
import { MongoError, unsupported } from '../errors';
import { compileFilter } from '../filters/match';

type Report = (context: Context, spec: Doc, collection: Collection | undefined) => Doc[];

/** Commands run one after the other, so the only one that is running is the one that asks. */
function operations({ server, connectionId, appName, command, db }: Context): Doc[] {
  const [name = ''] = Object.keys(command);
  const target = command[name];
  return [
    {
      type: 'op',
      host: server.address,
      desc: `conn${connectionId}`,
      connectionId: int(connectionId),
      ...(appName === undefined ? {} : { appName }),
      active: true,
      currentOpTime: new Date().toISOString(),
      opid: int(connectionId),
      secs_running: long(0n),
      op: 'command',
      ns: `${db}.${typeof target === 'string' ? target : '$cmd.aggregate'}`,
      command,
    },
  ];
}

function collStats(context: Context, spec: Doc, collection: Collection | undefined): Doc[] {
  const { latencyStats, queryExecStats, storageStats: storage, count } = spec;
  if (latencyStats || queryExecStats) throw unsupported('latencyStats and queryExecStats of $collStats');
  const scale = isDoc(storage) && isNumber(storage.scale) ? toDouble(storage.scale) : 1;
  const figures = storageStats(collection, context, scale);
  return [
    {
      ns: namespaceOfTarget(context),
      host: context.server.address,
      localTime: context.now,
      ...(storage ? { storageStats: figures } : {}),
      ...(count ? { count: figures.count } : {}),
    },
  ];
}

const indexStats: Report = (context, _spec, collection) =>
  (collection?.listed ?? []).map(({ spec, uses, since }) => ({
    name: spec.name,
    key: spec.key,
    host: context.server.address,
    accesses: { ops: long(BigInt(uses)), since },
    spec: spec.described,
  }));

const namespaceOfTarget = ({ db, command }: Context): string => `${db}.${String(command.aggregate)}`;

const REPORTS: Record<string, { ofServer: boolean; report: Report }> = {
  $currentOp: { ofServer: true, report: (context) => operations(context) },
  $listLocalSessions: { ofServer: true, report: ({ server }) => server.sessions.list() },
  $collStats: { ofServer: false, report: collStats },
  $indexStats: { ofServer: false, report: indexStats },
};

/** What a pipeline that begins with such a stage begins with; undefined for all other stages. */
export function serverStage(context: Context, stage: Doc, collection: Collection | undefined): Doc[] | undefined {
  const [name = ''] = Object.keys(stage);
  if (!Object.hasOwn(REPORTS, name)) return undefined;
  const { ofServer, report } = REPORTS[name]!;
  const spec: Value = stage[name];
  if (!isDoc(spec)) throw new MongoError(9, `${name} must be given an object`);
  const onCollection = typeof context.command.aggregate === 'string';
  if (ofServer === onCollection)
    throw new MongoError(
      73,
      `${name} must be run against the database with {aggregate: ${ofServer ? 1 : 'collection'}}`,
    );
  if (name === '$currentOp' && context.db !== 'admin')
    throw new MongoError(73, "$currentOp must be run against the 'admin' database with {aggregate: 1}");
  return report(context, spec, collection);
}

/** Everything in the command besides options is a filter. */
function currentOp(context: Context): Doc {
  const { currentOp: _name, $all: _all, $ownOps: _own, $db: _db, lsid: _lsid, $clusterTime: _time, $readPreference: _preference, comment: _comment, maxTimeMS: _max, ...filter } = context.command; // prettier-ignore
  return { inprog: operations(context).filter(compileFilter(filter)) };
}

export const OPERATIONS: Commands = { currentOp: { run: currentOp, fields: ['*'], admin: true } };
