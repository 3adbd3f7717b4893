/** What the stages of pipelines share. */
import { type Doc, type Value } from '../values/bson-types';
import { type ExpressionEnv } from '../expressions/expression-types';

export interface Reader {
  find(filter: Doc): Iterable<Doc>;
}

/** A collection that `$merge` or `$out` writes to, by the rules of ordinary writes: unique indexes hold. */
export interface WriteTarget {
  findOne(filter: Doc): Doc | undefined;
  /** Whether a unique index, not partial, has exactly these fields. */
  hasUniqueIndex(fields: string[]): boolean;
  insert(doc: Doc): void;
  replace(old: Doc, next: Doc): void;
  /** Swaps the whole content at once. */
  replaceAll(docs: Doc[]): void;
}

export interface PipelineEnv extends ExpressionEnv {
  /** A collection of the same database, empty if there is none. */
  collection?: (name: string) => Reader;
  target?: (place: { db?: string; coll: string }) => WriteTarget;
}

export type Stage = (docs: Iterable<Doc>) => Iterable<Doc>;
/** Compiles a sub-pipeline; handed in, since the stages know nothing of the whole. */
export type CompilePipeline = (stages: Doc[], env: PipelineEnv, inside: string) => Stage;
export type StageMaker = (spec: Value, env: PipelineEnv, compilePipeline: CompilePipeline) => Stage;
