/** Accumulators over the windows of `$setWindowFields`: from one document to the next they go on from where they are, as far as they can. */
import { type Value } from '../values/bson-types';
import { type Accumulator, type GroupOperator } from '../expressions/accumulators';
import { type Ordered, type Scope } from '../expressions/expression-types';
import { checkDeadline } from '../limits';
import { EVERYTHING, type WindowFunction, type Windows } from './window-bounds';

interface Moving {
  accumulator: Accumulator;
  from: number;
  to: number;
  result: Value;
}

/** Takes out what the window has left behind. @returns whether it could: the rest then goes on from there */
function moveOn(state: Moving, [from, to]: [number, number], inputs: Value[]): boolean {
  const { accumulator } = state;
  if (from < state.from || from > state.to || to < state.to) return false;
  if (from > state.from && !accumulator.remove) return false;
  for (; state.from < from; state.from += 1) accumulator.remove!(inputs[state.from]);
  return true;
}

/** What an accumulator gives for each window. It begins anew only where it cannot go on from the window before. */
export function accumulate(
  { value, make }: GroupOperator,
  windows: Windows = EVERYTHING,
  deadline?: number,
): WindowFunction {
  return (partition) => {
    const inputs = partition.scopes.map(value);
    const scope = { ...partition.scopes[0], ROOT: {}, CURRENT: {} };
    let state: Moving | undefined;
    return windows(partition).map((window) => {
      checkDeadline(deadline);
      if (!window) return make(scope).result();
      const [from, to] = window;
      if (state?.from === from && state.to === to) return state.result;
      if (!state || !moveOn(state, window, inputs))
        state = { accumulator: make(scope), from, to: from - 1, result: undefined };
      while (state.to < to) state.accumulator.add(inputs[++state.to]);
      state.result = state.accumulator.result();
      return state.result;
    });
  };
}

/** So many new values are put in their places one by one; more are sorted together. */
const FEW = 8;

/** Keeps the values of a window that moves in order, those that compare equal as they came. */
export function sorted({ keeps, compare, of }: Ordered, scope: Scope): Accumulator {
  const list: Value[] = [];
  let waiting: Value[] = [];
  const settle = (): void => {
    if (waiting.length <= FEW)
      for (const v of waiting)
        list.splice(
          placeOf(list, (other) => compare(other, v) <= 0),
          0,
          v,
        );
    else {
      for (const v of waiting) list.push(v);
      list.sort(compare);
    }
    waiting = [];
  };
  return {
    add: (v) => {
      if (keeps(v)) waiting.push(v);
    },
    remove: (v) => {
      if (!keeps(v)) return;
      settle();
      list.splice(
        placeOf(list, (other) => compare(other, v) < 0),
        1,
      );
    },
    result: () => {
      settle();
      return of(list, scope);
    },
  };
}

/** How many of the sorted values come before the place, by halving. */
function placeOf(list: Value[], isBefore: (v: Value) => boolean): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(list[middle])) low = middle + 1;
    else high = middle;
  }
  return low;
}
