/** Pipelines that only ask how many documents come in: they are answered by a number, without handing the documents on. */
import { Int32 } from 'bson';
import { int, isDoc, isNumber, type Doc } from '../values/bson-types';

/**
 * @param stages what follows on the first `$match`
 * @returns what such a pipeline makes of a number of documents; undefined if it is another one
 */
export function countingPipeline(stages: Doc[]): ((n: number) => Doc[]) | undefined {
  const [stage, ...others] = stages;
  if (!stage || others.length > 0) return undefined;
  const { $count, $group } = stage;
  if (typeof $count === 'string') return (n) => (n > 0 ? [{ [$count]: int(n) }] : []);
  // what the drivers' countDocuments sends
  if (!isDoc($group)) return undefined;
  const [id, counter, ...more] = Object.keys($group);
  if (id !== '_id' || counter === undefined || more.length > 0) return undefined;
  const sum = $group[counter] as Doc;
  const byOne = isDoc(sum) && Object.keys(sum).length === 1 && sum.$sum instanceof Int32 && sum.$sum.value === 1;
  if (!byOne || !($group._id === null || isNumber($group._id))) return undefined;
  return (n) => (n > 0 ? [{ _id: $group._id, [counter]: int(n) }] : []);
}
