/** The commands about the server, its connections, sessions and transactions. */
import { hostname } from 'node:os';
import { UUID, Long } from 'bson';
import { int, isNumber, toDouble, type Doc, type Value } from '../values/bson-types';
import { words, type Command, type Commands, type Context } from './command';
import { fail, MongoError, unsupported } from '../errors';
import { MAX_DOCUMENT, MAX_MESSAGE } from '../limits';

/** The release whose behaviour and wire version this server has. */
export const VERSION = '8.0.0';
export const SET_NAME = 'embedded';

function hello({ server, command, connectionId }: Context): Doc {
  const legacy = !('hello' in command);
  const ts = server.store.clusterClock.tick();
  const opTime = { ts, t: Long.ONE };
  const lastWriteDate = new Date(ts.getHighBits() * 1000);
  return {
    helloOk: true,
    ...(legacy ? { ismaster: true } : { isWritablePrimary: true }),
    hosts: [server.address],
    setName: SET_NAME,
    setVersion: int(1),
    secondary: false,
    primary: server.address,
    me: server.address,
    lastWrite: { opTime, lastWriteDate, majorityOpTime: opTime, majorityWriteDate: lastWriteDate },
    maxBsonObjectSize: int(MAX_DOCUMENT),
    maxMessageSizeBytes: int(MAX_MESSAGE),
    maxWriteBatchSize: int(100_000),
    localTime: new Date(),
    logicalSessionTimeoutMinutes: int(30),
    connectionId: int(connectionId),
    minWireVersion: int(0),
    maxWireVersion: int(25),
    readOnly: false,
    ...('saslSupportedMechs' in command ? { saslSupportedMechs: [] } : {}),
  };
}

const buildInfo = (): Doc => ({
  version: VERSION,
  gitVersion: 'embedded',
  modules: [],
  sysInfo: 'EmbeddedMongo',
  versionArray: [...VERSION.split('.').map((n) => int(Number(n))), int(0)],
  bits: int(64),
  debug: false,
  maxBsonObjectSize: int(MAX_DOCUMENT),
  storageEngines: ['embedded'],
});

function serverStatus({ server }: Context): Doc {
  const uptime = (Date.now() - server.startedAt) / 1000;
  return {
    host: server.address,
    version: VERSION,
    process: 'EmbeddedMongo',
    pid: Long.fromNumber(process.pid),
    uptime: Math.floor(uptime),
    uptimeMillis: Long.fromNumber(Math.floor(uptime * 1000)),
    localTime: new Date(),
    logicalSessionRecordCache: { activeSessionsCount: int(server.sessions.count) },
    metrics: { cursor: { open: { total: Long.fromNumber(server.cursors.count) } } },
    mem: { resident: int(Math.floor(process.memoryUsage.rss() / 2 ** 20)), bits: int(64) },
    storageEngine: { name: 'embedded', persistent: true },
    repl: { setName: SET_NAME, isWritablePrimary: true, me: server.address },
  };
}

function setParameter({ command, server }: Context): Doc {
  const { parameters } = server;
  let was: Value;
  for (const [name, value] of Object.entries(command)) {
    if (name === 'setParameter' || name === 'comment' || isCommon(name)) continue;
    const old = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (old === undefined) throw new MongoError(72, `Unrecognized parameter ${name}`);
    if (typeof old === 'boolean') {
      if (typeof value !== 'boolean') throw new MongoError(14, `The parameter ${name} has to be a boolean`);
      parameters[name] = value;
    } else {
      const n = isNumber(value) ? toDouble(value) : NaN;
      if (!(n > 0)) throw new MongoError(2, `The parameter ${name} has to be a number above 0`);
      parameters[name] = n;
    }
    was = typeof old === 'number' ? int(old) : old;
  }
  server.parametersChanged();
  return { was };
}

function getParameter({ command, server }: Context): Doc {
  const all: Doc = { featureCompatibilityVersion: { version: '8.0' } };
  for (const [name, value] of Object.entries(server.parameters))
    all[name] = typeof value === 'number' ? int(value) : value;
  if (command.getParameter === '*') return all;
  const wanted = Object.keys(command).filter(
    (name) => name !== 'getParameter' && name !== 'comment' && !isCommon(name),
  );
  const known = wanted.filter((name) => Object.hasOwn(all, name));
  if (known.length === 0) throw new MongoError(72, 'no option found to get');
  return Object.fromEntries(known.map((name) => [name, all[name]]));
}

const isCommon = (name: string): boolean =>
  name.startsWith('$') || ['lsid', 'txnNumber', 'maxTimeMS', 'readConcern', 'writeConcern', 'apiVersion', 'apiStrict', 'apiDeprecationErrors'].includes(name); // prettier-ignore

/** Level 0 may be asked for and set: nothing is recorded. */
function profile({ command }: Context): Doc {
  const level = isNumber(command.profile) ? toDouble(command.profile) : NaN;
  if (level !== 0 && level !== -1) throw unsupported('profiling');
  return { was: int(0), slowms: int(100), sampleRate: 1 };
}

// -- sessions

