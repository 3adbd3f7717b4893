/**
 * Who plays what. Offers are bitmasks over the rule set's role names in sorted order. Whether a set of players can be seated
 * is Hall's theorem by counting: for every set of roles, no more players may be confined to it than it has seats. With at most
 * 8 roles that is 256 comparisons at worst, and adding a player is adding numbers. Names are given out once, at the end, by
 * bipartite matching.
 */
export interface RoleTable {
  names: string[];
  seats: number[];
  any: number;
  /** Seats of one team in each set of roles, by mask. */
  capacity: Int32Array;
}

export function roleTable(roles: Readonly<Record<string, number>>): RoleTable {
  const names = Object.keys(roles).sort();
  const seats = names.map((name) => roles[name] ?? 0);
  const capacity = new Int32Array(1 << names.length);
  for (let mask = 0; mask < capacity.length; mask++)
    capacity[mask] = seats.reduce((sum, n, bit) => (mask & (1 << bit) ? sum + n : sum), 0);
  return { names, seats, any: capacity.length - 1, capacity };
}

/** None named: any. Names that the mode does not know offer nothing. */
export const offerOf = ({ names, any }: RoleTable, offered: readonly string[]): number =>
  offered.length === 0 ? any : offered.reduce((mask, role) => mask | bitOf(names, role), 0);

const bitOf = (names: readonly string[], role: string): number => {
  const bit = names.indexOf(role);
  return bit < 0 ? 0 : 1 << bit;
};

/** For every set of roles, how many of these players are confined to it. */
export function confined({ capacity }: RoleTable, offers: readonly number[]): Uint8Array {
  const counts = new Uint8Array(capacity.length);
  for (let mask = 0; mask < counts.length; mask++)
    for (const offer of offers) if ((offer & ~mask) === 0) counts[mask] = (counts[mask] as number) + 1;
  return counts;
}

/**
 * Gives each player one of the seats of a team, by augmenting paths (Kuhn's algorithm). Null where no assignment seats all.
 * @returns the role of each player, in the order of `offers`
 */
export function assignRoles({ names, seats }: RoleTable, offers: readonly number[]): string[] | null {
  const chairs = seats.flatMap((n, bit) => Array.from({ length: n }, () => bit));
  const holder: (number | undefined)[] = chairs.map(() => undefined);
  /** For whom each chair was last asked for. */
  const asked = chairs.map(() => -1);
  const seat = (player: number, newcomer: number): boolean => {
    for (let chair = 0; chair < chairs.length; chair++) {
      if (asked[chair] === newcomer || ((offers[player] ?? 0) & (1 << (chairs[chair] ?? 0))) === 0) continue;
      asked[chair] = newcomer;
      const present = holder[chair];
      if (present !== undefined && !seat(present, newcomer)) continue;
      holder[chair] = player;
      return true;
    }
    return false;
  };
  if (offers.length > chairs.length || !offers.every((_, player) => seat(player, player))) return null;
  const assigned: string[] = [];
  holder.forEach((player, chair) => {
    if (player !== undefined) assigned[player] = names[chairs[chair] ?? 0] ?? '';
  });
  return assigned;
}
