/**
 * `configureFailPoint`: commands that fail on demand. Drivers test by it how they send writes again, and an application can test how it bears an
 * error, a slow answer or a lost connection. A mongod has it when it runs with `enableTestCommands`. These points are here: `failCommand`,
 * `failGetMoreAfterCursorCheckout`, and `onPrimaryTransactionalWrite` for writes that may be sent again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { int, isArray, isDoc, isNumber, isString, toDouble, truthy, type Doc, type Value } from '../values/bson-types'; // prettier-ignore
import { words, type Commands, type Context, type Server } from './command';
import { MongoError, unsupported } from '../errors';

/** The connection is to be closed without an answer. */
export class Disconnect extends Error {}

function configure({ command, server }: Context): Doc {
  const { configureFailPoint: name, mode, data } = command;
  if (!isString(name) || !(name in POINTS)) throw unsupported(`the fail point ${String(name)}`);
  if (mode === 'off') server.failPoints.delete(name);
  else server.failPoints.set(name, { data: isDoc(data) ? data : {}, ...extentOf(mode) });
  return { count: int(0) };
}

function extentOf(mode: unknown): { skip: number; times: number } {
  if (mode === 'alwaysOn') return { skip: 0, times: Infinity };
  const { times, skip } = isDoc(mode) ? mode : {};
  if (isNumber(times)) return { skip: 0, times: toDouble(times) };
  if (isNumber(skip)) return { skip: toDouble(skip), times: Infinity };
  throw new MongoError(2, "mode has to be 'off', 'alwaysOn', {times: n} or {skip: n}");
}

/** How a fail point strikes a command. */
export interface Strike {
  /** @throws what the client is to see, if the command is not to run at all */
  before(): Promise<void>;
  /** The reply of a command that has run. @throws Disconnect */
  after(reply: Doc): Doc;
}

/** After such an error a change stream may be opened again, behind what it told last. */
const RESUMABLE = new Set([6, 7, 63, 89, 91, 133, 150, 189, 234, 262, 9001, 10107, 11600, 11602, 13388, 13435, 13436]);

const strikeCommand = (data: Doc): Strike => ({
  before: async () => {
    if (truthy(data.blockConnection) && isNumber(data.blockTimeMS)) await delay(toDouble(data.blockTimeMS));
    if (truthy(data.closeConnection)) throw new Disconnect();
    if (isNumber(data.errorCode) && !isDoc(data.writeConcernError)) throw failure(data.errorCode, labelsOf(data));
  },
  after: (reply) => (isDoc(data.writeConcernError) ? { ...reply, writeConcernError: data.writeConcernError, ...labelsOf(data) } : reply), // prettier-ignore
});

const POINTS: Record<
  string,
  { means(data: Doc, command: Doc, appName?: string): boolean; strike(data: Doc, isChangeStream: boolean): Strike }
> = {
  failCommand: {
    means: ({ failCommands, appName: wanted }, command, appName) =>
      isArray(failCommands) && failCommands.includes(Object.keys(command)[0]!) && (wanted === undefined || wanted === appName), // prettier-ignore
    strike: strikeCommand,
  },
  failGetMoreAfterCursorCheckout: {
    means: (_data, command) => 'getMore' in command,
    // here, and not with failCommand, a mongod knows already what kind of cursor it is
    strike: (data, isChangeStream) =>
        strikeCommand(isChangeStream && RESUMABLE.has(toDouble(data.errorCode)) ? { errorLabels: ['ResumableChangeStreamError'], ...data } : data), // prettier-ignore
  },
  onPrimaryTransactionalWrite: {
    means: (_data, { txnNumber, autocommit }) => txnNumber !== undefined && autocommit === undefined,
    strike: ({ closeConnection = true, failBeforeCommitExceptionCode: code }) => ({
      before: async () => {
        if (code !== undefined) throw closeConnection ? new Disconnect() : failure(code);
      },
      after: (reply) => {
        if (closeConnection) throw new Disconnect();
        return reply;
      },
    }),
  },
};
const labelsOf = ({ errorLabels }: Doc): Doc => (isArray(errorLabels) ? { errorLabels } : {});
const failure = (code: Value, extra: Doc = {}): MongoError =>
  new MongoError(toDouble(code), "Failing command via 'failCommand' failpoint", extra);

/** The fail point that means this command, if any; that counts as one of its times. */
export function strikeOn({ failPoints, cursors }: Server, command: Doc, appName?: string): Strike | undefined {
  if (failPoints.size === 0 || 'configureFailPoint' in command) return undefined;
  for (const [name, point] of failPoints) {
    if (!POINTS[name]!.means(point.data, command, appName)) continue;
    if (point.skip > 0) {
      point.skip -= 1;
      continue;
    }
    if (--point.times <= 0) failPoints.delete(name);
    return POINTS[name]!.strike(point.data, cursors.isChangeStream(command.getMore));
  }
  return undefined;
}

export const FAIL_POINT: Commands = {
  configureFailPoint: { run: configure, fields: words('configureFailPoint mode data'), admin: true },
};
