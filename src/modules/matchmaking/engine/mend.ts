import type { Pool } from './pool';
import type { Found } from './found';
import type { Search } from './search';
import { SMALL } from './small-pools';

/** Where more tickets stand than this, neighbours are so many that little is lost, and time counts. */
const LARGEST = 240;
/** Tickets that are arranged anew at a time. A match is never looked at in parts, and may make them a few more. */
const CIRCLE = 9;
/** How many of the nearest matches each ticket and each match looks at. */
const ASKED = 12;

/** What is arranged anew: one or two matches, and tickets without one; or only these. */
interface Circle {
  matches: readonly Found[];
  alone: readonly number[];
}

/**
 * Makes better what a search that never looks back has left: around each ticket that it passed over, and around each match, a
 * few neighbours are arranged anew in the best way that there is for them, until nothing gets better any more or the pass has
 * done so often enough. The total, players times quality, only ever grows.
 *
 * Yields where the caller may pause; a circle that somebody has left meanwhile stays as it is.
 *
 * @param swept the tickets that were searched for
 * @param formed the matches that were found for them
 */
export function* mend(
  pool: Pool,
  search: Search,
  swept: readonly number[],
  formed: readonly Found[],
): Generator<null, readonly Found[]> {
  if (pool.order.size + formed.reduce((sum, { members }) => sum + members.length, 0) > LARGEST) return formed;
  let matches = formed;
  const passedOver = new Set([...swept].filter((slot) => pool.isOpen(slot)).sort(byWaiting(pool)));
  for (let better = true; better;) {
    better = false;
    const tickets = [...passedOver].map((slot) => ({ matches: [], alone: [slot] }));
    for (const seed of [...tickets, ...matches.map((match) => ({ matches: [match], alone: [] }))]) {
      if (!seed.matches.every((match) => matches.includes(match))) continue;
      for (const circle of circlesAround(pool, seed, matches)) {
        yield null;
        if (!search.mayRearrange()) return matches;
        const arranged = isWhole(pool, circle) ? search.rearrange(circle.matches, circle.alone) : null;
        if (!arranged) continue;
        for (const slot of exchange(pool, circle.matches, arranged)) passedOver.add(slot);
        matches = [...matches.filter((match) => !circle.matches.includes(match)), ...arranged];
        better = true;
        break;
      }
    }
  }
  return matches;
}

const byWaiting = (pool: Pool) => (a: number, b: number) => (pool.slots.older(a, b) ? -1 : 1);

const isWhole = (pool: Pool, { matches, alone }: Circle): boolean =>
  alone.every((slot) => pool.isOpen(slot)) &&
  matches.every(({ members }) => members.every((slot) => pool.isTaken(slot)));

/** Lets matches stand in place of others. @returns the tickets that have no match any more */
function exchange(pool: Pool, old: readonly Found[], arranged: readonly Found[]): number[] {
  const members = new Set(arranged.flatMap((match) => match.members));
  const left = old.flatMap((match) => match.members).filter((slot) => !members.has(slot));
  for (const slot of members) if (pool.isOpen(slot)) pool.withdraw(slot);
  for (const slot of left) {
    pool.reopen(slot);
    pool.markSearched(slot);
  }
  return left;
}

/** The seed and its nearest neighbours: without, and with each of the nearest matches. */
function* circlesAround(pool: Pool, seed: Circle, matches: readonly Found[]): Generator<Circle> {
  const own = [...seed.alone, ...seed.matches.flatMap(({ members }) => members)];
  const first = own[0] as number;
  const distance = (slot: number) =>
    Math.abs((pool.slots.rating[slot] as number) - (pool.slots.rating[first] as number));
  const neighbours = [...pool.order.toArray()]
    .filter((slot) => !own.includes(slot) && own.every((member) => pool.suits(member, slot)))
    .sort((a, b) => distance(a) - distance(b) || byWaiting(pool)(a, b));
  const circleWith = (others: readonly Found[]): Circle => {
    const size = others.reduce((sum, { members }) => sum + members.length, own.length);
    const room = Math.max(0, CIRCLE - size);
    return { matches: [...seed.matches, ...others], alone: [...seed.alone, ...neighbours.slice(0, room)] };
  };
  if (neighbours.length > 0 && own.length < CIRCLE) yield circleWith([]);
  const nearest = matches
    .filter((match) => !seed.matches.includes(match) && match.members.length + own.length <= SMALL)
    .map((match, index) => ({ match, index, distance: distance(match.members[0] as number) }))
    .sort((a, b) => a.distance - b.distance || a.index - b.index);
  for (const { match } of nearest.slice(0, ASKED)) yield circleWith([match]);
}
