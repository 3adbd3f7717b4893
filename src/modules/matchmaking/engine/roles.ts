import type { RuleSet } from '../../games';
import type { Player } from './ticket';

export type RoleCounts = NonNullable<RuleSet['roles']>;

/**
 * Gives each player one of the seats, by augmenting paths (Kuhn's bipartite matching). Null where no assignment seats all.
 * @param copies how many teams' worth of seats there are
 * @returns the role of each player, in the order of `players`
 */
export function assignRoles(players: readonly Player[], roles: RoleCounts, copies = 1): string[] | null {
  const seats = Object.keys(roles)
    .sort()
    .flatMap((role) => Array.from({ length: (roles[role] ?? 0) * copies }, () => role));
  if (players.length > seats.length) return null;
  const holder: (number | undefined)[] = seats.map(() => undefined);

  const seat = (index: number, tried: Set<number>): boolean => {
    const wanted = players[index]?.roles ?? [];
    for (const [s, role] of seats.entries()) {
      if (tried.has(s) || (wanted.length > 0 && !wanted.includes(role))) continue;
      tried.add(s);
      const present = holder[s];
      if (present === undefined || seat(present, tried)) {
        holder[s] = index;
        return true;
      }
    }
    return false;
  };

  if (!players.every((_, index) => seat(index, new Set()))) return null;
  const assigned: string[] = [];
  holder.forEach((index, s) => {
    if (index !== undefined) assigned[index] = seats[s] ?? '';
  });
  return assigned;
}
