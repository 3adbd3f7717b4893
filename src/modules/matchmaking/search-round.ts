import type { Clock } from '../../core/clock';
import type { Logger } from '../../core/logger';
import type { GameMode } from '../games';
import { proposeAll, type PoolProposal } from './engine';
import type { Formation } from './formation';
import { inParallel } from './in-parallel';
import type { PooledTicket, Pools, SearchPool } from './pools';

/** Matches are independent of each other: this many commits run side by side. */
const COMMITS_AT_ONCE = 16;

const TRIES = 3;

/** What the engine proposes, with the tickets as it saw them. */
interface Found {
  proposal: PoolProposal;
  mode: GameMode;
  tickets: PooledTicket[];
}

/** One round of searching: what the engine proposes for the pools in which something changed, committed match by match. */
export function createSearchRound({
  pools,
  formation,
  clock,
  logger,
}: {
  pools: Pools;
  formation: Formation;
  clock: Clock;
  logger: Logger;
}): () => Promise<void> {
  /** @returns whether everything that was proposed stands now */
  const search = async (searched: readonly SearchPool[], now: number): Promise<boolean> => {
    const byKey = new Map(searched.map((pool) => [pool.key, pool]));
    const found = proposeAll(searched, now, now).map((proposal): Found => {
      const { mode, seen } = byKey.get(proposal.pool) as SearchPool;
      return { proposal, mode, tickets: proposal.ticketIds.map((id) => seen.get(id) as PooledTicket) };
    });
    let formed = 0;
    await inParallel(found, COMMITS_AT_ONCE, async ({ proposal, tickets, mode }) => {
      if (await formation.form(proposal, tickets, mode)) formed += 1;
    });
    if (found.length > 0) logger.debug({ pools: searched.length, proposed: found.length, formed }, 'matchmaking round');
    return formed === found.length;
  };

  const searchOnce = async (): Promise<boolean> => {
    const now = clock.now();
    const searched = await pools.toSearch(now);
    try {
      return await search(searched, now);
    } catch (error) {
      // nobody who could have been matched waits for the next change of the pool
      pools.searchAgain(searched.map((pool) => pool.key));
      throw error;
    }
  };

  return async () => {
    // whoever was proposed with somebody who is gone by now need not wait for the next round
    for (let tries = 0; tries < TRIES; tries++) if (await searchOnce()) return;
  };
}
