import type { RuleSet } from '../../games';
import { Engine } from './engine';
import type { PoolProposal, Ticket } from './ticket';

/** All tickets that name one (game, mode). */
export interface NamedPool {
  key: string;
  ruleSet: RuleSet;
  tickets: readonly Ticket[];
}

/** One pass over these tickets, as if all of them had just come. Two of the same id in several pools are one ticket. */
export function propose(pools: readonly NamedPool[], now: number, seed: number, circles?: number): PoolProposal[] {
  const engine = new Engine(seed, circles);
  for (const { key, ruleSet, tickets } of pools) {
    engine.setPool(key, ruleSet);
    for (const ticket of tickets) engine.add(key, ticket);
  }
  return [...engine.pass(now)].filter((proposal) => proposal !== null);
}
