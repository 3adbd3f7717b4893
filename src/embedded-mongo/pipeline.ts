/** (placeholder until the stages land) */
import { type Doc } from './bson-types';
import { unsupported } from './errors';
export function compilePipeline(_stages: Doc[], _env: object): (docs: Iterable<Doc>) => Iterable<Doc> {
  throw unsupported('pipelines yet');
}
