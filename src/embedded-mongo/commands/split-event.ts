/** `$changeStreamSplitLargeEvent`: an event that is too large for one document comes in fragments, each with a token of its own. */
import { calculateObjectSize } from 'bson';
import { int, isDoc, type Doc } from '../values/bson-types';
import { compareText } from '../values/values';
import { fail } from '../errors';
import { MAX_DOCUMENT } from '../limits';

const NAME = '$changeStreamSplitLargeEvent';

/** @returns the stages before it, and whether it is there */
export function withoutSplit(stages: Doc[]): { rest: Doc[]; splits: boolean } {
  const at = stages.findIndex((stage) => isDoc(stage) && NAME in stage);
  if (at < 0) return { rest: stages, splits: false };
  const spec = stages[at]![NAME];
  if (!isDoc(spec) || Object.keys(spec).length > 0) fail(7182800, `${NAME} spec should be an empty object`);
  if (at < stages.length - 1) fail(7182802, `${NAME} must be the last stage in the pipeline`);
  return { rest: stages.slice(0, at), splits: true };
}

/** @param tokenOf gives the token of a fragment, counted from 0 */
export function split(event: Doc, tokenOf: (fragment: number) => Doc): Doc[] {
  if (calculateObjectSize(event) <= MAX_DOCUMENT) return [event];
  const { _id, ...fields } = event;
  const sized = Object.entries(fields).map(([key, value]) => ({ key, value, size: calculateObjectSize({ [key]: value }) - 5 })); // prettier-ignore
  // as few fragments as there can be: the smallest fields together
  sized.sort((a, b) => a.size - b.size || compareText(a.key, b.key));
  const fragments: Doc[] = [];
  let left = 0;
  for (const { key, value, size } of sized) {
    if (fragments.length === 0 || size > left) {
      const head = { _id: tokenOf(fragments.length), splitEvent: { fragment: int(fragments.length + 1), of: int(0) } };
      left = MAX_DOCUMENT - calculateObjectSize(head);
      fragments.push(head);
    }
    if (size > left) fail(7182500, `Splitting change event failed: a fragment would be larger than ${MAX_DOCUMENT}`);
    fragments.at(-1)![key] = value;
    left -= size;
  }
  const of = int(fragments.length);
  return fragments.map((fragment, i) => ({ ...fragment, splitEvent: { fragment: int(i + 1), of } }));
}
