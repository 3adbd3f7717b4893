import type { Pool } from './pool';
import type { RoleTable } from './roles';

export interface Teams {
  /** The team of each ticket, by its place among them; -1 for an open lobby, whose players sit already. Empty: all in the first. */
  teamOf: readonly number[];
  /** Highest minus lowest mean rating of a team, by players. */
  gap: number;
}

/** Most tickets that are split by trying every way; beyond, and with three teams or more, branch by branch. */
const EXHAUSTIVE = 14;
const EXACT_PLAYERS = 10;
const BRANCHES = 5000;

/**
 * Splits whole parties into teams: sizes as the rules say (two teams are always equal, more differ as little as possible),
 * roles seated in each team, and among those the smallest gap between the team means. For two teams of up to 14 tickets, and
 * for any number of teams of up to 10 players in all, the answer is exact. Null where the parties do not fit.
 */
export function splitIntoTeams(pool: Pool, members: readonly number[]): Teams | null {
  const { teamCount } = pool.rules;
  if (teamCount === 1 && !pool.rules.roles) return ALL_TOGETHER;
  const bench = benchOf(pool, members);
  if (teamCount === 1) {
    if (pool.rules.roles && !seatable(pool.rules.roles, bench.confined)) return null;
    return ALL_TOGETHER;
  }
  if (teamCount === 2 && members.length <= EXHAUSTIVE) return halve(pool, bench);
  return branch(pool, bench);
}

interface Bench {
  depth: number;
  players: number;
  sizes: number[];
  /** Sum of ratings. */
  sums: number[];
  confined: Uint8Array[];
  /** The place of an open lobby, or -1; what its teams hold already. */
  lobby: number;
  seated: { sizes: readonly number[]; sums: readonly number[]; confined: readonly Uint8Array[] };
}

const ALL_TOGETHER: Teams = { teamOf: [], gap: 0 };

function benchOf(pool: Pool, members: readonly number[]): Bench {
  const depth = members.length;
  const { slots, classes, rules } = pool;
  const bench: Bench = {
    depth,
    players: 0,
    sizes: [],
    sums: [],
    confined: [],
    lobby: -1,
    seated: { sizes: [], sums: [], confined: [] },
  };
  for (let i = 0; i < depth; i++) {
    const slot = members[i] as number;
    const size = slots.size[slot] as number;
    bench.players += size;
    bench.sizes.push(size);
    bench.sums.push(size * (slots.rating[slot] as number));
    if (rules.roles) bench.confined.push(classes.confined[slots.cls[slot] as number] as Uint8Array);
    const lobby = slots.lobbies.size > 0 ? slots.lobbies.get(slot) : undefined;
    if (lobby) {
      bench.lobby = i;
      bench.seated = lobby;
    }
  }
  return bench;
}

/** Players and ratings of each subset of the tickets to be halved: scratch, for thousands are halved in a second. */
const sizeOf = new Int32Array(1 << EXHAUSTIVE);
const sumOf = new Float64Array(1 << EXHAUSTIVE);

/** Two equal teams: every subset of the tickets that makes one half, its sums built up from those of smaller subsets. */
function halve(pool: Pool, { depth, players, sizes, sums, confined, lobby, seated }: Bench): Teams | null {
  const { roles } = pool.rules;
  const free = Array.from({ length: depth }, (_, i) => i).filter((i) => i !== lobby);
  const n = free.length;
  if (players % 2 === 1 || players / 2 > pool.rules.teamMax || players / 2 < pool.rules.teamMin) return null;
  // without a lobby the teams are alike: the last ticket may as well stay in the second
  const masks = 1 << (lobby < 0 ? n - 1 : n);
  const all = (1 << n) - 1;
  sizeOf[0] = seated.sizes[0] ?? 0;
  sumOf[0] = seated.sums[0] ?? 0;
  const total = sums.reduce((sum, part) => sum + part, 0);
  const half = players / 2;
  let best = -1;
  let bestGap = Infinity;
  for (let mask = 0; mask < masks; mask++) {
    if (mask > 0) {
      const bit = 31 - Math.clz32(mask & -mask);
      const rest = mask & (mask - 1);
      const member = free[bit] as number;
      sizeOf[mask] = (sizeOf[rest] as number) + (sizes[member] as number);
      sumOf[mask] = (sumOf[rest] as number) + (sums[member] as number);
    }
    if (sizeOf[mask] !== half) continue;
    const gap = Math.abs(total - 2 * (sumOf[mask] as number));
    if (gap >= bestGap) continue;
    if (roles && !seatsMask(roles, confined, free, mask, seated.confined[0])) continue;
    if (roles && !seatsMask(roles, confined, free, all & ~mask, seated.confined[1])) continue;
    best = mask;
    bestGap = gap;
  }
  if (best < 0) return null;
  const teamOf = Array.from({ length: depth }, () => -1);
  free.forEach((member, bit) => (teamOf[member] = best & (1 << bit) ? 0 : 1));
  return { teamOf, gap: bestGap / half };
}

