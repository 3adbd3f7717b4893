import type { Pool } from './pool';
import type { Found } from './found';
import type { Search } from './search';

/** Tickets searched for between two chances to pause. */
const STRIDE = 8;
/** How many of those who waited long and found nothing may ask for the place of a newer one, and how many matches they ask. */
const ASKING = 1000;
const ASKED = 16;

/**
 * One sweep over tickets of a pool, in the order given: the matches around each of them. By rating from one end to the other,
 * neighbours meet and hardly anybody is left over between matches; but who waited long must not be left over for somebody
 * new. So whoever found nothing asks the matches nearest in rating, longest waiting first, to take them in place of a member
 * of a newer generation, all rules kept; the one who gives way is searched for again.
 *
 * Where the slots are in the order of waiting already, nobody needs to ask: `now` is null then.
 *
 * Yields where the caller may pause. The tickets of the matches are withdrawn from the order, and still belong to the pool.
 */
export function* sweep(
  pool: Pool,
  search: Search,
  slots: readonly number[],
  now: number | null,
): Generator<null, Found[]> {
  const formed: Found[] = [];
  const asking: number[] = [];
  const attempt = (slot: number) => {
    pool.markSearched(slot);
    const found = search.find(slot);
    for (const match of found) for (const member of match.members) pool.withdraw(member);
    formed.push(...found);
    if (now === null || found.length > 0 || search.hasSettled(slot)) return;
    if (pool.generation(slot, now) > 0) asking.push(slot);
  };
  for (let i = 0; i < slots.length; i++) {
    if (i % STRIDE === STRIDE - 1) yield null;
    const slot = slots[i] as number;
    if (pool.isOpen(slot)) attempt(slot);
  }
  if (asking.length === 0 || formed.length === 0) return formed;

  asking.sort((a, b) => (pool.slots.older(a, b) ? -1 : 1));
  const ratings = Float64Array.from(formed, (match) => pool.slots.rating[match.members[0] as number] as number);
  // nearly in order already: they were found from one end of the ratings to the other
  const row = formed.map((_, index) => index).sort((a, b) => (ratings[a] as number) - (ratings[b] as number) || a - b);
  // those who gave way join the queue as they come
  for (let i = 0; i < asking.length && i < ASKING; i++) {
    yield null;
    const slot = asking[i] as number;
    if (!pool.isOpen(slot)) continue;
    for (const index of nearest(row, ratings, pool.slots.rating[slot] as number)) {
      const match = formed[index] as Found;
      if (!match.members.every((member) => pool.isTaken(member))) continue;
      const changed = search.takeIn(slot, match);
      if (!changed) continue;
      formed[index] = changed.match;
      pool.withdraw(slot);
      pool.reopen(changed.gaveWay);
      attempt(changed.gaveWay);
      break;
    }
  }
  return formed;
}

/** Indices of the matches whose first members are nearest in rating. @param row all indices, by rating */
function* nearest(row: readonly number[], ratings: Float64Array, rating: number): Generator<number> {
  const ratingAt = (place: number) => ratings[row[place] ?? -1] ?? Infinity;
  let above = 0;
  for (let high = row.length; above < high;) {
    const middle = (above + high) >>> 1;
    if (ratingAt(middle) < rating) above = middle + 1;
    else high = middle;
  }
  let below = above - 1;
  for (let asked = 0; asked < ASKED; asked++) {
    const up = row[above];
    const down = row[below];
    if (up !== undefined && (down === undefined || ratingAt(above) - rating <= rating - ratingAt(below))) {
      above += 1;
      yield up;
    } else if (down !== undefined) {
      below -= 1;
      yield down;
    } else return;
  }
}
