/** The Stable API: a client that asks for `apiStrict` is told of what it uses beyond API version 1. */
import { isArray, isDoc, truthy, type Doc } from '../values/bson-types';
import { words } from './command';
import { MongoError } from '../errors';

const COMMANDS = new Set(
  words(`abortTransaction aggregate authenticate bulkWrite collMod commitTransaction count create createIndexes delete drop dropDatabase dropIndexes endSessions
    explain find findAndModify findandmodify getMore hello insert isMaster ismaster killCursors listCollections listDatabases listIndexes ping
    refreshSessions saslContinue saslStart update`),
);
const STAGES_BEYOND = words(
  '$currentOp $fill $indexStats $listLocalSessions $listSessions $planCacheStats $search $searchMeta',
);
const FIND_OPTIONS_BEYOND = words('awaitData max min noCursorTimeout oplogReplay returnKey showRecordId tailable');

const beyond = (what: string): MongoError =>
  new MongoError(323, `Provided apiStrict:true, but ${what} in API Version 1`);

/** @throws 322 for another version than "1", 323 for what is not in it where that is asked for */
export function checkApi(command: Doc): void {
  const { apiVersion, apiStrict, apiDeprecationErrors } = command;
  if (apiVersion === undefined) {
    if (apiStrict !== undefined || apiDeprecationErrors !== undefined)
      throw new MongoError(4886600, 'Provided apiStrict and/or apiDeprecationErrors without passing apiVersion');
    return;
  }
  if (apiVersion !== '1') throw new MongoError(322, 'API version must be "1"');
  if (truthy(apiStrict)) checkStrict(command);
}

function checkStrict(command: Doc): void {
  const [name = ''] = Object.keys(command);
  if (!COMMANDS.has(name)) throw beyond(`the command ${name} is not`);
  const stages = isArray(command.pipeline) ? command.pipeline : [];
  const stage = stages.flatMap((each) => (isDoc(each) ? Object.keys(each) : [])).find((each) => STAGES_BEYOND.includes(each)); // prettier-ignore
  if (stage !== undefined) throw beyond(`stage ${stage} is not allowed`);
  const option = name === 'find' && FIND_OPTIONS_BEYOND.find((each) => truthy(command[each]));
  if (option) throw beyond(`the option ${option} of find is not`);
}