function seatsMask(
  roles: RoleTable,
  confined: Uint8Array[],
  free: readonly number[],
  mask: number,
  seated: Uint8Array | undefined,
): boolean {
  for (let set = 0; set < roles.capacity.length; set++) {
    let count = seated?.[set] ?? 0;
    for (let bit = 0; bit < free.length; bit++)
      if (mask & (1 << bit)) count += confined[free[bit] as number]?.[set] as number;
    if (count > (roles.capacity[set] as number)) return false;
  }
  return true;
}

function seatable(roles: RoleTable, confined: readonly Uint8Array[]): boolean {
  return roles.capacity.every((seats, set) => {
    let count = 0;
    for (const counts of confined) count += counts[set] as number;
    return count <= seats;
  });
}

/** Branch by branch, the biggest party first, each into the team with the lowest sum first. */
function branch(pool: Pool, bench: Bench): Teams | null {
  const { teamCount: count, teamMin, teamMax, roles } = pool.rules;
  const { players, sizes, sums, confined, lobby, seated } = bench;
  const largest = count === 2 ? players / 2 : teamMax;
  if (players < count * teamMin || players > count * teamMax || (count === 2 && players % 2 === 1)) return null;
  const order = sizes.map((_, i) => i).filter((i) => i !== lobby);
  order.sort(
    (a, b) =>
      (sizes[b] ?? 0) - (sizes[a] ?? 0) || (sums[b] ?? 0) / (sizes[b] ?? 1) - (sums[a] ?? 0) / (sizes[a] ?? 1) || a - b,
  );
  const teams = Array.from({ length: count }, (_, t) => ({
    size: seated.sizes[t] ?? 0,
    sum: seated.sums[t] ?? 0,
    seated: seated.confined.slice(t, t + 1),
    members: [] as number[],
  }));
  const teamOf = Array.from({ length: bench.depth }, () => -1);
  let left = players <= EXACT_PLAYERS ? Infinity : BRANCHES;
  let missing = teams.reduce((sum, team) => sum + Math.max(0, teamMin - team.size), 0);
  let unplaced = order.reduce((sum, i) => sum + (sizes[i] ?? 0), 0);
  let best: { teamOf: number[]; gap: number; unevenness: number } | null = null;

  const judge = () => {
    const byHeads = teams.map((team) => team.size);
    const means = teams.map((team) => team.sum / team.size);
    const unevenness = Math.max(...byHeads) - Math.min(...byHeads);
    const gap = Math.max(...means) - Math.min(...means);
    if (best && (unevenness > best.unevenness || (unevenness === best.unevenness && gap >= best.gap))) return;
    best = { teamOf: teamOf.slice(), gap, unevenness };
  };

  const placeFrom = (next: number): void => {
    if (left-- <= 0 || missing > unplaced) return;
    const member = order[next];
    if (member === undefined) return judge();
    const size = sizes[member] ?? 0;
    const sum = sums[member] ?? 0;
    // teams that are empty are alike: only the first of them is tried
    const firstEmpty = teams.findIndex((team) => team.size === 0);
    const open = teams
      .map((team, t) => ({ team, t }))
      .filter(({ team, t }) => team.size + size <= largest && (team.size > 0 || t === firstEmpty))
      .sort((a, b) => a.team.sum - b.team.sum || a.t - b.t);
    unplaced -= size;
    for (const { team, t } of open) {
      const filled = Math.min(size, Math.max(0, teamMin - team.size));
      team.members.push(member);
      team.size += size;
      team.sum += sum;
      missing -= filled;
      teamOf[member] = t;
      if (!roles || seatable(roles, [...team.seated, ...team.members.map((i) => confined[i] as Uint8Array)]))
        placeFrom(next + 1);
      missing += filled;
      team.sum -= sum;
      team.size -= size;
      team.members.pop();
    }
    unplaced += size;
  };
  placeFrom(0);
  return best;
}
