import type { RuleSet } from '../../games';
import { propose } from './propose';
import type { Proposal, Ticket } from './ticket';

/** All open tickets that name one (game, mode). */
export interface NamedPool {
  key: string;
  ruleSet: RuleSet;
  tickets: readonly Ticket[];
}

export interface PoolProposal extends Proposal {
  pool: string;
}

/**
 * Proposals over several pools; a ticket may stand in many of them and is taken at most once. Every pool proposes; where two
 * proposals want one ticket, the pool that its tickets want more (mean weight) goes first, then the one that has waited
 * longer. Pools that lost a proposal propose again over what is left.
 */
export function proposeAll(pools: readonly NamedPool[], now: number, seed: number): PoolProposal[] {
  const taken = new Set<string>();
  const accepted: PoolProposal[] = [];
  let asking = [...pools].sort((a, b) => (a.key < b.key ? -1 : 1));
  while (asking.length > 0) {
    const claims = asking.flatMap((pool) => claimsOf(pool, taken, now, seed));
    claims.sort((a, b) => b.weight - a.weight || a.since - b.since || (a.proposal.pool < b.proposal.pool ? -1 : 1));
    const lost = new Set<string>();
    for (const { proposal } of claims) {
      if (proposal.ticketIds.some((id) => taken.has(id))) {
        lost.add(proposal.pool);
        continue;
      }
      for (const id of proposal.ticketIds) taken.add(id);
      accepted.push(proposal);
    }
    // the first claim of a round always wins, so this ends
    asking = asking.filter((pool) => lost.has(pool.key));
  }
  return accepted;
}

function claimsOf({ key, ruleSet, tickets }: NamedPool, taken: ReadonlySet<string>, now: number, seed: number) {
  const free = tickets.filter((ticket) => !taken.has(ticket.id));
  const byId = new Map(free.map((ticket) => [ticket.id, ticket]));
  return propose({ tickets: free, ruleSet, now, seed }).map((proposal) => {
    const members = proposal.ticketIds.map((id) => byId.get(id) as Ticket);
    return {
      proposal: { ...proposal, pool: key },
      weight: members.reduce((sum, ticket) => sum + ticket.weight, 0) / members.length,
      since: Math.min(...members.map((ticket) => ticket.waitingSince)),
    };
  });
}
