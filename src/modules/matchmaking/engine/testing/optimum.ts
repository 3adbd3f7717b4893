import type { RuleSet } from '../../../games/rule-set';
import { Group } from '../group';
import { Pool } from '../pool';
import { judge } from '../quality';
import { splitIntoTeams } from '../teams';
import type { PoolProposal, Ticket } from '../ticket';
import { broken } from './oracle';

/**
 * The best total that a pool of up to about 12 tickets allows: every set of tickets that breaks no rule (as the oracle reads
 * them), and every way of choosing disjoint ones. A match is worth its players times its quality.
 */
export function optimum(tickets: readonly Ticket[], rules: RuleSet, now: number): number {
  const n = tickets.length;
  const worthOf = new Float64Array(1 << n);
  const pairs = tickets.map((a) =>
    tickets.map((b) => a === b || !broken([a, b], rules, now).some((f) => PAIRWISE.has(f))),
  );
  const extend = (from: number, mask: number, members: Ticket[]) => {
    if (members.length > 0 && broken(members, rules, now).length === 0) worthOf[mask] = valueOf(members, rules, now);
    for (let i = from; i < n; i++) {
      const next = tickets[i]!;
      if (members.some((member) => !pairs[tickets.indexOf(member)]![i])) continue;
      extend(i + 1, mask | (1 << i), [...members, next]);
    }
  };
  extend(0, 0, []);
  const best = new Float64Array(1 << n);
  for (let mask = 1; mask < 1 << n; mask++) {
    const lowest = mask & -mask;
    best[mask] = best[mask & ~lowest]!;
    for (let sub = mask; sub > 0; sub = (sub - 1) & mask)
      if (sub & lowest && worthOf[sub]! > 0) best[mask] = Math.max(best[mask]!, worthOf[sub]! + best[mask & ~sub]!);
  }
  return best[(1 << n) - 1]!;
}

/** Faults of a pair that no third ticket can mend. */
const PAIRWISE = new Set(['spread', 'region', 'language', 'blocked', 'recent', 'two lobbies', 'party too big']);

export const totalOf = (proposals: readonly PoolProposal[]): number =>
  proposals.reduce((sum, proposal) => sum + proposal.teams.flat().length * proposal.quality, 0);

function valueOf(members: readonly Ticket[], rules: RuleSet, now: number): number {
  const pool = new Pool(rules, 1);
  members.forEach((ticket) => pool.add(ticket));
  for (const _ of pool.advance(now));
  const group = new Group(pool);
  group.reset(now);
  for (const slot of pool.order.toArray()) if (!group.push(slot)) return 0;
  if (!group.complete) return 0;
  const teams = splitIntoTeams(pool, group.list());
  if (!teams || teams.gap > group.gapLimit()) return 0;
  return group.players * judge(pool, group.list(), teams, now).quality;
}
