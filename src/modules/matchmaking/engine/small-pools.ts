import { type Candidates } from './candidates';
import type { Group } from './group';
import type { Pool } from './pool';

/** Up to so many tickets that can only meet each other are matched in the best way there is. */
export const SMALL = 12;
/** Where more groups than this are possible among them, or more attempts are needed, the best way is not looked for. */
const GROUPS = 600;
const TRIALS = 6000;

/**
 * All tickets that this one can meet, and all that those can meet, and so on, longest waiting first; null where they are more
 * than `SMALL`.
 */
export function circleOf(pool: Pool, anchor: number, now: number, candidates: Candidates): number[] | null {
  const circle = [anchor];
  for (let i = 0; i < circle.length; i++) {
    candidates.scan(circle[i] as number, now, SMALL + 1, () => candidates.count > SMALL);
    if (!candidates.exhausted) return null;
    for (let c = 0; c < candidates.count; c++) {
      const slot = candidates.slots[c] as number;
      if (circle.includes(slot)) continue;
      if (circle.length === SMALL) return null;
      circle.push(slot);
    }
  }
  return circle.sort((a, b) => (pool.slots.older(a, b) ? -1 : 1));
}

interface Possible<Match> {
  /** Bit i: the ith ticket of the circle. */
  mask: number;
  value: number;
  match: Match;
}

/**
 * The matches that together are worth most, by trying every group and every way of choosing among them.
 * @param judge what the group as it stands is worth, or null where it is no match
 * @returns null where there are too many possibilities
 */
export function bestMatches<Match>(
  circle: readonly number[],
  group: Group,
  now: number,
  judge: () => { value: number; match: Match } | null,
): Match[] | null {
  const possible: Possible<Match>[][] = circle.map(() => []);
  let groups = 0;
  let trials = 0;
  const extend = (from: number, mask: number): boolean => {
    if (group.complete) {
      const judged = judge();
      if (judged) {
        if (++groups > GROUPS) return false;
        possible[lowestBit(mask)]?.push({ mask, ...judged });
      }
    }
    if (group.players >= group.most) return true;
    for (let i = from; i < circle.length; i++) {
      if (++trials > TRIALS) return false;
      if (!group.push(circle[i] as number)) continue;
      if (!extend(i + 1, mask | (1 << i))) return false;
      group.pop();
    }
    return true;
  };
  group.reset(now);
  return extend(0, 0) ? choose(possible, (1 << circle.length) - 1) : null;
}

const lowestBit = (mask: number): number => 31 - Math.clz32(mask & -mask);

/** The disjoint groups within `all` that are worth most together: best value of each subset, worked out once. */
function choose<Match>(possible: readonly Possible<Match>[][], all: number): Match[] {
  const known = new Float64Array(all + 1).fill(-1);
  const chosen: (Possible<Match> | null)[] = [];
  const worth = (left: number): number => {
    if (left === 0) return 0;
    const before = known[left] as number;
    if (before >= 0) return before;
    let best = -1;
    let choice: Possible<Match> | null = null;
    const first = lowestBit(left);
    for (const group of possible[first] ?? []) {
      if ((group.mask & left) !== group.mask) continue;
      const value = group.value + worth(left & ~group.mask);
      if (value > best) {
        best = value;
        choice = group;
      }
    }
    const without = worth(left & (left - 1));
    if (without > best) {
      best = without;
      choice = null;
    }
    known[left] = best;
    chosen[left] = choice;
    return best;
  };
  const matches: Match[] = [];
  worth(all);
  for (let left = all; left > 0;) {
    const choice = chosen[left];
    if (choice) matches.push(choice.match);
    left = choice ? left & ~choice.mask : left & (left - 1);
  }
  return matches;
}
