import type { Candidates } from './candidates';
import type { Pool } from './pool';
import type { Found } from './found';

/** A match in which one team is expected to win this much more than its share is worth a second look: 60 : 40 for two. */
const LOPSIDED = 1.2;
/** How often a match is changed, and how many changes are tried each time. */
const ROUNDS = 3;
const TRIED = 12;

/** One who would come in place of another; `left`: how far that team's ratings would stand from the mean of all teams. */
interface Swap {
  place: number;
  slot: number;
  left: number;
}

export const isLopsided = ({ judgement: { chances } }: Found): boolean =>
  chances !== null && Math.max(...chances) * chances.length > LOPSIDED;

/**
 * Makes the teams of a match more even by taking others into it. Teams are split as evenly as their players allow (teams.ts), but
 * who was nearest in rating, or the only one near with a rare role, may allow little. So others who suit are tried in place of
 * members, those first that would leave the smallest gap, and a change stays where it makes the match better. Nobody gives way to
 * somebody who has waited for less time.
 *
 * @param candidates in the order wanted
 * @param matchOf the match of these members, or null where they are none
 */
export function evenOut(
  pool: Pool,
  found: Found,
  candidates: Candidates,
  now: number,
  matchOf: (members: readonly number[]) => Found | null,
): Found {
  let best = found;
  for (let round = 0; round < ROUNDS && isLopsided(best); round++) {
    const better = firstBetter(best, swapsOf(pool, best, candidates, now), matchOf);
    if (!better) break;
    best = better;
  }
  return best;
}

function firstBetter(
  found: Found,
  swaps: readonly Swap[],
  matchOf: (members: readonly number[]) => Found | null,
): Found | null {
  for (const { place, slot } of swaps.slice(0, TRIED)) {
    const changed = matchOf(found.members.with(place, slot));
    if (changed && changed.players === found.players && changed.judgement.quality > found.judgement.quality)
      return changed;
  }
  return null;
}

/** The changes that would bring a team nearer to the others, the nearest first. The first member is who is searched for, and stays. */
function swapsOf(pool: Pool, { members, teams }: Found, candidates: Candidates, now: number): Swap[] {
  const { rating, size } = pool.slots;
  const count = pool.rules.teamCount;
  const sums = Array.from({ length: count }, () => 0);
  const add = (team: number, sum: number) => (sums[team] = (sums[team] ?? 0) + sum);
  members.forEach((slot, i) => {
    const lobby = teams.teamOf[i] === -1 ? pool.slots.lobbies.get(slot) : undefined;
    if (lobby) lobby.sums.forEach((sum, team) => add(team, sum));
    else add(teams.teamOf[i] ?? 0, (rating[slot] as number) * (size[slot] as number));
  });
  const mean = sums.reduce((sum, part) => sum + part, 0) / count;
  const swaps: Swap[] = [];
  for (let c = 0; c < candidates.count; c++) {
    const slot = candidates.slots[c] as number;
    if (members.includes(slot) || !pool.isOpen(slot)) continue;
    for (let place = 1; place < members.length; place++) {
      const member = members[place] as number;
      if (size[member] !== size[slot] || teams.teamOf[place] === -1) continue;
      if (pool.generation(member, now) > pool.generation(slot, now)) continue;
      const off = (sums[teams.teamOf[place] as number] as number) - mean;
      const change = ((rating[slot] as number) - (rating[member] as number)) * (size[slot] as number);
      const left = Math.abs(off + change * (1 - 1 / count));
      if (left < Math.abs(off)) swaps.push({ place, slot, left });
    }
  }
  // equal ones stay in the order of the candidates
  return swaps.sort((a, b) => a.left - b.left);
}