const lsids = (context: Context): Value[] => context.args.array(Object.keys(context.command)[0]!) ?? [];

function endSessions(context: Context): Doc {
  for (const lsid of lsids(context)) context.server.sessions.end(lsid);
  return {};
}

async function commitTransaction({ server, session, inTransaction }: Context): Promise<Doc> {
  if (!session || !inTransaction) throw new MongoError(72, 'commitTransaction must be run within a transaction');
  await server.sessions.commit(session);
  return {};
}

function abortTransaction({ server, session, inTransaction }: Context): Doc {
  if (!session || !inTransaction) throw new MongoError(72, 'abortTransaction must be run within a transaction');
  if (session.state === 'committed') throw new MongoError(256, `Transaction ${session.txnNumber} has been committed.`);
  server.sessions.abort(session);
  return {};
}

const just = (reply: () => Doc, fields: string): Command => ({ run: reply, fields: words(fields) });
const HELLO: Command = {
  run: hello,
  fields:
    words(`hello ismaster isMaster helloOk client compression loadBalanced speculativeAuthenticate saslSupportedMechs hostInfo topologyVersion
    maxAwaitTimeMS backpressure`),
};
const member = ({ server }: Context) => ({ _id: int(0), name: server.address, host: server.address });

export const SERVER: Commands = {
  hello: HELLO,
  isMaster: HELLO,
  ismaster: HELLO,
  ping: just(() => ({}), 'ping'),
  buildInfo: just(buildInfo, 'buildInfo'),
  buildinfo: just(buildInfo, 'buildinfo'),
  serverStatus: { run: serverStatus, fields: words('serverStatus repl metrics locks') },
  setParameter: { run: setParameter, fields: ['*'], admin: true },
  getParameter: { run: getParameter, fields: ['*'], admin: true },
  connectionStatus: just(
    () => ({ authInfo: { authenticatedUsers: [], authenticatedUserRoles: [] } }),
    'connectionStatus showPrivileges',
  ),
  hostInfo: just(
    () => ({ system: { currentTime: new Date(), hostname: hostname() }, os: { type: process.platform } }),
    'hostInfo',
  ),
  getCmdLineOpts: just(() => ({ argv: [], parsed: {} }), 'getCmdLineOpts'),
  getLog: just(() => ({ totalLinesWritten: int(0), log: [] }), 'getLog'),
  // plans are made anew for each query
  planCacheClear: just(() => ({}), 'planCacheClear query sort projection'),
  getDefaultRWConcern: {
    run: () => ({ defaultReadConcern: { level: 'local' }, defaultWriteConcern: { w: 'majority', wtimeout: int(0) }, defaultWriteConcernSource: 'implicit', defaultReadConcernSource: 'implicit', localUpdateWallClockTime: new Date() }), // prettier-ignore
    fields: words('getDefaultRWConcern inMemory'),
    admin: true,
  },
  fsync: { run: () => ({ numFiles: int(1) }), fields: words('fsync'), refused: words('lock') },
  profile: { run: profile, fields: words('profile slowms sampleRate filter') },
  logout: just(() => ({}), 'logout'),
  // there are no users and roles
  usersInfo: just(() => ({ users: [] }), 'usersInfo showCredentials showPrivileges showCustomData showAuthenticationRestrictions filter'), // prettier-ignore
  rolesInfo: just(() => ({ roles: [] }), 'rolesInfo showPrivileges showBuiltinRoles showAuthenticationRestrictions'),
  dropUser: { run: ({ args, db }) => fail(11, `User '${args.text('dropUser')}@${db}' not found`), fields: words('dropUser') }, // prettier-ignore
  dropAllUsersFromDatabase: just(() => ({ n: int(0) }), 'dropAllUsersFromDatabase'),
  dropAllRolesFromDatabase: just(() => ({ n: int(0) }), 'dropAllRolesFromDatabase'),
  replSetGetStatus: {
    run: (context) => ({ set: SET_NAME, date: new Date(), myState: int(1), members: [{ ...member(context), health: 1, state: int(1), stateStr: 'PRIMARY', self: true }] }), // prettier-ignore
    fields: words('replSetGetStatus'),
  },
  replSetGetConfig: {
    run: (context) => ({ config: { _id: SET_NAME, version: int(1), members: [member(context)] } }),
    fields: words('replSetGetConfig'),
  },
  startSession: just(() => ({ id: { id: new UUID() }, timeoutMinutes: int(30) }), 'startSession'),
  refreshSessions: just(() => ({}), 'refreshSessions'),
  endSessions: { run: endSessions, fields: words('endSessions') },
  killSessions: { run: endSessions, fields: words('killSessions') },
  killAllSessions: {
    run: ({ server }) => {
      server.sessions.endAll();
      return {};
    },
    fields: words('killAllSessions'),
  },
  commitTransaction: {
    run: commitTransaction,
    fields: words('commitTransaction recoveryToken'),
    transactional: true,
    admin: true,
  },
  abortTransaction: {
    run: abortTransaction,
    fields: words('abortTransaction recoveryToken'),
    transactional: true,
    admin: true,
  },
};
