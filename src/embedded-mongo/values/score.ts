/** How well a document fits a `$text`: what it carries along beside its fields, through projections and stages, and what `{$meta: 'textScore'}` shows. */
import { isDoc, type Doc, type Value } from './bson-types';
import { MongoError, unsupported } from '../errors';

const SCORE = Symbol('textScore');
interface Scored {
  [SCORE]?: number;
}

export const withScore = (doc: Doc, score: number): Doc => Object.assign({ ...doc }, { [SCORE]: score });

/** A document that was made of another one. */
export function keepScore(made: Doc, from: Doc): Doc {
  const score = (from as Scored)[SCORE];
  if (score !== undefined) (made as Scored)[SCORE] = score;
  return made;
}

/** @throws 40218 for a document that no `$text` has found */
export function scoreOf(doc: Value): number {
  const score = (doc as Scored)[SCORE];
  if (score === undefined) throw new MongoError(40218, 'query requires text score metadata, but it is not available');
  return score;
}

export const isMeta = (spec: Value): spec is Doc => isDoc(spec) && Object.keys(spec).length === 1 && '$meta' in spec;

/** @throws for what else MongoDB keeps of documents */
export function checkMeta(arg: Value): void {
  if (arg !== 'textScore') throw unsupported(`{$meta: ${JSON.stringify(arg)}}`);
}
