import type { RuleSet } from '../../games';
import { assignRoles } from './roles';
import type { Seeker } from './seeker';

export interface Teams {
  teams: Seeker[][];
  /** Highest minus lowest mean rating of a team, by players. */
  gap: number;
}

const EXACT_PLAYERS = 10;
const LARGE_BUDGET = 5000;

/**
 * Splits whole parties into teams: sizes as the rules say (two teams are always equal, more differ as little as possible),
 * roles seated in each team, and among those the smallest gap between the team means. Branch by branch, the biggest party
 * first, each into the team with the lowest sum first; exact for up to 10 players, the best found within a budget beyond.
 * Null where the parties do not fit.
 */
export function splitIntoTeams(seekers: readonly Seeker[], rules: RuleSet): Teams | null {
  const { count, size } = rules.teams;
  const total = seekers.reduce((sum, seeker) => sum + seeker.size, 0);
  if (total < count * size.min || total > count * size.max || (count === 2 && total % 2 === 1)) return null;
  if (count === 1) return rolesFit(seekers, rules) ? { teams: [[...seekers]], gap: 0 } : null;

  const largest = count === 2 ? total / 2 : size.max;
  const order = seekers
    .map((seeker, index) => ({ seeker, index }))
    .sort((a, b) => b.seeker.size - a.seeker.size || b.seeker.rating - a.seeker.rating || a.index - b.index)
    .map(({ seeker }) => seeker);
  const teams = Array.from({ length: count }, () => ({ members: [] as Seeker[], size: 0, sum: 0 }));
  let left = total <= EXACT_PLAYERS ? Infinity : LARGE_BUDGET;
  let missing = count * size.min;
  let best: (Teams & { unevenness: number }) | null = null;

  const judge = () => {
    const sizes = teams.map((team) => team.size);
    const means = teams.map((team) => team.sum / team.size);
    const unevenness = Math.max(...sizes) - Math.min(...sizes);
    const gap = Math.max(...means) - Math.min(...means);
    if (best && (unevenness > best.unevenness || (unevenness === best.unevenness && gap >= best.gap))) return;
    best = { teams: teams.map((team) => [...team.members]), gap, unevenness };
  };

  const place = (next: number, seatsLeft: number): void => {
    if (left-- <= 0 || missing > seatsLeft) return;
    const seeker = order[next];
    if (!seeker) return judge();
    // teams that are empty are alike: only the first of them is tried
    const firstEmpty = teams.findIndex((team) => team.size === 0);
    const open = teams
      .filter((team, i) => team.size + seeker.size <= largest && (team.size > 0 || i === firstEmpty))
      .sort((a, b) => a.sum - b.sum);
    for (const team of open) {
      const filled = Math.min(seeker.size, Math.max(0, size.min - team.size));
      team.members.push(seeker);
      team.size += seeker.size;
      team.sum += seeker.rating * seeker.size;
      missing -= filled;
      if (rolesFit(team.members, rules)) place(next + 1, seatsLeft - seeker.size);
      missing += filled;
      team.sum -= seeker.rating * seeker.size;
      team.size -= seeker.size;
      team.members.pop();
    }
  };
  place(0, total);
  return best;
}

const rolesFit = (seekers: readonly Seeker[], rules: RuleSet): boolean =>
  rules.roles === null ||
  assignRoles(
    seekers.flatMap((seeker) => seeker.ticket.players),
    rules.roles,
  ) !== null;

/** Whether parties of these sizes can sit in `count` teams of at most `max`: none of them split. */
export function partiesFit(sizes: readonly number[], count: number, max: number): boolean {
  const parties = sizes.filter((size) => size > 1).sort((a, b) => b - a);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total > count * max) return false;
  const rooms = Array.from({ length: Math.min(count, parties.length) }, () => max);
  const place = (next: number): boolean => {
    const party = parties[next];
    if (party === undefined) return true;
    const tried = new Set<number>();
    return rooms.some((room, i) => {
      if (room < party || tried.has(room)) return false;
      tried.add(room);
      rooms[i] = room - party;
      const fits = place(next + 1);
      rooms[i] = room;
      return fits;
    });
  };
  return place(0);
}
