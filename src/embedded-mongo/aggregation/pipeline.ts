/**
 * Aggregation pipelines: `compilePipeline` checks the stages and chains them; documents flow through lazily, as iterables. Stages read other
 * collections and write through the two ports of `PipelineEnv` only.
 */
import { isDoc, type Doc } from '../values/bson-types';
import { MongoError, unsupported } from '../errors';
import { checkDeadline } from '../limits';
import { GROUPS } from './stages-group';
import { DENSIFY } from './stages-densify';
import { JOINS } from './stages-join';
import { SHAPES } from './stages-shape';
import { WINDOWS } from './stages-window';
import { type PipelineEnv, type Stage, type StageMaker } from './stage-types';
import { WRITES } from './stages-write';

export { type PipelineEnv, type Reader, type WriteTarget } from './stage-types';

const MAKERS: Record<string, StageMaker> = { ...SHAPES, ...GROUPS, ...JOINS, ...WINDOWS, ...DENSIFY, ...WRITES };
const REFUSED = [
  '$listSearchIndexes', '$listSessions', '$planCacheStats', '$search', '$searchMeta', '$vectorSearch', '$shardedDataDistribution',
]; // prettier-ignore
/** Known to the command `aggregate` only. */
const ONLY_FIRST = ['$changeStream', '$geoNear', '$collStats', '$currentOp', '$indexStats', '$listLocalSessions'];
const ONLY_LAST = ['$out', '$merge'];
const NOT_IN_FACETS = ['$out', '$merge', '$facet', '$documents'];

/** `inside` names the stage whose sub-pipeline this is. */
export function compilePipeline(stages: Doc[], env: PipelineEnv, inside?: string): Stage {
  const compiled = stages.map((spec, i) => compileStage(spec, env, i, stages.length, inside));
  return (docs) => compiled.reduce((flow, stage) => inTime(stage(flow), env.deadline), docs);
}

const LOOK_AT_CLOCK_EVERY = 256;

/** The documents, as long as there is time. */
function inTime(docs: Iterable<Doc>, deadline: number | undefined): Iterable<Doc> {
  return deadline === undefined ? docs : watched(docs, deadline);
}

function* watched(docs: Iterable<Doc>, deadline: number): Iterable<Doc> {
  let passed = 0;
  for (const doc of docs) {
    if (++passed % LOOK_AT_CLOCK_EVERY === 0) checkDeadline(deadline);
    yield doc;
  }
}

function compileStage(spec: Doc, env: PipelineEnv, at: number, count: number, inside?: string): Stage {
  if (!isDoc(spec)) throw new MongoError(14, "Each element of the 'pipeline' array must be an object");
  const [name, ...others] = Object.keys(spec);
  if (name === undefined || others.length > 0) {
    throw new MongoError(40323, 'A pipeline stage specification object must contain exactly one field.');
  }
  if (ONLY_FIRST.includes(name)) throw new MongoError(40602, `${name} is only valid as the first stage in a pipeline`);
  if (name === '$changeStreamSplitLargeEvent')
    throw new MongoError(7182801, `${name} can only be used in a change stream`);
  if (REFUSED.includes(name)) throw unsupported(`the stage ${name}`);
  const make = Object.hasOwn(MAKERS, name) ? MAKERS[name] : undefined;
  if (!make) throw new MongoError(40324, `Unrecognized pipeline stage name: '${name}'`);
  if (inside === '$facet' && NOT_IN_FACETS.includes(name)) {
    throw new MongoError(40600, `${name} is not allowed to be used within a $facet stage`);
  }
  if (inside && ONLY_LAST.includes(name)) throw new MongoError(51047, `${name} is not allowed within a ${inside}`);
  if (ONLY_LAST.includes(name) && at < count - 1) {
    throw new MongoError(40601, `${name} can only be the final stage in the pipeline`);
  }
  if (name === '$documents' && at > 0)
    throw new MongoError(40602, '$documents is only valid as the first stage in a pipeline');
  return make(spec[name], env, (inner, e, stage) => compilePipeline(inner, e, stage));
}

export function runPipeline(stages: Doc[], source: Iterable<Doc>, env: PipelineEnv): Iterable<Doc> {
  return compilePipeline(stages, env)(source);
}
